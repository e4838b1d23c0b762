/**
 * `anchored` and `smoothed` ranges: the value of a series at the very edges of its window.
 *
 * Anchored, a window also takes the last sample at or before its start. Smoothed, the values at both edges lie on the line
 * between the samples around them; of a counter that was reset in between, the line begins at zero. Either way the gain is
 * that between the edges and nothing is extrapolated. No sample is looked for further away than the lookback.
 * Source: Prometheus, querying basics, "Extended range selectors".
 */
import type { MixedSamples } from '../../../core/model/mixed-samples.ts';
import type { FloatHistogram } from '../../../core/model/histogram.ts';
import { detectReset } from './histogram-arithmetic.ts';
import { interpolateHistograms } from './histogram-interpolation.ts';
import type { Windows } from './windows.ts';

export type EdgeValue = number | FloatHistogram;

/** The samples that count for one window, edges first and last. */
export interface ExtendedWindow {
  readonly values: EdgeValue[];
  /** Whether the counter began anew between entry i − 1 and entry i. */
  readonly isReset: boolean[];
  /** Exponential and custom layouts would have to be interpolated. */
  isMixedLayout: boolean;
}

/** The sample before the window of `step`, if it is near enough; else −1. */
function sampleBefore({ first, samples, timeGrid, rangeMs }: Windows, step: number, lookbackMs: number): number {
  const before = first[step]! - 1;
  const beginMs = timeGrid.startMs + step * timeGrid.stepMs - rangeMs;
  return before >= 0 && samples.times[before]! > beginMs - lookbackMs ? before : -1;
}

/** The first sample that counts for an anchored window of `step`; the window's end if it holds none. */
export function anchoredFrom(windows: Windows, step: number, lookbackMs: number): number {
  const from = windows.first[step]!;
  if (from === windows.end[step]) return from;
  const before = sampleBefore(windows, step, lookbackMs);
  return before < 0 ? from : before;
}

/** Null if there is nothing near enough to say anything. */
export function smoothedWindow(
  windows: Windows,
  step: number,
  lookbackMs: number,
  isCounter: boolean,
): ExtendedWindow | null {
  const { samples, timeGrid, rangeMs } = windows;
  const { times, length } = samples;
  const endMs = timeGrid.startMs + step * timeGrid.stepMs;
  const beginMs = endMs - rangeMs;
  const from = windows.first[step]!;
  const to = windows.end[step]!;
  const before = sampleBefore(windows, step, lookbackMs);
  const after = to < length && times[to]! <= endMs + lookbackMs ? to : -1;
  if (from === to && (before < 0 || after < 0)) return null;
  const window: ExtendedWindow = { values: [], isReset: [], isMixedLayout: false };
  const push = (value: EdgeValue | null, isReset: boolean): void => {
    if (value === null) window.isMixedLayout = true;
    else {
      window.values.push(value);
      window.isReset.push(isReset);
    }
  };
  const hasLeft = before >= 0;
  const isLeftExact = hasLeft && times[before] === beginMs;
  if (hasLeft) push(isLeftExact ? valueAt(samples, before) : between(samples, before, beginMs, isCounter), false);
  for (let i = from; i < to; i++) {
    // The line to the left edge already takes a reset before the first sample into account.
    const isReset = i === from ? isLeftExact && isResetAt(samples, i) : isResetAt(samples, i);
    push(valueAt(samples, i), window.values.length > 0 && isReset);
  }
  if (after >= 0 && times[to - 1] !== endMs) {
    const isOneLine = from === to && !isLeftExact;
    push(between(samples, to - 1, endMs, isCounter), !isOneLine && isResetAt(samples, to));
  } else if (window.values.length === 1) push(window.values[0]!, false);
  return window;
}

/** Whether sample `index` is below its predecessor, or says that it began after it. Floats and histograms do not compare. */
export function isResetAt(samples: MixedSamples, index: number): boolean {
  const now = samples.histogramAt(index);
  const before = samples.histogramAt(index - 1);
  if (now !== undefined && before !== undefined) return detectReset(now, before);
  return now === undefined && before === undefined && samples.values[index]! < samples.values[index - 1]!;
}

const valueAt = (samples: MixedSamples, index: number): EdgeValue =>
  samples.histogramAt(index) ?? samples.values[index]!;

/** The value at a time between sample `index` and the next; null if these do not go together. */
function between(samples: MixedSamples, index: number, timeMs: number, isCounter: boolean): EdgeValue | null {
  const { times, values } = samples;
  const fraction = (timeMs - times[index]!) / (times[index + 1]! - times[index]!);
  const before = samples.histogramAt(index);
  const after = samples.histogramAt(index + 1);
  if (before !== undefined && after !== undefined) return interpolateHistograms(before, after, fraction, isCounter);
  if (before !== undefined || after !== undefined) return valueAt(samples, index);
  const low = values[index]!;
  const high = values[index + 1]!;
  return isCounter && high < low ? high * fraction : low + (high - low) * fraction;
}
