/**
 * Reads all of a block and tells what does not fit: checksums, orders, references, postings against series, samples against the index,
 * counts against meta.json. Each fault is located; reading goes on behind it where that is possible.
 */
import { join } from 'node:path';
import { CorruptError } from '../../core/base/errors.ts';
import { chunkSampleCount, decodeChunk, ENCODING } from '../../core/chunk/chunk.ts';
import { ChunkError } from '../../core/chunk/chunk-error.ts';
import { compareStrings } from '../../core/model/labels.ts';
import { MixedSamples } from '../../core/model/mixed-samples.ts';
import { FileReadError, type OpenFiles } from '../index/byte-source.ts';
import { SERIES_ALIGNMENT } from '../index/index-format.ts';
import { PairTable } from '../index/pair-table.ts';
import type { Postings } from '../index/postings.ts';
import { SeriesEntry } from '../index/series-entry.ts';
import { SymbolCache } from '../index/symbol-cache.ts';
import { SymbolIndex } from '../index/symbol-index.ts';
import { Block } from './block.ts';
import { META_FILE } from './block-meta.ts';
import { TOMBSTONES_FILE } from './tombstones.ts';

export interface BlockFault {
  readonly file: string;
  readonly offset: number;
  readonly what: string;
}

export interface VerifyProgress {
  readonly seriesCount: number;
  /** Of `seriesCount`, when it is known. */
  readonly seriesTotal: number;
}

/** Series between two calls of `onProgress`. */
const PROGRESS_SERIES = 1000;

/**
 * Gives the faults of the block in `folder` as it finds them; none where all is well.
 *
 * @throws FileReadError where the operating system does not let it read
 */
export function* verifyBlock(folder: string, files: OpenFiles, onProgress?: (progress: VerifyProgress) => void): Generator<BlockFault, undefined> {
  let block: Block;
  try {
    block = Block.open(folder, { files, symbols: new SymbolCache() });
  } catch (error) {
    yield faultOf(error);
    return;
  }
  try {
    yield* new BlockVerifier(block, onProgress).run();
  } finally {
    block.close();
  }
}

function faultOf(error: unknown): BlockFault {
  if (error instanceof FileReadError && error.isMissing) return { file: error.file, offset: 0, what: 'it is missing' };
  if (!(error instanceof CorruptError)) throw error;
  return { file: error.file, offset: error.offset, what: error.message.replace(`${error.file}: offset ${error.offset}: `, '') };
}

class BlockVerifier {
  readonly #block: Block;
  readonly #onProgress: ((progress: VerifyProgress) => void) | undefined;
  readonly #entry = new SeriesEntry();
  readonly #samples = new MixedSamples();
  readonly #symbols = new SymbolIndex();
  /** Pairs of the series, with a sum over the numbers of those that carry each. */
  readonly #pairs = new PairTable();
  #pairSums = new Float64Array(1024);
  /** Symbols of the series before. */
  #before = new Uint32Array(0);
  #seriesCount = 0;
  #chunkCount = 0;
  #floatSampleCount = 0;
  #histogramSampleCount = 0;
  /** Counts say nothing where something could not be read. */
  #isComplete = true;

  constructor(block: Block, onProgress: ((progress: VerifyProgress) => void) | undefined) {
    this.#block = block;
    this.#onProgress = onProgress;
  }

  *run(): Generator<BlockFault, undefined> {
    const { index } = this.#block;
    let refs: Postings;
    try {
      this.#readSymbols();
      refs = index.postings('', '');
    } catch (error) {
      yield faultOf(error);
      return;
    }
    yield* this.#verifySeries(refs);
    if (this.#isComplete) yield* this.#verifyPostings();
    yield* this.#verifyTombstones(refs);
    if (this.#isComplete) yield* this.#verifyCounts();
    this.#onProgress?.({ seriesCount: refs.length, seriesTotal: refs.length });
  }

  #fault(offset: number, what: string): BlockFault {
    return { file: this.#block.index.file, offset, what };
  }

  #readSymbols(): void {
    const { index } = this.#block;
    const { toc } = index.layout;
    let before: string | null = null;
    for (const symbol of index.symbols()) {
      if (before !== null && compareStrings(before, symbol) >= 0) {
        throw new CorruptError(`symbol ${JSON.stringify(symbol)} is behind ${JSON.stringify(before)}`, { file: index.file, offset: toc.symbols });
      }
      before = symbol;
      this.#symbols.add(symbol);
    }
  }

  *#verifySeries(refs: Postings): Generator<BlockFault, undefined> {
    const { index } = this.#block;
    const { version, toc } = index.layout;
    const scale = version === 1 ? 1 : SERIES_ALIGNMENT;
    let refBefore = 0;
    for (const ref of refs) {
      if (this.#seriesCount % PROGRESS_SERIES === 0) this.#onProgress?.({ seriesCount: this.#seriesCount, seriesTotal: refs.length });
      this.#seriesCount++;
      if (ref <= refBefore) yield this.#fault(toc.postings, `the list of all series has ${ref} behind ${refBefore}`);
      refBefore = ref;
      try {
        index.series(ref, this.#entry);
      } catch (error) {
        this.#isComplete = false;
        yield faultOf(error);
        continue;
      }
      yield* this.#verifyLabels(ref, ref * scale);
      yield* this.#verifyChunks(ref * scale);
    }
  }

  *#verifyLabels(ref: number, offset: number): Generator<BlockFault, undefined> {
    const { index } = this.#block;
    const entry = this.#entry;
    const count = 2 * entry.labelCount;
    let numbers: Uint32Array<ArrayBuffer>;
    try {
      // In version 1 entries hold offsets; numbers order as texts do.
      const isNumbered = index.layout.version > 1;
      numbers = Uint32Array.from(entry.symbols.subarray(0, count), (symbol) => (isNumbered ? symbol : this.#symbols.find(index.symbol(symbol))));
    } catch (error) {
      this.#isComplete = false;
      yield faultOf(error);
      return;
    }
    for (let i = 0; i < count; i++) {
      if (numbers[i]! < this.#symbols.count) continue;
      this.#isComplete = false;
      yield this.#fault(offset, `a label is symbol ${numbers[i]!}, there are ${this.#symbols.count}`);
      return;
    }
    for (let i = 2; i < count; i += 2) if (numbers[i]! <= numbers[i - 2]!) yield this.#fault(offset, 'the labels of a series are out of order');
    if (this.#seriesCount > 1 && compareNumbers(this.#before, numbers) >= 0) yield this.#fault(offset, 'a series is out of order');
    this.#before = numbers;
    for (let i = 0; i < count; i += 2) this.#notePair(this.#pairs.add(numbers[i]!, numbers[i + 1]!), ref);
  }

  #notePair(pair: number, ref: number): void {
    if (pair >= this.#pairSums.length) {
      const larger = new Float64Array(this.#pairSums.length * 2);
      larger.set(this.#pairSums);
      this.#pairSums = larger;
    }
    this.#pairSums[pair] = this.#pairSums[pair]! + scatter(ref);
  }

  *#verifyChunks(offset: number): Generator<BlockFault, undefined> {
    const { meta, chunks } = this.#block;
    const entry = this.#entry;
    for (let i = 0; i < entry.chunkCount; i++) {
      const minTimeMs = entry.minTimes[i]!;
      const maxTimeMs = entry.maxTimes[i]!;
      const ref = entry.chunkRefs[i]!;
      this.#chunkCount++;
      if (minTimeMs < meta.minTimeMs || maxTimeMs >= meta.maxTimeMs) {
        yield this.#fault(offset, `chunk ${i} covers ${minTimeMs} to ${maxTimeMs}, the block ${meta.minTimeMs} to before ${meta.maxTimeMs}`);
      }
      if (i > 0 && minTimeMs <= entry.maxTimes[i - 1]!) yield this.#fault(offset, `chunk ${i} begins at ${minTimeMs}, the one before ends at ${entry.maxTimes[i - 1]!}`);
      if (i > 0 && ref <= entry.chunkRefs[i - 1]!) yield this.#fault(offset, `chunk ${i} stands before the one before`);
      try {
        this.#readChunk(ref, minTimeMs, maxTimeMs);
      } catch (error) {
        this.#isComplete = false;
        yield faultOf(error instanceof ChunkError ? new CorruptError(error.message, chunks.place(ref)) : error);
      }
    }
  }

  #readChunk(ref: number, minTimeMs: number, maxTimeMs: number): void {
    const { chunks } = this.#block;
    const samples = this.#samples;
    samples.clear();
    chunks.read(ref, 0);
    const { encoding, bytes, from, to } = chunks;
    const count = decodeChunk(encoding, bytes, from, to, samples);
    const counted = chunkSampleCount(bytes, from, to);
    if (count === 0) throw new CorruptError('a chunk has no samples', chunks.place(ref));
    if (count !== counted) throw new CorruptError(`a chunk counts ${counted} samples and has ${count}`, chunks.place(ref));
    if (samples.times[0] !== minTimeMs || samples.times[count - 1] !== maxTimeMs) {
      throw new CorruptError(`a chunk covers ${samples.times[0]!} to ${samples.times[count - 1]!}, its series says ${minTimeMs} to ${maxTimeMs}`, chunks.place(ref));
    }
    if (encoding === ENCODING.XOR || encoding === ENCODING.XOR2) this.#floatSampleCount += count;
    else this.#histogramSampleCount += count;
  }

  /** Every list has the series that carry the pair, and every pair a list. */
  *#verifyPostings(): Generator<BlockFault, undefined> {
    const { index } = this.#block;
    let listCount = 0;
    for (const name of index.labelNames()) {
      const nameSymbol = this.#symbols.find(name);
      const lists: { value: string; at: number }[] = [];
      try {
        index.forEachValue(name, (value, at) => lists.push({ value, at }));
      } catch (error) {
        yield faultOf(error);
        continue;
      }
      let before: string | null = null;
      for (const { value, at } of lists) {
        listCount++;
        if (before !== null && compareStrings(before, value) >= 0) yield this.#fault(index.layout.toc.postingsTable, `the values of ${name} are out of order`);
        before = value;
        const pair = this.#pairs.find(nameSymbol, this.#symbols.find(value));
        try {
          const refs = index.postingsAt(at);
          if (!isAscending(refs)) yield this.#fault(at, `the postings of ${name}=${JSON.stringify(value)} are out of order`);
          const isSame = pair < 0 ? refs.length === 0 : refs.length === this.#pairs.seriesOf(pair) && sumOf(refs) === this.#pairSums[pair]!;
          if (!isSame) yield this.#fault(at, `the postings of ${name}=${JSON.stringify(value)} are not the series that have it`);
        } catch (error) {
          yield faultOf(error);
        }
      }
    }
    if (listCount < this.#pairs.count) yield this.#fault(index.layout.toc.postingsTable, `${this.#pairs.count - listCount} label pairs have no postings`);
  }

  *#verifyTombstones(refs: Postings): Generator<BlockFault, undefined> {
    const { tombstones, folder } = this.#block;
    const known = new Set(tombstones.isEmpty ? [] : refs);
    for (const ref of tombstones.refs()) {
      if (!known.has(ref)) yield { file: join(folder, TOMBSTONES_FILE), offset: 0, what: `there is no series ${ref} to delete from` };
    }
  }

  *#verifyCounts(): Generator<BlockFault, undefined> {
    const { meta, tombstones, folder } = this.#block;
    const { stats } = meta;
    const sampleCount = this.#floatSampleCount + this.#histogramSampleCount;
    // Older versions do not count floats and histograms apart.
    const isSplit = stats.floatSampleCount + stats.histogramSampleCount > 0;
    const counts: [string, number, number][] = [
      ['numSeries', stats.seriesCount, this.#seriesCount],
      ['numChunks', stats.chunkCount, this.#chunkCount],
      ['numSamples', stats.sampleCount, sampleCount],
      ['numFloatSamples', isSplit ? stats.floatSampleCount : this.#floatSampleCount, this.#floatSampleCount],
      ['numHistogramSamples', isSplit ? stats.histogramSampleCount : this.#histogramSampleCount, this.#histogramSampleCount],
      ['numTombstones', stats.tombstoneCount, tombstones.count],
    ];
    for (const [name, stated, found] of counts) {
      if (stated !== found) yield { file: join(folder, META_FILE), offset: 0, what: `stats.${name} is ${stated}, the block has ${found}` };
    }
  }
}

function compareNumbers(a: Uint32Array, b: Uint32Array): number {
  const count = Math.min(a.length, b.length);
  for (let i = 0; i < count; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

function isAscending(refs: Postings): boolean {
  for (let i = 1; i < refs.length; i++) if (refs[i]! <= refs[i - 1]!) return false;
  return true;
}

/** Spreads a number over 32 bits, so that sums of different sets differ. Sums stay exact: 2^32 series × 2^21. */
function scatter(ref: number): number {
  let h = Math.imul(ref ^ (ref >>> 16), 0x45d9f3b);
  h = Math.imul(h ^ (h >>> 16), 0x45d9f3b);
  return ((h ^ (h >>> 16)) >>> 0) % 2 ** 21;
}

function sumOf(refs: Postings): number {
  let sum = 0;
  for (const ref of refs) sum += scatter(ref);
  return sum;
}
