/**
 * All scrape pools of an ingest worker: which targets each has, kept in step with configuration and discovery.
 *
 * A pool's configuration and targets come whole each time; what did not change is not touched. A target that is gone keeps its
 * loop for two more intervals: if it comes back it goes on, else its series are marked stale.
 */
import type { Clock } from '../../core/base/clock.ts';
import { errorMessage } from '../../core/base/errors.ts';
import type { Logger } from '../../core/base/log.ts';
import type { MetricSample, Registry } from '../../core/base/metrics.ts';
import { EMPTY_LABELS, type Labels } from '../../core/model/labels.ts';
import type { Appender, SeriesRef } from '../../core/storage/appender.ts';
import { createHttpClient, type HttpClient } from '../discovery/http-client.ts';
import type { ExpositionWorkspace } from '../exposition/workspace.ts';
import { FailureLogs } from './failure-log.ts';
import { Inflater } from './inflate.ts';
import { ParseArea } from './parse-area.ts';
import { ReceiveBuffers } from './receive-buffers.ts';
import { SampleLabels } from './sample-labels.ts';
import { Schedule, systemTimers, type Timers } from './schedule.ts';
import type { ScrapePoolConfig } from './scrape-config.ts';
import { ScrapeLoop, type LoopContext, type LoopSetup, type ScrapeState } from './scrape-loop.ts';
import { createScrapeMetrics } from './scrape-metrics.ts';
import { targetLimitError, type ScrapeTarget } from './targets.ts';

export interface PoolSetup {
  /** Job names are distinct. */
  readonly config: ScrapePoolConfig;
  readonly targets: readonly ScrapeTarget[];
}

/** A target with its state, as the API shows it. */
export interface ActiveTarget extends ScrapeState {
  readonly scrapePool: string;
  readonly discoveredLabels: Labels;
  readonly labels: Labels;
  readonly scrapeUrl: string;
  readonly scrapeIntervalMs: number;
  readonly scrapeTimeoutMs: number;
}

export interface ActiveMetadata {
  readonly targetLabels: Labels;
  readonly metric: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

export interface ManagerOptions {
  readonly workspace: ExpositionWorkspace;
  readonly appender: Appender;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Mixed into phases, so that servers that scrape the same targets do so at other instants. */
  readonly seed: string;
  readonly userAgent: string;
  readonly timers?: Timers;
}

/** When the series of a removed target are marked stale, in intervals: the second scrape it missed, and a tenth for delays. */
const END_AFTER_INTERVALS = 2.1;

interface Pool {
  readonly config: ScrapePoolConfig;
  /** Equal for configurations that say the same. */
  readonly configKey: string;
  readonly client: HttpClient;
  /** By target key. */
  readonly loops: Map<string, ScrapeLoop>;
}

/** A loop that waits for its target to come back. */
interface EndingLoop {
  readonly loop: ScrapeLoop;
  readonly cancelEnd: () => void;
}

export class ScrapeManager {
  readonly #context: LoopContext;
  #pools = new Map<string, Pool>();
  /** By job and target key. */
  readonly #ending = new Map<string, EndingLoop>();

  constructor({ timers = systemTimers, registry, ...options }: ManagerOptions) {
    const { workspace, clock, logger } = options;
    this.#context = {
      ...options,
      timers,
      metrics: createScrapeMetrics(registry),
      schedule: new Schedule(clock, timers),
      parseArea: new ParseArea(workspace),
      buffers: new ReceiveBuffers(),
      inflater: new Inflater(),
      failureLogs: new FailureLogs(clock, logger),
    };
    registry.observe(
      'coeus_scrape_receive_bytes',
      'Memory that bodies hold while they are received.',
      'gauge',
      () => this.#context.buffers.heldBytes,
    );
    registry.observe(
      'prometheus_target_metadata_cache_entries',
      'Total number of metric metadata entries in the cache',
      'gauge',
      () => this.#metadataCounts(),
    );
  }

  /**
   * Makes the pools what `setups` say. Targets that stay go on undisturbed unless their configuration changed.
   * @throws RegexError where a relabelling rule was not checked before
   */
  apply(setups: readonly PoolSetup[]): void {
    const old = this.#pools;
    this.#pools = new Map(
      setups.map((setup) => [setup.config.jobName, this.#poolFor(setup.config, old.get(setup.config.jobName))]),
    );
    this.#context.failureLogs.reopen();
    for (const setup of setups) this.#applyTargets(this.#pools.get(setup.config.jobName)!, setup.targets);
    for (const [jobName, { loops, client }] of old) {
      const next = this.#pools.get(jobName);
      if (next === undefined) for (const loop of loops.values()) this.#endLater(jobName, loop);
      if (next?.client !== client) this.#finish(client.close());
    }
    this.#observePools();
  }

  targets(): ActiveTarget[] {
    const targets: ActiveTarget[] = [];
    for (const [scrapePool, { loops }] of this.#pools) {
      for (const { target, state } of loops.values()) {
        const { discoveredLabels, labels, url, intervalMs, timeoutMs } = target;
        targets.push({
          scrapePool,
          discoveredLabels,
          labels,
          scrapeUrl: url,
          ...state,
          scrapeIntervalMs: intervalMs,
          scrapeTimeoutMs: timeoutMs,
        });
      }
    }
    return targets;
  }

  metadata(): ActiveMetadata[] {
    const all: ActiveMetadata[] = [];
    for (const loop of this.#loops())
      for (const each of loop.metadata()) all.push({ targetLabels: loop.target.labels, ...each });
    return all;
  }

  /** Call it after the head removed series. */
  unbind(isGone: (ref: SeriesRef) => boolean): void {
    for (const loop of this.#loops()) loop.unbind(isGone);
    for (const { loop } of this.#ending.values()) loop.unbind(isGone);
  }

  /** Stops all scraping. Nothing is marked stale: a restart goes on with the same series. */
  async stop(): Promise<void> {
    const pools = [...this.#pools.values()];
    const loops = [...this.#loops()];
    this.#pools.clear();
    this.#context.schedule.close();
    for (const { loop, cancelEnd } of this.#ending.values()) {
      cancelEnd();
      loop.close();
    }
    this.#ending.clear();
    await Promise.all(loops.map((loop) => loop.stop()));
    for (const loop of loops) loop.close();
    await Promise.all(pools.map(({ client }) => client.close()));
    this.#context.failureLogs.reopen();
  }

  *#loops(): Iterable<ScrapeLoop> {
    for (const { loops } of this.#pools.values()) yield* loops.values();
  }

  #poolFor(config: ScrapePoolConfig, old: Pool | undefined): Pool {
    const configKey = keyOf(config);
    if (old !== undefined && old.configKey === configKey) return old;
    // Compiled for the sake of what it throws: later it would leave pools half changed.
    void new SampleLabels(config, EMPTY_LABELS);
    const sameClient = old !== undefined && keyOf(old.config.httpClient) === keyOf(config.httpClient);
    const client = sameClient ? old.client : createHttpClient(config.httpClient);
    return { config, configKey, client, loops: old?.loops ?? new Map() };
  }

  #applyTargets({ config, client, loops }: Pool, targets: readonly ScrapeTarget[]): void {
    const { jobName, targetLimit } = config;
    const wanted = new Map(targets.map((target) => [target.key, target]));
    const forcedError = targetLimitError(wanted.size, targetLimit);
    if (forcedError !== '') this.#context.metrics.exceededTargetLimit.add(1);
    for (const [key, loop] of loops) {
      if (wanted.has(key)) continue;
      loops.delete(key);
      this.#endLater(jobName, loop);
    }
    for (const [key, target] of wanted) {
      const setup: LoopSetup = { target, config, client, forcedError };
      const loop = loops.get(key) ?? this.#revive(jobName, key);
      if (loop === null) {
        loops.set(key, new ScrapeLoop(setup, this.#context));
      } else {
        loop.reconfigure(setup);
        loops.set(key, loop);
      }
      loops.get(key)!.start();
    }
  }

  #revive(jobName: string, key: string): ScrapeLoop | null {
    const endingKey = `${jobName}\0${key}`;
    const ending = this.#ending.get(endingKey);
    if (ending === undefined) return null;
    ending.cancelEnd();
    this.#ending.delete(endingKey);
    return ending.loop;
  }

  /**
   * The markers bear the time at which the target would have been scraped next. They are written an interval later: if another job
   * goes on with the same series, it has newer samples by then, and the head refuses the markers.
   */
  #endLater(jobName: string, loop: ScrapeLoop): void {
    const { clock, timers } = this.#context;
    const { key, intervalMs } = loop.target;
    const endingKey = `${jobName}\0${key}`;
    const staleMs = clock.nowMs() + intervalMs;
    this.#finish(loop.stop());
    const cancelEnd = timers.after(intervalMs * END_AFTER_INTERVALS, () => {
      this.#ending.delete(endingKey);
      loop.end(staleMs);
    });
    this.#ending.set(endingKey, { loop, cancelEnd });
  }

  /** Ends what nobody waits for. */
  #finish(work: Promise<void>): void {
    work.catch((error: unknown) =>
      this.#context.logger.error('a scrape pool did not close cleanly', { err: errorMessage(error) }),
    );
  }

  #observePools(): void {
    const { poolTargets, poolTargetLimit } = this.#context.metrics;
    poolTargets.reset();
    poolTargetLimit.reset();
    for (const [jobName, { config, loops }] of this.#pools) {
      poolTargets.set(loops.size, { scrape_job: jobName });
      poolTargetLimit.set(config.targetLimit, { scrape_job: jobName });
    }
  }

  #metadataCounts(): MetricSample[] {
    return [...this.#pools].map(([jobName, { loops }]) => {
      let value = 0;
      for (const loop of loops.values()) value += loop.metadataCount;
      return { suffix: '', labels: { scrape_job: jobName }, value };
    });
  }
}

/** As text, maps included. */
function keyOf(config: object): string {
  return JSON.stringify(config, (_, value: unknown) => (value instanceof Map ? [...value] : value));
}
