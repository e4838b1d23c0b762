/**
 * Writes a block: into a folder beside its place, which is renamed when the disk has all of it. So there is a whole block or none.
 */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../../core/base/assert.ts';
import { errorMessage } from '../../core/base/errors.ts';
import { chunkSampleCount, ENCODING } from '../../core/chunk/chunk.ts';
import type { ChunkSource, SourceSeries } from '../../core/storage/chunk-source.ts';
import { FileWriteError, syncFolder } from '../index/file-appender.ts';
import { IndexWriter } from '../index/index-writer.ts';
import { SeriesEntry } from '../index/series-entry.ts';
import { INDEX_FILE } from './block.ts';
import { writeBlockMeta, type BlockCompaction, type BlockMeta } from './block-meta.ts';
import { CHUNKS_FOLDER, ChunkSegmentsWriter } from './chunk-segments.ts';
import { Tombstones, writeTombstones } from './tombstones.ts';

/** Behind the names of folders that are not blocks yet; a start removes them. */
export const CREATION_SUFFIX = '.tmp-for-creation';
/** Series between two calls of `shouldStop` and `onProgress`. */
const PROGRESS_SERIES = 1000;

export interface BlockWriterOptions {
  /** Where the block's folder goes. */
  readonly dataFolder: string;
  readonly ulid: string;
  readonly minTimeMs: number;
  /** No longer in the block. */
  readonly maxTimeMs: number;
  /** By default what is new: level 1, its own source. */
  readonly compaction?: BlockCompaction;
  /** Further fields of meta.json, by their names there. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly segmentBytes?: number;
}

export interface WriteProgress {
  readonly seriesCount: number;
  readonly chunkCount: number;
  readonly sampleCount: number;
  /** Of index and segments. */
  readonly byteCount: number;
}

export interface WriteBlockOptions extends BlockWriterOptions {
  /** Asked every thousand series. */
  readonly shouldStop?: () => boolean;
  /** Told every thousand series, and at the end. */
  readonly onProgress?: (progress: WriteProgress) => void;
}

/** The caller's `shouldStop` said so; nothing is left of the block. */
export class BlockWriteCanceledError extends Error {
  override readonly name = 'BlockWriteCanceledError';
}

/**
 * Writes what the source gives. Whatever it throws goes on to the caller, and nothing is left of the block then.
 *
 * @returns null where there are no samples: no block is made
 * @throws BlockWriteCanceledError, FileWriteError, IndexLimitError
 */
export function writeBlock(source: ChunkSource, options: WriteBlockOptions): BlockMeta | null {
  const { shouldStop, onProgress } = options;
  const writer = new BlockWriter(options);
  try {
    writer.addSymbols(source.symbols());
    let seen = 0;
    for (const series of source.series()) {
      writer.addSeries(series);
      if (++seen % PROGRESS_SERIES !== 0) continue;
      if (shouldStop?.() === true) throw new BlockWriteCanceledError(`writing block ${options.ulid} was stopped`);
      onProgress?.(writer.progress);
    }
    const meta = writer.finish();
    onProgress?.(writer.progress);
    return meta;
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

export class BlockWriter {
  readonly #options: BlockWriterOptions;
  readonly #folder: string;
  readonly #temporary: string;
  readonly #chunks: ChunkSegmentsWriter;
  readonly #index: IndexWriter;
  readonly #entry = new SeriesEntry();
  #chunkCount = 0;
  #floatSampleCount = 0;
  #histogramSampleCount = 0;

  /** Begins the block; what an earlier attempt at the same left is removed. @throws FileWriteError */
  constructor(options: BlockWriterOptions) {
    assert(options.minTimeMs < options.maxTimeMs, 'a block covers some time');
    this.#options = options;
    this.#folder = join(options.dataFolder, options.ulid);
    this.#temporary = this.#folder + CREATION_SUFFIX;
    removeFolder(this.#temporary);
    try {
      mkdirSync(this.#temporary, { recursive: true });
    } catch (error) {
      throw new FileWriteError(`cannot create ${this.#temporary}: ${errorMessage(error)}`, { cause: error });
    }
    try {
      this.#chunks = new ChunkSegmentsWriter(join(this.#temporary, CHUNKS_FOLDER), options.segmentBytes);
      this.#index = new IndexWriter(join(this.#temporary, INDEX_FILE));
    } catch (error) {
      removeFolder(this.#temporary);
      throw error;
    }
  }

  get progress(): WriteProgress {
    return {
      seriesCount: this.#index.seriesCount,
      chunkCount: this.#chunkCount,
      sampleCount: this.#floatSampleCount + this.#histogramSampleCount,
      byteCount: this.#index.byteLength + this.#chunks.byteLength,
    };
  }

  /** To be called once, first: every label name and value, and perhaps more, sorted in byte order, distinct. */
  addSymbols(symbols: Iterable<string>): void {
    this.#index.addSymbols(symbols);
  }

  /** In order of labels; a series without chunks is left out. @throws FileWriteError, IndexLimitError */
  addSeries({ labels, chunks }: SourceSeries): void {
    const { minTimeMs, maxTimeMs } = this.#options;
    const entry = this.#entry;
    entry.clear();
    for (const chunk of chunks) {
      assert(minTimeMs <= chunk.minTimeMs && chunk.minTimeMs <= chunk.maxTimeMs && chunk.maxTimeMs < maxTimeMs, 'chunks lie inside their block');
      entry.addChunk(chunk.minTimeMs, chunk.maxTimeMs, this.#chunks.add(chunk.encoding, chunk.bytes, chunk.checksum));
      const samples = chunkSampleCount(chunk.bytes, 0, chunk.bytes.length);
      if (chunk.encoding === ENCODING.XOR || chunk.encoding === ENCODING.XOR2) this.#floatSampleCount += samples;
      else this.#histogramSampleCount += samples;
    }
    if (entry.chunkCount === 0) return;
    this.#chunkCount += entry.chunkCount;
    this.#index.addSeries(labels, entry);
  }

  /**
   * Completes the block and puts it in its place, safe against a loss of power.
   * @returns null where there were no series: then there is no block
   * @throws FileWriteError, IndexLimitError
   */
  finish(): BlockMeta | null {
    if (this.#index.seriesCount === 0) {
      this.abandon();
      return null;
    }
    const { ulid, minTimeMs, maxTimeMs, compaction, extra, dataFolder } = this.#options;
    const { seriesCount, chunkCount, sampleCount } = this.progress;
    this.#chunks.finish();
    this.#index.finish();
    syncFolder(join(this.#temporary, CHUNKS_FOLDER));
    const meta: BlockMeta = {
      ulid,
      minTimeMs,
      maxTimeMs,
      stats: {
        sampleCount,
        floatSampleCount: this.#floatSampleCount,
        histogramSampleCount: this.#histogramSampleCount,
        seriesCount,
        chunkCount,
        tombstoneCount: 0,
      },
      compaction: compaction ?? { level: 1, sources: [ulid], parents: [], isDeletable: false, hasFailed: false, hints: [] },
      extra: extra ?? {},
    };
    writeTombstones(this.#temporary, new Tombstones());
    writeBlockMeta(this.#temporary, meta);
    try {
      renameSync(this.#temporary, this.#folder);
    } catch (error) {
      throw new FileWriteError(`cannot rename ${this.#temporary}: ${errorMessage(error)}`, { cause: error });
    }
    syncFolder(dataFolder);
    return meta;
  }

  /** Gives up and removes what was written. @throws FileWriteError */
  abandon(): void {
    this.#chunks.close();
    this.#index.close();
    removeFolder(this.#temporary);
  }
}

function removeFolder(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    throw new FileWriteError(`cannot remove ${path}: ${errorMessage(error)}`, { cause: error });
  }
}
