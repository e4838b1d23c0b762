/**
 * What one target's earlier scrapes taught: the raw bytes of each series and the ref they stand for.
 */
import type { Labels } from '../../core/model/labels.ts';
import type { Exemplar, SampleColumns, SeriesRef } from '../../core/storage/appender.ts';
import type { ExpositionWorkspace } from './workspace.ts';

/** Turns a series seen for the first time into a ref of the head. */
export interface SeriesResolver {
  /**
   * @param labels as exposed, `__name__` among them, sorted by name, names distinct. Unlike stored label sets it keeps
   *   empty values: with honor_labels an empty label hides the target's label of that name.
   * @returns the head's ref, or 0 when relabelling dropped the series
   * Whatever it throws fails the scrape: `parse` undoes its own changes and rethrows it.
   */
  resolve(labels: Labels): SeriesRef;
}

export type ExpositionFormat = 'text' | 'openmetrics';

export interface ParseOptions {
  /** The time of samples that bring none, or whose own time is not honoured. */
  readonly timeMs: number;
  readonly honorTimestamps: boolean;
  /** Series with explicit timestamps get stale markers too. */
  readonly trackTimestampsStaleness: boolean;
  /** Most samples after relabelling; 0 is no limit. */
  readonly sampleLimit: number;
}

/** A body inside the workspace's linear memory. At least BODY_PADDING_BYTES behind it may be overwritten. */
export interface BodyPlace {
  readonly address: number;
  readonly length: number;
}
export const BODY_PADDING_BYTES = 64;

/** More samples than `sample_limit` allows. Nothing of the scrape counts. */
export class SampleLimitError extends Error {
  override readonly name = 'SampleLimitError';
  readonly samplesScraped: number;
  readonly samplesAfterRelabel: number;

  constructor(samplesScraped: number, samplesAfterRelabel: number) {
    super('sample limit exceeded');
    this.samplesScraped = samplesScraped;
    this.samplesAfterRelabel = samplesAfterRelabel;
  }
}

export interface ParsedScrape {
  /** In the order of the body. Views over the workspace's memory: valid until the next `parse` in that workspace. */
  readonly columns: SampleColumns;
  /** All sample lines: `scrape_samples_scraped`. */
  readonly samplesScraped: number;
  /** Those that relabelling kept, repeated ones included: `scrape_samples_post_metric_relabeling`. */
  readonly samplesAfterRelabel: number;
  /** Kept series that the last successful scrape did not have: `scrape_series_added`. */
  readonly seriesAdded: number;
  /** Lines without timestamp whose series came before in the same body; the first one is in `columns`. */
  readonly duplicates: number;
  /** OpenMetrics only; those without a timestamp have their sample's. */
  readonly exemplars: readonly Exemplar[];
  /** Whether `metadata()` may now answer differently. */
  readonly metadataChanged: boolean;
  /** Refs of the last successful scrape that this one lacks, each once: they get a stale marker at `timeMs`. */
  readonly vanishedRefs: Uint32Array;
}

/** What comment lines told of one metric family. */
export interface MetricMetadata {
  readonly metric: string;
  /** counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown. */
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

export class ScrapeCache {
  constructor(_workspace: ExpositionWorkspace) {
    throw new Error('not built yet');
  }

  /**
   * Parses one body.
   * @throws ExpositionError on a malformed or oversized body, SampleLimitError, or what the resolver throws. Then nothing
   *   that a caller sees has changed; the caller ends the live series with `forgetAll`.
   */
  declare parse: (body: BodyPlace, format: ExpositionFormat, options: ParseOptions, resolver: SeriesResolver) => ParsedScrape;

  /**
   * The refs that need a stale marker because a scrape failed or the target ended, each once. Afterwards no series is
   * live, but the bytes stay known, so the next good scrape is fast and adds no series.
   */
  declare forgetAll: () => Uint32Array;

  /** Series whose ref the head has dropped are resolved anew when they appear again. Call it after the head removed series. */
  declare unbind: (isGone: (ref: SeriesRef) => boolean) => void;

  /** Families seen in one of the last ten scrapes, sorted by name. Made from the cached lines at each call. */
  declare metadata: () => MetricMetadata[];

  /** Linear memory that this cache holds. */
  declare memoryBytes: () => number;

  /** Gives the memory back to the workspace's pool. The cache must not be used afterwards. */
  declare close: () => void;
}
