/**
 * rate, increase and delta: what a counter or gauge gained in each window, extrapolated to the window's edges.
 *
 * A counter that drops was reset: what it had before is added. The place of the last reset is remembered from step to step,
 * so that only windows that hold one walk their samples.
 * Source: Prometheus, functions rate() and increase(); extrapolation as in docs "rate()".
 */
import { FLOAT } from '../exec/row-batch.ts';
import type { Windows } from './windows.ts';

/** A gap to the window's edge that is longer than this many sample spacings is not covered whole. */
const COVERED_SPACINGS = 1.1;

/** How a function of this family differs from `delta`. */
export interface CounterKind {
  readonly isCounter: boolean;
  /** Divide by the range. */
  readonly isRate: boolean;
}

export const COUNTER_KINDS: ReadonlyMap<string, CounterKind> = new Map([
  ['rate', { isCounter: true, isRate: true }],
  ['increase', { isCounter: true, isRate: false }],
  ['delta', { isCounter: false, isRate: false }],
]);

/** What the samples of a window span. */
export interface SampledSpan {
  readonly firstMs: number;
  readonly lastMs: number;
  /** Samples less one. */
  readonly gaps: number;
  /** When the counter was zero, where that is known and in the window; null else. */
  readonly zeroMs: number | null;
}

/**
 * What a gain over the samples is multiplied with to cover the window at `step`, and for a rate to be per second.
 *
 * @param firstValue of a counter, so that it is not taken to have been below zero
 */
export function extrapolationFactor(
  { isCounter, isRate }: CounterKind,
  windows: Windows,
  step: number,
  { firstMs, lastMs, gaps, zeroMs }: SampledSpan,
  firstValue: number,
  gain: number,
): number {
  const endMs = windows.timeGrid.startMs + step * windows.timeGrid.stepMs;
  const sampledSeconds = (lastMs - (zeroMs ?? firstMs)) / 1000;
  const spacing = gaps === 0 ? 0 : (lastMs - firstMs) / 1000 / gaps;
  let toStart = (firstMs - (endMs - windows.rangeMs)) / 1000;
  let toEnd = (endMs - lastMs) / 1000;
  if (toStart >= spacing * COVERED_SPACINGS) toStart = spacing / 2;
  if (isCounter && gain > 0 && firstValue >= 0) toStart = Math.min(toStart, sampledSeconds * (firstValue / gain));
  if (zeroMs !== null) toStart = 0;
  if (toEnd >= spacing * COVERED_SPACINGS) toEnd = spacing / 2;
  const factor = (sampledSeconds + toStart + toEnd) / sampledSeconds;
  return isRate ? factor / (windows.rangeMs / 1000) : factor;
}

/** Writes one row at `at`; every slot of `present` is written. @returns how many steps have a value */
export function extrapolate(
  { isCounter, isRate }: CounterKind,
  windows: Windows,
  values: Float64Array,
  present: Uint8Array,
  at: number,
): number {
  const { first, end, stepCount, rangeMs } = windows;
  const { startMs, stepMs } = windows.timeGrid;
  const { times, values: samples } = windows.samples;
  const rangeSeconds = rangeMs / 1000;
  let looked = 1; // Samples before this one were looked at for resets.
  let lastReset = 0; // The last of them that is below its predecessor.
  let seen = 0;
  for (let step = 0; step < stepCount; step++) {
    const from = first[step]!;
    const to = end[step]!;
    const slot = at + step;
    if (to - from < 2) {
      present[slot] = 0;
      continue;
    }
    const last = to - 1;
    const firstValue = samples[from]!;
    let gain = samples[last]! - firstValue;
    if (isCounter) {
      if (looked <= from) looked = from + 1;
      for (; looked < to; looked++) if (samples[looked]! < samples[looked - 1]!) lastReset = looked;
      if (lastReset > from) {
        for (let i = from + 1; i <= lastReset; i++) if (samples[i]! < samples[i - 1]!) gain += samples[i - 1]!;
      }
    }
    const endMs = startMs + step * stepMs;
    const sampledSeconds = (times[last]! - times[from]!) / 1000;
    const spacing = sampledSeconds / (last - from);
    let toStart = (times[from]! - (endMs - rangeMs)) / 1000;
    let toEnd = (endMs - times[last]!) / 1000;
    if (toStart >= spacing * COVERED_SPACINGS) toStart = spacing / 2;
    if (isCounter && gain > 0 && firstValue >= 0) {
      // A counter cannot have been below zero: the line through the samples ends there.
      const toZero = sampledSeconds * (firstValue / gain);
      if (toZero < toStart) toStart = toZero;
    }
    if (toEnd >= spacing * COVERED_SPACINGS) toEnd = spacing / 2;
    let factor = (sampledSeconds + toStart + toEnd) / sampledSeconds;
    if (isRate) factor /= rangeSeconds;
    values[slot] = gain * factor;
    present[slot] = FLOAT;
    seen++;
  }
  return seen;
}
