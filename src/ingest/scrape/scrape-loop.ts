/**
 * One target: fetch, parse, append, report; again and again.
 *
 * Everything between the arrival of the body and the commit is one synchronous stretch, so a query sees a scrape's samples appear
 * together. What a target's series are is the business of its ScrapeCache; a loop outlives reloads so that it stays known.
 * Source: Prometheus, concepts "jobs and instances"; configuration "scrape_config".
 */
import { AssertionError } from '../../core/base/assert.ts';
import type { Clock } from '../../core/base/clock.ts';
import { errorMessage } from '../../core/base/errors.ts';
import type { Logger } from '../../core/base/log.ts';
import { setStale } from '../../core/model/samples.ts';
import type { AppendCounts, Appender, SampleColumns, SeriesRef } from '../../core/storage/appender.ts';
import type { HttpClient } from '../discovery/http-client.ts';
import { ExpositionError } from '../exposition/errors.ts';
import type { MetricMetadata } from '../exposition/metadata.ts';
import { ContentTypeError, decideFormat } from '../exposition/negotiate.ts';
import { SampleLimitError, ScrapeCache, type ParsedScrape } from '../exposition/scrape-cache.ts';
import type { ExpositionWorkspace } from '../exposition/workspace.ts';
import type { FailureLogs } from './failure-log.ts';
import { FetchError, TargetFetcher, type Page } from './fetch.ts';
import type { Inflater } from './inflate.ts';
import type { ParseArea } from './parse-area.ts';
import { BodySizeLimitError, type ReceiveBuffers } from './receive-buffers.ts';
import { ReportSeries, type ScrapeOutcome } from './report-series.ts';
import { LabelLimitError, SampleLabels, SampleLabelsError, sampleLabelsKey } from './sample-labels.ts';
import type { Schedule, Scheduled, Timers } from './schedule.ts';
import type { ScrapePoolConfig } from './scrape-config.ts';
import { formatGoDuration, type ScrapeMetrics } from './scrape-metrics.ts';
import type { ScrapeTarget } from './targets.ts';

/** Samples further ahead than this are out of bounds. */
export const MAX_AHEAD_MS = 10 * 60 * 1000;
/** A timestamp this close to its due time is moved onto it, so that equal spacing costs no bits; also one hundredth of the interval. */
const MAX_SNAP_MS = 2;

export interface ScrapeState {
  readonly health: 'up' | 'down' | 'unknown';
  readonly lastError: string;
  /** 0: not yet. */
  readonly lastScrapeMs: number;
  readonly lastScrapeDurationMs: number;
}

/** What all loops of a thread share. */
export interface LoopContext {
  readonly workspace: ExpositionWorkspace;
  readonly parseArea: ParseArea;
  readonly buffers: ReceiveBuffers;
  readonly inflater: Inflater;
  readonly failureLogs: FailureLogs;
  readonly appender: Appender;
  readonly metrics: ScrapeMetrics;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly schedule: Schedule;
  /** Mixed into phases. */
  readonly seed: string;
  readonly userAgent: string;
}

/** What a loop does; may change while it runs. */
export interface LoopSetup {
  readonly target: ScrapeTarget;
  readonly config: ScrapePoolConfig;
  /** Of the pool. */
  readonly client: HttpClient;
  /** Why the target must not be scraped, or ''. */
  readonly forcedError: string;
}

/** Ends a scrape of which nothing shall be told. */
const CUT = new Error('the scrape was cut by a reload or stop');

export class ScrapeLoop {
  readonly #context: LoopContext;
  #setup: LoopSetup;
  #fetcher: TargetFetcher;
  #labels: SampleLabels;
  #cache: ScrapeCache;
  readonly #reports: ReportSeries;
  /** Series of a cache that a reload replaced: stale unless the next scrape brings them. */
  #carried: ReadonlySet<SeriesRef> = new Set();
  #scheduled: Scheduled | null = null;
  #running: Promise<void> | null = null;
  #abort = new AbortController();
  /** Monotonic; negative before the first scrape. */
  #lastStartMs = -1;
  #state: ScrapeState = { health: 'unknown', lastError: '', lastScrapeMs: 0, lastScrapeDurationMs: 0 };
  #metadataCount: number | null = 0;

  /** @throws RegexError where a rule of the configuration was not checked before */
  constructor(setup: LoopSetup, context: LoopContext) {
    this.#context = context;
    this.#setup = setup;
    this.#fetcher = new TargetFetcher(setup.target, setup.config, { ...context, client: setup.client });
    this.#labels = new SampleLabels(setup.config, setup.target.labels);
    this.#reports = new ReportSeries(this.#labels);
    this.#cache = new ScrapeCache(context.workspace);
  }

  get target(): ScrapeTarget {
    return this.#setup.target;
  }

  get state(): ScrapeState {
    return this.#state;
  }

  /** How many metrics `metadata` has. */
  get metadataCount(): number {
    this.#metadataCount ??= this.#cache.metadata().length;
    return this.#metadataCount;
  }

  metadata(): MetricMetadata[] {
    return this.#cache.metadata();
  }

  /** Begins to scrape, or goes on. */
  start(): void {
    const { schedule, seed, metrics } = this.#context;
    const { key, intervalMs } = this.target;
    this.#scheduled ??= schedule.add(intervalMs, `${key}\0${seed}`, (dueMs) => {
      if (this.#running !== null) {
        metrics.skipped.add(1);
        return;
      }
      this.#running = this.#scrape(dueMs).finally(() => {
        this.#running = null;
      });
    });
  }

  /**
   * Takes a new configuration or a target that differs in what is not its identity. The known series stay known; those that a
   * new labelling no longer makes become stale with the next scrape.
   * @throws RegexError; then nothing has changed
   */
  reconfigure(setup: LoopSetup): void {
    const old = this.#setup;
    const relabels = sampleLabelsKey(setup.config) !== sampleLabelsKey(old.config);
    const labels = relabels ? new SampleLabels(setup.config, setup.target.labels) : this.#labels;
    const { intervalMs, timeoutMs } = setup.target;
    const reschedules = intervalMs !== old.target.intervalMs;
    const refetches = setup.config !== old.config || setup.client !== old.client || timeoutMs !== old.target.timeoutMs;
    this.#setup = setup;
    this.#labels = labels;
    if (relabels) this.#replaceCache();
    if (refetches || relabels || reschedules) {
      this.#abort.abort(CUT);
      this.#fetcher.close();
      this.#fetcher = new TargetFetcher(setup.target, setup.config, { ...this.#context, client: setup.client });
    }
    if (reschedules && this.#scheduled !== null) {
      this.#unschedule();
      this.start();
    }
  }

  /** Stops scraping; a scrape under way is cut. The series stay live until `end`. */
  async stop(): Promise<void> {
    this.#unschedule();
    this.#abort.abort(CUT);
    this.#fetcher.close();
    await this.#running;
  }

  /** Marks all series stale as of `staleMs`, since the target is gone, and closes. The loop must be stopped. */
  end(staleMs: number): void {
    const { appender, logger } = this.#context;
    try {
      this.#appendStale([...this.#cache.forgetAll(), ...this.#carried, ...this.#reports.refs], Math.round(staleMs));
      appender.commit();
    } catch (error) {
      if (error instanceof AssertionError) throw error;
      logger.error('stale markers could not be stored', { target: this.target.url, err: errorMessage(error) });
    } finally {
      this.close();
    }
  }

  /** Gives the cache's memory back without marking anything. The loop must be stopped. */
  close(): void {
    this.#cache.close();
  }

  /** Call it after the head removed series: they are looked up anew when they come again. */
  unbind(isGone: (ref: SeriesRef) => boolean): void {
    this.#cache.unbind(isGone);
    this.#carried = new Set([...this.#carried].filter((ref) => !isGone(ref)));
    if (this.#reports.refs.some(isGone)) this.#reports.forget();
  }

  #unschedule(): void {
    this.#scheduled?.cancel();
    this.#scheduled = null;
    this.#lastStartMs = -1;
  }

  #replaceCache(): void {
    this.#carried = new Set([...this.#carried, ...this.#cache.forgetAll()]);
    this.#cache.close();
    this.#cache = new ScrapeCache(this.#context.workspace);
    this.#metadataCount = 0;
  }

  async #scrape(dueMs: number): Promise<void> {
    const { clock } = this.#context;
    const startMs = clock.nowMs();
    const beganMs = clock.monotonicMs();
    this.#observeInterval(beganMs);
    const abort = new AbortController();
    this.#abort = abort;
    const fetched = await this.#fetch(abort);
    if (abort.signal.reason === CUT) {
      if (!(fetched instanceof Error)) fetched.release();
      return;
    }
    this.#settle(fetched, { startMs, beganMs, timeMs: snap(startMs, dueMs, this.target.intervalMs) });
  }

  #observeInterval(beganMs: number): void {
    const { metrics } = this.#context;
    if (this.#lastStartMs >= 0) {
      metrics.intervalLength.record((beganMs - this.#lastStartMs) / 1000, {
        interval: formatGoDuration(this.target.intervalMs),
      });
    }
    this.#lastStartMs = beganMs;
  }

  /** @returns the page, or why there is none */
  async #fetch(abort: AbortController): Promise<Page | Error> {
    const { target, forcedError } = this.#setup;
    if (forcedError !== '') return new FetchError(forcedError);
    const cancelTimeout = this.#context.timers.after(target.timeoutMs, () => {
      abort.abort(new FetchError(`Get ${JSON.stringify(target.url)}: context deadline exceeded`));
    });
    try {
      return await this.#fetcher.fetch(abort.signal);
    } catch (error) {
      if (error instanceof AssertionError || !(error instanceof Error)) throw error;
      return error;
    } finally {
      cancelTimeout();
    }
  }

  /** From what came to what is stored, without a pause. */
  #settle(
    fetched: Page | Error,
    { startMs, beganMs, timeMs }: { startMs: number; beganMs: number; timeMs: number },
  ): void {
    const { appender, clock } = this.#context;
    const { config, target } = this.#setup;
    let outcome = this.#take(fetched, timeMs);
    outcome = { ...outcome, durationMs: clock.monotonicMs() - beganMs };
    try {
      if (outcome.error !== '') this.#appendStale([...this.#cache.forgetAll(), ...this.#takeCarried()], timeMs);
      const extra = config.extraScrapeMetrics ? { timeoutMs: target.timeoutMs, sampleLimit: config.sampleLimit } : null;
      this.#reports.append(appender, timeMs, outcome, extra);
      appender.commit();
    } catch (error) {
      if (error instanceof AssertionError) throw error;
      this.#context.logger.error('samples could not be stored', this.#fields(errorMessage(error)));
      outcome = { ...outcome, error: outcome.error === '' ? errorMessage(error) : outcome.error };
    }
    const health = outcome.error === '' ? 'up' : 'down';
    this.#state = { health, lastError: outcome.error, lastScrapeMs: startMs, lastScrapeDurationMs: outcome.durationMs };
  }

  #take(fetched: Page | Error, timeMs: number): ScrapeOutcome {
    if (fetched instanceof Error) return this.#failed(fetched, 0);
    try {
      return this.#append(this.#parse(fetched, timeMs), timeMs, fetched.byteLength);
    } catch (error) {
      if (error instanceof AssertionError) throw error;
      return this.#failed(error, fetched.byteLength);
    } finally {
      fetched.release();
    }
  }

  #parse(page: Page, timeMs: number): ParsedScrape {
    const { appender, parseArea, logger } = this.#context;
    const { fallbackScrapeProtocol, honorTimestamps, trackTimestampsStaleness, sampleLimit } = this.#setup.config;
    const { format, warning } = decideFormat(
      page.contentType,
      fallbackScrapeProtocol === '' ? undefined : fallbackScrapeProtocol,
    );
    if (warning !== undefined) logger.debug(warning, this.#fields(''));
    const body = parseArea.place(page.parts, page.byteLength);
    const parsed = this.#cache.parse(
      body,
      format,
      { timeMs, honorTimestamps, trackTimestampsStaleness, sampleLimit },
      {
        resolve: (exposed) => {
          const labels = this.#labels.resolve(exposed);
          return labels === null ? 0 : appender.series(labels);
        },
      },
    );
    if (parsed.metadataChanged) this.#metadataCount = null;
    return parsed;
  }

  #append(parsed: ParsedScrape, timeMs: number, bodyBytes: number): ScrapeOutcome {
    const { appender, metrics, clock } = this.#context;
    const { columns, duplicates, vanishedRefs, exemplars } = parsed;
    const kept = this.#setup.config.honorTimestamps ? withoutFuture(columns, clock.nowMs() + MAX_AHEAD_MS) : columns;
    this.#observeRefused(appender.append(kept), duplicates, columns.count - kept.count);
    this.#appendStale([...vanishedRefs, ...this.#takeCarried(columns)], timeMs);
    metrics.exemplarsDropped.add(exemplars.length);
    const { samplesScraped, samplesAfterRelabel, seriesAdded } = parsed;
    return { error: '', durationMs: 0, samplesScraped, samplesAfterRelabel, seriesAdded, bodyBytes };
  }

  #observeRefused({ duplicate, outOfOrder, outOfBounds, tooOld }: AppendCounts, duplicates: number, ahead: number): void {
    const { metrics, logger } = this.#context;
    if (duplicate + outOfOrder + outOfBounds + tooOld + duplicates + ahead === 0) return;
    metrics.duplicate.add(duplicate + duplicates);
    metrics.outOfOrder.add(outOfOrder);
    metrics.outOfBounds.add(outOfBounds + tooOld + ahead);
    logger.warn('samples of a scrape were not taken', {
      ...this.#fields(''),
      duplicate: duplicate + duplicates,
      out_of_order: outOfOrder,
      out_of_bounds: outOfBounds + tooOld + ahead,
    });
  }

  /** The carried series, without those that `columns` brings. Nothing is carried any more. */
  #takeCarried(columns?: SampleColumns): SeriesRef[] {
    if (this.#carried.size === 0) return [];
    const gone = new Set(this.#carried);
    if (columns !== undefined) for (let i = 0; i < columns.count; i++) gone.delete(columns.refs[i]!);
    this.#carried = new Set();
    return [...gone];
  }

  /** Markers for series that have newer samples by now are refused as out of order, which is as it should be. */
  #appendStale(refs: readonly SeriesRef[], timeMs: number): void {
    if (refs.length === 0) return;
    const values = new Float64Array(refs.length);
    for (let i = 0; i < refs.length; i++) setStale(values, i);
    this.#context.appender.append(
      { refs: Uint32Array.from(refs), times: new Float64Array(refs.length).fill(timeMs), values, count: refs.length },
      { inOrderOnly: true },
    );
  }

  #failed(error: unknown, bodyBytes: number): ScrapeOutcome {
    const { metrics, logger, failureLogs } = this.#context;
    const { config, target } = this.#setup;
    const message = errorMessage(error);
    const isTooLarge = error instanceof BodySizeLimitError;
    if (isTooLarge) metrics.exceededBodySize.add(1);
    if (error instanceof SampleLimitError) metrics.exceededSampleLimit.add(1);
    if (error instanceof LabelLimitError) metrics.exceededLabelLimits.add(1);
    if (isTargetFault(error)) logger.debug('scrape failed', this.#fields(message));
    else logger.error('scrape could not be stored', this.#fields(message));
    if (config.scrapeFailureLogFile !== '')
      failureLogs.write(config.scrapeFailureLogFile, { message, jobName: config.jobName, url: target.url });
    // A scrape over its limit says by how much; of others nothing is known.
    const counts =
      error instanceof SampleLimitError
        ? { samplesScraped: error.samplesScraped, samplesAfterRelabel: error.samplesAfterRelabel }
        : { samplesScraped: 0, samplesAfterRelabel: 0 };
    return { error: message, durationMs: 0, ...counts, seriesAdded: 0, bodyBytes: isTooLarge ? -1 : bodyBytes };
  }

  #fields(err: string): Record<string, string> {
    return { scrape_pool: this.#setup.config.jobName, target: this.target.url, ...(err === '' ? {} : { err }) };
  }
}

/** Whether the target is to blame, and not what stores its samples. */
function isTargetFault(error: unknown): boolean {
  return [FetchError, BodySizeLimitError, ContentTypeError, ExpositionError, SampleLimitError, SampleLabelsError].some(
    (fault) => error instanceof fault,
  );
}

function snap(startMs: number, dueMs: number, intervalMs: number): number {
  const tolerance = Math.min(intervalMs / 100, MAX_SNAP_MS);
  return Math.round(Math.abs(startMs - dueMs) <= tolerance ? dueMs : startMs);
}

/** Leaves out samples past `limitMs`. Nearly always there are none. */
function withoutFuture(columns: SampleColumns, limitMs: number): SampleColumns {
  const { refs, times, values, count } = columns;
  let ahead = 0;
  for (let i = 0; i < count; i++) if (times[i]! > limitMs) ahead++;
  if (ahead === 0) return columns;
  const left = count - ahead;
  const kept = {
    refs: new Uint32Array(left),
    times: new Float64Array(left),
    values: new Float64Array(left),
    count: left,
  };
  for (let i = 0, to = 0; i < count; i++) {
    if (times[i]! > limitMs) continue;
    kept.refs[to] = refs[i]!;
    kept.times[to] = times[i]!;
    kept.values.set(values.subarray(i, i + 1), to);
    to++;
  }
  return kept;
}
