/**
 * Writes blocks for the store, one at a time: counted, timed, and not begun where the disk could not hold them.
 */
import { randomFillSync } from 'node:crypto';
import type { Clock } from '../../core/base/clock.ts';
import type { ChunkSource } from '../../core/storage/chunk-source.ts';
import type { Block } from '../block/block.ts';
import type { BlockMeta } from '../block/block-meta.ts';
import type { SourceRange } from '../block/block-source.ts';
import { makeUlid, ULID_RANDOM_BYTES } from '../block/ulid.ts';
import { compactBlocks, overlapInTime } from './compact-blocks.ts';
import { DiskSpaceError, type DiskSpace } from './disk-space.ts';
import { measured, type StoreMetrics } from './store-metrics.ts';
import { writeInSteps, type Steps } from './write-in-steps.ts';

export interface CompactorOptions {
  readonly dataFolder: string;
  readonly steps: Steps;
  readonly clock: Clock;
  readonly disk: () => DiskSpace;
  readonly metrics: StoreMetrics;
  readonly segmentBytes: number;
}

export class Compactor {
  readonly #options: CompactorOptions;

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  /**
   * A first block from the head or from outside, into the data folder or another one.
   * @returns null where there are no samples
   * @throws as `writeInSteps`
   */
  write(source: ChunkSource, range: SourceRange, hints: readonly string[], dataFolder = this.#options.dataFolder): Promise<BlockMeta | null> {
    const { metrics, steps, segmentBytes } = this.#options;
    const ulid = this.#newUlid();
    const compaction = { level: 1, sources: [ulid], parents: [], isDeletable: false, hasFailed: false, hints };
    return this.#timed(() => writeInSteps(measured(source, metrics), { ...range, dataFolder, ulid, compaction, segmentBytes }, steps));
  }

  /** One block in place of several, which it names. @returns null where nothing is left of them @throws as `compactBlocks`, DiskSpaceError */
  compact(blocks: readonly Block[]): Promise<BlockMeta | null> {
    const { dataFolder, steps, disk, metrics, segmentBytes } = this.#options;
    const neededBytes = blocks.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const { totalBytes, freeBytes } = disk();
    // Some file systems do not tell.
    if (totalBytes > 0 && freeBytes < neededBytes) {
      throw new DiskSpaceError(`compaction of ${blocks.length} blocks may take ${neededBytes} bytes of disk, ${freeBytes} are free`);
    }
    if (overlapInTime(blocks.map(({ meta }) => meta))) metrics.vertical.add(1);
    return this.#timed(() => compactBlocks(blocks, { dataFolder, ulid: this.#newUlid(), segmentBytes }, steps));
  }

  async #timed<T>(write: () => Promise<T>): Promise<T> {
    const { metrics, clock } = this.#options;
    const begunMs = clock.monotonicMs();
    metrics.compactions.add(1);
    metrics.populating.set(1);
    try {
      return await write();
    } finally {
      metrics.populating.set(0);
      metrics.duration.record((clock.monotonicMs() - begunMs) / 1000);
    }
  }

  #newUlid(): string {
    return makeUlid(this.#options.clock.nowMs(), randomFillSync(new Uint8Array(ULID_RANDOM_BYTES)));
  }
}
