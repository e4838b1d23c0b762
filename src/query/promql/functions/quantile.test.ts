import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quantileOf, SortedFloats } from './quantile.ts';

// Values, quantile, result.
const cases = [
  [[], 0.5, Number.NaN],
  [[3], 0.99, 3],
  [[1, 2], 0.5, 1.5],
  [[4, 1, 0], 0.8, 2.8],
  [[1, 2, 3], 0, 1],
  [[1, 2, 3], 1, 3],
  [[1, 2, 3], -0.1, -Infinity],
  [[1, 2, 3], 1.1, Infinity],
  [[1, 2, 3], Number.NaN, Number.NaN],
  [[1, Number.NaN, 0], 0.8, 0.6],
  [[1, Number.NaN, 0], 0.2, Number.NaN],
  [[Number.NaN, Number.NaN], 1, Number.NaN],
] as const;
for (const [values, q, want] of cases) {
  test(`the ${q}-quantile of ${values.join(' ') || 'nothing'}`, () => {
    const sorted = new SortedFloats();
    sorted.fill(Float64Array.from([-7, ...values, -7]), 1, 1 + values.length);
    const got = quantileOf(sorted, q);
    assert.ok(Object.is(got, want) || Math.abs(got - want) < 1e-12, String(got));
  });
}
