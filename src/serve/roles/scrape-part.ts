/**
 * Scraping inside the ingest worker: the scrape manager over the head's memory.
 */
import type { Clock } from '../../core/base/clock.ts';
import type { Logger } from '../../core/base/log.ts';
import type { Registry } from '../../core/base/metrics.ts';
import { createExpositionKernel } from '../../core/kernels/exposition-kernel.ts';
import type { KernelModules } from '../../core/kernels/kernels.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import type { Appender, SeriesRef } from '../../core/storage/appender.ts';
import { ExpositionWorkspace } from '../../ingest/exposition/workspace.ts';
import { ScrapeManager, type PoolSetup } from '../../ingest/scrape/scrape-manager.ts';
import type { TargetMetadata, TargetState } from '../api/backend.ts';
import { COEUS_VERSION } from '../api/version.ts';

/** What the main thread tells: all pools with their targets. */
export type ScrapeSetup = readonly PoolSetup[];

export interface ScrapePartOptions {
  readonly modules: KernelModules;
  readonly memory: LinearMemory;
  readonly appender: Appender;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly seed: string;
}

export class ScrapePart {
  readonly #manager: ScrapeManager;

  constructor({ modules, memory, appender, registry, logger, clock, seed }: ScrapePartOptions) {
    const hashSeed = crypto.getRandomValues(new Uint32Array(1))[0]!;
    const workspace = new ExpositionWorkspace(memory, createExpositionKernel(modules.exposition, memory, hashSeed));
    this.#manager = new ScrapeManager({ workspace, appender, registry, logger, clock, seed, userAgent: `Coeus/${COEUS_VERSION}` });
  }

  apply(setup: ScrapeSetup): void {
    this.#manager.apply(setup);
  }

  /** Series that the head has dropped are asked for anew. */
  unbind(isGone: (ref: SeriesRef) => boolean): void {
    this.#manager.unbind(isGone);
  }

  targets(): readonly TargetState[] {
    return this.#manager.targets();
  }

  metadata(): readonly TargetMetadata[] {
    return this.#manager.metadata();
  }

  stop(): Promise<void> {
    return this.#manager.stop();
  }
}
