import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsFromObject } from '../../src/core/model/labels.ts';
import type { Series } from '../api/query-result.ts';
import { MAX_GRAPH_SERIES, graphData, toggleIsolated, visibleData } from './graph-data.ts';
import { longerRange, shorterRange } from './range-ladder.ts';
import { MAX_PAST_QUERIES, MAX_REMEMBERED_LENGTH, rememberQuery } from './past-queries.ts';

const GRID = { startMs: 0, endMs: 2000, stepMs: 1000 };

function series(labels: Record<string, string>, values: readonly number[]): Series {
  return {
    labels: labelsFromObject(labels),
    timesMs: Float64Array.from(values, (_, i) => i * 1000),
    values: Float64Array.from(values),
    histograms: [],
  };
}

test('series keep their colours while others are hidden', () => {
  const data = graphData(
    [series({ a: '1' }, [1]), series({ a: '2' }, [2]), series({ a: '3' }, [3])],
    GRID,
    'x',
    'light',
  );
  const second = data.series[1]!;
  assert.deepEqual(visibleData(data, new Set([second.key])).series, [second]);
  assert.equal(visibleData(data, new Set()).series.length, 3);
});

test('series beyond the bound are counted, not drawn', () => {
  const many = Array.from({ length: MAX_GRAPH_SERIES + 3 }, (_, i) => series({ a: String(i) }, [i]));
  const data = graphData(many, GRID, 'x', 'dark');
  assert.equal(data.series.length, MAX_GRAPH_SERIES);
  assert.equal(data.leftOut, 3);
});

test('series of histograms are counted apart', () => {
  const histograms: Series = {
    ...series({ a: '1' }, []),
    histograms: [{ timeMs: 0, histogram: { count: 1, sum: 1, buckets: [] } }],
  };
  const data = graphData([histograms, series({ a: '2' }, [1])], GRID, 'x', 'light');
  assert.deepEqual([data.series.length, data.histogramCount], [1, 1]);
});

// Isolated before, the click, whether with a modifier, isolated after.
const clicks = [
  ['', 'a', false, 'a'],
  ['a', 'a', false, ''],
  ['a', 'b', false, 'b'],
  ['ab', 'a', false, 'a'],
  ['', 'a', true, 'bc'],
  ['a', 'b', true, 'ab'],
  ['ab', 'b', true, 'a'],
  ['ab', 'c', true, ''],
  ['a', 'a', true, ''],
] as const;
for (const [before, key, isAdding, after] of clicks) {
  test(`with ${before || 'all'} visible, a ${isAdding ? 'modified' : 'plain'} click on ${key} leaves ${after || 'all'}`, () => {
    assert.deepEqual([...toggleIsolated(new Set(before), key, isAdding, ['a', 'b', 'c'])].sort().join(''), after);
  });
}

test('ranges go up and down the ladder and stop at its ends', () => {
  assert.equal(longerRange(3_600_000), 7_200_000);
  assert.equal(longerRange(3_700_000), 7_200_000);
  assert.equal(shorterRange(3_700_000), 3_600_000);
  assert.equal(shorterRange(60_000), 60_000);
  assert.equal(longerRange(1e15), 1e15);
});

test('past queries are remembered once, newest first, and not without end', () => {
  assert.deepEqual(rememberQuery(['a', 'b'], ' b '), ['b', 'a']);
  assert.deepEqual(rememberQuery(['a'], '  '), ['a']);
  assert.deepEqual(rememberQuery(['a'], 'x'.repeat(MAX_REMEMBERED_LENGTH + 1)), ['a']);
  const full = Array.from({ length: MAX_PAST_QUERIES }, (_, i) => String(i));
  assert.equal(rememberQuery(full, 'new').length, MAX_PAST_QUERIES);
});
