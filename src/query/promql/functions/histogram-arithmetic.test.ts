import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FloatHistogram } from '../../../core/model/histogram.ts';
import { parsePoints } from '../testing/series-notation.ts';
import { detectReset, divideHistogram, equalHistograms, scaleHistogram } from './histogram-arithmetic.ts';
import { HistogramMean, HistogramSum } from './histogram-sum.ts';
import { histogramFraction, histogramQuantile } from './histogram-statistics.ts';
import { formatHistogram } from './histogram-text.ts';

function histogram(text: string): FloatHistogram {
  const point = parsePoints(`{{${text}}}`)[0];
  assert.ok(typeof point === 'object' && point !== null);
  return point;
}

// What is added, what comes out; null where the layouts cannot agree.
const sums = [
  [
    'equal layouts',
    ['count:3 sum:5 buckets:[1 2]', 'count:2 sum:1 buckets:[1 1]'],
    '{count:5, sum:6, (0.5,1]:2, (1,2]:3}',
  ],
  [
    'the coarser schema',
    ['schema:1 count:3 sum:5 buckets:[1 1 1]', 'schema:0 count:1 sum:1 buckets:[1]'],
    '{count:4, sum:6, (0.5,1]:2, (1,2]:2}',
  ],
  [
    'the wider zero bucket',
    ['count:2 z_bucket:1 z_bucket_w:0.5 buckets:[1]', 'count:2 z_bucket:1 z_bucket_w:0.1 buckets:[1]'],
    '{count:4, sum:0, [-0.5,0.5]:2, (0.5,1]:2}',
  ],
  [
    'a zero bucket that ends inside a filled bucket takes it',
    ['count:2 z_bucket:1 z_bucket_w:0.7 buckets:[0 1]', 'count:1 z_bucket_w:0.1 buckets:[1]'],
    '{count:3, sum:0, [-1,1]:2, (1,2]:1}',
  ],
  [
    'custom bounds that both have',
    [
      'schema:-53 count:3 custom_values:[1 2 3] buckets:[1 1 1]',
      'schema:-53 count:1 custom_values:[1 3] buckets:[0 1]',
    ],
    '{count:4, sum:0, (-Inf,1]:1, (1,3]:3}',
  ],
  ['exponential and custom', ['count:1 buckets:[1]', 'schema:-53 count:1 custom_values:[1] buckets:[1]'], null],
  [
    'what cancels out keeps the small part',
    ['count:1 sum:1', 'count:1 sum:1e100', 'count:1 sum:1', 'count:1 sum:-1e100'],
    '{count:4, sum:2}',
  ],
] as const;
for (const [claim, texts, want] of sums) {
  test(`sums: ${claim}`, () => {
    const [first, ...others] = texts.map(histogram);
    const sum = new HistogramSum(first!);
    const agreed = others.every((other) => sum.add(other));
    assert.equal(agreed ? formatHistogram(sum.result()) : null, want);
  });
}

test('a mean of counts whose sum overflows', () => {
  const mean = new HistogramMean(histogram('count:1.5e308 sum:2'));
  assert.ok(mean.add(histogram('count:1.5e308 sum:4')));
  assert.equal(formatHistogram(mean.result()), '{count:1.5e+308, sum:3}');
});

// Hints of what is added, hint of the result, whether they collide.
const hints = [
  [['not_reset', 'not_reset'], 'not-reset', false],
  [['unknown', 'not_reset'], 'unknown', false],
  [['gauge', 'not_reset'], 'gauge', false],
  [['reset', 'not_reset'], 'unknown', true],
  [['gauge', 'reset', 'not_reset'], 'gauge', true],
] as const;
for (const [texts, want, collides] of hints) {
  test(`hints ${texts.join(' + ')}`, () => {
    const [first, ...others] = texts.map((hint) => histogram(`count:1 counter_reset_hint:${hint}`));
    const sum = new HistogramSum(first!);
    for (const other of others) sum.add(other);
    assert.deepEqual([sum.result().resetHint, sum.hasCollision], [want, collides]);
  });
}

const resets = [
  ['more of everything', 'count:3 buckets:[1 2]', 'count:2 buckets:[1 1]', false],
  ['a lower count', 'count:1 buckets:[1]', 'count:2 buckets:[1 1]', true],
  ['a lower bucket', 'count:3 buckets:[0 3]', 'count:2 buckets:[1 1]', true],
  ['a finer schema', 'schema:1 count:3 buckets:[3]', 'count:2 buckets:[2]', true],
  ['a coarser schema', 'schema:0 count:3 buckets:[3]', 'schema:1 count:2 buckets:[2]', false],
  ['a narrower zero bucket', 'count:1 z_bucket_w:0.1', 'count:1 z_bucket_w:0.2', true],
  ['a hint that says so', 'count:3 counter_reset_hint:reset', 'count:2', true],
  ['a hint against it', 'count:1 counter_reset_hint:not_reset', 'count:2', false],
  ['another kind of layout', 'schema:-53 count:3 custom_values:[1] buckets:[3]', 'count:1 buckets:[1]', true],
] as const;
for (const [claim, now, before, want] of resets) {
  test(`resets: ${claim}`, () => assert.equal(detectReset(histogram(now), histogram(before)), want));
}

test('a negative factor makes a gauge, a division by zero empties the buckets', () => {
  const counter = histogram('count:2 sum:4 buckets:[2]');
  assert.equal(scaleHistogram(counter, -1).resetHint, 'gauge');
  assert.deepEqual(divideHistogram(counter, 0).positive, { indexes: [], counts: [] });
  assert.ok(equalHistograms(scaleHistogram(counter, 2), histogram('count:4 sum:8 buckets:[4 0]')));
});

test('quantiles and fractions of an empty histogram are NaN', () => {
  assert.ok(Number.isNaN(histogramQuantile(0.5, histogram('')).value));
  assert.ok(Number.isNaN(histogramFraction(0, 1, histogram(''))));
});
test('a quantile in an exponential bucket lies on a logarithmic scale', () => {
  assert.equal(histogramQuantile(0.5, histogram('count:4 sum:5 buckets:[1 2 1]')).value, Math.SQRT2);
});
