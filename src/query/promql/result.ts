/**
 * What a query answers: the four value types of PromQL in columns, with annotations.
 */
import type { FloatHistogram } from '../../core/model/histogram.ts';
import type { Labels } from '../../core/model/labels.ts';

export interface HistogramPoint {
  readonly timeMs: number;
  readonly histogram: FloatHistogram;
}

/** One series of a matrix: its floats in columns of one length, its native histograms, if any, in a list. */
export interface ResultSeries {
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** Ascending in time; there if the series has any. */
  readonly histograms?: readonly HistogramPoint[];
}

export type QueryValue =
  | { readonly type: 'scalar'; readonly timeMs: number; readonly value: number }
  | { readonly type: 'string'; readonly timeMs: number; readonly value: string }
  /** Entry i is one element; the order is the engine's (sort and topk rely on it). */
  | {
      readonly type: 'vector';
      readonly timeMs: number;
      readonly labels: readonly Labels[];
      readonly values: Float64Array;
      /** Entry i is the histogram that element i is instead of `values[i]`; there if any element is one. */
      readonly histograms?: readonly (FloatHistogram | null)[];
    }
  /** Sorted by labels. */
  | { readonly type: 'matrix'; readonly series: readonly ResultSeries[] };

/** Times in milliseconds; sample counts as Prometheus' `stats=all` names them. */
export interface QueryStats {
  readonly preparationMs: number;
  readonly evaluationMs: number;
  readonly sortMs: number;
  readonly totalQueryableSamples: number;
  readonly peakSamples: number;
}

export interface QueryResult {
  readonly value: QueryValue;
  /** Whole texts, `PromQL warning: …`. */
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  readonly stats: QueryStats;
}
