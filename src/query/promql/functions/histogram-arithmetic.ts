/**
 * Native histograms times a number, compared with each other, and told apart at counter resets.
 * Source: Prometheus, specification of native histograms.
 */
import type { Buckets, FloatHistogram } from '../../../core/model/histogram.ts';
import type { MixedSamples } from '../../../core/model/mixed-samples.ts';
import { commonBounds, compacted, isCustom, sameBounds, toBounds, toSchema, widenZero } from './histogram-buckets.ts';

/** Times `factor`; a negative one makes a gauge. */
export function scaleHistogram(histogram: FloatHistogram, factor: number): FloatHistogram {
  const scale = ({ indexes, counts }: Buckets): Buckets => ({ indexes, counts: counts.map((count) => count * factor) });
  return {
    ...histogram,
    count: histogram.count * factor,
    sum: histogram.sum * factor,
    zeroCount: histogram.zeroCount * factor,
    positive: compacted(scale(histogram.positive)),
    negative: compacted(scale(histogram.negative)),
    resetHint: factor < 0 ? 'gauge' : histogram.resetHint,
  };
}

/** Divided by `divisor`; by 0 the buckets are emptied. */
export function divideHistogram(histogram: FloatHistogram, divisor: number): FloatHistogram {
  const divide = ({ indexes, counts }: Buckets): Buckets =>
    divisor === 0 ? { indexes: [], counts: [] } : { indexes, counts: counts.map((count) => count / divisor) };
  return {
    ...histogram,
    count: histogram.count / divisor,
    sum: histogram.sum / divisor,
    zeroCount: histogram.zeroCount / divisor,
    positive: divide(histogram.positive),
    negative: divide(histogram.negative),
    resetHint: divisor < 0 ? 'gauge' : histogram.resetHint,
  };
}

/** Bit by bit the same distribution; reset hints do not count. */
export function equalHistograms(a: FloatHistogram, b: FloatHistogram): boolean {
  return (
    a.schema === b.schema &&
    Object.is(a.count, b.count) &&
    Object.is(a.sum, b.sum) &&
    sameBounds(a.customBounds, b.customBounds) &&
    (isCustom(a) || (a.zeroThreshold === b.zeroThreshold && Object.is(a.zeroCount, b.zeroCount))) &&
    equalBuckets(a.positive, b.positive) &&
    equalBuckets(a.negative, b.negative)
  );
}

function equalBuckets(a: Buckets, b: Buckets): boolean {
  const x = compacted(a);
  const y = compacted(b);
  return (
    x.indexes.length === y.indexes.length &&
    x.indexes.every((index, i) => index === y.indexes[i] && Object.is(x.counts[i], y.counts[i]))
  );
}

/**
 * Whether the counter began anew between `before` and `now`: by the hint, a drop of any count, or a layout that a counter that
 * goes on cannot take.
 */
export function detectReset(now: FloatHistogram, before: FloatHistogram): boolean {
  if (now.resetHint === 'reset') return true;
  if (now.resetHint === 'not-reset') return false;
  if (now.count < before.count) return true;
  if (isCustom(now) !== isCustom(before)) return true;
  if (isCustom(now)) {
    if (sameBounds(now.customBounds, before.customBounds)) return anyDrop(now.positive, before.positive);
    const bounds = commonBounds(now.customBounds, before.customBounds);
    return anyDrop(toBounds(now, bounds).positive, toBounds(before, bounds).positive);
  }
  if (now.schema > before.schema || now.zeroThreshold < before.zeroThreshold) return true;
  const widened = widenZero(before, now.zeroThreshold);
  if (widened.zeroThreshold !== now.zeroThreshold || now.zeroCount < widened.zeroCount) return true;
  const coarse = toSchema(widened, now.schema);
  return anyDrop(now.positive, coarse.positive) || anyDrop(now.negative, coarse.negative);
}

function anyDrop(now: Buckets, before: Buckets): boolean {
  const byIndex = new Map(now.indexes.map((index, i) => [index, now.counts[i]!]));
  return before.indexes.some((index, i) => (byIndex.get(index) ?? 0) < before.counts[i]!);
}

/** Gives each histogram that does not say whether it follows a reset the answer. */
export function detectResets(samples: MixedSamples): void {
  let before: FloatHistogram | null = null;
  for (let i = 0; i < samples.length; i++) {
    const now = samples.histogramAt(i);
    if (now === undefined) continue;
    if (before !== null && now.resetHint === 'unknown') {
      samples.histograms[i] = { ...now, resetHint: detectReset(now, before) ? 'reset' : 'not-reset' };
    }
    before = now;
  }
}
