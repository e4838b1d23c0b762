/**
 * What a query answers: the four value types of PromQL in columns, with annotations.
 */
import type { Labels } from '../../core/model/labels.ts';

/** One series of a matrix. All three have the same length. */
export interface ResultSeries {
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly values: Float64Array;
}

export type QueryValue =
  | { readonly type: 'scalar'; readonly timeMs: number; readonly value: number }
  | { readonly type: 'string'; readonly timeMs: number; readonly value: string }
  /** Entry i is one element; the order is the engine's (sort and topk rely on it). */
  | { readonly type: 'vector'; readonly timeMs: number; readonly labels: readonly Labels[]; readonly values: Float64Array }
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
