import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClassicBuckets } from './classic-histogram.ts';

type Bucket = readonly [number, number];

function fill(pairs: readonly Bucket[]): ClassicBuckets {
  const buckets = new ClassicBuckets();
  for (const [bound, count] of pairs) buckets.push(bound, count);
  return buckets;
}

const INF = Infinity;
// Buckets, φ, quantile (null: no histogram), whether counts had to be lifted.
const quantiles = [
  [
    'inside the first bucket',
    [
      [1, 2],
      [2, 4],
      [INF, 4],
    ],
    0.25,
    0.5,
    false,
  ],
  [
    'inside the second',
    [
      [1, 2],
      [2, 4],
      [INF, 4],
    ],
    0.75,
    1.5,
    false,
  ],
  [
    'in the last, its lower bound',
    [
      [1, 2],
      [2, 4],
      [INF, 8],
    ],
    0.9,
    2,
    false,
  ],
  [
    'a first bucket that ends at or below 0',
    [
      [-1, 4],
      [INF, 4],
    ],
    0.5,
    -1,
    false,
  ],
  [
    'equal bounds are added',
    [
      [1, 1],
      [1, 1],
      [INF, 2],
    ],
    0.5,
    0.5,
    false,
  ],
  [
    'without +Inf',
    [
      [1, 1],
      [2, 2],
    ],
    0.5,
    null,
    false,
  ],
  ['+Inf alone', [[INF, 2]], 0.5, null, false],
  [
    'nothing observed',
    [
      [1, 0],
      [INF, 0],
    ],
    0.5,
    Number.NaN,
    false,
  ],
  [
    'a real decrease',
    [
      [1, 4],
      [2, 2],
      [INF, 8],
    ],
    0.5,
    1,
    true,
  ],
  [
    'noise',
    [
      [1, 4],
      [2, 4 - 1e-13],
      [INF, 8],
    ],
    0.25,
    0.5,
    false,
  ],
] as const;
for (const [claim, pairs, q, want, forced] of quantiles) {
  test(`quantile: ${claim}`, () => {
    const buckets = fill(pairs);
    const isHistogram = buckets.settle();
    assert.equal(isHistogram ? buckets.quantile(q) : null, want);
    assert.equal(buckets.wasForced, forced);
  });
}

// Buckets, bounds, fraction.
const fractions = [
  [
    [
      [1, 2],
      [2, 4],
      [INF, 4],
    ],
    0,
    1,
    0.5,
  ],
  [
    [
      [1, 2],
      [2, 4],
      [INF, 4],
    ],
    0.5,
    1.5,
    0.5,
  ],
  [
    [
      [1, 2],
      [2, 4],
      [INF, 8],
    ],
    2,
    INF,
    0.5,
  ],
  [
    [
      [1, 2],
      [2, 4],
      [INF, 8],
    ],
    -INF,
    INF,
    1,
  ],
  [
    [
      [1, 2],
      [2, 4],
      [INF, 8],
    ],
    2,
    1,
    0,
  ],
  [
    [
      [1, 0],
      [INF, 0],
    ],
    0,
    1,
    Number.NaN,
  ],
  [
    [
      [1, 1],
      [INF, 1],
    ],
    Number.NaN,
    1,
    Number.NaN,
  ],
] as const;
for (const [pairs, lower, upper, want] of fractions) {
  test(`the fraction in [${lower}, ${upper}] of ${JSON.stringify(pairs)}`, () => {
    const buckets = fill(pairs);
    assert.ok(buckets.settle());
    assert.equal(buckets.fraction(lower, upper), want);
  });
}
