/**
 * Two runs of samples of one series as one.
 */
import { MixedSamples } from './mixed-samples.ts';
import type { SampleBuffer } from './samples.ts';

/** Merges `other` into `into`, both ascending. Of two samples at one time that of `into` stays. Bits of values are kept. */
export function mergeSamples(into: MixedSamples, other: MixedSamples): void {
  if (other.length === 0) return;
  if (into.length === 0 || into.times[into.length - 1]! < other.times[0]!) {
    appendSamples(into, other, 0, other.length);
    return;
  }
  const total = countDistinct(into, other);
  const own = into.length;
  into.reserve(total);
  const hasHistograms = into.hasHistograms || other.hasHistograms;
  const hasStartTimes = into.hasStartTimes || other.hasStartTimes;
  // From the back, so that nothing is overwritten before it has moved.
  let a = own - 1;
  let b = other.length - 1;
  for (let to = total - 1; to >= 0; to--) {
    const takesOwn = b < 0 || (a >= 0 && into.times[a]! >= other.times[b]!);
    const source = takesOwn ? into : other;
    const from = takesOwn ? a : b;
    if (takesOwn && b >= 0 && into.times[a] === other.times[b]) b--;
    into.times[to] = source.times[from]!;
    // Through the bits: a stale marker is a NaN that must stay what it is.
    into.valueBits[2 * to] = source.valueBits[2 * from]!;
    into.valueBits[2 * to + 1] = source.valueBits[2 * from + 1]!;
    if (hasHistograms) into.histograms[to] = source.histogramAt(from);
    if (hasStartTimes) into.startTimes[to] = source.startTimeAt(from);
    if (takesOwn) a--;
    else b--;
  }
  into.length = total;
}

/** Puts samples `[from, to)` of `other` behind those of `into`, which takes histograms and start times only where it can hold them. */
export function appendSamples(into: SampleBuffer, other: MixedSamples, from: number, to: number): void {
  const shift = into.length - from;
  into.append(other.times, other.values, from, to - from);
  if (!(into instanceof MixedSamples)) return;
  if (!other.hasHistograms && !other.hasStartTimes) return;
  for (let i = from; i < to; i++) {
    const histogram = other.histogramAt(i);
    if (histogram !== undefined) into.histograms[shift + i] = histogram;
    if (other.hasStartTimes) into.startTimes[shift + i] = other.startTimeAt(i);
  }
}

function countDistinct(a: MixedSamples, b: MixedSamples): number {
  let count = a.length + b.length;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const left = a.times[i]!;
    const right = b.times[j]!;
    if (left === right) count--;
    if (left <= right) i++;
    if (right <= left) j++;
  }
  return count;
}
