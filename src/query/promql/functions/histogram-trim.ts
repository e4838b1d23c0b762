/**
 * `h </ x` and `h >/ x`: the part of a native histogram below or above a value.
 *
 * A bucket that the value cuts keeps the share that interpolation gives. An infinitely wide bucket cannot be cut: it stays
 * whole on its own side and goes on the other. Once anything is gone, the sum is estimated from the middles of what is left.
 */
import type { Buckets, FloatHistogram } from '../../../core/model/histogram.ts';
import { exponentialBound, lowerBound, upperBound, type BucketRange } from './histogram-buckets.ts';
import { isLinear, linearBounds, shareBelow } from './histogram-statistics.ts';

/** What stays of one bucket, and the middle of it. */
interface Kept {
  count: number;
  middle: number;
}

export function trimHistogram(histogram: FloatHistogram, bound: number, keepsBelow: boolean): FloatHistogram {
  if (bound === (keepsBelow ? Infinity : -Infinity)) return histogram;
  const { schema, customBounds, zeroThreshold } = histogram;
  let count = 0;
  let sum = 0;
  let isTrimmed = false;
  const keep = (lower: number, upper: number, bucketCount: number): number => {
    const kept = cut({ lower, upper, count: bucketCount }, histogram, bound, keepsBelow);
    if (kept.count !== bucketCount) isTrimmed = true;
    count += kept.count;
    if (kept.count !== 0) sum += kept.count * kept.middle;
    return kept.count;
  };
  const trim = ({ indexes, counts }: Buckets, range: (index: number) => readonly [number, number]): Buckets => {
    const left: Buckets = { indexes: [], counts: [] };
    for (let i = 0; i < indexes.length; i++) {
      const [lower, upper] = range(indexes[i]!);
      const kept = keep(lower, upper, counts[i]!);
      if (kept === 0) continue;
      left.indexes.push(indexes[i]!);
      left.counts.push(kept);
    }
    return left;
  };
  const positive = trim(histogram.positive, (index) => [
    lowerBound(index, schema, customBounds),
    upperBound(index, schema, customBounds),
  ]);
  const negative = trim(histogram.negative, (index) => [
    -exponentialBound(index, schema),
    -exponentialBound(index - 1, schema),
  ]);
  const zeroCount = histogram.zeroCount === 0 ? 0 : keep(-zeroThreshold, zeroThreshold, histogram.zeroCount);
  return isTrimmed ? { ...histogram, count, sum, zeroCount, positive, negative } : histogram;
}

function cut(bucket: BucketRange, histogram: FloatHistogram, bound: number, keepsBelow: boolean): Kept {
  const { count } = bucket;
  const { lower, upper } = linearBounds(bucket, histogram);
  const linear = isLinear(bucket, histogram);
  const none: Kept = { count: 0, middle: 0 };
  // The one bucket that spans everything, or a cut that is no number, leaves nothing to tell.
  if (Number.isNaN(bound) || (bucket.lower === -Infinity && upper === Infinity)) return none;
  if (lower === -Infinity) return keepsBelow && bound !== -Infinity ? { count, middle: Math.min(upper, bound) } : none;
  if (upper === Infinity) return keepsBelow || bound === Infinity ? none : { count, middle: Math.max(lower, bound) };
  if (keepsBelow ? upper <= bound : lower >= bound) return { count, middle: middleOf(lower, upper, linear) };
  if (keepsBelow ? lower >= bound : upper <= bound) return none;
  const below = shareBelow(bound, lower, upper, linear);
  if (keepsBelow) return { count: count * below, middle: middleOf(lower, bound, linear) };
  return { count: count * (1 - below), middle: middleOf(bound, upper, linear) };
}

function middleOf(lower: number, upper: number, linear: boolean): number {
  if (linear) return (lower + upper) / 2;
  return upper < 0 ? -Math.sqrt(lower * upper) : Math.sqrt(lower * upper);
}
