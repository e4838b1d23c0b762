/**
 * The postings offset table of an index: where the list of each label pair is. In memory are the names, and of each name's values the
 * first and every 32nd; the others are read where they are needed.
 */
import { CorruptError } from '../../core/base/errors.ts';
import { compareStrings } from '../../core/model/labels.ts';
import type { ByteSource } from './byte-source.ts';
import { VALUE_STEP, TOC_BYTES, type IndexLayout } from './index-format.ts';
import { SectionScanner } from './section-scanner.ts';
import { decodeText } from './symbol-table.ts';
import { ByteWindow } from './byte-window.ts';

/** Strings of an entry: name and value. */
const KEYS_PER_ENTRY = 2;
const MAX_VARINT_BYTES = 10;

/** The table as far as it is kept in memory: made once, and the same memory serves all threads. */
export interface PostingsPlaces {
  /** Label names in byte order; the first is '', whose one value '' has the list of all series. */
  readonly names: readonly string[];
  /** Values of each name. */
  readonly valueCounts: Uint32Array;
  /** First kept entry of each name; one more at the end. */
  readonly firstKept: Uint32Array;
  /** First byte of each name's entries, behind the section's start; one more at the end. */
  readonly nameOffsets: Uint32Array;
  /** Of each kept entry: where it begins, behind the section's start. */
  readonly offsets: Uint32Array;
  /** Of each kept entry: where its value begins in `values`; one more at the end. */
  readonly valueStarts: Uint32Array;
  readonly values: Uint8Array;
  /** Version 1, whose table is not sorted: list offsets by name, then by value. */
  readonly unsorted: ReadonlyMap<string, ReadonlyMap<string, number>> | null;
}

/** Reads the table once and checks it. @throws CorruptError */
export function scanPostingsTable(source: ByteSource, layout: IndexLayout): PostingsPlaces {
  const scanner = new SectionScanner(source, layout.toc.postingsTable, source.size - TOC_BYTES);
  const count = scanner.u32();
  // An entry has a count, two lengths and an offset.
  if (count > scanner.byteLength / 4) throw scanner.corrupt(`a table of ${scanner.byteLength} bytes can't hold ${count} entries`);
  const places = layout.version === 1 ? scanUnsorted(scanner, count) : scanSorted(scanner, count, layout.toc.postingsTable);
  scanner.finish();
  return places;
}

function scanSorted(scanner: SectionScanner, count: number, sectionAt: number): PostingsPlaces {
  const names: string[] = [];
  const valueCounts: number[] = [];
  const firstKept: number[] = [];
  const nameOffsets: number[] = [];
  const offsets: number[] = [];
  const valueStarts: number[] = [];
  let values = Buffer.allocUnsafeSlow(1024);
  let used = 0;
  let name = Buffer.alloc(0);
  let ofName = 0;
  for (let i = 0; i < count; i++) {
    const entryAt = scanner.offset - sectionAt;
    const nameLength = beginEntry(scanner);
    scanner.need(nameLength);
    const nameEnd = scanner.at + nameLength;
    if (i === 0 || scanner.bytes.compare(name, 0, name.length, scanner.at, nameEnd) !== 0) {
      const text = decodeText(scanner.bytes, scanner.at, nameEnd);
      if (text === null) throw scanner.corrupt('a label name is not UTF-8');
      if (i > 0 && compareStrings(names[names.length - 1]!, text) >= 0) throw scanner.corrupt('the names of the postings offset table are out of order');
      name = Buffer.from(scanner.bytes.subarray(scanner.at, nameEnd));
      if (i > 0) valueCounts.push(ofName);
      ofName = 0;
      names.push(text);
      firstKept.push(offsets.length);
      nameOffsets.push(entryAt);
    }
    scanner.at = nameEnd;
    const valueLength = scanner.stringLength();
    if (ofName % VALUE_STEP === 0) {
      scanner.need(valueLength);
      if (used + valueLength > values.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(values.length * 2, used + valueLength));
        values.copy(larger, 0, 0, used);
        values = larger;
      }
      scanner.bytes.copy(values, used, scanner.at, scanner.at + valueLength);
      offsets.push(entryAt);
      valueStarts.push(used);
      used += valueLength;
    }
    scanner.skip(valueLength);
    scanner.uvarint();
    ofName++;
  }
  if (count > 0) valueCounts.push(ofName);
  firstKept.push(offsets.length);
  nameOffsets.push(scanner.offset - sectionAt);
  valueStarts.push(used);
  const kept = new Uint8Array(new SharedArrayBuffer(used));
  kept.set(values.subarray(0, used));
  return {
    names,
    valueCounts: sharedColumn(valueCounts),
    firstKept: sharedColumn(firstKept),
    nameOffsets: sharedColumn(nameOffsets),
    offsets: sharedColumn(offsets),
    valueStarts: sharedColumn(valueStarts),
    values: kept,
    unsorted: null,
  };
}

function scanUnsorted(scanner: SectionScanner, count: number): PostingsPlaces {
  const byName = new Map<string, Map<string, number>>();
  for (let i = 0; i < count; i++) {
    const name = takeText(scanner, beginEntry(scanner));
    const value = takeText(scanner, scanner.stringLength());
    const lists = byName.get(name) ?? new Map<string, number>();
    byName.set(name, lists);
    lists.set(value, scanner.uvarint());
  }
  const names = [...byName.keys()].sort(compareStrings);
  const none = new Uint32Array(0);
  return {
    names,
    valueCounts: Uint32Array.from(names, (name) => byName.get(name)!.size),
    firstKept: none,
    nameOffsets: none,
    offsets: none,
    valueStarts: none,
    values: new Uint8Array(0),
    unsorted: byName,
  };
}

function sharedColumn(numbers: readonly number[]): Uint32Array {
  const column = new Uint32Array(new SharedArrayBuffer(numbers.length * 4));
  column.set(numbers);
  return column;
}

/** Steps over the count of keys. @returns the length of the name */
function beginEntry(scanner: SectionScanner): number {
  const keys = scanner.uvarint();
  if (keys !== KEYS_PER_ENTRY) throw scanner.corrupt(`an entry of the postings offset table has ${keys} keys`);
  return scanner.stringLength();
}

function takeText(scanner: SectionScanner, length: number): string {
  scanner.need(length);
  const text = decodeText(scanner.bytes, scanner.at, scanner.at + length);
  if (text === null) throw scanner.corrupt('a label is not UTF-8');
  scanner.skip(length);
  return text;
}

export class PostingsTable {
  readonly #source: ByteSource;
  readonly #sectionAt: number;
  readonly #places: PostingsPlaces;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #window: ByteWindow;
  // The entry that was read last.
  #bytes: Buffer = Buffer.alloc(0);
  #valueAt = 0;
  #valueEnd = 0;
  #postingsAt = 0;

  constructor(source: ByteSource, layout: IndexLayout, places: PostingsPlaces) {
    this.#source = source;
    this.#sectionAt = layout.toc.postingsTable;
    this.#places = places;
    this.#numbers = new Map(places.names.map((name, i) => [name, i]));
    this.#window = new ByteWindow(source);
  }

  /** Without ''. */
  get names(): string[] {
    return this.#places.names.filter((name) => name !== '');
  }

  valueCount(name: string): number {
    const number = this.#numbers.get(name);
    return number === undefined ? 0 : this.#places.valueCounts[number]!;
  }

  /** The file offset of the list of a pair, or -1. @throws CorruptError */
  find(name: string, value: string): number {
    const { unsorted } = this.#places;
    if (unsorted !== null) return unsorted.get(name)?.get(value) ?? -1;
    const number = this.#numbers.get(name);
    if (number === undefined) return -1;
    const wanted = Buffer.from(value);
    const kept = this.#lastKeptNotAfter(number, wanted);
    if (kept < 0) return -1;
    let at = this.#places.offsets[kept]!;
    const end = this.#places.nameOffsets[number + 1]!;
    for (let i = 0; i < VALUE_STEP && at < end; i++) {
      at = this.#readEntry(at, end);
      const order = this.#bytes.compare(wanted, 0, wanted.length, this.#valueAt, this.#valueEnd);
      if (order === 0) return this.#postingsAt;
      if (order > 0) return -1;
    }
    return -1;
  }

  /** Gives each value of `name` in byte order, where the table is sorted. @throws CorruptError */
  forEachValue(name: string, visit: (value: string, postingsAt: number) => void): void {
    const { unsorted, nameOffsets } = this.#places;
    if (unsorted !== null) {
      const lists = [...(unsorted.get(name) ?? [])].sort(([a], [b]) => compareStrings(a, b));
      for (const [value, postingsAt] of lists) visit(value, postingsAt);
      return;
    }
    const number = this.#numbers.get(name);
    if (number === undefined) return;
    const end = nameOffsets[number + 1]!;
    for (let at = nameOffsets[number]!; at < end; ) {
      const entryAt = at;
      at = this.#readEntry(at, end);
      const value = decodeText(this.#bytes, this.#valueAt, this.#valueEnd);
      if (value === null) throw this.#corrupt('a label value is not UTF-8', entryAt);
      visit(value, this.#postingsAt);
    }
  }

  /** Gives memory back that the next call takes again. */
  release(): void {
    this.#window.release();
    this.#bytes = Buffer.alloc(0);
  }

  /** The last kept entry of a name whose value is not behind `wanted`, or -1. */
  #lastKeptNotAfter(number: number, wanted: Buffer): number {
    const { firstKept, valueStarts, values } = this.#places;
    let low = firstKept[number]!;
    let high = firstKept[number + 1]!;
    const first = low;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (wanted.compare(values, valueStarts[middle], valueStarts[middle + 1]) < 0) high = middle;
      else low = middle + 1;
    }
    return low > first ? low - 1 : -1;
  }

  /** Reads the entry at `at` behind the section's start. @returns where the next begins */
  #readEntry(at: number, end: number): number {
    const offset = this.#sectionAt + at;
    const room = end - at;
    // Mostly a window's worth is there; an entry that is longer says so while it is read.
    for (let length = Math.min(room, 256); ; length = Math.min(room, length * 16)) {
      const from = this.#window.locate(offset, length);
      const next = this.#parseEntry(this.#window.bytes, from, from + length);
      if (next >= 0) return at + next - from;
      if (length === room) throw this.#corrupt('an entry of the postings offset table is damaged', at);
    }
  }

  /** @returns where the entry in `bytes[from, to)` ends, or -1 where it does not */
  #parseEntry(bytes: Buffer, from: number, to: number): number {
    const nameAt = skipUvarint(bytes, from, to);
    if (nameAt < 0) return -1;
    const nameEnd = stringEnd(bytes, nameAt, to);
    if (nameEnd < 0) return -1;
    const valueEnd = stringEnd(bytes, nameEnd, to);
    if (valueEnd < 0) return -1;
    const end = skipUvarint(bytes, valueEnd, to);
    if (end < 0) return -1;
    this.#bytes = bytes;
    this.#valueAt = skipUvarint(bytes, nameEnd, to);
    this.#valueEnd = valueEnd;
    this.#postingsAt = uvarintAt(bytes, valueEnd);
    return end;
  }

  #corrupt(what: string, at: number): CorruptError {
    return new CorruptError(what, { file: this.#source.file, offset: this.#sectionAt + at });
  }
}

/** Where the uvarint at `at` ends, or -1. */
function skipUvarint(bytes: Uint8Array, at: number, to: number): number {
  for (let i = at; i < to && i < at + MAX_VARINT_BYTES; i++) if (bytes[i]! < 0x80) return i + 1;
  return -1;
}

/** Of one that is known to end. */
function uvarintAt(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at, scale = 1; ; i++, scale *= 128) {
    value += (bytes[i]! & 0x7f) * scale;
    if (bytes[i]! < 0x80) return value;
  }
}

/** Where the string at `at` ends, or -1. */
function stringEnd(bytes: Uint8Array, at: number, to: number): number {
  const textAt = skipUvarint(bytes, at, to);
  if (textAt < 0) return -1;
  const end = textAt + uvarintAt(bytes, at);
  return end <= to ? end : -1;
}
