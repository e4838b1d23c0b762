import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alignedGrid, gridTimes, onGrid, rateWindowMs, roundStepMs } from './step.ts';

// Range, interval, most steps, step: all but the count in seconds.
const steps = [
  [300, 5, 240, 5],
  [900, 5, 240, 5],
  [3600, 5, 240, 15],
  [3600, 60, 240, 60],
  [86_400, 15, 240, 600],
  [30 * 86_400, 15, 240, 10_800],
  [3650 * 86_400, 15, 240, 16 * 86_400],
  [10, 0.5, 240, 1],
] as const;
for (const [range, interval, maxPoints, want] of steps) {
  test(`${range} s of scrapes every ${interval} s in at most ${maxPoints} steps ask every ${want} s`, () => {
    const stepMs = roundStepMs(range * 1000, interval * 1000, maxPoints);
    assert.equal(stepMs / 1000, want);
    assert.ok((range * 1000) / stepMs <= maxPoints);
  });
}

test('a grid stays on multiples of its step while the clock goes on', () => {
  const early = alignedGrid(1_000_003, 60_000, 5000);
  const late = alignedGrid(1_004_999, 60_000, 5000);
  assert.deepEqual(early, { startMs: 940_000, endMs: 1_000_000, stepMs: 5000 });
  assert.deepEqual(late, early);
  assert.equal(alignedGrid(1_005_000, 60_000, 5000).startMs, 945_000);
});

test('a rate window holds four scrapes and reaches from step to step', () => {
  assert.equal(rateWindowMs(5000, 5000), 20_000);
  assert.equal(rateWindowMs(5000, 60_000), 65_000);
});

test('samples fall on their steps, gaps and undrawable values are null', () => {
  const grid = { startMs: 1000, endMs: 5000, stepMs: 1000 };
  const times = Float64Array.of(1000, 2000, 4000, 5000);
  assert.deepEqual(onGrid(times, Float64Array.of(1, Number.NaN, Number.POSITIVE_INFINITY, 0), grid), [
    1,
    null,
    null,
    null,
    0,
  ]);
  assert.deepEqual(gridTimes(grid), [1000, 2000, 3000, 4000, 5000]);
});

test('samples outside the grid are left out', () => {
  const grid = { startMs: 1000, endMs: 2500, stepMs: 1000 };
  assert.deepEqual(onGrid(Float64Array.of(0, 1000, 3000), Float64Array.of(7, 8, 9), grid), [8, null]);
});
