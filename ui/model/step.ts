/**
 * How finely a chart asks: steps that are round, not finer than the scrapes, and not more than a chart can show.
 */
import type { Grid } from '../api/query.ts';

const ROUND_SECONDS = [
  1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
];

/** The smallest round step that is at least `intervalMs` and gives at most `maxPoints`. */
export function roundStepMs(rangeMs: number, intervalMs: number, maxPoints: number): number {
  const leastMs = Math.max(intervalMs, rangeMs / maxPoints);
  const round = ROUND_SECONDS.find((seconds) => seconds * 1000 >= leastMs);
  return round === undefined ? Math.ceil(leastMs / 86_400_000) * 86_400_000 : round * 1000;
}

/** The last `rangeMs` up to now, on multiples of the step, so that old steps stay the same while time goes on. */
export function alignedGrid(nowMs: number, rangeMs: number, stepMs: number): Grid {
  const endMs = Math.floor(nowMs / stepMs) * stepMs;
  return { startMs: endMs - Math.ceil(rangeMs / stepMs) * stepMs, endMs, stepMs };
}

/** A window for `rate` that always holds several scrapes and leaves none between two steps out. */
export function rateWindowMs(intervalMs: number, stepMs: number): number {
  return Math.max(4 * intervalMs, stepMs + intervalMs);
}

/** Values on the grid's steps, null where the series has none or none that can be drawn. */
export function onGrid(timesMs: Float64Array, values: Float64Array, grid: Grid): (number | null)[] {
  const stepCount = Math.floor((grid.endMs - grid.startMs) / grid.stepMs) + 1;
  const out: (number | null)[] = Array.from({ length: stepCount }, () => null);
  for (let i = 0; i < timesMs.length; i++) {
    const step = Math.round((timesMs[i]! - grid.startMs) / grid.stepMs);
    const value = values[i]!;
    if (step >= 0 && step < stepCount && Number.isFinite(value)) out[step] = value;
  }
  return out;
}

export function gridTimes(grid: Grid): number[] {
  const stepCount = Math.floor((grid.endMs - grid.startMs) / grid.stepMs) + 1;
  return Array.from({ length: stepCount }, (_, i) => grid.startMs + i * grid.stepMs);
}
