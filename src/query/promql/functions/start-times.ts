/**
 * What start times of counters say: where a counter began anew, and that it was zero when it began.
 *
 * A start time of 0 is unknown, one not before its sample is of no use. A sample that begins where the one before it was taken
 * is a delta, and so a fresh start, unless that one's own start is unknown: then it is the first cumulative sample that
 * could be given a start.
 */
import type { MixedSamples } from '../../../core/model/mixed-samples.ts';

const isUsable = (startMs: number, timeMs: number): boolean => startMs !== 0 && startMs < timeMs;

/** Whether the start time of sample `index` says that the counter began after sample `index` − 1. */
export function beganAfter(samples: MixedSamples, index: number): boolean {
  const startMs = samples.startTimeAt(index);
  if (!isUsable(startMs, samples.times[index]!)) return false;
  const beforeMs = samples.times[index - 1]!;
  if (startMs !== beforeMs) return startMs > beforeMs;
  return isUsable(samples.startTimeAt(index - 1), beforeMs);
}

/** When sample `index` began, if that is after `afterMs`; else null. */
export function zeroTime(samples: MixedSamples, index: number, afterMs: number): number | null {
  const startMs = samples.startTimeAt(index);
  return isUsable(startMs, samples.times[index]!) && startMs > afterMs ? startMs : null;
}

/** Whether a sample claims to begin before its predecessor was taken, without sharing that one's beginning. */
export function overlaps(samples: MixedSamples, from: number, to: number): boolean {
  for (let i = from + 1; i < to; i++) {
    const startMs = samples.startTimeAt(i);
    if (startMs !== 0 && startMs < samples.times[i - 1]! && startMs !== samples.startTimeAt(i - 1)) return true;
  }
  return false;
}
