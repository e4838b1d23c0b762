/**
 * The series that tell of a scrape itself: `up`, `scrape_duration_seconds` and the others.
 */
import type { Appender, SeriesRef } from '../../core/storage/appender.ts';
import type { SampleLabels } from './sample-labels.ts';

/** What one scrape came to. */
export interface ScrapeOutcome {
  /** '' where it succeeded. */
  readonly error: string;
  readonly durationMs: number;
  readonly samplesScraped: number;
  readonly samplesAfterRelabel: number;
  readonly seriesAdded: number;
  /** -1: the body was too large. */
  readonly bodyBytes: number;
}

/** What `extra_scrape_metrics` repeats of the configuration. */
export interface ScrapeLimits {
  readonly timeoutMs: number;
  readonly sampleLimit: number;
}

const NAMES = [
  'up',
  'scrape_duration_seconds',
  'scrape_samples_scraped',
  'scrape_samples_post_metric_relabeling',
  'scrape_series_added',
];
const EXTRA_NAMES = ['scrape_timeout_seconds', 'scrape_sample_limit', 'scrape_body_size_bytes'];

export class ReportSeries {
  readonly #labels: SampleLabels;
  #refs: readonly SeriesRef[] = [];

  constructor(labels: SampleLabels) {
    this.#labels = labels;
  }

  /** Those that were appended to since the last `forget`. */
  get refs(): readonly SeriesRef[] {
    return this.#refs;
  }

  /** The series are looked up anew by their labels. */
  forget(): void {
    this.#refs = [];
  }

  /** @param extra null without `extra_scrape_metrics` @throws what the appender throws */
  append(appender: Appender, timeMs: number, outcome: ScrapeOutcome, extra: ScrapeLimits | null): void {
    const { error, durationMs, samplesScraped, samplesAfterRelabel, seriesAdded, bodyBytes } = outcome;
    const values = [error === '' ? 1 : 0, durationMs / 1000, samplesScraped, samplesAfterRelabel, seriesAdded];
    if (extra !== null) values.push(extra.timeoutMs / 1000, extra.sampleLimit, bodyBytes);
    if (this.#refs.length !== values.length) {
      const names = [...NAMES, ...EXTRA_NAMES].slice(0, values.length);
      this.#refs = names.map((name) => appender.series(this.#labels.report(name)));
    }
    appender.append({
      refs: Uint32Array.from(this.#refs),
      times: new Float64Array(values.length).fill(timeMs),
      values: Float64Array.from(values),
      count: values.length,
    });
  }
}
