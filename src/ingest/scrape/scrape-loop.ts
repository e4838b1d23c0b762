/**
 * One target: fetch, parse, relabel, append, report; again and again.
 *
 * Everything between the arrival of the body and the commit is one synchronous stretch, so a query sees a scrape's samples appear
 * together, and other targets wait for a few milliseconds at most.
 */
import { appendFileSync } from 'node:fs';
import type { Clock } from '../../core/base/clock.ts';
import { errorMessage } from '../../core/base/errors.ts';
import type { Logger } from '../../core/base/log.ts';
import { setStale } from '../../core/model/samples.ts';
import type { Appender, SampleColumns, SeriesRef } from '../../core/storage/appender.ts';
import { decideFormat } from '../exposition/negotiate.ts';
import { ScrapeCache, SampleLimitError, type ParsedScrape } from '../exposition/scrape-cache.ts';
import { BodySizeLimitError } from './body-buffer.ts';
import { TargetFetcher, type FetchOptions, type Page } from './fetch.ts';
import { SampleLabels, SampleLabelsError } from './sample-labels.ts';
import type { ScrapeMetrics } from './scrape-metrics.ts';
import type { ScrapePoolConfig } from './scrape-config.ts';
import type { Schedule, Scheduled } from './schedule.ts';
import type { ScrapeTarget } from './targets.ts';

/** Samples further ahead than this are out of bounds. */
const MAX_AHEAD_MS = 10 * 60 * 1000;
/** A timestamp this close to its due time is moved onto it, so that equal spacing costs no bits; also one hundredth of the interval. */
const MAX_SNAP_MS = 2;

export type TargetHealth = 'up' | 'down' | 'unknown';

export interface ScrapeState {
  readonly health: TargetHealth;
  readonly lastError: string;
  /** 0: not yet. */
  readonly lastScrapeMs: number;
  readonly lastScrapeDurationMs: number;
}

export interface LoopContext extends FetchOptions {
  readonly appender: Appender;
  readonly metrics: ScrapeMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly schedule: Schedule;
  /** Mixed into phases. */
  readonly seed: string;
}

/** Names of the scrape's own series, in the order they are appended. */
const REPORTS = ['up', 'scrape_duration_seconds', 'scrape_samples_scraped', 'scrape_samples_post_metric_relabeling', 'scrape_series_added'] as const;
const EXTRA_REPORTS = ['scrape_timeout_seconds', 'scrape_sample_limit', 'scrape_body_size_bytes'] as const;

/** What one scrape came to. */
interface Outcome {
  readonly error: string;
  readonly scraped: number;
  readonly kept: number;
  readonly added: number;
  /** -1: the body was too large. */
  readonly bodyBytes: number;
}

export class ScrapeLoop {
  readonly target: ScrapeTarget;
  #config: ScrapePoolConfig;
  readonly #context: LoopContext;
  readonly #cache: ScrapeCache;
  readonly #fetcher: TargetFetcher;
  readonly #labels: SampleLabels;
  readonly #reports: SeriesRef[] = [];
  #scheduled: Scheduled | null = null;
  #running: Promise<void> | null = null;
  #abort = new AbortController();
  #lastStartMs = 0;
  #state: ScrapeState = { health: 'unknown', lastError: '', lastScrapeMs: 0, lastScrapeDurationMs: 0 };
  /** Set by the pool where the target must not be scraped. */
  forcedError = '';

  constructor(target: ScrapeTarget, config: ScrapePoolConfig, context: LoopContext) {
    this.target = target;
    this.#config = config;
    this.#context = context;
    this.#cache = new ScrapeCache(context.workspace);
    this.#fetcher = new TargetFetcher(target, config, context);
    this.#labels = new SampleLabels(config, target.labels);
  }

  get state(): ScrapeState {
    return this.#state;
  }

  get cache(): ScrapeCache {
    return this.#cache;
  }

  start(): void {
    const { schedule, seed } = this.#context;
    this.#scheduled = schedule.add(this.target.intervalMs, `${this.target.key}${seed}`, (dueMs) => {
      if (this.#running !== null) {
        this.#context.metrics.skipped.add(1);
        return;
      }
      this.#running = this.#scrape(dueMs).finally(() => {
        this.#running = null;
      });
    });
  }

  /** Stops scraping; a scrape under way is cut. The series stay live until `end`. */
  async stop(): Promise<void> {
    this.#scheduled?.cancel();
    this.#abort.abort(new Error('the target is no longer scraped'));
    await this.#running;
    this.#fetcher.close();
  }

  /** Marks all series stale as of `staleMs`: the target is gone. */
  end(staleMs: number): void {
    const timeMs = Math.round(staleMs);
    const refs = Uint32Array.from([...this.#cache.forgetAll(), ...this.#reports]);
    try {
      this.#appendStale(refs, timeMs);
      this.#context.appender.commit();
    } catch (error) {
      this.#context.logger.error('stale markers could not be stored', { target: this.target.url, err: errorMessage(error) });
    } finally {
      this.#cache.close();
    }
  }

  /** Gives the cache's memory back without marking anything: the server stops. */
  close(): void {
    this.#cache.close();
  }

  async #scrape(dueMs: number): Promise<void> {
    const { clock, metrics, logger } = this.#context;
    const startMs = clock.nowMs();
    if (this.#lastStartMs > 0) {
      metrics.intervalLength.record((startMs - this.#lastStartMs) / 1000, { interval: `${this.target.intervalMs / 1000}s` });
    }
    this.#lastStartMs = startMs;
    const timeMs = this.#snap(startMs, dueMs);
    const began = clock.monotonicMs();
    let page: Page | null = null;
    let outcome: Outcome;
    try {
      if (this.forcedError !== '') throw new Error(this.forcedError);
      page = await this.#fetch();
      outcome = this.#take(page, timeMs);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      outcome = this.#failed(error, timeMs, page);
    } finally {
      page?.release();
    }
    const durationMs = clock.monotonicMs() - began;
    try {
      this.#report(outcome, timeMs, durationMs);
      this.#context.appender.commit();
    } catch (error) {
      logger.error('samples could not be stored', { scrape_pool: this.#config.jobName, target: this.target.url, err: errorMessage(error) });
      outcome = { ...outcome, error: outcome.error || errorMessage(error) };
    }
    this.#state = { health: outcome.error === '' ? 'up' : 'down', lastError: outcome.error, lastScrapeMs: startMs, lastScrapeDurationMs: durationMs };
  }

  #snap(startMs: number, dueMs: number): number {
    const tolerance = Math.min(this.target.intervalMs / 100, MAX_SNAP_MS);
    return Math.round(Math.abs(startMs - dueMs) <= tolerance ? dueMs : startMs);
  }

  async #fetch(): Promise<Page> {
    const timeout = AbortSignal.timeout(this.target.timeoutMs);
    try {
      return await this.#fetcher.fetch(AbortSignal.any([timeout, this.#abort.signal]));
    } catch (error) {
      if (timeout.aborted) throw new Error(`Get "${this.target.url}": context deadline exceeded`, { cause: error });
      if (error instanceof BodySizeLimitError) throw error;
      const message = errorMessage(error);
      throw new Error(message.includes(this.target.url) || message.startsWith('server returned') ? message : `Get "${this.target.url}": ${message}`, { cause: error });
    }
  }

  #take(page: Page, timeMs: number): Outcome {
    const config = this.#config;
    const { appender, metrics } = this.#context;
    const { format } = decideFormat(page.contentType, config.fallbackScrapeProtocol === '' ? undefined : config.fallbackScrapeProtocol);
    const parsed = this.#cache.parse(
      page.body,
      format,
      {
        timeMs,
        honorTimestamps: config.honorTimestamps,
        trackTimestampsStaleness: config.trackTimestampsStaleness,
        sampleLimit: config.sampleLimit,
      },
      {
        resolve: (exposed) => {
          const labels = this.#labels.resolve(exposed);
          return labels === null ? 0 : appender.series(labels);
        },
      },
    );
    this.#append(parsed, timeMs);
    metrics.duplicate.add(parsed.duplicates);
    metrics.exemplarsDropped.add(parsed.exemplars.length);
    return { error: '', scraped: parsed.samplesScraped, kept: parsed.samplesAfterRelabel, added: parsed.seriesAdded, bodyBytes: page.byteLength };
  }

  #append(parsed: ParsedScrape, timeMs: number): void {
    const { appender, metrics, logger } = this.#context;
    const columns = this.#config.honorTimestamps ? this.#withoutFuture(parsed.columns) : parsed.columns;
    const counts = appender.append(columns);
    metrics.duplicate.add(counts.duplicate);
    metrics.outOfOrder.add(counts.outOfOrder);
    metrics.outOfBounds.add(counts.outOfBounds);
    if (counts.duplicate + counts.outOfOrder + counts.outOfBounds + parsed.duplicates > 0) {
      logger.warn('samples of a scrape were not taken', {
        scrape_pool: this.#config.jobName,
        target: this.target.url,
        duplicate: counts.duplicate + parsed.duplicates,
        out_of_order: counts.outOfOrder,
        out_of_bounds: counts.outOfBounds,
      });
    }
    this.#appendStale(parsed.vanishedRefs, timeMs);
  }

  /** Leaves out samples whose own time lies too far ahead. Nearly always there are none. */
  #withoutFuture(columns: SampleColumns): SampleColumns {
    const limit = this.#context.clock.nowMs() + MAX_AHEAD_MS;
    const { refs, times, values, count } = columns;
    let ahead = 0;
    for (let i = 0; i < count; i++) if (times[i]! > limit) ahead++;
    if (ahead === 0) return columns;
    this.#context.metrics.outOfBounds.add(ahead);
    const kept = { refs: new Uint32Array(count - ahead), times: new Float64Array(count - ahead), values: new Float64Array(count - ahead), count: count - ahead };
    for (let i = 0, to = 0; i < count; i++) {
      if (times[i]! > limit) continue;
      kept.refs[to] = refs[i]!;
      kept.times[to] = times[i]!;
      kept.values.set(values.subarray(i, i + 1), to);
      to++;
    }
    return kept;
  }

  #appendStale(refs: Uint32Array, timeMs: number): void {
    if (refs.length === 0) return;
    const values = new Float64Array(refs.length);
    for (let i = 0; i < refs.length; i++) setStale(values, i);
    // A series that has newer samples by now is not stale: those markers are refused as out of order, which is as it should be.
    this.#context.appender.append({ refs, times: new Float64Array(refs.length).fill(timeMs), values, count: refs.length });
  }

  #failed(error: unknown, timeMs: number, page: Page | null): Outcome {
    const { metrics, logger } = this.#context;
    const message = errorMessage(error);
    if (error instanceof BodySizeLimitError) metrics.exceededBodySize.add(1);
    if (error instanceof SampleLimitError) metrics.exceededSampleLimit.add(1);
    if (error instanceof SampleLabelsError && error.isLimit) metrics.exceededLabelLimits.add(1);
    logger.debug('scrape failed', { scrape_pool: this.#config.jobName, target: this.target.url, err: message });
    this.#logFailure(message);
    this.#appendStale(this.#cache.forgetAll(), timeMs);
    const counts = error instanceof SampleLimitError ? { scraped: error.samplesScraped, kept: error.samplesAfterRelabel } : { scraped: 0, kept: 0 };
    return { error: message, ...counts, added: 0, bodyBytes: error instanceof BodySizeLimitError ? -1 : (page?.byteLength ?? 0) };
  }

  #logFailure(message: string): void {
    const { scrapeFailureLogFile, jobName } = this.#config;
    if (scrapeFailureLogFile === '') return;
    const line = { time: new Date(this.#context.clock.nowMs()).toISOString(), level: 'ERROR', msg: message, job_name: jobName, target: this.target.url };
    try {
      appendFileSync(scrapeFailureLogFile, `${JSON.stringify(line)}\n`);
    } catch (error) {
      this.#context.logger.error('the scrape failure log could not be written', { file: scrapeFailureLogFile, err: errorMessage(error) });
    }
  }

  #report(outcome: Outcome, timeMs: number, durationMs: number): void {
    const values = [outcome.error === '' ? 1 : 0, durationMs / 1000, outcome.scraped, outcome.kept, outcome.added];
    const names: string[] = [...REPORTS];
    if (this.#config.extraScrapeMetrics) {
      names.push(...EXTRA_REPORTS);
      values.push(this.target.timeoutMs / 1000, this.#config.sampleLimit, outcome.bodyBytes);
    }
    if (this.#reports.length === 0) for (const name of names) this.#reports.push(this.#context.appender.series(this.#labels.report(name)));
    this.#context.appender.append({
      refs: Uint32Array.from(this.#reports),
      times: new Float64Array(values.length).fill(timeMs),
      values: Float64Array.from(values),
      count: values.length,
    });
  }
}
