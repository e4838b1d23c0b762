import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CUSTOM_SCHEMA, type FloatHistogram } from '../../core/model/histogram.ts';
import { formatLabels, labelsFromObject } from '../../core/model/labels.ts';
import { MemoryStorage } from '../../query/promql/testing/memory-storage.ts';
import { federatedSamples } from './federate-answer.ts';

const empty = { indexes: [], counts: [] };
const histogram: FloatHistogram = {
  schema: 0,
  zeroThreshold: 0,
  zeroCount: 0,
  count: 1,
  sum: 1,
  positive: { indexes: [1], counts: [1] },
  negative: empty,
  customBounds: [],
  resetHint: 'unknown',
};
const LOOKBACK_MS = 300_000;
const NOW_MS = 1_000_000;

type Sample = readonly [ageMs: number, value: number | 'stale' | FloatHistogram];

/** `name value time` of what is federated, where each series has these samples. */
async function federated(series: Readonly<Record<string, readonly Sample[]>>): Promise<string[]> {
  const storage = new MemoryStorage();
  for (const [name, samples] of Object.entries(series)) {
    const labels = labelsFromObject({ __name__: name });
    for (const [ageMs, value] of samples) {
      if (value === 'stale') storage.samplesOf(labels).pushStale(NOW_MS - ageMs);
      else storage.append(labels, NOW_MS - ageMs, value);
    }
  }
  const matchers = [{ name: '__name__', op: '=~', value: '.+' }] as const;
  const request = { kind: 'federate', matcherSets: [matchers, matchers], timeMs: NOW_MS, lookbackMs: 0, externalLabels: [] } as const;
  const { labels, times, values } = await federatedSamples(storage, request, LOOKBACK_MS);
  return labels.map((own, i) => `${formatLabels(own)} ${values[i]} ${NOW_MS - times[i]!}`);
}

test('the newest sample inside the lookback, by name', async () => {
  const samples: Sample[] = [[LOOKBACK_MS + 5, 1], [LOOKBACK_MS, 2], [20, 3], [10, 4]];
  assert.deepEqual(await federated({ b: samples, a: samples.slice(0, 3), none: samples.slice(0, 2) }), ['a 3 20', 'b 4 10']);
});

test('a series that ended is not there', async () => {
  assert.deepEqual(await federated({ ended: [[20, 1], [10, 'stale']], back: [[20, 'stale'], [10, 1]] }), ['back 1 10']);
});

test('one with custom bounds is a classic one', async () => {
  const custom: FloatHistogram = { ...histogram, schema: CUSTOM_SCHEMA, count: 9, sum: 5.5, customBounds: [0.1, 1, 10], positive: { indexes: [0, 2, 3], counts: [2, 3, 4] } };
  assert.deepEqual(await federated({ h: [[10, custom]] }), [
    'h_bucket{le="+Inf"} 9 10',
    'h_bucket{le="0.1"} 2 10',
    'h_bucket{le="1.0"} 2 10',
    'h_bucket{le="10.0"} 5 10',
    'h_count 9 10',
    'h_sum 5.5 10',
  ]);
});

test('a native histogram has no form in text, and hides the float before it', async () => {
  assert.deepEqual(await federated({ h: [[20, 1], [10, histogram]], f: [[20, histogram], [10, 1]] }), ['f 1 10']);
});
