/**
 * rate, increase, delta, irate and idelta of native histograms.
 *
 * As for floats, what a counter had before a reset is added; here layouts may differ from sample to sample as well.
 * Source: Prometheus, specification of native histograms, "rate and increase".
 */
import type { FloatHistogram } from '../../../core/model/histogram.ts';
import { compacted, isCustom, toSchema } from './histogram-buckets.ts';
import { detectReset } from './histogram-arithmetic.ts';
import { emptyLike, HistogramSum } from './histogram-sum.ts';

/** What the user should know about the samples of one window. */
export interface RateFindings {
  isNotCounter: boolean;
  isNotGauge: boolean;
  /** Exponential and custom layouts were mixed; there is no result. */
  isMixedLayout: boolean;
  hasReconciledBounds: boolean;
}

export const noFindings = (): RateFindings => ({
  isNotCounter: false,
  isNotGauge: false,
  isMixedLayout: false,
  hasReconciledBounds: false,
});

/** Whether the counter began anew between entry `index` − 1 and entry `index`. */
export type ResetTest = (index: number) => boolean;

/**
 * The gain from the first of `histograms` to the last.
 *
 * @param isReset whether the counter began anew between entry i − 1 and entry i
 * @param isCounter else a gauge: no resets
 */
export function histogramGain(
  histograms: readonly FloatHistogram[],
  isCounter: boolean,
  findings: RateFindings,
  isReset: ResetTest = (index) => detectReset(histograms[index]!, histograms[index - 1]!),
): FloatHistogram | null {
  let first = histograms[0]!;
  const last = histograms.at(-1)!;
  if (isCounter && histograms.some(({ resetHint }) => resetHint === 'gauge')) findings.isNotCounter = true;
  if (!isCounter && (first.resetHint !== 'gauge' || last.resetHint !== 'gauge')) findings.isNotGauge = true;
  let layout = isCustom(first);
  // With a reset right after it, the first sample adds nothing, whatever its layout.
  const dropsFirst = isCounter && histograms.length > 1 && isReset(1);
  if (dropsFirst) {
    const second = histograms[1]!;
    first = emptyLike(second);
    layout = isCustom(second);
  }
  if (isCustom(last) !== layout) {
    findings.isMixedLayout = true;
    return null;
  }
  let schema = Math.min(first.schema, last.schema);
  if (isCounter) {
    for (const histogram of histograms.slice(1, -1)) {
      if (isCustom(histogram) !== layout) {
        findings.isMixedLayout = true;
        return null;
      }
      schema = Math.min(schema, histogram.schema);
    }
  }
  const gain = new HistogramSum(toSchema(last, schema));
  gain.add(first, -1);
  if (isCounter) {
    let before = first;
    for (let i = 1; i < histograms.length; i++) {
      const isBegun = i === 1 && dropsFirst;
      if (!isBegun && isReset(i)) gain.add(before);
      before = histograms[i]!;
    }
  }
  if (gain.hasReconciledBounds) findings.hasReconciledBounds = true;
  return asGauge(gain.result());
}

/** The difference of the last two samples. */
export function instantHistogramGain(
  before: FloatHistogram,
  now: FloatHistogram,
  isCounter: boolean,
  isReset: boolean,
  findings: RateFindings,
): FloatHistogram | null {
  if (isCounter && (before.resetHint === 'gauge' || now.resetHint === 'gauge')) findings.isNotCounter = true;
  if (!isCounter && (before.resetHint !== 'gauge' || now.resetHint !== 'gauge')) findings.isNotGauge = true;
  if (isCounter && isReset) return asGauge(now);
  if (isCustom(before) !== isCustom(now)) {
    findings.isMixedLayout = true;
    return null;
  }
  const gain = new HistogramSum(now);
  gain.add(before, -1);
  if (gain.hasReconciledBounds) findings.hasReconciledBounds = true;
  return asGauge(gain.result());
}

function asGauge(histogram: FloatHistogram): FloatHistogram {
  return {
    ...histogram,
    positive: compacted(histogram.positive),
    negative: compacted(histogram.negative),
    resetHint: 'gauge',
  };
}
