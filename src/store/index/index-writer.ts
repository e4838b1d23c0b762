/**
 * Writes an index: symbols first, then series in the order of their labels, and with `finish` the postings and tables.
 *
 * Series go to the file as they come. Which pairs each has is noted in passing, in typed arrays or a file beside; postings are then
 * made from the notes, a batch of lists at a time that fits in memory. What grows with the block and stays in memory are the symbols'
 * bytes, about 30 bytes a label pair, and 4 bytes a series.
 */
import { assert } from '../../core/base/assert.ts';
import { BinaryWriter } from '../../core/bytes/binary-writer.ts';
import { crc32c } from '../../core/bytes/crc32c.ts';
import { uvarintLength } from '../../core/bytes/varint.ts';
import type { Labels } from '../../core/model/labels.ts';
import { FileAppender } from './file-appender.ts';
import {
  INDEX_HEADER_BYTES, IndexLimitError, INDEX_MAGIC, INDEX_VERSION, MAX_INDEX_BYTES, MAX_SECTION_BYTES, MAX_SYMBOL_BYTES, POSTINGS_ALIGNMENT, SERIES_ALIGNMENT,
} from './index-format.ts';
import { PairLog } from './pair-log.ts';
import { PairTable } from './pair-table.ts';
import type { SeriesEntry } from './series-entry.ts';
import { SymbolIndex } from './symbol-index.ts';

/** Bytes of notes that are held in memory, and of lists that are made at once. */
export const POSTINGS_MEMORY_BYTES = 64 * 1024 * 1024;

export class IndexWriter {
  readonly #file: FileAppender;
  readonly #batchNumbers: number;
  readonly #symbols = new SymbolIndex();
  readonly #pairs = new PairTable();
  readonly #log: PairLog;
  readonly #body = new BinaryWriter();
  #refs = new Uint32Array(1024);
  #seriesCount = 0;
  #seriesAt = 0;
  #before = new Uint32Array(0);

  /** Begins the file, which must not be there yet. @throws FileWriteError */
  constructor(path: string, postingsMemoryBytes = POSTINGS_MEMORY_BYTES) {
    this.#file = new FileAppender(path);
    this.#batchNumbers = Math.floor(postingsMemoryBytes / 4);
    this.#log = new PairLog(`${path}.pairs`, postingsMemoryBytes);
    this.#file.out.u32(INDEX_MAGIC);
    this.#file.out.u8(INDEX_VERSION);
  }

  get seriesCount(): number {
    return this.#seriesCount;
  }

  /** Bytes of the file so far. */
  get byteLength(): number {
    return this.#file.position;
  }

  /** To be called once, first. @param symbols sorted in byte order, distinct @throws FileWriteError, IndexLimitError */
  addSymbols(symbols: Iterable<string>): void {
    assert(this.#seriesAt === 0, 'symbols come once, before all series');
    const table = this.#symbols;
    let length = 4;
    for (const symbol of symbols) {
      const before = table.byteLength;
      if (before > MAX_SECTION_BYTES - MAX_SYMBOL_BYTES) throw new IndexLimitError(`the labels of a block take more than ${MAX_SECTION_BYTES} bytes`);
      table.add(symbol);
      const bytes = table.byteLength - before;
      length += uvarintLength(bytes) + bytes;
      if (length > MAX_SECTION_BYTES) throw new IndexLimitError(`the labels of a block take more than ${MAX_SECTION_BYTES} bytes`);
    }
    const section = new ChecksummedSection(this.#file, length);
    section.out.u32(table.count);
    for (let symbol = 0; symbol < table.count; symbol++) {
      const bytes = table.bytesOf(symbol);
      section.out.uvarint(bytes.length);
      section.out.bytes(bytes);
      section.spill();
    }
    section.finish();
    this.#seriesAt = this.#file.position;
  }

  /**
   * Adds the series behind those before.
   * @param chunks as `addChunk` filled it, in order of time; its labels are overwritten
   * @returns the number by which postings call it
   * @throws FileWriteError, IndexLimitError
   */
  addSeries(labels: Labels, chunks: SeriesEntry): number {
    assert(this.#seriesAt > 0, 'symbols come before series');
    chunks.labelCount = 0;
    for (let i = 0; i < labels.length; i += 2) chunks.addLabel(this.#symbols.numberOf(labels[i]!), this.#symbols.numberOf(labels[i + 1]!));
    this.#checkOrder(chunks);
    this.#file.align(SERIES_ALIGNMENT);
    const { out, position } = this.#file;
    if (position >= MAX_INDEX_BYTES) throw new IndexLimitError(`the series of a block take more than ${MAX_INDEX_BYTES} bytes`);
    const ref = position / SERIES_ALIGNMENT;
    const body = this.#body;
    body.clear();
    chunks.encode(body);
    out.uvarint(body.length);
    out.bytes(body.written);
    out.u32(crc32c(body.written));
    this.#file.spill();
    this.#log.beginSeries(ref, chunks.labelCount);
    for (let i = 0; i < chunks.labelCount; i++) this.#log.addPair(this.#pairs.add(chunks.symbols[2 * i]!, chunks.symbols[2 * i + 1]!));
    if (this.#seriesCount === this.#refs.length) {
      const larger = new Uint32Array(this.#refs.length * 2);
      larger.set(this.#refs);
      this.#refs = larger;
    }
    this.#refs[this.#seriesCount++] = ref;
    return ref;
  }

  /** Writes postings and tables, and waits until the disk has the file. @throws FileWriteError, IndexLimitError */
  finish(): void {
    assert(this.#seriesAt > 0, 'an index has symbols');
    const seriesEnd = this.#file.position;
    const order = this.#pairs.inOrder();
    this.#file.align(POSTINGS_ALIGNMENT);
    const postings = this.#file.position;
    this.#writeList(this.#refs, 0, this.#seriesCount);
    /** Where the list of each pair is, in the order of lists. */
    const places = new Float64Array(order.length);
    for (let from = 0; from < order.length; ) from = this.#writeBatch(order, from, places);
    this.#log.close();
    const table = this.#file.position;
    this.#writeTable(order, postings, places);
    const toc = new BinaryWriter(64);
    for (const offset of [INDEX_HEADER_BYTES, this.#seriesAt, seriesEnd, table, postings, table]) toc.i64(offset);
    toc.u32(crc32c(toc.written));
    this.#file.out.bytes(toc.written);
    this.#file.finish();
  }

  /** Gives up; what is written of the file stays. */
  close(): void {
    this.#log.close();
    this.#file.close();
  }

  /** Symbols are numbered in byte order, so their numbers order as labels do. */
  #checkOrder({ symbols, labelCount }: SeriesEntry): void {
    const count = 2 * labelCount;
    const before = this.#before;
    let differs = 0;
    while (differs < Math.min(count, before.length) && symbols[differs] === before[differs]) differs++;
    const isBehind = differs < Math.min(count, before.length) ? symbols[differs]! > before[differs]! : count > before.length;
    assert(this.#seriesCount === 0 || isBehind, 'series come in the order of their labels, each once');
    for (let i = 2; i < count; i += 2) assert(symbols[i]! > symbols[i - 2]!, 'labels of a series are sorted by name');
    this.#before = symbols.slice(0, count);
  }

  /** Makes and writes the lists of pairs from `order[from]` on that fit in memory together. @returns the first that does not */
  #writeBatch(order: Uint32Array, from: number, places: Float64Array): number {
    let end = from;
    let numbers = 0;
    while (end < order.length && (end === from || numbers + this.#pairs.seriesOf(order[end]!) <= this.#batchNumbers)) {
      numbers += this.#pairs.seriesOf(order[end]!);
      end++;
    }
    const refs = new Uint32Array(numbers);
    /** Per pair: where its next ref goes, + 1; 0 where the pair is not in this batch. */
    const next = new Uint32Array(this.#pairs.count);
    for (let i = from, at = 1; i < end; i++) {
      next[order[i]!] = at;
      at += this.#pairs.seriesOf(order[i]!);
    }
    this.#log.forEachBlock((block) => distribute(block, next, refs));
    for (let i = from, at = 0; i < end; i++) {
      const count = this.#pairs.seriesOf(order[i]!);
      places[i] = this.#writeList(refs, at, at + count);
      at += count;
    }
    return end;
  }

  /** @returns where the list begins */
  #writeList(refs: Uint32Array, from: number, to: number): number {
    this.#file.align(POSTINGS_ALIGNMENT);
    const at = this.#file.position;
    const count = to - from;
    if (4 + 4 * count > MAX_SECTION_BYTES) throw new IndexLimitError(`a list of ${count} series is too long`);
    const section = new ChecksummedSection(this.#file, 4 + 4 * count);
    section.out.u32(count);
    for (let i = from; i < to; i++) {
      section.out.u32(refs[i]!);
      section.spill();
    }
    section.finish();
    return at;
  }

  #writeTable(order: Uint32Array, allSeriesAt: number, places: Float64Array): void {
    const symbols = this.#symbols;
    const none = new Uint8Array(0);
    const entryBytes = (name: Uint8Array, value: Uint8Array, place: number): number =>
      1 + uvarintLength(name.length) + name.length + uvarintLength(value.length) + value.length + uvarintLength(place);
    let length = 4 + entryBytes(none, none, allSeriesAt);
    for (const [i, pair] of order.entries()) {
      length += entryBytes(symbols.bytesOf(this.#pairs.nameOf(pair)), symbols.bytesOf(this.#pairs.valueOf(pair)), places[i]!);
    }
    if (length > MAX_SECTION_BYTES) throw new IndexLimitError(`the table of postings takes more than ${MAX_SECTION_BYTES} bytes`);
    const section = new ChecksummedSection(this.#file, length);
    const { out } = section;
    const put = (name: Uint8Array, value: Uint8Array, place: number): void => {
      out.uvarint(2);
      out.uvarint(name.length);
      out.bytes(name);
      out.uvarint(value.length);
      out.bytes(value);
      out.uvarint(place);
      section.spill();
    };
    out.u32(order.length + 1);
    put(none, none, allSeriesAt);
    for (const [i, pair] of order.entries()) put(symbols.bytesOf(this.#pairs.nameOf(pair)), symbols.bytesOf(this.#pairs.valueOf(pair)), places[i]!);
    section.finish();
  }
}

/** Puts the series of a block of notes into the lists of their pairs. */
function distribute(block: Uint32Array, next: Uint32Array, refs: Uint32Array): void {
  for (let at = 0; at < block.length; ) {
    const ref = block[at]!;
    const end = at + 2 + block[at + 1]!;
    for (at += 2; at < end; at++) {
      const place = next[block[at]!]!;
      if (place === 0) continue;
      refs[place - 1] = ref;
      next[block[at]!] = place + 1;
    }
  }
}

/** A section of known length in a file: the length before, the checksum behind. */
class ChecksummedSection {
  readonly out: BinaryWriter;
  readonly #file: FileAppender;
  readonly #end: number;
  /** Up to where in `out` the checksum goes. */
  #summed: number;
  #crc = 0;

  constructor(file: FileAppender, length: number) {
    this.#file = file;
    this.out = file.out;
    this.out.u32(length);
    this.#summed = this.out.length;
    this.#end = file.position + length;
  }

  /** To be called between fields: a full buffer goes to the file. */
  spill(): void {
    if (!this.#file.isFull) return;
    this.#sum();
    this.#file.spill();
    this.#summed = 0;
  }

  finish(): void {
    assert(this.#file.position === this.#end, 'a section has the length that stands before it');
    this.#sum();
    this.out.u32(this.#crc);
    this.#file.spill();
  }

  #sum(): void {
    this.#crc = crc32c(this.out.written, this.#summed, this.out.length, this.#crc);
    this.#summed = this.out.length;
  }
}
