/**
 * The time that the Home page's charts show.
 *
 * Once there is enough data it is the chosen range up to now. While data is young the axis begins where the data begins, and
 * the first minute fills from left to right; steps are as fine as the data is short, so that two scrapes make a line.
 */
import type { Grid } from '../api/query.ts';
import { alignedGrid, roundStepMs } from '../model/step.ts';

/** Steps of a chart at most. */
export const MAX_STEPS = 240;
/** Data that fills so much of the range counts as filling it: its first step may lie a step after the range's start. */
const NEARLY_WHOLE = 0.97;
/** The axis is never shorter. */
export const MIN_SPAN_MS = 60_000;

/** Before data is found; when there is none at all; while it fills the first minute; from then on. */
export type DataAge = 'unknown' | 'none' | 'young' | 'grown';

export interface LiveWindow {
  /** What the charts ask. */
  readonly grid: Grid;
  /** Ends of the time axis. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly age: DataAge;
  /** The axis is the whole chosen range. */
  readonly isWhole: boolean;
  readonly nowMs: number;
}

export interface LiveRange {
  readonly nowMs: number;
  readonly rangeMs: number;
  /** Of the scrapes. */
  readonly intervalMs: number;
  /** First time with data in the range; null for none, undefined while that is not known. */
  readonly dataStartMs: number | null | undefined;
}

export function liveWindow({ nowMs, rangeMs, intervalMs, dataStartMs }: LiveRange): LiveWindow {
  const dataMs = dataStartMs === null || dataStartMs === undefined ? 0 : nowMs - dataStartMs;
  const spanMs = dataMs > rangeMs * NEARLY_WHOLE ? rangeMs : Math.max(MIN_SPAN_MS, dataMs);
  // Scrapes are asked one by one even where they are far apart, as long as that fills the chart.
  const stepMs = roundStepMs(spanMs, Math.min(intervalMs, spanMs / 10), MAX_STEPS);
  const grid = alignedGrid(nowMs, spanMs, stepMs);
  const age =
    dataStartMs === undefined ? 'unknown' : dataStartMs === null ? 'none' : dataMs < MIN_SPAN_MS ? 'young' : 'grown';
  const isWhole = spanMs === rangeMs;
  if (age !== 'young') return { grid, fromMs: grid.startMs, toMs: grid.endMs, age, isWhole, nowMs };
  const fromMs = Math.max(grid.startMs, Math.floor(dataStartMs! / stepMs) * stepMs);
  return { grid, fromMs, toMs: Math.max(grid.endMs, fromMs + MIN_SPAN_MS), age, isWhole, nowMs };
}

/** Where to look for the first data: over the whole range, then finer over its end, where a coarse step may miss it. */
export function searchGrids(nowMs: number, rangeMs: number): readonly [whole: Grid, end: Grid] {
  const stepMs = roundStepMs(rangeMs, 1000, MAX_STEPS);
  const endRangeMs = 3 * stepMs;
  const whole = alignedGrid(nowMs, rangeMs, stepMs);
  return [whole, alignedGrid(nowMs, endRangeMs, roundStepMs(endRangeMs, 1000, MAX_STEPS))];
}
