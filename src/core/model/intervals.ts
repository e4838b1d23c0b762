/**
 * Closed intervals of time in which a series' samples are deleted.
 */
import { appendSamples } from './merge-samples.ts';
import type { MixedSamples } from './mixed-samples.ts';
import type { SampleBuffer } from './samples.ts';

/** First and last time of each interval, ascending and apart from each other: `[first0, last0, first1, …]`. */
export type Intervals = readonly number[];

/** Whether no sample in [firstMs, lastMs] is left. */
export function coversAll(intervals: Intervals, firstMs: number, lastMs: number): boolean {
  for (let i = 0; i < intervals.length; i += 2) if (intervals[i]! <= firstMs && lastMs <= intervals[i + 1]!) return true;
  return false;
}

/** Whether a sample in [firstMs, lastMs] may be deleted. */
export function touches(intervals: Intervals, firstMs: number, lastMs: number): boolean {
  for (let i = 0; i < intervals.length; i += 2) if (intervals[i]! <= lastMs && firstMs <= intervals[i + 1]!) return true;
  return false;
}

/** Sorts intervals and joins those that overlap or lie side by side. */
export function joined(intervals: Intervals): Intervals {
  const order: number[] = [];
  for (let i = 0; i < intervals.length; i += 2) order.push(i);
  order.sort((a, b) => intervals[a]! - intervals[b]!);
  const result: number[] = [];
  for (const i of order) {
    const before = result.length - 1;
    if (before > 0 && intervals[i]! <= result[before]! + 1) result[before] = Math.max(result[before]!, intervals[i + 1]!);
    else result.push(intervals[i]!, intervals[i + 1]!);
  }
  return result;
}

/** Appends the samples that are in [startMs, endMs] and not deleted. */
export function appendLeft(out: SampleBuffer, samples: MixedSamples, { startMs, endMs }: { readonly startMs: number; readonly endMs: number }, deleted: Intervals): void {
  let from = firstNotBefore(samples, startMs);
  const end = firstNotBefore(samples, endMs + 1);
  for (let i = 0; i < deleted.length && from < end; i += 2) {
    const cut = Math.min(firstNotBefore(samples, deleted[i]!), end);
    if (cut > from) appendSamples(out, samples, from, cut);
    from = Math.max(from, firstNotBefore(samples, deleted[i + 1]! + 1));
  }
  if (from < end) appendSamples(out, samples, from, end);
}

/** Index of the first sample at or after a time. */
function firstNotBefore({ times, length }: SampleBuffer, timeMs: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
