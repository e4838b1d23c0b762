import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodeError } from './decode.ts';
import { decodeQueryResult } from './query-result.ts';
import { decodeTsdbStatus, replayShare } from './server-status.ts';
import { decodeTargets } from './targets.ts';

test('a vector has values and histograms', () => {
  const result = decodeQueryResult({
    resultType: 'vector',
    result: [
      { metric: { __name__: 'up', job: 'a' }, value: [1.5, '+Inf'] },
      { metric: {}, histogram: [2, { count: '3', sum: '4.5', buckets: [[3, '-0.1', '0.1', '3']] }] },
    ],
  });
  assert.deepEqual(result, {
    kind: 'vector',
    samples: [
      { labels: ['__name__', 'up', 'job', 'a'], timeMs: 1500, value: Number.POSITIVE_INFINITY, histogram: null },
      {
        labels: [],
        timeMs: 2000,
        value: null,
        histogram: { count: 3, sum: 4.5, buckets: [{ boundaries: 3, lower: -0.1, upper: 0.1, count: 3 }] },
      },
    ],
  });
});

test('a matrix becomes columns, NaN included', () => {
  const result = decodeQueryResult({
    resultType: 'matrix',
    result: [
      {
        metric: { a: 'b' },
        values: [
          [1, '1'],
          [2.001, 'NaN'],
          [3, '-1e-7'],
        ],
      },
    ],
  });
  assert.equal(result.kind, 'matrix');
  const [series] = result.kind === 'matrix' ? result.series : [];
  assert.deepEqual([...series!.timesMs], [1000, 2001, 3000]);
  assert.deepEqual([...series!.values], [1, Number.NaN, -1e-7]);
});

test('scalars and strings', () => {
  assert.deepEqual(decodeQueryResult({ resultType: 'scalar', result: [1, '2'] }), {
    kind: 'scalar',
    timeMs: 1000,
    value: 2,
  });
  assert.deepEqual(decodeQueryResult({ resultType: 'string', result: [1, 'x'] }), {
    kind: 'string',
    timeMs: 1000,
    text: 'x',
  });
});

test('labels that clash with object internals are ordinary', () => {
  const result = decodeQueryResult(
    JSON.parse('{"resultType":"vector","result":[{"metric":{"__proto__":"x"},"value":[1,"1"]}]}'),
  );
  assert.deepEqual(result.kind === 'vector' && result.samples[0]!.labels, ['__proto__', 'x']);
});

const odd: readonly (readonly [string, unknown])[] = [
  ['nothing', null],
  ['a list', []],
  ['an unknown type', { resultType: 'cube', result: [] }],
  ['a vector that is an object', { resultType: 'vector', result: {} }],
  ['a sample without a value', { resultType: 'vector', result: [{ metric: {} }] }],
  ['a value that is a number', { resultType: 'vector', result: [{ metric: {}, value: [1, 2] }] }],
  ['a time that is text', { resultType: 'scalar', result: ['1', '2'] }],
  ['a label that is a number', { resultType: 'vector', result: [{ metric: { a: 1 }, value: [1, '1'] }] }],
];
for (const [claim, data] of odd) {
  test(`refuses ${claim}`, () => assert.throws(() => decodeQueryResult(data), DecodeError));
}

test('a target that was never scraped has no last scrape', () => {
  const [target] = decodeTargets({
    activeTargets: [
      {
        discoveredLabels: {},
        labels: { job: 'a' },
        scrapePool: 'a',
        scrapeUrl: 'http://x/metrics',
        lastError: '',
        lastScrape: '0001-01-01T00:00:00Z',
        lastScrapeDuration: 0,
        health: 'odd',
        scrapeInterval: '15s',
        scrapeTimeout: '10s',
      },
    ],
  });
  assert.equal(target!.lastScrapeMs, null);
  assert.equal(target!.health, 'unknown');
});

test('an empty head has no times', () => {
  const status = decodeTsdbStatus({
    headStats: { numSeries: 0, numLabelPairs: 0, chunkCount: 0, minTime: 2 ** 63, maxTime: -(2 ** 63) },
    seriesCountByMetricName: null,
  });
  assert.deepEqual([status.minTimeMs, status.maxTimeMs, status.seriesCountByMetricName], [null, null, []]);
});

const replays = [
  [{ min: 0, max: 0, current: 0 }, null],
  [{ min: 0, max: 9, current: 4 }, 0.5],
  [{ min: 10, max: 19, current: 19 }, 1],
  [{ min: 10, max: 19, current: 9 }, 0],
  [{ min: 5, max: 9, current: 20 }, 1],
] as const;
for (const [progress, want] of replays) {
  test(`replay at ${progress.current} of ${progress.min} to ${progress.max} is ${want === null ? 'nothing to read' : want}`, () => {
    assert.equal(replayShare(progress), want);
  });
}
