/**
 * A block: one immutable time range on disk, open for reading in one thread.
 *
 *   <ULID>/meta.json, index, chunks/000001 …, tombstones
 *
 * Opening reads meta, tombstones and the ends of the index: a node opens hundreds at its start. Files are opened when they are read
 * and closed when many others have been since.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { FileSource, type OpenFiles } from '../index/byte-source.ts';
import { IndexReader, type IndexTables } from '../index/index-reader.ts';
import type { SymbolCache } from '../index/symbol-cache.ts';
import { META_FILE, readBlockMeta, type BlockMeta } from './block-meta.ts';
import { ChunkReader, CHUNKS_FOLDER, openSegments } from './chunk-segments.ts';
import { readTombstones, TOMBSTONES_FILE, type Tombstones } from './tombstones.ts';

export const INDEX_FILE = 'index';

export interface BlockOptions {
  /** Descriptors that the thread's blocks share. */
  readonly files: OpenFiles;
  /** Strings of labels that the thread's blocks share. */
  readonly symbols: SymbolCache;
  /** Of this block's index, if another thread has made them. */
  readonly indexTables?: IndexTables;
}

export class Block {
  readonly folder: string;
  readonly meta: BlockMeta;
  readonly tombstones: Tombstones;
  readonly index: IndexReader;
  readonly chunks: ChunkReader;
  /** Of all its files. */
  readonly byteLength: number;
  readonly #files: OpenFiles;

  /** @throws CorruptError, FileReadError */
  static open(folder: string, options: BlockOptions): Block {
    try {
      return new Block(folder, options);
    } catch (error) {
      options.files.closeUnder(folder);
      throw error;
    }
  }

  private constructor(folder: string, { files, symbols, indexTables }: BlockOptions) {
    this.folder = folder;
    this.#files = files;
    this.meta = readBlockMeta(folder);
    this.tombstones = readTombstones(folder, files);
    this.index = new IndexReader(new FileSource(files, join(folder, INDEX_FILE)), indexTables === undefined ? { symbols } : { symbols, tables: indexTables });
    this.chunks = new ChunkReader(openSegments(join(folder, CHUNKS_FOLDER), files));
    const small = [META_FILE, TOMBSTONES_FILE].map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
    this.byteLength = small.reduce((sum, size) => sum + size, this.index.byteLength + this.chunks.byteLength);
  }

  /** Whether it may have samples in [startMs, endMs]. */
  overlaps({ startMs, endMs }: { readonly startMs: number; readonly endMs: number }): boolean {
    return this.meta.minTimeMs <= endMs && startMs < this.meta.maxTimeMs;
  }

  /** Gives the memory of reads back that the next one takes again. */
  release(): void {
    this.index.release();
    this.chunks.release();
  }

  close(): void {
    this.release();
    this.#files.closeUnder(this.folder);
  }
}
