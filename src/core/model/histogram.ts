/**
 * Native histograms: a sample that is a whole distribution, in buckets that grow exponentially or have custom bounds.
 *
 * One form serves all: counts are floats, buckets are parallel lists of index and count, ascending and sparse. Bucket i of an
 * exponential schema s ends at 2^(i * 2^-s); bucket i of a custom one at `customBounds[i]`, the last one at +Inf.
 * Source: Prometheus, specification of native histograms.
 */

/** Whether the sample before is known to belong to the same run of the counter. */
export type ResetHint = 'unknown' | 'reset' | 'not-reset' | 'gauge';

/** Schema of histograms with custom bounds. */
export const CUSTOM_SCHEMA = -53;

export interface Buckets {
  /** Ascending, distinct. */
  indexes: number[];
  counts: number[];
}

export interface FloatHistogram {
  schema: number;
  zeroThreshold: number;
  zeroCount: number;
  count: number;
  sum: number;
  positive: Buckets;
  negative: Buckets;
  /** Upper bounds without +Inf; empty unless the schema is custom. */
  customBounds: readonly number[];
  resetHint: ResetHint;
}
