/**
 * The blocks of a data folder, open in this thread, and what became of those that can't be opened.
 *
 * The folder is the truth: `scan` opens what is new in it and lets go of what is gone. A block that can't be opened is left alone at first,
 * since somebody may be copying it there just now; if it is still the same at the next scan it is damaged.
 */
import { join } from 'node:path';
import { CorruptError } from '../../core/base/errors.ts';
import { Block } from '../block/block.ts';
import type { BlockMeta } from '../block/block-meta.ts';
import { FileReadError, OpenFiles } from '../index/byte-source.ts';
import { SymbolCache } from '../index/symbol-cache.ts';
import { folderFingerprint, listBlocks } from './block-folders.ts';
import { BLOCK_HINT } from './compaction-plan.ts';

/** A block as other threads are told of it. */
export interface BlockInfo {
  readonly folder: string;
  readonly meta: BlockMeta;
  /** Of all its files. */
  readonly byteLength: number;
}

export interface UnreadableBlock {
  readonly ulid: string;
  readonly folder: string;
  readonly message: string;
}

export interface BlockSetChange {
  readonly added: readonly BlockInfo[];
  /** Blocks whose tombstones or marks are others now: they must be opened anew. */
  readonly changed: readonly BlockInfo[];
  readonly removed: readonly BlockInfo[];
}

export interface Scan {
  readonly added: readonly BlockInfo[];
  /** Blocks whose folders are gone. */
  readonly gone: readonly BlockInfo[];
  /** Blocks that can't be opened and are no longer being copied. */
  readonly damaged: readonly UnreadableBlock[];
}

interface OpenBlock {
  readonly block: Block;
  readonly info: BlockInfo;
}

export class BlockSet {
  readonly #dataFolder: string;
  readonly #files = new OpenFiles();
  readonly #symbols = new SymbolCache();
  readonly #open = new Map<string, OpenBlock>();
  readonly #unreadable = new Map<string, UnreadableBlock & { readonly fingerprint: string }>();

  constructor(dataFolder: string) {
    this.#dataFolder = dataFolder;
  }

  /** By begin, then by name. */
  infos(): BlockInfo[] {
    return Array.from(this.#open.values(), ({ info }) => info).sort(
      (a, b) => a.meta.minTimeMs - b.meta.minTimeMs || (a.meta.ulid < b.meta.ulid ? -1 : 1),
    );
  }

  /** Blocks that could not be opened when they were looked at last. */
  unreadable(): UnreadableBlock[] {
    return Array.from(this.#unreadable.values(), ({ ulid, folder, message }) => ({ ulid, folder, message }));
  }

  block(ulid: string): Block | undefined {
    return this.#open.get(ulid)?.block;
  }

  /** Looks at the folder. Blocks that are gone stay open until they are forgotten. @param isLeaving whether it is about to be removed */
  scan(isLeaving: (ulid: string) => boolean): Scan {
    const there = new Set(listBlocks(this.#dataFolder).filter((ulid) => !isLeaving(ulid)));
    const added: BlockInfo[] = [];
    const damaged: UnreadableBlock[] = [];
    for (const ulid of this.#unreadable.keys()) if (!there.has(ulid)) this.#unreadable.delete(ulid);
    for (const ulid of there) {
      if (this.#open.has(ulid)) continue;
      const folder = join(this.#dataFolder, ulid);
      try {
        added.push(this.#openBlock(folder, ulid));
        this.#unreadable.delete(ulid);
      } catch (error) {
        if (!(error instanceof CorruptError || error instanceof FileReadError)) throw error;
        const before = this.#unreadable.get(ulid);
        const now = { ulid, folder, message: error.message, fingerprint: folderFingerprint(folder) };
        this.#unreadable.set(ulid, now);
        if (isDamage(error) && before?.fingerprint === now.fingerprint) damaged.push(now);
      }
    }
    const gone = this.infos().filter(({ meta }) => !there.has(meta.ulid));
    return { added, gone, damaged };
  }

  /** Closes a block, or forgets one that could not be opened. */
  forget(ulid: string): void {
    this.#open.get(ulid)?.block.close();
    this.#open.delete(ulid);
    this.#unreadable.delete(ulid);
  }

  /** Opens a block anew whose small files were replaced. @throws CorruptError, FileReadError */
  reopen(ulid: string): BlockInfo {
    const folder = join(this.#dataFolder, ulid);
    this.#open.get(ulid)?.block.close();
    this.#open.delete(ulid);
    return this.#openBlock(folder, ulid);
  }

  close(): void {
    for (const ulid of this.#open.keys()) this.forget(ulid);
    this.#files.closeAll();
  }

  #openBlock(folder: string, ulid: string): BlockInfo {
    const block = Block.open(folder, { files: this.#files, symbols: this.#symbols });
    const { meta, byteLength } = block;
    if (meta.ulid !== ulid) {
      block.close();
      throw new CorruptError(`the block calls itself ${meta.ulid}`, { file: join(folder, 'meta.json'), offset: 0 });
    }
    // What the file of tombstones says counts: the meta is written after it.
    const stats = { ...meta.stats, tombstoneCount: block.tombstones.count };
    const info = { folder, meta: { ...meta, stats }, byteLength };
    this.#open.set(ulid, { block, info });
    return info;
  }
}

/** Blocks that others replace, or that hold nothing any more. */
export function superseded(blocks: readonly BlockInfo[]): BlockInfo[] {
  const parents = new Set(blocks.flatMap(({ meta }) => meta.compaction.parents.map(({ ulid }) => ulid)));
  return blocks.filter(({ meta }) => parents.has(meta.ulid) || meta.compaction.isDeletable);
}

/**
 * The end of what has been written from the head in order: samples before it need not be replayed. Negative infinity where there is none.
 * Blocks of samples out of order, and of stale or selected series, say nothing about the other series.
 */
export function writtenUntilMs(blocks: readonly BlockInfo[]): number {
  const partial: readonly string[] = Object.values(BLOCK_HINT);
  const whole = blocks.filter(({ meta }) => !meta.compaction.hints.some((hint) => partial.includes(hint)));
  return Math.max(Number.NEGATIVE_INFINITY, ...whole.map(({ meta }) => meta.maxTimeMs));
}

/** Whether the bytes are at fault, not the system that should have read them. */
const isDamage = (error: CorruptError | FileReadError): boolean => error instanceof CorruptError || error.isMissing;
