/**
 * Functions of a range: one series' samples inside a window to one value.
 *
 * A window is a slice [from, to) of columns without stale markers, covering (startMs, endMs]. Both ends only move forward over the steps of a
 * grid, so a function may remember what it learnt in the window before.
 * Source: Prometheus, "Query functions".
 */
import { KahanMean, KahanSum } from './kahan.ts';
import { quantileOf } from './quantile.ts';

/** What a window function sees. One object serves a whole query. */
export class RangeWindow {
  times: Float64Array = new Float64Array(0);
  values: Float64Array = new Float64Array(0);
  /** Samples in the columns; changes with each series. */
  length = 0;
  from = 0;
  to = 0;
  /** The window: open at its start, closed at its end. */
  startMs = 0;
  endMs = 0;
  /** When the step is evaluated: the window's end before `offset` and `@`. */
  stepMs = 0;
  /** Scalar arguments at this step. */
  args: readonly number[] = [];
  /** Set to false where there is no result. */
  hasResult = true;
  /** Index of the newest sample in the columns that is below the one before it, and how far that was looked for. */
  lastReset = -1;
  resetsSeen = 0;
  /** Ascending candidates of min and max: indexes into the columns. */
  queue = new Uint32Array(16);
  queueFrom = 0;
  queueTo = 0;
  queueSeen = 0;

  /** Takes new columns. */
  begin(times: Float64Array, values: Float64Array, length: number): void {
    this.times = times;
    this.values = values;
    this.length = length;
    this.from = 0;
    this.to = 0;
    this.lastReset = -1;
    this.resetsSeen = 1;
    this.queueFrom = 0;
    this.queueTo = 0;
    this.queueSeen = 0;
    if (this.queue.length < length) this.queue = new Uint32Array(length * 2);
  }
}

export type WindowFunction = (window: RangeWindow) => number;

interface RangeFunction {
  readonly evaluate: WindowFunction;
  /** Results keep the metric name. */
  readonly keepsName: boolean;
}

const nothing = (window: RangeWindow): number => {
  window.hasResult = false;
  return 0;
};

/** Whether a sample in (from, to) is below the one before it. */
function hasReset(window: RangeWindow): boolean {
  const { values, to } = window;
  let last = window.lastReset;
  for (let i = window.resetsSeen; i < to; i++) if (values[i]! < values[i - 1]!) last = i;
  window.lastReset = last;
  if (to > window.resetsSeen) window.resetsSeen = to;
  return last > window.from;
}

/** rate, increase and delta: the difference, stretched to the edges of the window as far as the samples' spacing allows. */
function extrapolated(isCounter: boolean, isRate: boolean): WindowFunction {
  return (window) => {
    const { times, values, from, to, startMs, endMs } = window;
    const steps = to - from - 1;
    if (steps < 1) return nothing(window);
    const first = values[from]!;
    let result = values[to - 1]! - first;
    if (isCounter && hasReset(window)) {
      for (let i = from + 1; i < to; i++) if (values[i]! < values[i - 1]!) result += values[i - 1]!;
    }
    const sampledSeconds = (times[to - 1]! - times[from]!) / 1000;
    const spacing = sampledSeconds / steps;
    const threshold = spacing * 1.1;
    let toStart = (times[from]! - startMs) / 1000;
    let toEnd = (endMs - times[to - 1]!) / 1000;
    if (toStart >= threshold) toStart = spacing / 2;
    if (isCounter) {
      // A counter was not below zero: it does not reach back further than to where it would have begun.
      const toZero = result > 0 && first >= 0 ? sampledSeconds * (first / result) : toStart;
      if (toZero < toStart) toStart = toZero;
    }
    if (toEnd >= threshold) toEnd = spacing / 2;
    let factor = (sampledSeconds + toStart + toEnd) / sampledSeconds;
    if (isRate) factor /= (endMs - startMs) / 1000;
    return result * factor;
  };
}

/** irate and idelta: the last two samples. */
function instantaneous(isRate: boolean): WindowFunction {
  return (window) => {
    const { times, values, from, to } = window;
    if (to - from < 2) return nothing(window);
    const last = values[to - 1]!;
    const before = values[to - 2]!;
    const difference = isRate && last < before ? last : last - before;
    const intervalMs = times[to - 1]! - times[to - 2]!;
    if (intervalMs === 0) return nothing(window);
    return isRate ? difference / (intervalMs / 1000) : difference;
  };
}

/** The extreme of the window by a queue of candidates: each sample enters and leaves it once over all windows. */
function extreme(isMax: boolean): WindowFunction {
  // A NaN is a candidate only while nothing else is in the window.
  const beats = (a: number, b: number): boolean => Number.isNaN(b) || (isMax ? a >= b : a <= b);
  return (window) => {
    const { values, from, to, queue } = window;
    if (to === from) return nothing(window);
    let { queueFrom, queueTo } = window;
    for (let i = Math.max(window.queueSeen, from); i < to; i++) {
      const value = values[i]!;
      while (queueTo > queueFrom && beats(value, values[queue[queueTo - 1]!]!)) queueTo--;
      queue[queueTo++] = i;
    }
    window.queueSeen = to;
    while (queue[queueFrom]! < from) queueFrom++;
    window.queueFrom = queueFrom;
    window.queueTo = queueTo;
    return values[queue[queueFrom]!]!;
  };
}

const sum = new KahanSum();
const mean = new KahanMean();
const otherSum = new KahanSum();

function variance(window: RangeWindow): number {
  const { values, from, to } = window;
  if (to === from) return nothing(window);
  // Welford's method with compensated sums.
  let count = 0;
  sum.reset();
  otherSum.reset();
  for (let i = from; i < to; i++) {
    count++;
    const delta = values[i]! - (sum.sum + sum.compensation);
    sum.add(delta / count);
    otherSum.add(delta * (values[i]! - (sum.sum + sum.compensation)));
  }
  return (otherSum.sum + otherSum.compensation) / count;
}

let scratch = new Float64Array(256);

function copyOfWindow({ values, from, to }: RangeWindow): Float64Array {
  if (scratch.length < to - from) scratch = new Float64Array((to - from) * 2);
  scratch.set(values.subarray(from, to));
  return scratch;
}

/** Least squares through the window, times relative to `interceptMs`. @returns [slope per second, intercept] */
function regression(window: RangeWindow, interceptMs: number): readonly [number, number] {
  const { times, values, from, to } = window;
  const n = to - from;
  const first = values[from]!;
  let isConstant = true;
  const sumX = new KahanSum();
  const sumY = new KahanSum();
  const sumXY = new KahanSum();
  const sumXX = new KahanSum();
  for (let i = from; i < to; i++) {
    if (values[i] !== first) isConstant = false;
    const x = (times[i]! - interceptMs) / 1000;
    sumX.add(x);
    sumY.add(values[i]!);
    sumXY.add(x * values[i]!);
    sumXX.add(x * x);
  }
  if (isConstant) return [Number.isFinite(first) ? 0 : Number.NaN, Number.isFinite(first) ? first : Number.NaN];
  const x = sumX.value;
  const y = sumY.value;
  const covariance = sumXY.value - (x * y) / n;
  const spread = sumXX.value - (x * x) / n;
  const slope = covariance / spread;
  return [slope, y / n - (slope * x) / n];
}

function smoothing(window: RangeWindow): number {
  const { values, from, to, args } = window;
  const [smoothingFactor, trendFactor] = args as [number, number];
  if (to - from < 2) return nothing(window);
  let level = values[from]!;
  let trend = values[from + 1]! - values[from]!;
  let previous = 0;
  for (let i = from + 1; i < to; i++) {
    const x = smoothingFactor * values[i]!;
    if (i > from + 1) trend = trendFactor * (level - previous) + (1 - trendFactor) * trend;
    const y = (1 - smoothingFactor) * (level + trend);
    previous = level;
    level = x + y;
  }
  return level;
}

function timeOfExtreme(isMax: boolean): WindowFunction {
  return (window) => {
    const { times, values, from, to } = window;
    if (to === from) return nothing(window);
    let best = from;
    for (let i = from; i < to; i++) {
      const better = isMax ? values[i]! >= values[best]! : values[i]! <= values[best]!;
      if (better || Number.isNaN(values[best]!)) best = i;
    }
    return times[best]! / 1000;
  };
}

const dropping = (evaluate: WindowFunction): RangeFunction => ({ evaluate, keepsName: false });
const keeping = (evaluate: WindowFunction): RangeFunction => ({ evaluate, keepsName: true });
const orNothing = (evaluate: WindowFunction): WindowFunction => (window) => (window.to === window.from ? nothing(window) : evaluate(window));

/** By name. `args` hold the scalar arguments in their order. */
export const RANGE_FUNCTIONS: ReadonlyMap<string, RangeFunction> = new Map<string, RangeFunction>([
  ['rate', dropping(extrapolated(true, true))],
  ['increase', dropping(extrapolated(true, false))],
  ['delta', dropping(extrapolated(false, false))],
  ['irate', dropping(instantaneous(true))],
  ['idelta', dropping(instantaneous(false))],
  ['max_over_time', dropping(extreme(true))],
  ['min_over_time', dropping(extreme(false))],
  ['count_over_time', dropping(orNothing(({ from, to }) => to - from))],
  ['present_over_time', dropping(orNothing(() => 1))],
  ['last_over_time', keeping(orNothing(({ values, to }) => values[to - 1]!))],
  ['first_over_time', keeping(orNothing(({ values, from }) => values[from]!))],
  [
    'sum_over_time',
    dropping(
      orNothing(({ values, from, to }) => {
        sum.reset();
        for (let i = from; i < to; i++) sum.add(values[i]!);
        return sum.value;
      }),
    ),
  ],
  [
    'avg_over_time',
    dropping(
      orNothing(({ values, from, to }) => {
        mean.reset();
        for (let i = from; i < to; i++) mean.add(values[i]!);
        return mean.value;
      }),
    ),
  ],
  ['stdvar_over_time', dropping(variance)],
  ['stddev_over_time', dropping((window) => Math.sqrt(variance(window)))],
  ['quantile_over_time', dropping(orNothing((window) => quantileOf(window.args[0]!, copyOfWindow(window), window.to - window.from)))],
  [
    'mad_over_time',
    dropping(
      orNothing((window) => {
        const count = window.to - window.from;
        const copy = copyOfWindow(window);
        const median = quantileOf(0.5, copy, count);
        for (let i = 0; i < count; i++) copy[i] = Math.abs(window.values[window.from + i]! - median);
        return quantileOf(0.5, copy, count);
      }),
    ),
  ],
  [
    'changes',
    dropping(
      orNothing(({ values, from, to }) => {
        let changes = 0;
        for (let i = from + 1; i < to; i++) if (values[i] !== values[i - 1] && !(Number.isNaN(values[i]!) && Number.isNaN(values[i - 1]!))) changes++;
        return changes;
      }),
    ),
  ],
  [
    'resets',
    dropping(
      orNothing(({ values, from, to }) => {
        let resets = 0;
        for (let i = from + 1; i < to; i++) if (values[i]! < values[i - 1]!) resets++;
        return resets;
      }),
    ),
  ],
  ['deriv', dropping((window) => (window.to - window.from < 2 ? nothing(window) : regression(window, window.times[window.from]!)[0]))],
  [
    'predict_linear',
    dropping((window) => {
      if (window.to - window.from < 2) return nothing(window);
      const [slope, intercept] = regression(window, window.stepMs);
      return slope * window.args[0]! + intercept;
    }),
  ],
  ['double_exponential_smoothing', dropping(smoothing)],
  ['ts_of_max_over_time', dropping(timeOfExtreme(true))],
  ['ts_of_min_over_time', dropping(timeOfExtreme(false))],
  ['ts_of_last_over_time', dropping(orNothing(({ times, to }) => times[to - 1]! / 1000))],
  ['ts_of_first_over_time', dropping(orNothing(({ times, from }) => times[from]! / 1000))],
]);
