/**
 * What "append" means: the one interface between ingestion and the head.
 *
 * A series is created (or found) once by its labels and afterwards named by its ref. Samples come in columns, one call for
 * a whole scrape or request. All of it runs in one thread, so nothing here waits.
 */
import type { Labels } from '../model/labels.ts';

/** A series' number in the head; never 0. */
export type SeriesRef = number;

/** Columns of equal length; entry i is one sample. They may be views over the head's own linear memory (then not copied). */
export interface SampleColumns {
  readonly refs: Uint32Array;
  /** Milliseconds since the epoch. */
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly count: number;
}

/** How the samples of one `append` ended; the same classes that Prometheus counts. */
export interface AppendCounts {
  readonly appended: number;
  /** Those of them that came out of order, inside the window for that. */
  readonly appendedOutOfOrder: number;
  /** Same time and bitwise the same value as the newest: silently nothing to do. */
  readonly identical: number;
  /** Same time, other value. */
  readonly duplicate: number;
  readonly outOfOrder: number;
  /** Older than the head's lower bound. */
  readonly outOfBounds: number;
  /** Out of order and older than the window for that. */
  readonly tooOld: number;
}

export interface AppendOptions {
  /** Samples out of order are refused, even inside the window for them: stale markers that come late are of no use. */
  readonly inOrderOnly?: boolean;
}

export interface SeriesMetadata {
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

export interface Exemplar {
  readonly ref: SeriesRef;
  readonly labels: Labels;
  readonly value: number;
  readonly timeMs: number;
}

export interface Appender {
  /** Finds or creates the series. `labels` must be sorted and without empty values. @throws SeriesLimitError */
  series(labels: Labels): SeriesRef;
  /** Takes what is acceptable of the columns; the order of entries is the order of appending. */
  append(columns: SampleColumns, options?: AppendOptions): AppendCounts;
  /**
   * Writes what was appended since the last commit to the WAL, new series first. When it returns the records have been
   * handed to the operating system: they survive the death of the process.
   */
  commit(): void;
}
