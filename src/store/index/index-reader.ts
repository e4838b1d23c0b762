/**
 * An index that is open for reading. Opening reads its ends alone; the small tables that lookups need are made with the first one.
 */
import { CorruptError } from '../../core/base/errors.ts';
import { crc32c } from '../../core/bytes/crc32c.ts';
import { BytesError } from '../../core/bytes/cursor.ts';
import type { Labels } from '../../core/model/labels.ts';
import type { ByteSource } from './byte-source.ts';
import { ByteWindow } from './byte-window.ts';
import { CRC_BYTES, MAX_SERIES_BYTES, readIndexLayout, SERIES_ALIGNMENT, type IndexLayout } from './index-format.ts';
import { NO_POSTINGS, type Postings } from './postings.ts';
import { PostingsTable, scanPostingsTable, type PostingsPlaces } from './postings-table.ts';
import type { SeriesEntry } from './series-entry.ts';
import type { SymbolCache } from './symbol-cache.ts';
import { scanSymbols, SymbolTable, type SymbolPlaces } from './symbol-table.ts';

const MAX_LENGTH_BYTES = 5;
/** The shortest entry: length, two counts, checksum. */
const MIN_SERIES_BYTES = 1 + 2 + CRC_BYTES;

export interface IndexOptions {
  /** Strings of symbols, for all indexes of the thread. */
  readonly symbols: SymbolCache;
  /** Of the same file, if another thread has made them. */
  readonly tables?: IndexTables;
}

/** What is kept of an index in memory. It can be posted to other threads, which then need not make it again. */
export interface IndexTables {
  readonly symbols: SymbolPlaces;
  readonly postings: PostingsPlaces;
}

export class IndexReader {
  readonly #source: ByteSource;
  readonly #layout: IndexLayout;
  readonly #window: ByteWindow;
  readonly #cache: SymbolCache;
  #tables: IndexTables | null;
  #symbols: SymbolTable | null = null;
  #postings: PostingsTable | null = null;

  /** @throws CorruptError, FileReadError */
  constructor(source: ByteSource, { symbols, tables }: IndexOptions) {
    this.#source = source;
    this.#layout = readIndexLayout(source);
    this.#window = new ByteWindow(source);
    this.#cache = symbols;
    this.#tables = tables ?? null;
  }

  get file(): string {
    return this.#source.file;
  }

  get byteLength(): number {
    return this.#source.size;
  }

  get layout(): IndexLayout {
    return this.#layout;
  }

  /** Makes them if need be. @throws CorruptError */
  get tables(): IndexTables {
    this.#tables ??= { symbols: scanSymbols(this.#source, this.#layout), postings: scanPostingsTable(this.#source, this.#layout) };
    return this.#tables;
  }

  /** Every label name and value, sorted in byte order. */
  symbols(): Iterable<string> {
    return this.#symbolTable().all();
  }

  /** @param symbol as a SeriesEntry has it @throws CorruptError */
  symbol(symbol: number): string {
    return this.#symbolTable().text(symbol);
  }

  /** Sorted in byte order. @throws CorruptError */
  labelNames(): string[] {
    return this.#postingsTable().names;
  }

  /** Sorted in byte order. @throws CorruptError */
  labelValues(name: string): string[] {
    const values: string[] = [];
    this.forEachValue(name, (value) => values.push(value));
    return values;
  }

  labelValueCount(name: string): number {
    return this.#postingsTable().valueCount(name);
  }

  /** Gives each value of `name` in byte order, with the place of its postings. @throws CorruptError */
  forEachValue(name: string, visit: (value: string, postingsAt: number) => void): void {
    this.#postingsTable().forEachValue(name, visit);
  }

  /** The series that carry the pair; of ('', '') all. @throws CorruptError */
  postings(name: string, value: string): Postings {
    const at = this.#postingsTable().find(name, value);
    return at < 0 ? NO_POSTINGS : this.postingsAt(at);
  }

  /** The list at a place that `forEachValue` gave. @throws CorruptError */
  postingsAt(at: number): Postings {
    const count = this.postingsCountAt(at);
    const end = 8 + 4 * count;
    const bytes = Buffer.allocUnsafeSlow(end + CRC_BYTES);
    this.#source.read(at, bytes.length, bytes, 0);
    if (crc32c(bytes, 4, end) !== bytes.readUInt32BE(end)) throw this.#corrupt('a list of postings does not fit its checksum', at);
    const refs = new Uint32Array(bytes.buffer, 8, count);
    // Each number is read before its place is written.
    for (let i = 0, from = 8; i < count; i++, from += 4) {
      refs[i] = (bytes[from]! << 24) | (bytes[from + 1]! << 16) | (bytes[from + 2]! << 8) | bytes[from + 3]!;
    }
    return refs;
  }

  /** How long the list at a place is, by its header: the checksum is not looked at. @throws CorruptError */
  postingsCountAt(at: number): number {
    const { toc, seriesEnd } = this.#layout;
    const end = toc.postingsTable;
    if (at < toc.series || at + 8 + CRC_BYTES > end) throw this.#corrupt(`there can be no list of postings at ${at}`, toc.postingsTable);
    const from = this.#window.locate(at, 8);
    const length = this.#window.bytes.readUInt32BE(from);
    const count = this.#window.bytes.readUInt32BE(from + 4);
    if (length !== 4 + 4 * count || at + 4 + length + CRC_BYTES > end) throw this.#corrupt(`a list of ${count} postings has ${length} bytes`, at);
    if (count * MIN_SERIES_BYTES > seriesEnd - toc.series) throw this.#corrupt(`a list has ${count} postings, more than there are series`, at);
    return count;
  }

  /** Reads the entry of a series. @param ref from postings @throws CorruptError */
  series(ref: number, entry: SeriesEntry): void {
    const { version, toc, seriesEnd } = this.#layout;
    const offset = version === 1 ? ref : ref * SERIES_ALIGNMENT;
    if (offset < toc.series || offset >= seriesEnd) throw this.#corrupt(`there is no series ${ref}`, offset);
    const room = seriesEnd - offset;
    let from = this.#window.locate(offset, Math.min(MAX_LENGTH_BYTES, room));
    let bytes = this.#window.bytes;
    let length = bytes[from]! & 0x7f;
    let lengthBytes = 1;
    for (let scale = 128; bytes[from + lengthBytes - 1]! >= 0x80 && lengthBytes < Math.min(MAX_LENGTH_BYTES, room); scale *= 128) {
      length += (bytes[from + lengthBytes]! & 0x7f) * scale;
      lengthBytes++;
    }
    const total = lengthBytes + length + CRC_BYTES;
    if (length > MAX_SERIES_BYTES || total > room) throw this.#corrupt(`the entry of a series has ${length} bytes, more than there is room for`, offset);
    from = this.#window.locate(offset, total);
    bytes = this.#window.bytes;
    const bodyAt = from + lengthBytes;
    const bodyEnd = bodyAt + length;
    if (crc32c(bytes, bodyAt, bodyEnd) !== bytes.readUInt32BE(bodyEnd)) throw this.#corrupt('the entry of a series does not fit its checksum', offset);
    try {
      entry.decode(bytes, bodyAt, bodyEnd);
    } catch (error) {
      if (!(error instanceof BytesError)) throw error;
      throw new CorruptError(`the entry of a series is damaged: ${error.message}`, { file: this.file, offset, cause: error });
    }
  }

  /** The labels of an entry that was read here. @throws CorruptError */
  labels(entry: SeriesEntry): Labels {
    const table = this.#symbolTable();
    const { symbols } = entry;
    const count = 2 * entry.labelCount;
    const labels: string[] = [];
    for (let i = 0; i < count; i++) labels.push(table.text(symbols[i]!));
    return labels;
  }

  /** Gives the memory of reads back that the next call takes again; tables stay. */
  release(): void {
    this.#window.release();
    this.#symbols?.release();
    this.#postings?.release();
  }

  #symbolTable(): SymbolTable {
    this.#symbols ??= new SymbolTable(this.#source, this.#layout, this.tables.symbols, this.#cache);
    return this.#symbols;
  }

  #postingsTable(): PostingsTable {
    this.#postings ??= new PostingsTable(this.#source, this.#layout, this.tables.postings);
    return this.#postings;
  }

  #corrupt(what: string, offset: number): CorruptError {
    return new CorruptError(what, { file: this.file, offset });
  }
}
