/**
 * A block as a querier, in one thread.
 *
 * A select finds the series' numbers; labels and chunk places are read from the index when they are asked for, which costs less than
 * keeping them. Chunks of one series lie side by side, so they come with one read and are decoded from there.
 */
import { CorruptError } from '../../core/base/errors.ts';
import { decodeChunk } from '../../core/chunk/chunk.ts';
import { ChunkError } from '../../core/chunk/chunk-error.ts';
import { compareStrings, type Labels } from '../../core/model/labels.ts';
import { appendLeft, coversAll, touches, type Intervals } from '../../core/model/intervals.ts';
import { mergeSamples } from '../../core/model/merge-samples.ts';
import { MixedSamples } from '../../core/model/mixed-samples.ts';
import type { SampleBuffer } from '../../core/model/samples.ts';
import type { LabelRequest, Querier, SelectRequest, SeriesSet } from '../../core/storage/querier.ts';
import { intersects, NO_POSTINGS, type Postings } from '../index/postings.ts';
import { selectPostings } from '../index/select-postings.ts';
import { SeriesEntry } from '../index/series-entry.ts';
import type { Block } from './block.ts';

/** Bytes that are read for the last chunk of a series, whose length the index does not tell: full chunks are shorter. */
const LAST_CHUNK_BYTES = 1200;
/** Most bytes that are read at once for one series. */
const MAX_READ_BYTES = 1024 * 1024;
const TWO_32 = 4294967296;

/** Both ends are in. */
interface TimeRange {
  readonly startMs: number;
  readonly endMs: number;
}

export class BlockQuerier implements Querier {
  readonly #block: Block;
  readonly #entry = new SeriesEntry();
  readonly #decoded = new MixedSamples();
  readonly #merged = new MixedSamples();

  constructor(block: Block) {
    this.#block = block;
  }

  async select(request: SelectRequest): Promise<SeriesSet> {
    const range = { startMs: request.startMs, endMs: request.endMs };
    const refs = this.#selectRefs(request);
    return {
      seriesCount: refs.length,
      labels: (i) => this.#labels(refs[i]!),
      read: (i, out) => this.#read(refs[i]!, range, out),
      close: () => this.#block.release(),
    };
  }

  async labelNames(request: LabelRequest): Promise<string[]> {
    if (!this.#block.overlaps(request)) return [];
    const { index } = this.#block;
    if (request.matchers.length === 0) return index.labelNames();
    const symbols = new Set<number>();
    for (const ref of selectPostings(index, request.matchers)) {
      index.series(ref, this.#entry);
      for (let i = 0; i < this.#entry.labelCount; i++) symbols.add(this.#entry.symbols[2 * i]!);
    }
    return Array.from(symbols, (symbol) => index.symbol(symbol)).sort(compareStrings);
  }

  async labelValues(name: string, request: LabelRequest): Promise<string[]> {
    if (!this.#block.overlaps(request) || name === '') return [];
    const { index } = this.#block;
    if (request.matchers.length === 0) return index.labelValues(name);
    const refs = selectPostings(index, request.matchers);
    return refs.length <= index.labelValueCount(name) ? this.#valuesOf(name, refs) : this.#valuesAmong(name, refs);
  }

  async series(request: LabelRequest): Promise<Labels[]> {
    return Array.from(this.#selectRefs(request), (ref) => this.#labels(ref));
  }

  /** Few series: each is asked for its value. */
  #valuesOf(name: string, refs: Postings): string[] {
    const { index } = this.#block;
    const entry = this.#entry;
    const symbols = new Set<number>();
    for (const ref of refs) {
      index.series(ref, entry);
      for (let i = 0; i < entry.labelCount; i++) if (index.symbol(entry.symbols[2 * i]!) === name) symbols.add(entry.symbols[2 * i + 1]!);
    }
    return Array.from(symbols, (symbol) => index.symbol(symbol)).sort(compareStrings);
  }

  /** Few values: each is asked for its series. */
  #valuesAmong(name: string, refs: Postings): string[] {
    const { index } = this.#block;
    const found: { value: string; postingsAt: number }[] = [];
    index.forEachValue(name, (value, postingsAt) => found.push({ value, postingsAt }));
    return found.filter(({ postingsAt }) => intersects(index.postingsAt(postingsAt), refs)).map(({ value }) => value);
  }

  /** Series that match and have chunks in the range, in order of labels. */
  #selectRefs(request: LabelRequest): Postings {
    const { meta, index, tombstones } = this.#block;
    if (!this.#block.overlaps(request)) return NO_POSTINGS;
    const refs = selectPostings(index, request.matchers);
    const isWhole = request.startMs <= meta.minTimeMs && meta.maxTimeMs - 1 <= request.endMs;
    if (isWhole && tombstones.isEmpty) return refs;
    const kept = new Uint32Array(refs.length);
    let count = 0;
    for (const ref of refs) {
      index.series(ref, this.#entry);
      if (hasChunks(this.#entry, request, tombstones.of(ref))) kept[count++] = ref;
    }
    return kept.subarray(0, count);
  }

  #labels(ref: number): Labels {
    this.#block.index.series(ref, this.#entry);
    return this.#block.index.labels(this.#entry);
  }

  #read(ref: number, range: TimeRange, out: SampleBuffer): void {
    const entry = this.#entry;
    this.#block.index.series(ref, entry);
    const deleted = this.#block.tombstones.of(ref);
    if (hasOverlaps(entry)) {
      this.#readMerged(range, deleted, out);
      return;
    }
    const first = out.length;
    for (let i = 0; i < entry.chunkCount; i++) {
      const minTimeMs = entry.minTimes[i]!;
      const maxTimeMs = entry.maxTimes[i]!;
      if (!isWanted(minTimeMs, maxTimeMs, range, deleted)) continue;
      const at = out.length;
      if (minTimeMs >= range.startMs && maxTimeMs <= range.endMs && !touches(deleted, minTimeMs, maxTimeMs)) this.#decode(i, range, out);
      else {
        this.#decoded.clear();
        this.#decode(i, range, this.#decoded);
        appendLeft(out, this.#decoded, range, deleted);
      }
      if (at > first && at < out.length && out.times[at]! <= out.times[at - 1]!) {
        throw new CorruptError('the chunk begins before the one before it ends', this.#block.chunks.place(entry.chunkRefs[i]!));
      }
    }
  }

  /** Of chunks that overlap, samples come together in order of time; of two at one time the first chunk's stays. */
  #readMerged(range: TimeRange, deleted: Intervals, out: SampleBuffer): void {
    const entry = this.#entry;
    const merged = this.#merged;
    merged.clear();
    for (let i = 0; i < entry.chunkCount; i++) {
      if (!isWanted(entry.minTimes[i]!, entry.maxTimes[i]!, range, deleted)) continue;
      this.#decoded.clear();
      this.#decode(i, range, this.#decoded);
      mergeSamples(merged, this.#decoded);
    }
    appendLeft(out, merged, range, deleted);
  }

  /** Appends all samples of chunk `i` of the entry. */
  #decode(i: number, { endMs }: TimeRange, out: SampleBuffer): void {
    const { chunks } = this.#block;
    const ref = this.#entry.chunkRefs[i]!;
    chunks.read(ref, bytesToRead(this.#entry, i, endMs));
    try {
      decodeChunk(chunks.encoding, chunks.bytes, chunks.from, chunks.to, out);
    } catch (error) {
      if (error instanceof ChunkError) throw new CorruptError(error.message, { ...chunks.place(ref), cause: error });
      throw error;
    }
  }
}

/** From chunk `i` to the end of the last one that is wanted and lies in the same segment, not far away. */
function bytesToRead(entry: SeriesEntry, i: number, endMs: number): number {
  const from = entry.chunkRefs[i]!;
  const limit = Math.min(from + MAX_READ_BYTES, (Math.floor(from / TWO_32) + 1) * TWO_32);
  let end = from;
  for (let next = i + 1; next < entry.chunkCount && entry.minTimes[next]! <= endMs; next++) {
    const ref = entry.chunkRefs[next]!;
    if (ref < end || ref >= limit) break;
    end = ref;
  }
  return end - from + LAST_CHUNK_BYTES;
}

const isWanted = (minTimeMs: number, maxTimeMs: number, { startMs, endMs }: TimeRange, deleted: Intervals): boolean =>
  maxTimeMs >= startMs && minTimeMs <= endMs && !coversAll(deleted, Math.max(minTimeMs, startMs), Math.min(maxTimeMs, endMs));

function hasChunks(entry: SeriesEntry, range: TimeRange, deleted: Intervals): boolean {
  for (let i = 0; i < entry.chunkCount; i++) if (isWanted(entry.minTimes[i]!, entry.maxTimes[i]!, range, deleted)) return true;
  return false;
}

function hasOverlaps(entry: SeriesEntry): boolean {
  for (let i = 1; i < entry.chunkCount; i++) if (entry.minTimes[i]! <= entry.maxTimes[i - 1]!) return true;
  return false;
}
