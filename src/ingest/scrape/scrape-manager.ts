/**
 * All scrape pools of an ingest worker: which targets each has, kept in step with configuration and discovery.
 */
import type { Registry } from '../../core/base/metrics.ts';
import { createHttpClient, type HttpClient } from '../discovery/http-client.ts';
import { ScrapeLoop, type LoopContext } from './scrape-loop.ts';
import { createScrapeMetrics, type ScrapeMetrics } from './scrape-metrics.ts';
import type { ScrapePoolConfig } from './scrape-config.ts';
import { Schedule, systemTimers, type Timers } from './schedule.ts';
import type { ScrapeTarget } from './targets.ts';

export interface PoolSetup {
  readonly config: ScrapePoolConfig;
  readonly targets: readonly ScrapeTarget[];
}

/** A target with its state, as the API shows it. */
export interface ActiveTarget {
  readonly scrapePool: string;
  readonly discoveredLabels: readonly string[];
  readonly labels: readonly string[];
  readonly scrapeUrl: string;
  readonly lastError: string;
  readonly lastScrapeMs: number;
  readonly lastScrapeDurationMs: number;
  readonly health: 'up' | 'down' | 'unknown';
  readonly scrapeIntervalMs: number;
  readonly scrapeTimeoutMs: number;
}

export interface ActiveMetadata {
  readonly targetLabels: readonly string[];
  readonly metric: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

/** After how many intervals the series of a removed target are marked stale. */
const END_AFTER_INTERVALS = 2.2;

interface Pool {
  config: ScrapePoolConfig;
  /** The parts of the configuration that a running loop can't change. */
  configKey: string;
  client: HttpClient;
  loops: Map<string, ScrapeLoop>;
}

export type ManagerOptions = Omit<LoopContext, 'client' | 'metrics' | 'schedule'> & { readonly registry: Registry; readonly timers?: Timers };

export class ScrapeManager {
  readonly #options: ManagerOptions;
  readonly #metrics: ScrapeMetrics;
  readonly #schedule: Schedule;
  readonly #timers: Timers;
  readonly #pools = new Map<string, Pool>();
  /** Loops whose target is gone and whose series are not yet stale. */
  readonly #ending = new Map<ScrapeLoop, () => void>();

  constructor(options: ManagerOptions) {
    this.#options = options;
    this.#metrics = createScrapeMetrics(options.registry);
    this.#timers = options.timers ?? systemTimers;
    this.#schedule = new Schedule(options.clock, this.#timers);
  }

  /** Makes the pools what `setups` say. Targets that stay go on undisturbed unless their configuration changed. */
  apply(setups: readonly PoolSetup[]): void {
    const named = new Set(setups.map(({ config }) => config.jobName));
    for (const [name, pool] of this.#pools) if (!named.has(name)) this.#removePool(name, pool);
    for (const setup of setups) this.#applyPool(setup);
  }

  targets(): ActiveTarget[] {
    const targets: ActiveTarget[] = [];
    for (const [scrapePool, { loops }] of this.#pools) {
      for (const { target, state } of loops.values()) {
        targets.push({
          scrapePool,
          discoveredLabels: target.discoveredLabels,
          labels: target.labels,
          scrapeUrl: target.url,
          ...state,
          scrapeIntervalMs: target.intervalMs,
          scrapeTimeoutMs: target.timeoutMs,
        });
      }
    }
    return targets;
  }

  metadata(): ActiveMetadata[] {
    const all: ActiveMetadata[] = [];
    for (const { loops } of this.#pools.values()) {
      for (const loop of loops.values()) for (const each of loop.cache.metadata()) all.push({ targetLabels: loop.target.labels, ...each });
    }
    return all;
  }

  /** Stops all scraping. Nothing is marked stale: a restart goes on with the same series. */
  async stop(): Promise<void> {
    this.#schedule.close();
    for (const [loop, cancel] of this.#ending) {
      cancel();
      loop.close();
    }
    for (const { loops, client } of this.#pools.values()) {
      for (const loop of loops.values()) {
        await loop.stop();
        loop.close();
      }
      await client.close();
    }
    this.#pools.clear();
  }

  #applyPool({ config, targets }: PoolSetup): void {
    const configKey = keyOf(config);
    let pool = this.#pools.get(config.jobName);
    if (pool !== undefined && pool.configKey !== configKey) {
      // Series of targets that stay must not become stale: the new loops go on with them, since labels decide, not loops.
      this.#removePool(config.jobName, pool);
      pool = undefined;
    }
    if (pool === undefined) {
      pool = { config, configKey, client: createHttpClient(config.httpClient), loops: new Map() };
      this.#pools.set(config.jobName, pool);
    }
    const wanted = new Map(targets.map((target) => [loopKey(target), target]));
    for (const [key, loop] of pool.loops) {
      if (wanted.has(key)) continue;
      pool.loops.delete(key);
      this.#endLater(loop);
    }
    for (const [key, target] of wanted) {
      if (pool.loops.has(key)) continue;
      const loop = new ScrapeLoop(target, config, { ...this.#options, client: pool.client, metrics: this.#metrics, schedule: this.#schedule });
      pool.loops.set(key, loop);
      loop.start();
    }
    this.#limit(pool);
  }

  /** More targets than allowed: none of the pool is scraped, and each says why. */
  #limit(pool: Pool): void {
    const { targetLimit, jobName } = pool.config;
    const count = pool.loops.size;
    this.#metrics.poolTargets.set(count, { scrape_job: jobName });
    this.#metrics.poolTargetLimit.set(targetLimit, { scrape_job: jobName });
    const exceeded = targetLimit > 0 && count > targetLimit;
    if (exceeded) this.#metrics.exceededTargetLimit.add(1);
    for (const loop of pool.loops.values()) loop.forcedError = exceeded ? `target_limit exceeded (number of targets: ${count}, limit: ${targetLimit})` : '';
  }

  #removePool(name: string, pool: Pool): void {
    this.#pools.delete(name);
    for (const loop of pool.loops.values()) this.#endLater(loop);
    void pool.client.close();
  }

  /**
   * The series of a target that is gone become stale, as of one interval after its last scrape could have been. The markers are written
   * another interval later: a loop that goes on with the same series has newer samples by then, and the head refuses the markers.
   */
  #endLater(loop: ScrapeLoop): void {
    void loop.stop();
    const staleMs = this.#options.clock.nowMs() + loop.target.intervalMs;
    const cancel = this.#timers.after(loop.target.intervalMs * END_AFTER_INTERVALS, () => {
      this.#ending.delete(loop);
      loop.end(staleMs);
    });
    this.#ending.set(loop, cancel);
  }
}

/** A target scraped at another interval needs another loop. */
const loopKey = (target: ScrapeTarget): string => `${target.key}\0${target.intervalMs}\0${target.timeoutMs}`;

/** Equal for configurations that a loop can't tell apart. */
function keyOf(config: ScrapePoolConfig): string {
  return JSON.stringify(config, (_, value: unknown) => (value instanceof Map ? [...(value as Map<unknown, unknown>)] : value));
}
