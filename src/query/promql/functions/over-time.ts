/**
 * Functions of the floats in one window, one window at a time: sums, spreads, regressions, counts of changes.
 *
 * Each takes the samples `from` up to and without `to`, at least one, and answers a float, or `NOTHING` where there are too
 * few samples for an answer.
 * Source: Prometheus, "<aggregation>_over_time()", deriv(), predict_linear().
 */
import { averageOf, CompensatedSum, sumOf } from './compensated-sum.ts';
import { linearRegression } from './regression.ts';
import { quantileOf, SortedFloats } from './quantile.ts';
import type { Windows } from './windows.ts';

/** A NaN of ours that stands for "no value", told from results by identity of the flag below. */
export interface WindowResult {
  value: number;
  /** False: the window has no value. */
  isPresent: boolean;
}

/**
 * @param step for functions that read the evaluation time
 * @param args scalar arguments at this step
 */
export type WindowFunction = (
  windows: Windows,
  from: number,
  to: number,
  step: number,
  out: WindowResult,
  a: number,
  b: number,
) => void;

const sum = new CompensatedSum();
const squares = new CompensatedSum();
const sorted = new SortedFloats();
const deviations = new SortedFloats();

const WINDOW_FUNCTIONS: ReadonlyMap<string, WindowFunction> = new Map<string, WindowFunction>([
  ['sum_over_time', (w, from, to, _step, out) => put(out, sumOf(w.samples.values, from, to))],
  ['avg_over_time', (w, from, to, _step, out) => put(out, averageOf(w.samples.values, from, to))],
  ['count_over_time', (_w, from, to, _step, out) => put(out, to - from)],
  ['present_over_time', (_w, _from, _to, _step, out) => put(out, 1)],
  ['last_over_time', (w, _from, to, _step, out) => put(out, w.samples.values[to - 1]!)],
  ['first_over_time', (w, from, _to, _step, out) => put(out, w.samples.values[from]!)],
  ['ts_of_last_over_time', (w, _from, to, _step, out) => put(out, w.samples.times[to - 1]! / 1000)],
  ['ts_of_first_over_time', (w, from, _to, _step, out) => put(out, w.samples.times[from]! / 1000)],
  [
    'ts_of_max_over_time',
    (w, from, to, _step, out) => put(out, w.samples.times[extremeAt(w.samples.values, from, to, 1)]! / 1000),
  ],
  [
    'ts_of_min_over_time',
    (w, from, to, _step, out) => put(out, w.samples.times[extremeAt(w.samples.values, from, to, -1)]! / 1000),
  ],
  ['stdvar_over_time', (w, from, to, _step, out) => put(out, varianceOf(w.samples.values, from, to))],
  ['stddev_over_time', (w, from, to, _step, out) => put(out, Math.sqrt(varianceOf(w.samples.values, from, to)))],
  ['mad_over_time', (w, from, to, _step, out) => put(out, medianDeviation(w.samples.values, from, to))],
  [
    'quantile_over_time',
    (w, from, to, _step, out, q) => {
      sorted.fill(w.samples.values, from, to);
      put(out, quantileOf(sorted, q));
    },
  ],
  ['changes', (w, from, to, _step, out) => put(out, changes(w.samples.values, from, to))],
  ['resets', (w, from, to, _step, out) => put(out, resets(w.samples.values, from, to))],
  ['irate', (w, from, to, _step, out) => instantDelta(w, from, to, true, out)],
  ['idelta', (w, from, to, _step, out) => instantDelta(w, from, to, false, out)],
  [
    'deriv',
    (w, from, to, _step, out) => {
      if (to - from < 2) return;
      put(out, linearRegression(w.samples, from, to, w.samples.times[from]!).slope);
    },
  ],
  [
    'predict_linear',
    (w, from, to, step, out, seconds) => {
      if (to - from < 2) return;
      const atMs = w.evalGrid.startMs + step * w.evalGrid.stepMs;
      const { slope, intercept } = linearRegression(w.samples, from, to, atMs);
      put(out, slope * seconds + intercept);
    },
  ],
  [
    'double_exponential_smoothing',
    (w, from, to, _step, out, smoothing, trend) => {
      if (to - from < 2) return;
      put(out, smooth(w.samples.values, from, to, smoothing, trend));
    },
  ],
]);

export const windowFunction = (name: string): WindowFunction | undefined => WINDOW_FUNCTIONS.get(name);

function put(out: WindowResult, value: number): void {
  out.value = value;
  out.isPresent = true;
}

/** By Welford's method, with compensation. */
function varianceOf(values: Float64Array, from: number, to: number): number {
  sum.reset(0);
  squares.reset(0);
  for (let i = from; i < to; i++) {
    const x = values[i]!;
    const delta = x - sum.total;
    sum.add(delta / (i - from + 1));
    squares.add(delta * (x - sum.total));
  }
  return squares.total / (to - from);
}

function medianDeviation(values: Float64Array, from: number, to: number): number {
  sorted.fill(values, from, to);
  if (Number.isNaN(sorted.at(0))) return Number.NaN;
  const median = quantileOf(sorted, 0.5);
  deviations.reserve(to - from);
  for (let i = from; i < to; i++) deviations.set(i - from, Math.abs(values[i]! - median));
  deviations.sort(to - from);
  return quantileOf(deviations, 0.5);
}

/** Index of the extreme; the last of equal ones, never a NaN if there is a number. */
function extremeAt(values: Float64Array, from: number, to: number, sign: number): number {
  let best = from;
  for (let i = from + 1; i < to; i++) {
    const value = values[i]!;
    if (sign * value >= sign * values[best]! || Number.isNaN(values[best]!)) best = i;
  }
  return best;
}

function changes(values: Float64Array, from: number, to: number): number {
  let count = 0;
  for (let i = from + 1; i < to; i++) {
    const before = values[i - 1]!;
    const value = values[i]!;
    if (value !== before && !(Number.isNaN(value) && Number.isNaN(before))) count++;
  }
  return count;
}

function resets(values: Float64Array, from: number, to: number): number {
  let count = 0;
  for (let i = from + 1; i < to; i++) if (values[i]! < values[i - 1]!) count++;
  return count;
}

function instantDelta({ samples }: Windows, from: number, to: number, isRate: boolean, out: WindowResult): void {
  if (to - from < 2) return;
  const { times, values } = samples;
  const before = values[to - 2]!;
  const value = values[to - 1]!;
  const spanMs = times[to - 1]! - times[to - 2]!;
  if (spanMs === 0) return;
  const gain = isRate && value < before ? value : value - before;
  put(out, isRate ? gain / (spanMs / 1000) : gain);
}

/** Holt's double exponential smoothing: level and trend, each an average that weighs newer samples more. */
function smooth(values: Float64Array, from: number, to: number, smoothing: number, trendFactor: number): number {
  let before = 0;
  let level = values[from]!;
  let trend = values[from + 1]! - values[from]!;
  for (let i = 1; i < to - from; i++) {
    const scaled = smoothing * values[from + i]!;
    // The first trend is the difference of the first two samples.
    if (i > 1) trend = trendFactor * (level - before) + (1 - trendFactor) * trend;
    before = level;
    level = scaled + (1 - smoothing) * (level + trend);
  }
  return level;
}
