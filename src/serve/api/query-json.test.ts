import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CUSTOM_SCHEMA, type FloatHistogram } from '../../core/model/histogram.ts';
import { labelsFromObject, type Labels } from '../../core/model/labels.ts';
import type { QueryResult, QueryValue } from '../../query/promql/result.ts';
import { PIECE_BYTES } from './byte-writer.ts';
import { writeQueryJson, writeSeriesJson, writeStringsJson, type QueryJsonOptions } from './query-json.ts';

const STATS = { preparationMs: 1, evaluationMs: 20, sortMs: 3, totalQueryableSamples: 7, peakSamples: 5 };
const PLAIN: QueryJsonOptions = { limit: 0, stats: false, queueMs: 0 };
const resultOf = (value: QueryValue, notes: Partial<QueryResult> = {}): QueryResult => ({ value, warnings: [], infos: [], stats: STATS, ...notes });
const textOf = (pieces: Iterable<Uint8Array>): string => Buffer.concat([...pieces]).toString();
const body = (value: QueryValue, options: Partial<QueryJsonOptions> = {}, notes: Partial<QueryResult> = {}): string =>
  textOf(writeQueryJson(resultOf(value, notes), { ...PLAIN, ...options }));

const vector = (labels: readonly Labels[], values: readonly number[], timeMs = 0): QueryValue => ({ type: 'vector', timeMs, labels, values: Float64Array.from(values) });
const success = (data: string, rest = ''): string => `{"status":"success","data":${data}${rest}}`;

// One row a result: as Prometheus 2.42 writes it.
const RESULTS: readonly (readonly [string, QueryValue, string])[] = [
  ['a scalar', { type: 'scalar', timeMs: 1_435_781_430_500, value: 1 }, '{"resultType":"scalar","result":[1435781430.5,"1"]}'],
  ['a scalar before 1970', { type: 'scalar', timeMs: -1250, value: -0 }, '{"resultType":"scalar","result":[-1.25,"-0"]}'],
  ['a string', { type: 'string', timeMs: 0, value: 'a"<b>\n' }, '{"resultType":"string","result":[0,"a\\"\\u003cb\\u003e\\n"]}'],
  ['an empty vector', vector([], []), '{"resultType":"vector","result":[]}'],
  ['an empty matrix', { type: 'matrix', series: [] }, '{"resultType":"matrix","result":[]}'],
  [
    'a vector; times have no fraction or three decimals',
    vector([['__name__', 'a', 'b', 'c'], []], [1, 0.5], 1_795_423_267_500),
    '{"resultType":"vector","result":[{"metric":{"__name__":"a","b":"c"},"value":[1795423267.500,"1"]},{"metric":{},"value":[1795423267.500,"0.5"]}]}',
  ],
  [
    'a matrix',
    { type: 'matrix', series: [{ labels: ['a', 'b'], times: Float64Array.of(-1500, 0, 5, 1000), values: Float64Array.of(Number.NaN, Infinity, -Infinity, 1e-7) }] },
    '{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[-1.500,"NaN"],[0,"+Inf"],[0.005,"-Inf"],[1,"1e-07"]]}]}',
  ],
];
/** 3 below zero, 2 in the zero bucket, 4 and 1 above; one bucket is empty. */
const exponential: FloatHistogram = {
  schema: 0,
  zeroThreshold: 0.001,
  zeroCount: 2,
  count: 10,
  sum: -1.5,
  positive: { indexes: [1, 2, 3], counts: [4, 0, 1] },
  negative: { indexes: [0, 1], counts: [1, 2] },
  customBounds: [],
  resetHint: 'unknown',
};
const custom: FloatHistogram = {
  ...exponential,
  schema: CUSTOM_SCHEMA,
  zeroCount: 0,
  count: 3,
  sum: Number.NaN,
  positive: { indexes: [0, 1, 2], counts: [0.5, 1, 1.5] },
  negative: { indexes: [], counts: [] },
  customBounds: [0.1, 5],
};
const empty: FloatHistogram = { ...custom, count: 0, sum: 0, positive: { indexes: [], counts: [] } };
const EXPONENTIAL =
  '{"count":"10","sum":"-1.5","buckets":[[1,"-2","-1","2"],[1,"-1","-0.5","1"],[3,"-0.001","0.001","2"],[0,"1","2","4"],[0,"4","8","1"]]}';
const CUSTOM = '{"count":"3","sum":"NaN","buckets":[[3,"-Inf","0.1","0.5"],[0,"0.1","5","1"],[0,"5","+Inf","1.5"]]}';

// One row a result with native histograms: Prometheus, HTTP API "Native histograms".
const HISTOGRAMS: readonly (readonly [string, QueryValue, string])[] = [
  [
    'a vector of histograms and floats',
    {
      type: 'vector',
      timeMs: 1500,
      labels: [['a', 'b'], [], ['e', 'f'], ['g', 'h']],
      values: Float64Array.of(Number.NaN, 5, Number.NaN, Number.NaN),
      histograms: [exponential, null, custom, empty],
    },
    `{"resultType":"vector","result":[{"metric":{"a":"b"},"histogram":[1.500,${EXPONENTIAL}]},{"metric":{},"value":[1.500,"5"]},{"metric":{"e":"f"},"histogram":[1.500,${CUSTOM}]},{"metric":{"g":"h"},"histogram":[1.500,{"count":"0","sum":"0"}]}]}`,
  ],
  [
    'a matrix of both kinds of samples',
    {
      type: 'matrix',
      series: [
        { labels: [], times: Float64Array.of(1000), values: Float64Array.of(1), histograms: [{ timeMs: 2000, histogram: custom }] },
        {
          labels: ['a', 'b'],
          times: new Float64Array(0),
          values: new Float64Array(0),
          histograms: [
            { timeMs: 1000, histogram: custom },
            { timeMs: 2500, histogram: empty },
          ],
        },
      ],
    },
    `{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"]],"histograms":[[2,${CUSTOM}]]},{"metric":{"a":"b"},"histograms":[[1,${CUSTOM}],[2.500,{"count":"0","sum":"0"}]]}]}`,
  ],
];

for (const [claim, value, want] of [...RESULTS, ...HISTOGRAMS]) test(`writes ${claim}`, () => assert.equal(body(value), success(want)));

// One row a label value: what Prometheus 2.42 writes for it. \b and \f have a short form here and a long one there.
const ESCAPES: readonly (readonly [string, string])[] = [
  ['<>&', '\\u003c\\u003e\\u0026'],
  ['quote"back\\slash', 'quote\\"back\\\\slash'],
  ['new\nline\ttab\r', 'new\\nline\\ttab\\r'],
  ['ctl\u0001\u001f', 'ctl\\u0001\\u001f'],
  ['ls\u2028ps\u2029 del\u007f nbsp\u00a0', 'ls\\u2028ps\\u2029 del\u007f nbsp\u00a0'],
  ['emoji 😀 é', 'emoji 😀 é'],
  [`${'long '.repeat(50)}é`, `${'long '.repeat(50)}é`],
];
for (const [value, want] of ESCAPES) {
  test(`escapes ${JSON.stringify(value)}`, () => {
    assert.equal(body(vector([['v', value]], [1])), success(`{"resultType":"vector","result":[{"metric":{"v":"${want}"},"value":[0,"1"]}]}`));
    assert.equal(textOf(writeStringsJson([value], 0)), success(`["${want}"]`));
  });
}

test('a label may be called __proto__', () => {
  assert.equal(textOf(writeSeriesJson([['__proto__', 'x']], 0)), success('[{"__proto__":"x"}]'));
});

const LIMITED = ',"warnings":["results truncated due to limit"]';
test('a limit cuts vectors, matrices and lists, and says so', () => {
  const series = ['a', 'b', 'c'].map((name) => labelsFromObject({ n: name }));
  assert.equal(body(vector(series, [1, 2, 3]), { limit: 1 }), success('{"resultType":"vector","result":[{"metric":{"n":"a"},"value":[0,"1"]}]}', LIMITED));
  const matrix: QueryValue = { type: 'matrix', series: series.map((labels) => ({ labels, times: Float64Array.of(0), values: Float64Array.of(1) })) };
  assert.equal(body(matrix, { limit: 1 }), success('{"resultType":"matrix","result":[{"metric":{"n":"a"},"values":[[0,"1"]]}]}', LIMITED));
  assert.equal(textOf(writeStringsJson(['a', 'b'], 1)), success('["a"]', LIMITED));
  assert.equal(textOf(writeSeriesJson(series, 1)), success('[{"n":"a"}]', LIMITED));
  assert.equal(textOf(writeSeriesJson(series, 3)), success('[{"n":"a"},{"n":"b"},{"n":"c"}]'));
});

test('ten warnings and ten infos are shown, the rest is counted', () => {
  const notes = (count: number): string[] => Array.from({ length: count }, (_, i) => `n<${i}`);
  const shown = notes(10).map((note) => JSON.stringify(note).replace('<', '\\u003c'));
  const got = body(vector([], []), {}, { warnings: notes(12), infos: notes(10) });
  const want = `,"warnings":[${[...shown, '"2 more warning annotations omitted"'].join(',')}],"infos":[${shown.join(',')}]`;
  assert.equal(got, success('{"resultType":"vector","result":[]}', want));
});

test('statistics are in seconds', () => {
  const want =
    '{"timings":{"evalTotalTime":0.024,"resultSortTime":0.003,"queryPreparationTime":0.001,"innerEvalTime":0.02,"execQueueTime":0.006,"execTotalTime":0.03},' +
    '"samples":{"totalQueryableSamples":7,"peakSamples":5}}';
  assert.equal(body({ type: 'scalar', timeMs: 0, value: 1 }, { stats: true, queueMs: 6 }), success(`{"resultType":"scalar","result":[0,"1"],"stats":${want}}`));
});

test('a large answer comes in pieces of bounded size that join to the same JSON', () => {
  const count = 30_000;
  const times = Float64Array.from({ length: count }, (_, i) => i * 1001);
  const values = times.map((time) => Math.sqrt(time));
  const series = [0, 1].map((i) => ({ labels: ['i', String(i)], times, values }));
  const pieces = [...writeQueryJson(resultOf({ type: 'matrix', series }), PLAIN)];
  assert.ok(pieces.length > 10);
  for (const piece of pieces) assert.ok(piece.length < PIECE_BYTES * 1.25, `a piece has ${piece.length} bytes`);
  const parsed = JSON.parse(textOf(pieces)) as { data: { result: { values: [number, string][] }[] } };
  for (const { values: got } of parsed.data.result) {
    assert.deepEqual(
      got.map(([time, value]) => [Math.round(time * 1000), Number(value)]),
      Array.from(times, (time, i) => [time, values[i]]),
    );
  }
});
