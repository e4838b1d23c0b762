import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatLabels } from '../../core/model/labels.ts';
import { Engine, type EngineOptions, type QueryOptions } from './engine.ts';
import { measure } from './exec/range.bench.ts';
import type { QueryResult } from './result.ts';
import { MemoryStorage } from './testing/memory-storage.ts';
import { takeSeries, parsePoints } from './testing/series-notation.ts';

const OPTIONS: EngineOptions = { lookbackMs: 300_000, maxSamples: 1e6, defaultStepMs: 60_000, featureFlags: [] };

/** Series in the notation of test scripts, a sample a minute. */
function storage(...lines: string[]): MemoryStorage {
  const made = new MemoryStorage();
  for (const line of lines) {
    const { labels, rest } = takeSeries(line);
    for (const [i, point] of parsePoints(rest).entries()) {
      if (point === 'stale') made.samplesOf(labels).pushStale(i * 60_000);
      else if (point !== null) made.append(labels, i * 60_000, point);
    }
  }
  return made;
}

/** One line a series: `labels => value@seconds …`. */
function show({ value }: QueryResult): string[] {
  switch (value.type) {
    case 'scalar':
      return [String(value.value)];
    case 'string':
      return [value.value];
    case 'vector':
      return value.labels.map((labels, i) => `${formatLabels(labels)} => ${value.values[i]}`);
    default:
      return value.series.map(
        ({ labels, times, values }) =>
          `${formatLabels(labels)} => ${Array.from(times, (t, i) => `${values[i]}@${t / 1000}`).join(' ')}`,
      );
  }
}

const instant = (
  data: MemoryStorage,
  query: string,
  minutes = 0,
  options: Partial<EngineOptions> = {},
  more: Partial<QueryOptions> = {},
): Promise<QueryResult> =>
  new Engine({ ...OPTIONS, ...options }).instant(data, { query, timeMs: minutes * 60_000, ...more });
const range = (
  data: MemoryStorage,
  query: string,
  minutes: number,
  options: Partial<EngineOptions> = {},
): Promise<QueryResult> =>
  new Engine({ ...OPTIONS, ...options }).range(data, { query, startMs: 0, endMs: minutes * 60_000, stepMs: 60_000 });

test('an instant query keeps the order of the engine, a range query sorts by labels', async () => {
  const data = storage('x{a="1"} 1', 'x{a="2"} 3', 'x{a="3"} 2');
  assert.deepEqual(show(await instant(data, 'sort_desc(x)')), ['x{a="2"} => 3', 'x{a="3"} => 2', 'x{a="1"} => 1']);
  assert.deepEqual(show(await range(data, 'topk(2, x)', 0)), ['x{a="2"} => 3@0', 'x{a="3"} => 2@0']);
});

test('each value type has its result', async () => {
  const data = storage('x 1 2 3');
  assert.deepEqual(show(await instant(data, '1 + 1')), ['2']);
  assert.deepEqual(show(await instant(data, '"text"')), ['text']);
  assert.deepEqual(show(await instant(data, 'x[2m]', 2)), ['x => 2@60 3@120']);
  assert.deepEqual(show(await range(data, 'time()', 1)), ['{} => 0@0 60@60']);
});

test('the lookback of a query replaces that of the engine', async () => {
  const data = storage('x 1');
  assert.deepEqual(show(await instant(data, 'x', 4)), ['x => 1']);
  assert.deepEqual(show(await instant(data, 'x', 4, {}, { lookbackMs: 60_000 })), []);
});

const failures = [
  [
    'a name that goes makes two series equal',
    'rate({__name__=~"x|y"}[5m])',
    'vector cannot contain metrics with the same labelset',
  ],
  [
    'a label that is overwritten does',
    'label_replace(x, "a", "same", "", "")',
    'vector cannot contain metrics with the same labelset',
  ],
  [
    'two on the one side',
    'y == on () x',
    /^found duplicate series for the match group {} on the right hand-side of the operation: \[{__name__="x", a="1"}, {__name__="x", a="2"}\];many-to-many matching not allowed/,
  ],
  [
    'two on the many side',
    'x == on () y',
    'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)',
  ],
  [
    'grouping that is not unique',
    'sum by (a) (x) * on () group_left (a) z',
    'multiple matches for labels: grouping labels must ensure unique matches',
  ],
  ['a label that cannot be', 'count_values("", x)', 'invalid label name ""'],
  [
    'a pattern that cannot be',
    'label_replace(x, "b", "", "a", "(")',
    'invalid regular expression in label_replace(): (',
  ],
  ['k that is no number', 'topk(NaN, x)', 'Parameter value is NaN'],
] as const;
for (const [claim, query, message] of failures) {
  test(`fails: ${claim}`, async () => {
    const data = storage('x{a="1"} 1 2', 'x{a="2"} 1 2', 'y{a="1"} 1 2', 'z{a="9"} 1 1');
    await assert.rejects(instant(data, query, 1), { name: 'PromqlEvaluationError', message });
  });
}

test('names that go late make no equals on the way', async () => {
  const data = storage('x 1 2', 'y 1 2');
  const query = 'label_replace(rate({__name__=~"x|y"}[5m]), "n", "$1", "__name__", "(.*)")';
  const delayed = await instant(data, query, 1, { featureFlags: ['promql-delayed-name-removal'] });
  assert.deepEqual(
    show(delayed).map((line) => line.split(' => ')[0]),
    ['{n="x"}', '{n="y"}'],
  );
});

const annotations = [
  [
    'rate(x[5m])',
    'info',
    'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "x" (1:6)',
  ],
  ['1 +\n quantile(2, x)', 'warning', 'PromQL warning: quantile value should be between 0 and 1, got 2 (2:11)'],
  [
    'quantile_over_time(-1, x[5m])',
    'warning',
    'PromQL warning: quantile value should be between 0 and 1, got -1 (1:20)',
  ],
  [
    'histogram_quantile(0.5, x)',
    'warning',
    'PromQL warning: bucket label "le" is missing or has a malformed value of "" for metric name "x" (1:25)',
  ],
  [
    'h * h',
    'info',
    'PromQL info: incompatible sample types encountered for binary operator "*": histogram * histogram (1:1)',
  ],
  ['max(h)', 'info', 'PromQL info: ignored histogram in max aggregation (1:5)'],
] as const;
for (const [query, kind, text] of annotations) {
  test(`${query} tells: ${text}`, async () => {
    const { warnings, infos } = await instant(storage('x 1 2', 'h {{count:1}} {{count:2}}'), query, 1);
    assert.deepEqual(
      { warnings, infos },
      kind === 'info' ? { warnings: [], infos: [text] } : { warnings: [text], infos: [] },
    );
  });
}

test('a query that would hold too many samples fails, whatever holds them', async () => {
  const lines = Array.from({ length: 20 }, (_, i) => `x{a="${i}"} 0+1x99`);
  const data = storage(...lines);
  const tooMany = {
    name: 'PromqlEvaluationError',
    message: 'query processing would load too many samples into memory in query execution',
  };
  for (const query of [
    'x',
    'rate(x[5m])',
    'sum by (a) (x)',
    'topk(10, x)',
    'x * on (a) x',
    'quantile(0.5, x)',
    'count_values("v", x)',
    'max_over_time(x[5m:1m])',
  ]) {
    await assert.rejects(range(data, query, 99, { maxSamples: 500 }), tooMany, query);
    await range(data, query, 99, { maxSamples: 50_000 });
  }
});

test('a subquery of more steps than samples are allowed is refused before memory is', async () => {
  await assert.rejects(instant(storage('x 1'), 'max_over_time(x[100y:1ms])'), /too many samples/);
});

test('an empty group costs nothing', async () => {
  // 200 groups, each with a value at one of 200 steps.
  const lines = Array.from({ length: 200 }, (_, i) => `x{a="${i}"} _x${i + 1} 1 stale`);
  const result = await range(storage(...lines), 'sum by (a) (x)', 300, { maxSamples: 60_000 });
  assert.equal(show(result).length, 200);
});

test('a query stops when nobody wants it, and when its time is over', async () => {
  const data = storage('x 1');
  await assert.rejects(instant(data, 'x', 0, {}, { shouldStop: () => true }), {
    name: 'PromqlCanceledError',
    errorType: 'canceled',
  });
  let nowMs = 0;
  const clock = { nowMs: () => 0, monotonicMs: () => (nowMs += 10) };
  await assert.rejects(instant(data, 'x', 0, { clock }, { timeoutMs: 5 }), {
    name: 'PromqlTimeoutError',
    message: 'query timed out in expression evaluation',
  });
});

test('range queries refuse what has no value per step', async () => {
  await assert.rejects(range(storage('x 1'), 'x[5m]', 1), /invalid expression type "range vector" for range query/);
  await assert.rejects(range(storage('x 1'), '"text"', 1), /invalid expression type "string" for range query/);
});

test('samples are counted as steps look at them', async () => {
  const data = storage('x 0+1x9');
  const { stats } = await range(data, 'rate(x[3m])', 9);
  assert.equal(stats.totalQueryableSamples, 1 + 2 + 3 * 8);
});

test('a step of a range query is what an instant query at that time says', async () => {
  const data = storage(
    'c_total{a="1",b="x"} 0+3x9 0+5x9',
    'c_total{a="2",b="x"} 1 2 _ _ 5 stale 7 8 9 _ 1 2',
    'c_total{a="3",b="y"} _x6 1+1x9',
    'g{a="1"} 3 1 4 1 5 9 2 6 5 3 5 8',
    'g{a="2"} 2 7 1 NaN 2 8 stale _ 1 8 2 8',
    'g{a="4"} 1x15',
  );
  const queries = [
    'c_total',
    'rate(c_total[3m])',
    'increase(c_total[4m] offset 1m)',
    'sum by (b) (c_total)',
    'avg(c_total)',
    'g > 2',
    'g == bool 1',
    'c_total / on (a) g',
    'c_total and on (a) g',
    'c_total unless on (a) g',
    'g or c_total',
    'topk(1, g)',
    'quantile(0.5, g)',
    'stddev(g)',
    'max_over_time(g[3m])',
    'sum_over_time(rate(c_total[2m])[5m:30s])',
    'absent(g{a="2"})',
    'absent_over_time(c_total{a="3"}[2m])',
    'g @ 120',
    'timestamp(g)',
    'count_values("v", g)',
    'sum by (b) (c_total) * on () group_left () sum(g)',
    '-g',
    'predict_linear(g[5m], 60)',
    'deriv(g[4m])',
    'label_replace(g, "z", "$1", "a", "(.)")',
    'scalar(g{a="4"}) + g',
    'clamp(g, 2, 5)',
    'hour(g * 3600)',
    'changes(g[6m])',
    'irate(c_total[5m])',
  ];
  const steps = 15;
  for (const query of queries) {
    const { value } = await range(data, query, steps);
    if (value.type !== 'matrix') assert.fail(`${query} has no matrix`);
    const { series } = value;
    for (let minute = 0; minute <= steps; minute++) {
      const fromRange = series.flatMap(({ labels, times, values }) => {
        const at = times.indexOf(minute * 60_000);
        return at < 0 ? [] : [`${formatLabels(labels)} => ${values[at]}`];
      });
      assert.deepEqual(
        show(await instant(data, query, minute)).sort(),
        fromRange.sort(),
        `${query} at minute ${minute}`,
      );
    }
  }
});

test('series that no sample of the range belongs to do not come up', async () => {
  const data = storage('x{a="1"} 1', 'x{a="2"} _x20 1');
  assert.deepEqual(show(await range(data, 'x', 1)), ['x{a="1"} => 1@0 1@60']);
});

test('the benchmark runs', async () => {
  const measurements = await measure(6, 12, 1);
  assert.ok(measurements.every(({ rangeNs, hash }) => rangeNs > 0 && hash !== ''));
});
