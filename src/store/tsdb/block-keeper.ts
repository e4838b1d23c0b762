/**
 * Keeps the open blocks, the folder and the readers in other threads in step: adds what is new, removes what was replaced or is beyond the
 * retention, sets aside what is damaged.
 *
 * Readers learn of a change before anything relies on it. Files go only when no query runs any more that began before.
 */
import { errorMessage } from '../../core/base/errors.ts';
import type { Logger } from '../../core/base/log.ts';
import { FileWriteError } from '../index/file-appender.ts';
import { listQuarantined, quarantineBlock, removeBlock } from './block-folders.ts';
import { BlockSet, superseded, type BlockInfo, type BlockSetChange, type UnreadableBlock } from './block-set.ts';
import type { DiskSpace } from './disk-space.ts';
import { beyondSize, beyondTime, sizeLimit, type RetentionLimits } from './retention.ts';
import type { StoreMetrics } from './store-metrics.ts';

/** Those who read blocks, in whatever threads. */
export interface BlockReaders {
  /** Resolves when every query that begins from then on sees the change. */
  use(change: BlockSetChange): Promise<void>;
  /** Resolves when no query runs any more that does not see the changes so far. */
  quiesce(): Promise<void>;
}

export interface KeeperOptions {
  readonly dataFolder: string;
  readonly readers: BlockReaders;
  readonly limits: RetentionLimits;
  /** Bytes that count as taken beside blocks: the log and the chunks of the head. */
  readonly headBytes: () => number;
  readonly disk: () => DiskSpace;
  readonly metrics: StoreMetrics;
  readonly log: Logger;
}

export class BlockKeeper {
  readonly set: BlockSet;
  /** May be replaced at any time; the next reload heeds it. */
  limits: RetentionLimits;
  readonly #options: KeeperOptions;
  /** Blocks that wait for their readers before they go. */
  readonly #leaving = new Map<string, Promise<void>>();
  #quarantined: readonly string[] = [];
  #limitBytes = 0;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.limits = options.limits;
    this.set = new BlockSet(options.dataFolder);
  }

  /** Names of folders that are set aside, when it was looked last. */
  get quarantined(): readonly string[] {
    return this.#quarantined;
  }

  /** Bytes that the limits allowed all data to take when it was looked last; 0 is no limit. */
  get limitBytes(): number {
    return this.#limitBytes;
  }

  /** Looks at the folder and does what follows from it. */
  async reload(): Promise<void> {
    const { metrics, log } = this.#options;
    metrics.reloads.add(1);
    const { added, gone, damaged } = this.set.scan((ulid) => this.#leaving.has(ulid));
    const there = this.set.infos().filter((info) => !gone.includes(info));
    const replaced = superseded(there);
    const kept = there.filter((info) => !replaced.includes(info));
    const expired = this.#expired(kept);
    const removed = [...replaced, ...expired];
    const left = [...gone, ...removed];
    for (const { meta } of left) this.set.forget(meta.ulid);
    await this.#announce({ added: added.filter((info) => !left.includes(info)), changed: [], removed: left });
    for (const { folder } of gone) log.warn('block is gone', { block: folder });
    for (const { meta } of removed) this.#removeWhenUnread(meta.ulid);
    this.#setAside(kept, damaged);
    if (this.set.unreadable().length > 0) metrics.reloadFailures.add(1);
  }

  /** Tells all readers that the blocks must be opened anew. */
  async announceChanged(ulids: ReadonlySet<string>): Promise<void> {
    await this.#announce({ added: [], changed: this.set.infos().filter(({ meta }) => ulids.has(meta.ulid)), removed: [] });
  }

  async #announce(change: BlockSetChange): Promise<void> {
    if (change.added.length + change.changed.length + change.removed.length > 0) await this.#options.readers.use(change);
  }

  /** Waits for removals that have begun. */
  async close(): Promise<void> {
    await Promise.all(this.#leaving.values());
    this.set.close();
  }

  #expired(kept: readonly BlockInfo[]): BlockInfo[] {
    const { metrics, log, headBytes, disk } = this.#options;
    const tooOld = beyondTime(kept, this.limits.timeMs);
    const young = kept.filter((info) => !tooOld.includes(info));
    const limitBytes = sizeLimit(this.limits, this.limits.diskPercentage > 0 ? disk().totalBytes : 0);
    this.#limitBytes = limitBytes;
    const tooMuch = limitBytes > 0 ? beyondSize(young, headBytes(), limitBytes) : [];
    if (tooOld.length > 0) metrics.timeRetentions.add(1);
    if (tooMuch.length > 0) metrics.sizeRetentions.add(1);
    for (const { folder } of tooOld) log.info('block is beyond the retention time', { block: folder });
    for (const { folder } of tooMuch) log.info('block is beyond the retention size', { block: folder, limitBytes });
    return [...tooOld, ...tooMuch];
  }

  #removeWhenUnread(ulid: string): void {
    const removal = this.#options.readers.quiesce().then(() => {
      this.#remove(ulid);
      this.#leaving.delete(ulid);
    });
    this.#leaving.set(ulid, removal);
  }

  #remove(ulid: string): void {
    const { dataFolder, metrics, log } = this.#options;
    try {
      removeBlock(dataFolder, ulid);
      log.info('removed block', { block: ulid });
    } catch (error) {
      if (!(error instanceof FileWriteError)) throw error;
      // Its folder is found again by the next reload, or by the next start under its new name.
      metrics.removalFailures.add(1);
      log.error('cannot remove block', { block: ulid, err: errorMessage(error) });
    }
  }

  /** @param kept blocks that stay */
  #setAside(kept: readonly BlockInfo[], damaged: readonly UnreadableBlock[]): void {
    const { dataFolder, metrics, log } = this.#options;
    const parents = new Set(kept.flatMap(({ meta }) => meta.compaction.parents.map(({ ulid }) => ulid)));
    for (const { ulid, message } of damaged) {
      this.set.forget(ulid);
      if (parents.has(ulid)) {
        // Its samples are in another block: this one was on its way out.
        this.#remove(ulid);
        continue;
      }
      const place = quarantineBlock(dataFolder, ulid);
      metrics.quarantined.add(1);
      log.error('block is damaged and was set aside', { block: ulid, place, err: message });
    }
    this.#quarantined = listQuarantined(dataFolder);
  }
}
