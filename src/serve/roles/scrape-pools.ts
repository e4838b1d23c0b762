/**
 * Scrape pools as the main thread sees them: discovery in, relabelled targets out to the ingest worker.
 */
import { errorMessage } from '../../core/base/errors.ts';
import type { Logger } from '../../core/base/log.ts';
import type { Registry } from '../../core/base/metrics.ts';
import { createDiscoverer, systemDiscovererParts } from '../../ingest/discovery/discoverers.ts';
import { DiscoveryManager, type DiscoveredSet } from '../../ingest/discovery/manager.ts';
import type { PoolSetup } from '../../ingest/scrape/scrape-manager.ts';
import { targetsOf, type PoolTargets } from '../../ingest/scrape/targets.ts';
import type { DroppedTargetState, TargetsSnapshot, TargetState } from '../api/backend.ts';
import { COEUS_VERSION } from '../api/version.ts';
import type { ScrapeConfig } from '../config/scrape-schema.ts';

export interface ScrapePoolsOptions {
  readonly logger: Logger;
  readonly registry: Registry;
  /** Hands all pools to the ingest worker. */
  readonly apply: (pools: readonly PoolSetup[]) => Promise<void>;
}

export class ScrapePools {
  readonly #options: ScrapePoolsOptions;
  readonly #discovery: DiscoveryManager;
  readonly #syncSeconds;
  #configs: readonly ScrapeConfig[] = [];
  #discovered: ReadonlyMap<string, DiscoveredSet> = new Map();
  readonly #targets = new Map<string, PoolTargets>();

  constructor(options: ScrapePoolsOptions) {
    this.#options = options;
    const { registry, logger } = options;
    this.#syncSeconds = registry.summary('prometheus_target_sync_length_seconds', 'Actual interval to sync the scrape pool.', [0.01, 0.05, 0.5, 0.9, 0.99]);
    this.#discovery = new DiscoveryManager({
      parts: systemDiscovererParts({ registry, logger, userAgent: `Coeus/${COEUS_VERSION}` }),
      createDiscoverer,
      onUpdate: (sets) => {
        this.#discovered = sets;
        this.#sync().catch((error: unknown) => logger.error('targets could not be handed to the scraper', { err: errorMessage(error) }));
      },
      name: 'scrape',
    });
  }

  /** From now on these jobs are discovered and scraped. */
  async apply(configs: readonly ScrapeConfig[]): Promise<void> {
    this.#configs = configs;
    this.#discovery.apply(new Map(configs.map((config) => [config.jobName, config.serviceDiscovery])));
    await this.#sync();
  }

  snapshot(active: readonly TargetState[]): TargetsSnapshot {
    const dropped: DroppedTargetState[] = [];
    const droppedCounts: Record<string, number> = {};
    for (const { jobName } of this.#configs) {
      const targets = this.#targets.get(jobName);
      droppedCounts[jobName] = targets?.droppedCount ?? 0;
      for (const discoveredLabels of targets?.dropped ?? []) dropped.push({ scrapePool: jobName, discoveredLabels });
    }
    return { pools: this.#configs.map(({ jobName }) => jobName), active, dropped, droppedCounts };
  }

  close(): Promise<void> {
    return this.#discovery.close();
  }

  async #sync(): Promise<void> {
    const pools: PoolSetup[] = [];
    this.#targets.clear();
    for (const config of this.#configs) {
      const began = performance.now();
      const targets = targetsOf(this.#discovered.get(config.jobName)?.groups ?? [], config);
      this.#syncSeconds.record((performance.now() - began) / 1000, { scrape_job: config.jobName });
      for (const error of targets.errors) this.#options.logger.error('a target cannot be scraped', { scrape_pool: config.jobName, err: error });
      this.#targets.set(config.jobName, targets);
      pools.push({ config, targets: targets.active });
    }
    await this.#options.apply(pools);
  }
}
