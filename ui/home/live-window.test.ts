import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_STEPS, MIN_SPAN_MS, liveWindow, searchGrids } from './live-window.ts';

const NOW_MS = 1_000_000_000;
const HOUR_MS = 3_600_000;

/** Age of the data in seconds (null: none, undefined: not known), range and interval in seconds. */
function windowOf(ageSeconds: number | null | undefined, rangeSeconds: number, intervalSeconds: number) {
  return liveWindow({
    nowMs: NOW_MS,
    rangeMs: rangeSeconds * 1000,
    intervalMs: intervalSeconds * 1000,
    dataStartMs: typeof ageSeconds === 'number' ? NOW_MS - ageSeconds * 1000 : ageSeconds,
  });
}

test('with enough data the axis is the range up to now', () => {
  const { age, grid, fromMs, toMs } = windowOf(900, 900, 5);
  assert.deepEqual([age, grid.stepMs, toMs - fromMs, toMs], ['grown', 5000, 900_000, NOW_MS]);
});

test('of a long range only the part with data is shown, finely', () => {
  const { grid, fromMs } = windowOf(600, 86_400, 5);
  assert.deepEqual([grid.stepMs, NOW_MS - fromMs], [5000, 600_000]);
});

test('the first minute fills from left to right', () => {
  const { age, fromMs, toMs, grid } = windowOf(7, 900, 5);
  assert.equal(age, 'young');
  assert.ok(fromMs <= NOW_MS - 7000 && fromMs > NOW_MS - 7000 - grid.stepMs);
  assert.equal(toMs, fromMs + MIN_SPAN_MS);
});

test('two scrapes of any interval make a line within the first minute', () => {
  for (const interval of [1, 5, 10, 15, 30]) {
    const { grid, fromMs } = windowOf(2 * interval, 900, interval);
    assert.ok(grid.endMs - fromMs >= 2 * grid.stepMs, `every ${interval} s: step ${grid.stepMs} ms`);
  }
});

test('no data and data not looked for yet are told apart', () => {
  assert.equal(windowOf(null, 900, 5).age, 'none');
  assert.equal(windowOf(undefined, 900, 5).age, 'unknown');
});

test('no chart has more steps than it can show', () => {
  for (const range of [300, 900, 3600, 21_600, 86_400]) {
    for (const age of [0, 30, 61, 1000, 10_000, 86_400]) {
      const { grid } = windowOf(age, range, 1);
      assert.ok((grid.endMs - grid.startMs) / grid.stepMs <= MAX_STEPS + 1, `${range} ${age}`);
    }
  }
});

test('the search for first data is coarse over the range and fine over its end', () => {
  const [whole, end] = searchGrids(NOW_MS, 24 * HOUR_MS);
  assert.ok(whole.startMs <= NOW_MS - 24 * HOUR_MS);
  assert.ok(end.startMs <= NOW_MS - 2 * whole.stepMs, 'the end reaches back over the last coarse steps');
  assert.ok(end.stepMs <= 10_000);
});
