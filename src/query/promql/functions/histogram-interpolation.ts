/**
 * A native histogram between two others, as `smoothed` asks for.
 */
import type { FloatHistogram } from '../../../core/model/histogram.ts';
import { detectReset, scaleHistogram } from './histogram-arithmetic.ts';
import { isCustom } from './histogram-buckets.ts';
import { HistogramSum } from './histogram-sum.ts';

/**
 * The histogram a `fraction` of the way from `before` to `after`. A counter that was reset between them begins at zero.
 * @returns null if the layouts cannot agree
 */
export function interpolateHistograms(
  before: FloatHistogram,
  after: FloatHistogram,
  fraction: number,
  isCounter: boolean,
): FloatHistogram | null {
  if (isCustom(before) !== isCustom(after)) return null;
  if (isCounter && detectReset(after, before)) return scaleHistogram(after, fraction);
  const difference = new HistogramSum(after);
  if (!difference.add(before, -1)) return null;
  const sum = new HistogramSum(before);
  return sum.add(scaleHistogram(difference.result(), fraction))
    ? { ...sum.result(), resetHint: before.resetHint }
    : null;
}
