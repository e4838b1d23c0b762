/**
 * What can be read off a native histogram: quantiles, fractions, spread.
 *
 * Inside an exponential bucket observations are taken as evenly spread on a logarithmic scale, in the zero bucket and in custom
 * ones on a linear scale. The zero bucket counts as one-sided where all other buckets are on one side.
 * Source: Prometheus, functions histogram_quantile(), histogram_fraction(), histogram_stddev().
 */
import type { FloatHistogram } from '../../../core/model/histogram.ts';
import { bucketRanges, isCustom, type BucketRange } from './histogram-buckets.ts';
import { CompensatedSum } from './compensated-sum.ts';

/** A quantile, and whether observations of NaN have moved it. */
export interface HistogramQuantile {
  readonly value: number;
  readonly nan: 'none' | 'result' | 'skew';
}

export function histogramQuantile(q: number, histogram: FloatHistogram): HistogramQuantile {
  if (q < 0) return { value: -Infinity, nan: 'none' };
  if (q > 1) return { value: Infinity, nan: 'none' };
  if (histogram.count === 0 || Number.isNaN(q)) return { value: Number.NaN, nan: 'none' };
  const hasNan = Number.isNaN(histogram.sum);
  // From the nearer end, except that observations of NaN are in no bucket and so beyond the last.
  const isForward = hasNan || q < 0.5;
  const ranges = bucketRanges(histogram).filter(({ count }) => count !== 0);
  if (!isForward) ranges.reverse();
  let rank = (isForward ? q : 1 - q) * histogram.count;
  let count = 0;
  let bucket: BucketRange | undefined;
  for (const range of ranges) {
    bucket = range;
    count += range.count;
    if (count >= rank) break;
  }
  if (bucket === undefined) return { value: Number.NaN, nan: hasNan ? 'result' : 'none' };
  const { lower, upper } = linearBounds(bucket, histogram);
  if (isCustom(histogram)) {
    if (lower === -Infinity) return { value: upper, nan: skew(hasNan) };
    if (upper === Infinity && !(hasNan && count < rank)) return { value: lower, nan: skew(hasNan) };
  }
  if (count > histogram.count) count = histogram.count;
  if (hasNan && count < rank) return { value: Number.NaN, nan: 'result' };
  if (count < rank) return { value: isForward ? upper : lower, nan: 'none' };
  rank = isForward ? rank - (count - bucket.count) : count - rank;
  return { value: interpolate(lower, upper, rank / bucket.count, isLinear(bucket, histogram)), nan: skew(hasNan) };
}

const skew = (hasNan: boolean): 'skew' | 'none' => (hasNan ? 'skew' : 'none');

/** The share of observations in [lower, upper]; those of NaN are in no range. */
export function histogramFraction(lower: number, upper: number, histogram: FloatHistogram): number {
  if (histogram.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  let total = 0;
  for (const { count } of bucketRanges(histogram)) total += count;
  const most = Number.isNaN(histogram.sum) ? total : histogram.count;
  const from = Math.min(countBelow(lower, histogram), most);
  const to = upper === Infinity ? most : Math.min(countBelow(upper, histogram), most);
  return (to - from) / histogram.count;
}

/** Observations below `bound`, interpolated in the bucket that it falls in. */
function countBelow(bound: number, histogram: FloatHistogram): number {
  let rank = 0;
  for (const bucket of bucketRanges(histogram)) {
    const { lower, upper } = linearBounds(bucket, histogram);
    if (lower >= bound) return rank;
    if (upper > bound) {
      if (lower === -Infinity) return rank + bucket.count;
      if (upper === Infinity) return rank;
      return rank + bucket.count * shareBelow(bound, lower, upper, isLinear(bucket, histogram));
    }
    rank += bucket.count;
  }
  return rank;
}

export function histogramVariance(histogram: FloatHistogram): number {
  const mean = histogram.sum / histogram.count;
  const squares = new CompensatedSum();
  for (const bucket of bucketRanges(histogram)) {
    if (bucket.count === 0) continue;
    const delta = midpoint(bucket.lower, bucket.upper, isCustom(histogram)) - mean;
    squares.add(bucket.count * delta * delta);
  }
  return squares.total / histogram.count;
}

/** Arithmetic in custom buckets, 0 in the zero bucket, else geometric. */
function midpoint(lower: number, upper: number, isCustomLayout: boolean): number {
  if (isCustomLayout) return (lower + upper) / 2;
  if (lower <= 0 && upper >= 0) return 0;
  return upper < 0 ? -Math.sqrt(lower * upper) : Math.sqrt(lower * upper);
}

/** Whether observations in a bucket count as evenly spread, rather than their logarithms. */
export const isLinear = ({ lower, upper }: BucketRange, histogram: FloatHistogram): boolean =>
  isCustom(histogram) || (lower <= 0 && upper >= 0);

/** The bounds to interpolate between: one-sided zero buckets, and a first custom bucket that begins at 0 where it can. */
export function linearBounds(
  { lower, upper }: BucketRange,
  histogram: FloatHistogram,
): { lower: number; upper: number } {
  if (isCustom(histogram)) return { lower: lower === -Infinity && upper > 0 ? 0 : lower, upper };
  if (!(lower <= 0 && upper >= 0)) return { lower, upper };
  const hasPositive = histogram.positive.indexes.length > 0;
  const hasNegative = histogram.negative.indexes.length > 0;
  return { lower: hasPositive && !hasNegative ? 0 : lower, upper: hasNegative && !hasPositive ? 0 : upper };
}

/** What share of a bucket's observations is below `bound`. */
export function shareBelow(bound: number, lower: number, upper: number, linear: boolean): number {
  if (linear) return (bound - lower) / (upper - lower);
  const from = Math.log2(Math.abs(lower));
  const to = Math.log2(Math.abs(upper));
  return (Math.log2(Math.abs(bound)) - from) / (to - from);
}

/** The value below which `fraction` of a bucket's observations are. */
function interpolate(lower: number, upper: number, fraction: number, linear: boolean): number {
  if (linear) return lower + (upper - lower) * fraction;
  const from = Math.log2(Math.abs(lower));
  const to = Math.log2(Math.abs(upper));
  const magnitude = 2 ** (from + (to - from) * fraction);
  return lower > 0 ? magnitude : -magnitude;
}
