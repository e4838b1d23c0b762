import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_FEATURES, parseExpr } from '../../src/query/promql/parse/parser.ts';
import { Engine } from '../../src/query/promql/engine.ts';
import { MemoryStorage } from '../../src/query/promql/testing/memory-storage.ts';
import { labelsFromObject } from '../../src/core/model/labels.ts';
import type { QueryResult } from '../api/query-result.ts';
import { MAX_CARD_SERIES, instantLatest, panelView } from './panel-data.ts';
import { MACHINE_PANELS, SERVER_PANELS, preferredSource, sourceSelector } from './panels.ts';

const GRID = { startMs: 0, endMs: 3000, stepMs: 1000 };
const panelOf = (id: string) => [...MACHINE_PANELS, ...SERVER_PANELS].find((panel) => panel.id === id)!;

/** Series as `name: values`, a value for each step; `_` is nothing. */
function matrix(label: string, ...rows: string[]): QueryResult {
  return {
    kind: 'matrix',
    series: rows.map((row) => {
      const [name, text] = row.split(': ') as [string, string];
      const points = text.split(' ').flatMap((value, i) => (value === '_' ? [] : [[i * 1000, Number(value)] as const]));
      return {
        labels: labelsFromObject({ [label]: name }),
        timesMs: Float64Array.from(points, ([timeMs]) => timeMs),
        values: Float64Array.from(points, ([, value]) => value),
        histograms: [],
      };
    }),
  };
}

// One row a machine: what it reports, and what the memory card makes of it.
const MEMORY: readonly (readonly [string, Readonly<Record<string, number>>, Readonly<Record<string, number>>])[] = [
  ['Linux', { MemTotal: 100, MemAvailable: 70, MemFree: 20 }, { used: 30, cache: 50, free: 20 }],
  [
    'the built-in collector elsewhere',
    { total: 100, available: 70, free: 20, active: 33 },
    { used: 30, cache: 50, free: 20 },
  ],
  [
    'node_exporter on macOS',
    { total: 100, free: 20, active: 20, wired: 7, compressed: 3, inactive: 50 },
    { used: 30, cache: 50, free: 20 },
  ],
  ['one that tells none', {}, {}],
];
for (const [machine, reported, want] of MEMORY) {
  test(`the memory of ${machine}`, async () => {
    const storage = new MemoryStorage();
    for (const [name, value] of Object.entries({ ...reported, SwapTotal: 9 }))
      storage.append(labelsFromObject({ __name__: `node_memory_${name}_bytes`, job: 'j', instance: 'i' }), 0, value);
    const engine = new Engine({ lookbackMs: 300_000, maxSamples: 1000, defaultStepMs: 60_000, featureFlags: [] });
    const found: Record<string, number> = {};
    for (const panelQuery of panelOf('memory').queries) {
      const query = panelQuery.expr(sourceSelector({ job: 'j', instance: 'i' }), '1m');
      const { value } = await engine.instant(storage, { query, timeMs: 1000, lookbackMs: 0, shouldStop: () => false });
      if (value.type === 'vector' && value.values.length > 0) found[String(panelQuery.name)] = value.values[0]!;
    }
    assert.deepEqual(found, want);
  });
}

test('every expression parses, whatever the target is called', () => {
  const selector = sourceSelector({ job: 'a "quoted"\\ job', instance: '[::1]:9100\n' });
  for (const panel of [...MACHINE_PANELS, ...SERVER_PANELS]) {
    for (const query of panel.queries) parseExpr(query.expr(selector, '20s'), ALL_FEATURES);
  }
});

test('CPU modes have their customary order, and those at rest are left out', () => {
  const { chart, latest } = panelView(
    panelOf('cpu'),
    [matrix('mode', 'irq: 0 0 0 0', 'system: 1 1 1 2', 'user: 3 3 3 4')],
    GRID,
    'light',
  );
  assert.deepEqual(
    chart.series.map(({ name }) => name),
    ['user', 'system'],
  );
  assert.deepEqual(panelOf('cpu').headlines(latest)[0], { lead: '', value: 6, unit: 'percent', tail: 'in use' });
});

test('series that ended have no part in the headline', () => {
  const { latest } = panelView(panelOf('cpu'), [matrix('mode', 'system: 5 5 _ _', 'user: 1 1 1 1')], GRID, 'light');
  assert.deepEqual([...latest], [['user', 1]]);
});

test('a scrape that is a step late keeps its headline', () => {
  const { latest } = panelView(panelOf('series'), [matrix('x', 'a: 7 7 7 _')], GRID, 'light');
  assert.deepEqual([...latest], [['series', 7]]);
});

test('hidden queries are in the headline and not in the chart', () => {
  const answers = [matrix('x', 'a: 6 6 6 6'), matrix('x', 'a: 2 2 2 2'), matrix('x', 'a: 2 2 2 2')];
  const { chart, latest } = panelView(panelOf('memory'), answers, GRID, 'dark');
  assert.deepEqual(
    chart.series.map(({ name }) => name),
    ['used', 'cache'],
  );
  assert.deepEqual(
    panelOf('memory')
      .headlines(latest)
      .map(({ lead, value, tail }) => `${lead} ${value} ${tail}`.trim()),
    ['6 used', 'of 10'],
  );
});

test('a card draws no more series than it can show', () => {
  const rows = Array.from({ length: MAX_CARD_SERIES + 4 }, (_, i) => `job${i}: 1 1 1 1`);
  const { chart, leftOut } = panelView(panelOf('scrapes'), [matrix('job', ...rows)], GRID, 'light');
  assert.deepEqual([chart.series.length, leftOut], [MAX_CARD_SERIES, 4]);
});

test('without answers there is a chart of nothing and no headline', () => {
  for (const panel of [...MACHINE_PANELS, ...SERVER_PANELS]) {
    const { chart, latest } = panelView(panel, [], GRID, 'light');
    assert.deepEqual([chart.series.length, panel.headlines(latest)], [0, []], panel.id);
  }
});

test('instant answers give the headline of long ranges', () => {
  const answer: QueryResult = {
    kind: 'vector',
    samples: [
      { labels: labelsFromObject({ mode: 'user' }), timeMs: 0, value: 3, histogram: null },
      { labels: labelsFromObject({ mode: 'iowait' }), timeMs: 0, value: Number.NaN, histogram: null },
    ],
  };
  assert.deepEqual([...instantLatest(panelOf('cpu'), [answer])], [['user', 3]]);
});

test('the customary job is shown first, else the first target', () => {
  const sources = [
    { job: 'x', instance: '1' },
    { job: 'node', instance: '2' },
  ];
  assert.equal(preferredSource(sources, 'node')?.instance, '2');
  assert.equal(preferredSource(sources, 'other')?.instance, '1');
  assert.equal(preferredSource([], 'node'), undefined);
});
