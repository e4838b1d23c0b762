/**
 * The head as what a block is written from: the series of a time range in order of labels, with their chunks.
 *
 * It runs in a reader's thread while the owner goes on appending. Which series there are is decided at once; each series' chunks are
 * copied when its turn comes. So it holds a few words for a series, pair or symbol, and the chunks of one series.
 */
import { ENCODING } from '../../core/chunk/chunk.ts';
import { ChunkError } from '../../core/chunk/chunk-error.ts';
import { ChunkClipper } from '../../core/storage/clip-chunk.ts';
import { ROOT } from '../../core/kernels/head-layout.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { coversAll, touches, type Intervals } from '../../core/model/intervals.ts';
import type { ChunkSource, EncodedChunk, SourceSeries } from '../../core/storage/chunk-source.ts';
import { HEAD_ROOT } from './head-memory.ts';
import { ChunkFileGoneError, middleOf, SeriesChunks, type HeadView, type SeriesPart } from './series-chunks.ts';
import { deletedIntervals } from './series-extra.ts';
import { SortedSeries } from './sorted-series.ts';
import { mayHaveSamples, Visibility } from './visibility.ts';

/** Times a series is looked at before a file that is not there counts as lost. */
const MAX_LOOKS = 3;

/** Half open, as blocks are. */
export interface SourceRange {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

/**
 * A source over the samples in [minTimeMs, maxTimeMs). Chunks that reach over an end are encoded anew.
 *
 * Until it has been read the thread counts as a reader that has not finished: what is truncated meanwhile keeps its memory.
 * `series` throws CorruptError where a chunk contradicts its format or, in a file, its checksum.
 */
export function headSource(view: HeadView, range: SourceRange): ChunkSource {
  return new HeadSource(view, range);
}

interface WholeRange {
  readonly endMs: number;
  readonly deleted: Intervals;
}

class HeadSource implements ChunkSource {
  readonly #linear: LinearMemory;
  readonly #chunks: SeriesChunks;
  readonly #startMs: number;
  /** The last millisecond that is in. */
  readonly #endMs: number;
  readonly #sorted: SortedSeries;
  readonly #clipper = new ChunkClipper();
  readonly #visibility: Visibility;
  #bytes = new Uint8Array(4096);

  constructor(view: HeadView, { minTimeMs, maxTimeMs }: SourceRange) {
    this.#linear = view.linear;
    this.#chunks = new SeriesChunks(view);
    this.#startMs = minTimeMs;
    this.#endMs = maxTimeMs - 1;
    this.#visibility = new Visibility(view.linear);
    this.#sorted = new SortedSeries(view.linear, seriesBetween(view.linear, minTimeMs, maxTimeMs - 1));
  }

  symbols(): Iterable<string> {
    return this.#sorted.symbols();
  }

  *series(): Iterable<SourceSeries> {
    for (const ref of this.#sorted.refs) {
      const chunks = this.#chunksOf(ref);
      // A series may have all its samples around the range and none inside: the first chunk tells.
      const first = chunks.next();
      if (first.done === true) continue;
      yield { labels: this.#sorted.labels(ref), chunks: startingWith(first.value, chunks) };
    }
  }

  *#chunksOf(ref: number): Generator<EncodedChunk, undefined> {
    let startMs = this.#startMs;
    const endMs = Math.min(this.#endMs, this.#visibility.endOf(ref, this.#startMs, this.#endMs));
    const deleted = deletedIntervals(this.#linear, ref);
    for (let look = 1; startMs <= endMs; look++) {
      try {
        for (const chunk of this.#chunksBetween({ ref, startMs, endMs }, { endMs, deleted })) {
          startMs = chunk.maxTimeMs + 1;
          yield chunk;
        }
        return;
      } catch (error) {
        // The head may have been truncated since the chunks were listed.
        if (!(error instanceof ChunkFileGoneError) || look === MAX_LOOKS) throw error;
      }
    }
  }

  /**
   * A chunk over the border of two halves is given with the first.
   * @param whole what holds for the range as a whole
   */
  *#chunksBetween(part: SeriesPart, whole: WholeRange): Generator<EncodedChunk, undefined> {
    const chunks = this.#chunks;
    if (!chunks.take(part)) {
      const middleMs = middleOf(part);
      let nextMs = middleMs + 1;
      for (const chunk of this.#chunksBetween({ ...part, endMs: middleMs }, whole)) {
        nextMs = Math.max(nextMs, chunk.maxTimeMs + 1);
        yield chunk;
      }
      if (nextMs <= part.endMs) yield* this.#chunksBetween({ ...part, startMs: nextMs }, whole);
      return;
    }
    for (let i = 0; i < chunks.count; i++) {
      // Given before: the rest of the range begins inside it.
      if (chunks.minTimeMs(i) < part.startMs && part.startMs > this.#startMs) continue;
      const chunk = this.#chunk(part.ref, i, whole);
      if (chunk !== null) yield chunk;
    }
  }

  /** One of the chunks that were taken last, or what is wanted of it. */
  #chunk(ref: number, index: number, { endMs, deleted }: WholeRange): EncodedChunk | null {
    const minTimeMs = this.#chunks.minTimeMs(index);
    const maxTimeMs = this.#chunks.maxTimeMs(index);
    if (coversAll(deleted, Math.max(minTimeMs, this.#startMs), Math.min(maxTimeMs, endMs))) return null;
    const bytes = this.#copy(ref, index);
    const isWhole = minTimeMs >= this.#startMs && maxTimeMs <= endMs && !touches(deleted, minTimeMs, maxTimeMs);
    if (isWhole) return { encoding: ENCODING.XOR, minTimeMs, maxTimeMs, bytes };
    try {
      return this.#clipper.clip({ encoding: ENCODING.XOR, bytes }, this.#startMs, endMs, deleted);
    } catch (error) {
      if (error instanceof ChunkError) throw this.#chunks.corrupt(index, ref);
      throw error;
    }
  }

  /** The bytes of a chunk, out of shared memory. */
  #copy(ref: number, index: number): Uint8Array {
    const { address, length } = this.#chunks.place(index);
    if (length < 2) throw this.#chunks.corrupt(index, ref);
    if (this.#bytes.length < length) this.#bytes = new Uint8Array(length * 2);
    this.#bytes.set(this.#linear.u8.subarray(address, address + length));
    return this.#bytes.subarray(0, length);
  }
}

function* startingWith<T>(first: T, rest: Iterable<T>): Generator<T, undefined> {
  yield first;
  yield* rest;
}

/** Refs of the series that may have samples in [startMs, endMs]. */
function seriesBetween(linear: LinearMemory, startMs: number, endMs: number): Uint32Array {
  const highest = Atomics.load(linear.i32, (HEAD_ROOT + ROOT.HIGHEST_REF) >>> 2);
  linear.refresh();
  const refs = new Uint32Array(highest);
  let kept = 0;
  for (let ref = 1; ref <= highest; ref++) if (mayHaveSamples(linear, ref, startMs, endMs)) refs[kept++] = ref;
  return refs.slice(0, kept);
}
