/**
 * The buckets of a native histogram as ranges of values: bounds, coarser resolutions, wider zero buckets.
 *
 * Bucket i of exponential schema s is (2^((i−1)·2^−s), 2^(i·2^−s)]; negative buckets mirror that. Bucket i of custom bounds is
 * (bound i−1, bound i], the first from −Inf, the last to +Inf.
 * Source: Prometheus, specification of native histograms.
 */
import { CUSTOM_SCHEMA, type Buckets, type FloatHistogram } from '../../../core/model/histogram.ts';

export interface BucketRange {
  lower: number;
  upper: number;
  count: number;
}

const MAX_EXPONENT = 1024;

export const isCustom = ({ schema }: FloatHistogram): boolean => schema === CUSTOM_SCHEMA;

/** Upper bound of exponential bucket `index`. The last finite one ends at the largest float. */
export function exponentialBound(index: number, schema: number): number {
  const exponent = index * 2 ** -schema;
  return exponent === MAX_EXPONENT ? Number.MAX_VALUE : 2 ** exponent;
}

export function upperBound(index: number, schema: number, customBounds: readonly number[]): number {
  if (schema !== CUSTOM_SCHEMA) return exponentialBound(index, schema);
  return customBounds[index] ?? Infinity;
}

export function lowerBound(index: number, schema: number, customBounds: readonly number[]): number {
  if (schema !== CUSTOM_SCHEMA) return exponentialBound(index - 1, schema);
  return index === 0 ? -Infinity : customBounds[index - 1]!;
}

/** All buckets from the lowest value to the highest, the zero bucket between. Empty ones that are listed are among them. */
export function bucketRanges(histogram: FloatHistogram): BucketRange[] {
  const { schema, customBounds, positive, negative, zeroCount, zeroThreshold } = histogram;
  const ranges: BucketRange[] = [];
  for (let i = negative.indexes.length - 1; i >= 0; i--) {
    const index = negative.indexes[i]!;
    ranges.push({
      lower: -exponentialBound(index, schema),
      upper: -exponentialBound(index - 1, schema),
      count: negative.counts[i]!,
    });
  }
  if (zeroCount !== 0) ranges.push({ lower: -zeroThreshold, upper: zeroThreshold, count: zeroCount });
  for (let i = 0; i < positive.indexes.length; i++) {
    const index = positive.indexes[i]!;
    ranges.push({
      lower: lowerBound(index, schema, customBounds),
      upper: upperBound(index, schema, customBounds),
      count: positive.counts[i]!,
    });
  }
  return ranges;
}

/** Index in a coarser schema of the bucket that holds bucket `index` of a finer one. */
export const coarserIndex = (index: number, from: number, to: number): number =>
  Math.floor((index - 1) / 2 ** (from - to)) + 1;

/** Index among `to` of the bucket that holds bucket `index` among `from`; `to` is part of `from`. */
export function mergedCustomIndex(index: number, from: readonly number[], to: readonly number[]): number {
  if (index >= from.length) return to.length;
  const upper = from[index]!;
  let low = 0;
  while (low < to.length && to[low]! < upper) low++;
  return low;
}

/** Bounds that both have. */
export function commonBounds(a: readonly number[], b: readonly number[]): readonly number[] {
  const inB = new Set(b);
  return a.filter((bound) => inB.has(bound));
}

export function sameBounds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((bound, i) => bound === b[i]);
}

/** Buckets with their indexes mapped, monotonically; those that meet are added. */
export function remap({ indexes, counts }: Buckets, map: (index: number) => number): Buckets {
  const merged: Buckets = { indexes: [], counts: [] };
  for (let i = 0; i < indexes.length; i++) {
    const index = map(indexes[i]!);
    const last = merged.indexes.length - 1;
    if (last >= 0 && merged.indexes[last] === index) merged.counts[last]! += counts[i]!;
    else {
      merged.indexes.push(index);
      merged.counts.push(counts[i]!);
    }
  }
  return merged;
}

/** Without empty buckets. */
export function compacted({ indexes, counts }: Buckets): Buckets {
  const kept: Buckets = { indexes: [], counts: [] };
  for (let i = 0; i < indexes.length; i++) {
    if (counts[i] === 0) continue;
    kept.indexes.push(indexes[i]!);
    kept.counts.push(counts[i]!);
  }
  return kept;
}

/** In a schema no finer than its own. */
export function toSchema(histogram: FloatHistogram, schema: number): FloatHistogram {
  if (histogram.schema === schema || isCustom(histogram)) return histogram;
  const map = (index: number): number => coarserIndex(index, histogram.schema, schema);
  return { ...histogram, schema, positive: remap(histogram.positive, map), negative: remap(histogram.negative, map) };
}

/** Over some of its own custom bounds. */
export function toBounds(histogram: FloatHistogram, bounds: readonly number[]): FloatHistogram {
  const positive = remap(histogram.positive, (index) => mergedCustomIndex(index, histogram.customBounds, bounds));
  return { ...histogram, customBounds: bounds, positive };
}

/**
 * With a zero bucket at least as wide as `threshold`. Where that falls into a bucket that is not empty, the zero bucket takes
 * all of it and becomes wider.
 */
export function widenZero(histogram: FloatHistogram, threshold: number): FloatHistogram {
  if (threshold <= histogram.zeroThreshold) return histogram;
  let width = threshold;
  for (const { indexes, counts } of [histogram.positive, histogram.negative, histogram.positive]) {
    for (let i = 0; i < indexes.length; i++) {
      const lower = exponentialBound(indexes[i]! - 1, histogram.schema);
      const upper = exponentialBound(indexes[i]!, histogram.schema);
      if (lower < width && upper > width && counts[i] !== 0) width = upper;
    }
  }
  let zeroCount = histogram.zeroCount;
  const beyond = ({ indexes, counts }: Buckets): Buckets => {
    const kept: Buckets = { indexes: [], counts: [] };
    for (let i = 0; i < indexes.length; i++) {
      if (exponentialBound(indexes[i]! - 1, histogram.schema) < width) zeroCount += counts[i]!;
      else {
        kept.indexes.push(indexes[i]!);
        kept.counts.push(counts[i]!);
      }
    }
    return kept;
  };
  const positive = beyond(histogram.positive);
  const negative = beyond(histogram.negative);
  return { ...histogram, zeroThreshold: width, zeroCount, positive, negative };
}
