/**
 * What "select" means: the one interface between the query engine and whatever holds samples.
 *
 * A select first finds the series (labels, no samples), then the caller reads them one at a time into a buffer that it
 * owns, in any order, as often as it likes. Whatever needs waiting (files of other machines, network) waits inside
 * `select`, so that `read` is a plain call in the innermost loop.
 */
import type { Labels } from '../model/labels.ts';
import type { Matcher } from '../model/matcher.ts';
import type { SampleBuffer } from '../model/samples.ts';

export interface SelectRequest {
  readonly matchers: readonly Matcher[];
  /** Both ends are in. */
  readonly startMs: number;
  readonly endMs: number;
  /** What the engine will do with the samples; a store may use it to read less, and may ignore it. */
  readonly hints?: SelectHints;
}

export interface SelectHints {
  readonly stepMs: number;
  /** Length of the range selector, 0 for an instant selector. */
  readonly rangeMs: number;
  /** The function applied to the selector, '' for none. */
  readonly func: string;
}

export interface SeriesSet {
  readonly seriesCount: number;
  /** Series are in no particular order unless the store says so; each label set occurs once. */
  labels(index: number): Labels;
  /**
   * Appends the samples of one series inside [startMs, endMs] of the request to `out`, times strictly ascending,
   * stale markers included with their bits.
   */
  read(index: number, out: SampleBuffer): void;
  close(): void;
}

export interface LabelRequest {
  readonly matchers: readonly Matcher[];
  readonly startMs: number;
  readonly endMs: number;
}

export interface Querier {
  /** @throws RegexError, CorruptError */
  select(request: SelectRequest): Promise<SeriesSet>;
  /** Distinct names, sorted in byte order. */
  labelNames(request: LabelRequest): Promise<string[]>;
  /** Distinct values of `name`, sorted in byte order. */
  labelValues(name: string, request: LabelRequest): Promise<string[]>;
  /** Label sets of series that may have samples in the time range, in no particular order. */
  series(request: LabelRequest): Promise<Labels[]>;
}
