/**
 * The head as what a block is written from: the series of a time range in order of labels, with their chunks.
 *
 * It runs in a reader's thread while the owner goes on appending. Which series there are is decided at once; each series' chunks are
 * copied when its turn comes. Order is made without strings: symbols are ranked by their bytes, label pairs by the ranks of name and
 * value, series by the ranks of their pairs. So it holds a few words for a series, pair or symbol, and the chunks of one series.
 */
import { ENCODING } from '../../core/chunk/chunk.ts';
import { ChunkError } from '../../core/chunk/chunk-error.ts';
import { ChunkClipper } from '../../core/chunk/clip-chunk.ts';
import { LABEL_SET, PAIR, RECORD, ROOT } from '../../core/kernels/head-layout.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { coversAll, touches, type Intervals } from '../../core/model/intervals.ts';
import type { Labels } from '../../core/model/labels.ts';
import type { ChunkSource, EncodedChunk, SourceSeries } from '../../core/storage/chunk-source.ts';
import { entryAddress, HEAD_ROOT } from './head-memory.ts';
import { symbolAddress, symbolText } from './head-symbols.ts';
import { multikeySort } from './multikey-sort.ts';
import { ChunkFileGoneError, middleOf, SeriesChunks, type HeadView, type SeriesPart } from './series-chunks.ts';
import { deletedIntervals } from './series-extra.ts';
import { mayHaveSamples, Visibility } from './visibility.ts';

/** Strings that are kept decoded while series are given out; neighbours share most of theirs. */
const MAX_KEPT_STRINGS = 16_384;
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
  /** Those that the series use, sorted by their bytes. */
  readonly #symbols: Uint32Array;
  /** Sorted by labels. */
  readonly #refs: Uint32Array;
  readonly #strings = new Map<number, string>();
  readonly #clipper = new ChunkClipper();
  readonly #visibility: Visibility;
  #bytes = new Uint8Array(4096);

  constructor(view: HeadView, { minTimeMs, maxTimeMs }: SourceRange) {
    this.#linear = view.linear;
    this.#chunks = new SeriesChunks(view);
    this.#startMs = minTimeMs;
    this.#endMs = maxTimeMs - 1;
    this.#visibility = new Visibility(view.linear);
    this.#refs = seriesBetween(view.linear, minTimeMs, maxTimeMs - 1);
    this.#symbols = sortSeries(view.linear, this.#refs);
  }

  *symbols(): Iterable<string> {
    for (const symbol of this.#symbols) yield symbolText(this.#linear, symbol);
  }

  *series(): Iterable<SourceSeries> {
    for (const ref of this.#refs) {
      const chunks = this.#chunksOf(ref);
      // A series may have all its samples around the range and none inside: the first chunk tells.
      const first = chunks.next();
      if (first.done === true) continue;
      yield { labels: this.#labels(ref), chunks: startingWith(first.value, chunks) };
    }
  }

  #labels(ref: number): Labels {
    const { u32 } = this.#linear;
    const at = labelSetAddress(this.#linear, ref);
    const count = u32[(at + LABEL_SET.COUNT) >>> 2]!;
    const labels: string[] = Array.from({ length: count * 2 });
    for (let i = 0; i < count; i++) {
      const pair = entryAddress(this.#linear, ROOT.PAIR_DIRECTORY, u32[((at + LABEL_SET.PAIRS) >>> 2) + i]!, PAIR.BYTES);
      labels[2 * i] = this.#string(u32[(pair + PAIR.NAME) >>> 2]!);
      labels[2 * i + 1] = this.#string(u32[(pair + PAIR.VALUE) >>> 2]!);
    }
    return labels;
  }

  #string(symbol: number): string {
    const known = this.#strings.get(symbol);
    if (known !== undefined) return known;
    if (this.#strings.size === MAX_KEPT_STRINGS) this.#strings.clear();
    const text = symbolText(this.#linear, symbol);
    this.#strings.set(symbol, text);
    return text;
  }

  *#chunksOf(ref: number): Generator<EncodedChunk, undefined> {
    let startMs = this.#startMs;
    const endMs = Math.min(this.#endMs, this.#visibility.endOf(ref));
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

function labelSetAddress(linear: LinearMemory, ref: number): number {
  return linear.u32[(entryAddress(linear, ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES) + RECORD.LABELS) >>> 2]!;
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

/** Sorts series by their labels. @returns the symbols that occur in them, sorted by their bytes */
function sortSeries(linear: LinearMemory, refs: Uint32Array): Uint32Array {
  const { u32, u8 } = linear;
  const pairs = usedPairs(linear, refs);
  const symbols = usedSymbols(linear, pairs);
  multikeySort(symbols, (symbol, depth) => {
    const address = symbolAddress(linear, symbol);
    return depth < u32[address >>> 2]! ? u8[address + 4 + depth]! + 1 : 0;
  });
  const symbolRanks = ranksOf(symbols);
  multikeySort(pairs, (pair, depth) => {
    if (depth > 1) return 0;
    return symbolRanks[u32[(entryAddress(linear, ROOT.PAIR_DIRECTORY, pair, PAIR.BYTES) + (depth === 0 ? PAIR.NAME : PAIR.VALUE)) >>> 2]!]!;
  });
  const pairRanks = ranksOf(pairs);
  multikeySort(refs, (ref, depth) => {
    const at = labelSetAddress(linear, ref);
    return depth < u32[(at + LABEL_SET.COUNT) >>> 2]! ? pairRanks[u32[((at + LABEL_SET.PAIRS) >>> 2) + depth]!]! : 0;
  });
  return symbols;
}

function usedPairs(linear: LinearMemory, refs: Uint32Array): Uint32Array {
  const { u32 } = linear;
  const used = new Uint8Array(u32[(HEAD_ROOT + ROOT.PAIRS) >>> 2]! + 1);
  for (const ref of refs) {
    const at = labelSetAddress(linear, ref);
    const from = (at + LABEL_SET.PAIRS) >>> 2;
    const end = from + u32[(at + LABEL_SET.COUNT) >>> 2]!;
    for (let i = from; i < end; i++) used[u32[i]!] = 1;
  }
  return marked(used);
}

function usedSymbols(linear: LinearMemory, pairs: Uint32Array): Uint32Array {
  const { u32 } = linear;
  const used = new Uint8Array(u32[(HEAD_ROOT + ROOT.SYMBOLS) >>> 2]! + 1);
  for (const pair of pairs) {
    const at = entryAddress(linear, ROOT.PAIR_DIRECTORY, pair, PAIR.BYTES);
    used[u32[(at + PAIR.NAME) >>> 2]!] = 1;
    used[u32[(at + PAIR.VALUE) >>> 2]!] = 1;
  }
  return marked(used);
}

/** Indexes of the entries that are set. */
function marked(used: Uint8Array): Uint32Array {
  let count = 0;
  for (const each of used) count += each;
  const indexes = new Uint32Array(count);
  for (let i = 0, kept = 0; i < used.length; i++) if (used[i] === 1) indexes[kept++] = i;
  return indexes;
}

/** By id: its place in the order, from 1. */
function ranksOf(sorted: Uint32Array): Uint32Array {
  const ranks = new Uint32Array(sorted.reduce((most, id) => Math.max(most, id), 0) + 1);
  for (const [i, id] of sorted.entries()) ranks[id] = i + 1;
  return ranks;
}
