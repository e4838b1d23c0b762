/**
 * A native histogram as Prometheus writes it: `{count:3, sum:5, [-0.001,0.001]:1, (0.5,1]:2}`.
 */
import { formatG } from '../../../core/model/float.ts';
import type { FloatHistogram } from '../../../core/model/histogram.ts';
import { bucketRanges, isCustom, type BucketRange } from './histogram-buckets.ts';

export function formatHistogram(histogram: FloatHistogram): string {
  const parts = [`count:${formatG(histogram.count)}`, `sum:${formatG(histogram.sum)}`];
  for (const range of bucketRanges(histogram)) {
    if (range.count !== 0) parts.push(`${formatRange(range, isCustom(histogram))}:${formatG(range.count)}`);
  }
  return `{${parts.join(', ')}}`;
}

/** A bound next to zero is in: of negative buckets the lower one, of the zero bucket both. */
function formatRange({ lower, upper }: BucketRange, isCustomLayout: boolean): string {
  const isZero = !isCustomLayout && lower <= 0 && upper >= 0;
  const isNegative = !isCustomLayout && upper < 0;
  const open = isZero || isNegative ? '[' : '(';
  const close = isNegative ? ')' : ']';
  return `${open}${formatG(lower)},${formatG(upper)}${close}`;
}
