/**
 * A block as what another block is written from: its series in order with their chunks, without what is deleted.
 *
 * Chunks are handed on as they are; only those that reach over an end of the range or have samples deleted are encoded anew.
 */
import { CorruptError } from '../../core/base/errors.ts';
import { ChunkError } from '../../core/chunk/chunk-error.ts';
import { ChunkClipper } from '../../core/storage/clip-chunk.ts';
import { coversAll, touches, type Intervals } from '../../core/model/intervals.ts';
import type { ChunkSource, EncodedChunk, SourceSeries } from '../../core/storage/chunk-source.ts';
import { SeriesEntry } from '../index/series-entry.ts';
import type { Block } from './block.ts';

/** Half open, as blocks are. */
export interface SourceRange {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

/**
 * A source over the samples in the range, by default the block's own. While it is read the block must not be used for anything else.
 * `symbols` and `series` throw CorruptError and FileReadError.
 */
export function blockSource(block: Block, range: SourceRange = block.meta): ChunkSource {
  return new BlockSource(block, range);
}

class BlockSource implements ChunkSource {
  readonly #block: Block;
  readonly #startMs: number;
  /** The last millisecond that is in. */
  readonly #endMs: number;
  readonly #entry = new SeriesEntry();
  readonly #clipper = new ChunkClipper();

  constructor(block: Block, { minTimeMs, maxTimeMs }: SourceRange) {
    this.#block = block;
    this.#startMs = minTimeMs;
    this.#endMs = maxTimeMs - 1;
  }

  symbols(): Iterable<string> {
    return this.#block.index.symbols();
  }

  *series(): Iterable<SourceSeries> {
    const { index, tombstones } = this.#block;
    const entry = this.#entry;
    try {
      for (const ref of index.postings('', '')) {
        index.series(ref, entry);
        const chunks = this.#chunks(tombstones.of(ref));
        // What is left of a chunk is known when it has been read; a series without chunks is none.
        const first = chunks.next();
        if (first.done === true) continue;
        yield { labels: index.labels(entry), chunks: startingWith(first.value, chunks) };
      }
    } finally {
      this.#block.release();
    }
  }

  /** Those of the entry that was read last. */
  *#chunks(deleted: Intervals): Generator<EncodedChunk, undefined> {
    const { chunks } = this.#block;
    const entry = this.#entry;
    for (let i = 0; i < entry.chunkCount; i++) {
      const minTimeMs = entry.minTimes[i]!;
      const maxTimeMs = entry.maxTimes[i]!;
      const ref = entry.chunkRefs[i]!;
      if (maxTimeMs < this.#startMs || minTimeMs > this.#endMs || coversAll(deleted, minTimeMs, maxTimeMs)) continue;
      chunks.read(ref, 0);
      const { encoding, checksum } = chunks;
      const bytes = chunks.bytes.subarray(chunks.from, chunks.to);
      if (minTimeMs >= this.#startMs && maxTimeMs <= this.#endMs && !touches(deleted, minTimeMs, maxTimeMs)) {
        yield { encoding, minTimeMs, maxTimeMs, bytes, checksum };
        continue;
      }
      const clipped = this.#clip(ref, encoding, bytes, deleted);
      if (clipped !== null) yield clipped;
    }
  }

  #clip(ref: number, encoding: number, bytes: Uint8Array, deleted: Intervals): EncodedChunk | null {
    try {
      return this.#clipper.clip({ encoding, bytes }, this.#startMs, this.#endMs, deleted);
    } catch (error) {
      if (error instanceof ChunkError) throw new CorruptError(error.message, { ...this.#block.chunks.place(ref), cause: error });
      throw error;
    }
  }
}

function* startingWith<T>(first: T, rest: Iterable<T>): Generator<T, undefined> {
  yield first;
  yield* rest;
}
