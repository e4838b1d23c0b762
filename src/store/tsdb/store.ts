/**
 * The store side of one node: its blocks, and how they come, change and go.
 *
 * It runs in one thread, which owns the blocks of the data folder. What changes them runs one thing after the other, in steps that let the
 * thread answer in between. Every state that a crash can leave is one that `open` understands: whole blocks under their names, all else
 * under names that say that it is unfinished.
 */
import { randomFillSync } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { assert } from '../../core/base/assert.ts';
import type { Clock } from '../../core/base/clock.ts';
import { errorMessage } from '../../core/base/errors.ts';
import type { LogFields, Logger } from '../../core/base/log.ts';
import type { Counter, Registry } from '../../core/base/metrics.ts';
import { compileMatcher, type Matcher } from '../../core/model/matcher.ts';
import type { ChunkSource } from '../../core/storage/chunk-source.ts';
import type { Block } from '../block/block.ts';
import { writeBlockMeta, type BlockCompaction, type BlockMeta } from '../block/block-meta.ts';
import type { SourceRange } from '../block/block-source.ts';
import { deleteSamples } from '../block/delete-samples.ts';
import { BlockWriteCanceledError } from '../block/block-writer.ts';
import { DEFAULT_SEGMENT_BYTES } from '../block/chunk-segments.ts';
import { IndexLimitError } from '../index/index-format.ts';
import { folderBytes, removeUnfinished } from './block-folders.ts';
import { BlockKeeper, type BlockReaders } from './block-keeper.ts';
import { writtenUntilMs, type BlockInfo, type UnreadableBlock } from './block-set.ts';
import { alignedStart, blockRanges, MIN_BLOCK_RANGE_MS, planCompaction } from './compaction-plan.ts';
import { Compactor } from './compactor.ts';
import { diskSpace, type DiskSpace } from './disk-space.ts';
import { makeSnapshot, SNAPSHOT_RANDOM_BYTES, snapshotName } from './snapshot.ts';
import type { RetentionLimits } from './retention.ts';
import { RetryLater } from './retry-later.ts';
import { BlockNotOpenError, HeadTruncationError, isExpected, isLasting, StoreClosedError, type LastingError } from './store-errors.ts';
import { createStoreMetrics, type StoreMetrics } from './store-metrics.ts';

/** How much more than one block's range the head holds before that is written: late samples still find their place. */
const HEAD_RANGES = 1.5;
/** What counts as taken beside blocks. */
const HEAD_FOLDERS = ['wal', 'wbl', 'chunks_head'];

/** Series that pass all matchers of any one set, and samples of theirs in [startMs, endMs]. */
export interface Deletion {
  readonly matcherSets: readonly (readonly Matcher[])[];
  readonly startMs: number;
  readonly endMs: number;
}

/** The samples in memory, which another thread owns. */
export interface HeadPort {
  /** Of the oldest and the newest sample; null where there is none. */
  timeRange(): { readonly minTimeMs: number; readonly maxTimeMs: number } | null;
  source(range: SourceRange): ChunkSource;
  /** Samples before are in a block that queries see: they may go. */
  truncate(beforeMs: number): Promise<void>;
  /** @returns how many series had samples in the range */
  deleteSeries(deletion: Deletion): Promise<number>;
}

export interface StoreOptions {
  readonly dataFolder: string;
  readonly head: HeadPort;
  readonly readers: BlockReaders;
  readonly limits: RetentionLimits;
  readonly clock: Clock;
  readonly log: Logger;
  readonly registry: Registry;
  /** What the head writes at once, and what the sizes of larger blocks are multiples of. */
  readonly blockRangeMs?: number;
  /** The largest block that compaction makes; by default what the retention makes of 31 days. */
  readonly maxBlockRangeMs?: number;
  readonly segmentBytes?: number;
  readonly disk?: (folder: string) => DiskSpace;
}

export interface StoreStatus {
  readonly unreadable: readonly UnreadableBlock[];
  /** Folders under `quarantine/`. */
  readonly quarantined: readonly string[];
  /** Why writing from the head, and compacting blocks, failed last; '' where it did not. */
  readonly headFailure: string;
  readonly compactionFailure: string;
}

export class Store {
  readonly #options: StoreOptions;
  readonly #keeper: BlockKeeper;
  readonly #compactor: Compactor;
  readonly #metrics: StoreMetrics;
  readonly #ranges: readonly number[];
  #isStopping = false;
  /** The end of what changes blocks at present. */
  #queue: Promise<unknown> = Promise.resolve();
  #tick: Promise<void> | null = null;
  /** What was written from the head last; '' where that was nothing. */
  #headBlock = { ulid: '', untilMs: Number.NEGATIVE_INFINITY };
  readonly #reloading: RetryLater;
  readonly #headWriting: RetryLater;
  readonly #compacting: RetryLater;

  /** Makes the folder if need be, removes what a crash left, and opens all blocks. */
  static async open(options: StoreOptions): Promise<Store> {
    mkdirSync(options.dataFolder, { recursive: true });
    for (const folder of removeUnfinished(options.dataFolder)) options.log.warn('removed what an earlier process left unfinished', { folder });
    const store = new Store(options);
    await store.#keeper.reload();
    return store;
  }

  private constructor(options: StoreOptions) {
    const { dataFolder, readers, limits, clock, log, registry } = options;
    const disk = (): DiskSpace => (options.disk ?? diskSpace)(dataFolder);
    this.#options = options;
    this.#metrics = createStoreMetrics(registry);
    this.#ranges = blockRanges(limits.timeMs, options.blockRangeMs ?? MIN_BLOCK_RANGE_MS, options.maxBlockRangeMs);
    this.#keeper = new BlockKeeper({ dataFolder, readers, limits, disk, metrics: this.#metrics, log, headBytes: () => this.#headBytes() });
    const steps = { clock, pause: () => turn(), isStopping: () => this.#isStopping };
    this.#compactor = new Compactor({ dataFolder, steps, clock, disk, metrics: this.#metrics, segmentBytes: options.segmentBytes ?? DEFAULT_SEGMENT_BYTES });
    const retry = (what: string, counter: Counter): RetryLater => new RetryLater({
      clock,
      isExpected,
      onFailure: ({ message, retryInMs }) => {
        counter.add(1);
        log.error(`${what} failed`, { err: message, retryInMs });
      },
    });
    this.#reloading = retry('reload of blocks', this.#metrics.reloadFailures);
    this.#headWriting = retry('writing a block from the head', this.#metrics.failed);
    this.#compacting = retry('compaction', this.#metrics.failed);
    this.#observe(registry);
  }

  /** By begin, then by name. */
  blocks(): readonly BlockInfo[] {
    return this.#keeper.set.infos();
  }

  /** The end of what has been written from the head in order; negative infinity where that is nothing. */
  get writtenUntilMs(): number {
    return writtenUntilMs(this.blocks());
  }

  status(): StoreStatus {
    return {
      unreadable: this.#keeper.set.unreadable(),
      quarantined: this.#keeper.quarantined,
      headFailure: this.#headWriting.lastFailure,
      compactionFailure: this.#compacting.lastFailure,
    };
  }

  /** Heeded by the next tick. The sizes of blocks stay as they were at the start. */
  setLimits(limits: RetentionLimits): void {
    this.#keeper.limits = limits;
  }

  /**
   * To be called about once a minute: looks at the folder, removes what is beyond the retention, writes the head's oldest part if it is
   * due, compacts. A tick that still runs is not begun again. What fails is logged, counted, and tried again later.
   */
  tick(): Promise<void> {
    this.#tick ??= this.#inTurn(() => this.#work())
      .catch((error: unknown) => {
        // Whoever closes the store wants no more of it.
        if (!(error instanceof StoreClosedError)) throw error;
      })
      .finally(() => {
        this.#tick = null;
      });
    return this.#tick;
  }

  /**
   * Adds a block: out-of-order or stale series of the head, or samples from outside.
   * @param range in which all samples lie
   * @param hints as BLOCK_HINT has them
   * @returns null where there are no samples
   * @throws FileWriteError, IndexLimitError, BlockWriteCanceledError, BlockNotOpenError, StoreClosedError and what the source throws
   */
  addBlock(source: ChunkSource, range: SourceRange, hints: readonly string[]): Promise<BlockMeta | null> {
    return this.#inTurn(async () => {
      const meta = await this.#compactor.write(source, range, hints);
      await this.#keeper.reload();
      this.#checkReadable(meta?.ulid);
      return meta;
    });
  }

  /**
   * Deletes samples, of blocks and of the head. When it resolves they are gone for every later query and every later start.
   * @returns in how many series of how many blocks, together
   * @throws RegexError, CorruptError, FileReadError, FileWriteError, StoreClosedError
   */
  deleteSeries(deletion: Deletion): Promise<number> {
    return this.#inTurn(async () => {
      for (const matchers of deletion.matcherSets) for (const matcher of matchers) compileMatcher(matcher);
      const { head } = this.#options;
      const changed = new Set<string>();
      const errors: unknown[] = [];
      let count = 0;
      for (const { meta } of this.blocks()) {
        try {
          const deleted = this.#deleteFromBlock(meta, deletion);
          count += deleted;
          if (deleted > 0) changed.add(meta.ulid);
        } catch (error) {
          // Whatever can be deleted is, before the caller learns what can't.
          errors.push(error);
        }
        await turn();
      }
      await this.#keeper.announceChanged(changed);
      count += await head.deleteSeries(deletion);
      if (errors.length > 0) throw errors[0];
      return count;
    });
  }

  /** Rewrites all blocks from which something was deleted. @throws CorruptError, FileReadError, FileWriteError, BlockWriteCanceledError, StoreClosedError */
  cleanTombstones(): Promise<void> {
    return this.#inTurn(async () => {
      const begunMs = this.#options.clock.monotonicMs();
      for (const { meta } of this.blocks()) {
        // One before may have made room for what the retention allows.
        const isThere = this.#keeper.set.block(meta.ulid) !== undefined;
        if (isThere && meta.stats.tombstoneCount > 0) await this.#compact([meta]);
      }
      this.#metrics.tombstoneCleanup.record((this.#options.clock.monotonicMs() - begunMs) / 1000);
    });
  }

  /**
   * Makes a folder under `snapshots/` with all blocks and, unless told otherwise, the head as one more.
   * @returns the folder's name
   * @throws FileWriteError, IndexLimitError, BlockWriteCanceledError, StoreClosedError and what the head's source throws
   */
  snapshot(withHead = true): Promise<string> {
    return this.#inTurn(async () => {
      const { dataFolder, clock, head } = this.#options;
      const name = snapshotName(clock.nowMs(), randomFillSync(new Uint8Array(SNAPSHOT_RANDOM_BYTES)));
      const addHead = async (folder: string): Promise<void> => {
        const times = withHead ? head.timeRange() : null;
        if (times === null) return;
        const range = { minTimeMs: times.minTimeMs, maxTimeMs: times.maxTimeMs + 1 };
        await this.#compactor.write(head.source(range), range, [], folder);
      };
      await makeSnapshot(dataFolder, name, { blockFolders: this.blocks().map(({ folder }) => folder), addHead });
      return name;
    });
  }

  /** Stops what is running at its next step, and waits for it. Nothing is lost: what was not finished is begun again by the next process. */
  async close(): Promise<void> {
    this.#isStopping = true;
    await this.#queue;
    await this.#keeper.close();
  }

  /** Runs `change` when all before it are through. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(() => {
      if (this.#isStopping) throw new StoreClosedError('the store is closed');
      return change();
    });
    this.#queue = result.catch(() => {});
    return result;
  }

  async #work(): Promise<void> {
    if (!(await this.#reloading.attempt(() => this.#keeper.reload()))) return;
    this.#metrics.triggered.add(1);
    const writeHead = (): Promise<boolean> => this.#headWriting.attempt(() => this.#stoppable(() => this.#compactHead()));
    await writeHead();
    await this.#compacting.attempt(() =>
      this.#stoppable(async () => {
        // Much may come while a large block is written.
        while (await this.#compactNext()) await writeHead();
      }),
    );
  }

  /** Being stopped is no failure. */
  async #stoppable(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof BlockWriteCanceledError)) throw error;
    }
  }

  /** Writes blocks until the head holds no more than it should. Nothing is appended any more to what is written here. */
  async #compactHead(): Promise<void> {
    const { head, log } = this.#options;
    const rangeMs = this.#ranges[0]!;
    for (;;) {
      const times = head.timeRange();
      if (times === null || times.maxTimeMs - times.minTimeMs <= HEAD_RANGES * rangeMs) return;
      const alignedMs = alignedStart(times.minTimeMs, rangeMs);
      const endMs = alignedMs + rangeMs;
      // A truncation that failed leaves samples that were written before. Their block may have turned out to be damaged.
      if (endMs > this.#headBlock.untilMs || this.#keeper.quarantined.includes(this.#headBlock.ulid)) {
        const range = { minTimeMs: Math.max(alignedMs, Math.min(times.minTimeMs, this.writtenUntilMs)), maxTimeMs: endMs };
        const meta = await this.#compactor.write(head.source(range), range, []);
        this.#headBlock = { ulid: meta?.ulid ?? '', untilMs: endMs };
        await this.#keeper.reload();
        if (meta !== null) log.info('wrote block from the head', blockFields(meta));
      }
      this.#checkReadable(this.#headBlock.ulid);
      await this.#truncateHead(endMs);
    }
  }

  /** Only what queries find in a block may go elsewhere. @throws BlockNotOpenError */
  #checkReadable(ulid: string | undefined): void {
    const unreadable = this.#keeper.set.unreadable().find((block) => block.ulid === ulid);
    if (unreadable !== undefined) throw new BlockNotOpenError(`block ${unreadable.ulid} was written and can't be opened: ${unreadable.message}`);
  }

  async #truncateHead(beforeMs: number): Promise<void> {
    const { head } = this.#options;
    try {
      await head.truncate(beforeMs);
    } catch (error) {
      throw new HeadTruncationError(`the head could not be truncated: ${errorMessage(error)}`, { cause: error });
    }
    const left = head.timeRange();
    if (left !== null && left.minTimeMs < beforeMs) throw new HeadTruncationError(`the head has samples of ${left.minTimeMs} after it was truncated to ${beforeMs}`);
  }

  /** @returns whether there was something to compact */
  async #compactNext(): Promise<boolean> {
    const plan = planCompaction(this.blocks().map(({ meta }) => meta), this.#ranges);
    if (plan.length > 0) await this.#compact(plan);
    return plan.length > 0;
  }

  /** Replaces blocks by one; where nothing is left of them, by none. */
  async #compact(plan: readonly BlockMeta[]): Promise<void> {
    const { log } = this.#options;
    const blocks = plan.map((meta) => this.#block(meta));
    let compacted: BlockMeta | null;
    try {
      compacted = await this.#compactor.compact(blocks);
    } catch (error) {
      if (isLasting(error)) await this.#markFailed(blocks, error);
      throw error;
    }
    if (compacted === null) for (const block of blocks) this.#mark(block, { isDeletable: true });
    else log.info('compacted blocks', { ...blockFields(compacted), parents: plan.length });
    await this.#keeper.reload();
  }

  #deleteFromBlock(meta: BlockMeta, { matcherSets, startMs, endMs }: Deletion): number {
    let count = 0;
    for (const matchers of matcherSets) {
      const deleted = deleteSamples(this.#block(meta), { matchers, startMs, endMs });
      if (deleted > 0) this.#keeper.set.reopen(meta.ulid);
      count += deleted;
    }
    return count;
  }

  /** Keeps the planner from trying again: with the block whose bytes are at fault, or with all where that is none in particular. */
  async #markFailed(blocks: readonly Block[], error: LastingError): Promise<void> {
    const culprits = error instanceof IndexLimitError ? [] : blocks.filter(({ folder }) => error.file.startsWith(folder));
    const marked = culprits.length > 0 ? culprits : blocks;
    for (const block of marked) this.#mark(block, { hasFailed: true });
    await this.#keeper.announceChanged(new Set(marked.map(({ meta }) => meta.ulid)));
  }

  #mark({ folder, meta }: Block, compaction: Partial<BlockCompaction>): void {
    writeBlockMeta(folder, { ...meta, compaction: { ...meta.compaction, ...compaction } });
    this.#keeper.set.reopen(meta.ulid);
  }

  #block({ ulid }: BlockMeta): Block {
    const block = this.#keeper.set.block(ulid);
    assert(block !== undefined, 'what is planned is open');
    return block;
  }

  #headBytes(): number {
    return HEAD_FOLDERS.reduce((sum, name) => sum + folderBytes(join(this.#options.dataFolder, name)), 0);
  }

  #observe(registry: Registry): void {
    const lowestMs = (): number => {
      const times = [...this.blocks().map(({ meta }) => meta.minTimeMs), this.#options.head.timeRange()?.minTimeMs ?? Number.POSITIVE_INFINITY];
      const lowest = Math.min(...times);
      return lowest === Number.POSITIVE_INFINITY ? 0 : lowest;
    };
    registry.observe('prometheus_tsdb_blocks_loaded', 'Blocks that are open.', 'gauge', () => this.blocks().length);
    registry.observe('prometheus_tsdb_storage_blocks_bytes', 'Bytes that all blocks take.', 'gauge', () => this.blocks().reduce((sum, { byteLength }) => sum + byteLength, 0));
    registry.observe('prometheus_tsdb_retention_limit_bytes', 'Bytes that all data may take; 0 is no limit.', 'gauge', () => this.#keeper.limitBytes);
    registry.observe('prometheus_tsdb_retention_limit_percentage', 'Part of the disk that all data may take; 0 is no limit.', 'gauge', () => this.#keeper.limits.diskPercentage);
    registry.observe('prometheus_tsdb_retention_limit_seconds', 'How long blocks are kept; 0 is forever.', 'gauge', () => this.#keeper.limits.timeMs / 1000);
    registry.observe('prometheus_tsdb_lowest_timestamp', 'Oldest time of which there are samples, in milliseconds.', 'gauge', lowestMs);
    registry.observe('prometheus_tsdb_lowest_timestamp_seconds', 'Oldest time of which there are samples.', 'gauge', () => lowestMs() / 1000);
    registry.observe('coeus_tsdb_blocks_unreadable', 'Blocks that cannot be opened and have not been set aside.', 'gauge', () => this.#keeper.set.unreadable().length);
    registry.observe('coeus_tsdb_blocks_in_quarantine', 'Blocks that were set aside and wait for somebody to look into them.', 'gauge', () => this.#keeper.quarantined.length);
  }
}

const blockFields = ({ ulid, minTimeMs, maxTimeMs, stats }: BlockMeta): LogFields => ({
  block: ulid, mint: minTimeMs, maxt: maxTimeMs, series: stats.seriesCount, samples: stats.sampleCount,
});
