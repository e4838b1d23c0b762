/**
 * The seam between the parts of a running query.
 *
 * Life of an operator: `open` once, which finds out what series can come; then `run` once, which pushes their rows. Between
 * the two, labels can be asked for, so that whoever groups or joins does so once per series and never per step.
 */
import type { Labels } from '../../../core/model/labels.ts';
import type { StepGrid } from '../plan/grid.ts';
import type { RowBatch } from './row-batch.ts';

/** Receives batches; may change them, and must copy what it keeps. */
export type RowSink = (batch: RowBatch) => void;

/** What series come out, by number. */
export interface SeriesSource {
  open(): void;
  /** After `open`. Not every series need have a row. */
  readonly seriesCount: number;
  labels(series: number): Labels;
  /** Whether the metric name is to go at the end of the query (delayed name removal). */
  dropsName(series: number): boolean;
  /** Whether two series may have equal labels. Their rows then never hold values at the same step. */
  readonly mayRepeatLabels: boolean;
}

export interface VectorOperator extends SeriesSource {
  readonly grid: StepGrid;
  /** Pushes each series' row at most once. Rows without any value may be left out. */
  run(sink: RowSink): void;
}

/** One value at each step, always present. */
export interface ScalarOperator {
  /** shape [stepCount]; computed on first use, not to be changed. */
  values(): Float64Array;
}
