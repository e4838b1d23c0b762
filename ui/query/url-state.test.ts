import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DEFAULT_PANEL,
  MAX_PANELS,
  decodePanels,
  encodePanels,
  queryPageSearch,
  stepOf,
  type PanelState,
} from './url-state.ts';

const AT_MS = Date.UTC(2026, 10, 23, 9, 8, 7);

// What an address says, and how the first panel differs from a fresh one.
const addresses: readonly (readonly [claim: string, search: string, Partial<PanelState>])[] = [
  ['an empty address is one empty panel', '', {}],
  ['an expression', '?g0.expr=up%7Bjob%3D%22a%22%7D', { expr: 'up{job="a"}' }],
  ['tabs by name', 'g0.expr=up&g0.tab=graph', { expr: 'up', tab: 'graph' }],
  ['in old links 0 is the graph', 'g0.expr=up&g0.tab=0', { expr: 'up', tab: 'graph' }],
  ['and 1 the table', 'g0.expr=up&g0.tab=1', { expr: 'up', tab: 'table' }],
  ['ranges', 'g0.expr=up&g0.range_input=1d12h', { expr: 'up', rangeMs: 129_600_000 }],
  ['a range that is none', 'g0.expr=up&g0.range_input=soon', { expr: 'up' }],
  ['a range of nothing', 'g0.expr=up&g0.range_input=0s', { expr: 'up' }],
  ['a range of ages', 'g0.expr=up&g0.range_input=200y', { expr: 'up' }],
  ['ends are in UTC', 'g0.expr=up&g0.end_input=2026-11-23%2009%3A08%3A07', { expr: 'up', endMs: AT_MS }],
  ['ends with a zone', 'g0.expr=up&g0.end_input=2026-11-23T10%3A08%3A07%2B01%3A00', { expr: 'up', endMs: AT_MS }],
  ['ends in unix seconds', `g0.expr=up&g0.end_input=${AT_MS / 1000}`, { expr: 'up', endMs: AT_MS }],
  ['ends that are no time', 'g0.expr=up&g0.end_input=yesterday', { expr: 'up' }],
  ['ends beyond time', 'g0.expr=up&g0.end_input=1e300', { expr: 'up' }],
  ['moments', 'g0.expr=up&g0.moment_input=2026-11-23%2009%3A08%3A07', { expr: 'up', momentMs: AT_MS }],
  ['old steps', 'g0.expr=up&g0.step_input=30', { expr: 'up', resolution: { kind: 'custom', stepMs: 30_000 } }],
  [
    'fixed steps',
    'g0.expr=up&g0.res_type=fixed&g0.res_step=10',
    { expr: 'up', resolution: { kind: 'fixed', stepMs: 10_000 } },
  ],
  [
    'steps as durations',
    'g0.expr=up&g0.res_type=custom&g0.res_step=1m',
    { expr: 'up', resolution: { kind: 'custom', stepMs: 60_000 } },
  ],
  ['steps of nothing', 'g0.expr=up&g0.res_type=fixed&g0.res_step=0', { expr: 'up' }],
  ['steps below nothing', 'g0.expr=up&g0.step_input=-5', { expr: 'up' }],
  [
    'densities',
    'g0.expr=up&g0.res_type=auto&g0.res_density=high',
    { expr: 'up', resolution: { kind: 'auto', density: 'high' } },
  ],
  ['unknown densities', 'g0.expr=up&g0.res_density=ultra', { expr: 'up' }],
  ['stacking', 'g0.expr=up&g0.display_mode=stacked', { expr: 'up', isStacked: true }],
  ['old stacking', 'g0.expr=up&g0.stacked=1', { expr: 'up', isStacked: true }],
  ['axes from zero', 'g0.expr=up&g0.y_axis_min=zero', { expr: 'up', fromZero: true }],
  ['exemplars', 'g0.expr=up&g0.show_exemplars=1', { expr: 'up', showExemplars: true }],
  ['broken escapes', '?g0.expr=%E0%A4%A&g0.tab=graph', { expr: '\ufffd%A', tab: 'graph' }],
];
for (const [claim, search, want] of addresses) {
  test(`reads ${claim}`, () => {
    const panels = decodePanels(search);
    assert.equal(panels.length, 1);
    assert.deepEqual(panels[0], { ...DEFAULT_PANEL, ...want });
  });
}

test('panels follow each other without gaps', () => {
  assert.deepEqual(
    decodePanels('g0.expr=a&g1.expr=b&g3.expr=d').map(({ expr }) => expr),
    ['a', 'b'],
  );
});

test('an address of many panels is read up to the bound', () => {
  const search = Array.from({ length: MAX_PANELS + 5 }, (_, i) => `g${i}.expr=x`).join('&');
  assert.equal(decodePanels(search).length, MAX_PANELS);
});

test('what is written is read back', () => {
  const panels: PanelState[] = [
    {
      ...DEFAULT_PANEL,
      expr: 'rate(a_total{x=~"b|c&d=e#f+g"}[5m])\n  or vector(1)',
      tab: 'graph',
      rangeMs: 5_400_000,
      endMs: AT_MS,
    },
    {
      ...DEFAULT_PANEL,
      expr: '',
      resolution: { kind: 'fixed', stepMs: 500 },
      isStacked: true,
      fromZero: true,
      showExemplars: true,
    },
    { ...DEFAULT_PANEL, expr: 'π{名="値"}', momentMs: AT_MS, resolution: { kind: 'custom', stepMs: 1500 } },
  ];
  assert.deepEqual(decodePanels(encodePanels(panels)), panels);
});

test('the page as it opens has no search part', () => {
  assert.equal(encodePanels([DEFAULT_PANEL]), '');
});

test('names are those of Prometheus', () => {
  const search = encodePanels([
    { ...DEFAULT_PANEL, expr: 'up', tab: 'graph', endMs: AT_MS, resolution: { kind: 'custom', stepMs: 15_000 } },
  ]);
  assert.deepEqual(Object.fromEntries(new URLSearchParams(search)), {
    'g0.expr': 'up',
    'g0.tab': 'graph',
    'g0.range_input': '1h',
    'g0.end_input': '2026-11-23 09:08:07',
    'g0.res_type': 'custom',
    'g0.res_step': '15',
    'g0.display_mode': 'lines',
    'g0.show_exemplars': '0',
  });
});

test('each expression opens in a graph of its own', () => {
  const panels = decodePanels(queryPageSearch(['a', 'b'], 900_000, true));
  assert.deepEqual(
    panels.map(({ expr, tab, rangeMs, isStacked }) => [expr, tab, rangeMs, isStacked]),
    [
      ['a', 'graph', 900_000, true],
      ['b', 'graph', 900_000, true],
    ],
  );
});

test('steps follow the range and the density, and are whole seconds', () => {
  assert.equal(stepOf(DEFAULT_PANEL), 14_000);
  assert.equal(stepOf({ ...DEFAULT_PANEL, rangeMs: 60_000 }), 1000);
  assert.equal(stepOf({ ...DEFAULT_PANEL, resolution: { kind: 'auto', density: 'low' } }), 36_000);
  assert.equal(stepOf({ ...DEFAULT_PANEL, resolution: { kind: 'custom', stepMs: 7 } }), 7);
});
