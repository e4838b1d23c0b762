/**
 * From labels to series and back: symbols, label pairs, postings, written by the head's owner.
 *
 * A label set is a tuple of pair ids, four bytes a label. A pair knows its name, its value and the ascending refs of the series
 * that carry it. Everything here is only ever added to, and complete before the count or link that leads readers to it.
 */
import { NAME, PAIR, POSTINGS, RECORD, ROOT } from '../../core/kernels/head-layout.ts';
import type { Labels } from '../../core/model/labels.ts';
import { entryAddress, type HeadMemory } from './head-memory.ts';

/** Distinct label names that one head can hold. */
export const MAX_LABEL_NAMES = 65_536;
const FIRST_POSTINGS_CAPACITY = 6;
const MAX_POSTINGS_CAPACITY = 1022;
/** Symbols whose id is remembered by string, so that names and common values need no hashing of bytes. */
const MAX_REMEMBERED_SYMBOLS = 8192;

/** The head holds as many label names as it can. */
export class LabelNameLimitError extends Error {
  override readonly name = 'LabelNameLimitError';
}

/** Open addressing over numbers from 1; the caller hashes and compares. Load is at most a half. */
class NumberTable {
  slots = new Uint32Array(1024);
  #count = 0;

  /** Places `id` at the first free slot from `hash`; `hashOf` is asked when the table grows. */
  insert(hash: number, id: number, hashOf: (id: number) => number): void {
    if ((this.#count + 1) * 2 > this.slots.length) {
      const old = this.slots;
      this.slots = new Uint32Array(old.length * 2);
      for (const each of old) if (each !== 0) this.#place(hashOf(each), each);
    }
    this.#place(hash, id);
    this.#count++;
  }

  #place(hash: number, id: number): void {
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = id;
  }
}

export class LabelIndex {
  readonly #memory: HeadMemory;
  readonly #symbols = new NumberTable();
  readonly #pairs = new NumberTable();
  readonly #series = new NumberTable();
  readonly #remembered = new Map<string, number>();
  /** Name symbol → index in the table of names. */
  readonly #names = new Map<number, number>();
  readonly #encoder = new TextEncoder();
  #scratch = new Uint8Array(1024);
  #tuple = new Uint32Array(32);

  constructor(memory: HeadMemory) {
    this.#memory = memory;
    memory.set(ROOT.NAMES, memory.linear.allocate(MAX_LABEL_NAMES * NAME.BYTES));
  }

  get seriesCount(): number {
    return this.#memory.get(ROOT.SERIES);
  }

  /** The ref of the series with these labels, 0 if there is none yet. The labels' pairs exist afterwards. */
  find(labels: Labels): number {
    this.#fillTuple(labels);
    const count = labels.length >>> 1;
    const { slots } = this.#series;
    const mask = slots.length - 1;
    for (let slot = hashWords(this.#tuple, 0, count) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      if (this.#hasTuple(slots[slot]!, count)) return slots[slot]!;
    }
    return 0;
  }

  /** Adds a series; `find` with the same labels has just returned 0. @returns its ref */
  add(labels: Labels, walRef: number): number {
    const memory = this.#memory;
    const { linear } = memory;
    const count = labels.length >>> 1;
    const ref = this.seriesCount + 1;
    const record = memory.makeEntry(ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES);
    const address = memory.allocateSmall(4 + 4 * count);
    const { u32, f64 } = linear;
    u32[address >>> 2] = count;
    for (let i = 0; i < count; i++) u32[(address >>> 2) + 1 + i] = this.#tuple[i]!;
    u32[(record + RECORD.LABELS) >>> 2] = address;
    u32[(record + RECORD.WAL_REF) >>> 2] = walRef;
    f64[(record + RECORD.LAST_TIME) >>> 3] = Number.NEGATIVE_INFINITY;
    this.#series.insert(hashWords(this.#tuple, 0, count), ref, (each) => this.#hashOfSeries(each));
    for (let i = 0; i < count; i++) this.#addPosting(this.#tuple[i]!, ref);
    memory.publish(ROOT.SERIES, ref);
    return ref;
  }

  #fillTuple(labels: Labels): void {
    const count = labels.length >>> 1;
    if (this.#tuple.length < count) this.#tuple = new Uint32Array(count * 2);
    for (let i = 0; i < count; i++) this.#tuple[i] = this.#pair(this.#symbol(labels[2 * i]!), this.#symbol(labels[2 * i + 1]!));
  }

  #hasTuple(ref: number, count: number): boolean {
    const { u32 } = this.#memory.linear;
    const address = u32[(entryAddress(this.#memory.linear, ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES) + RECORD.LABELS) >>> 2]! >>> 2;
    if (u32[address] !== count) return false;
    for (let i = 0; i < count; i++) if (u32[address + 1 + i] !== this.#tuple[i]) return false;
    return true;
  }

  #hashOfSeries(ref: number): number {
    const { u32 } = this.#memory.linear;
    const address = u32[(entryAddress(this.#memory.linear, ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES) + RECORD.LABELS) >>> 2]! >>> 2;
    return hashWords(u32, address + 1, u32[address]!);
  }

  #symbol(text: string): number {
    const known = this.#remembered.get(text);
    if (known !== undefined) return known;
    if (this.#scratch.length < text.length * 3) this.#scratch = new Uint8Array(text.length * 3);
    const length = this.#encoder.encodeInto(text, this.#scratch).written;
    const hash = hashBytes(this.#scratch, 0, length);
    let id = this.#findSymbol(hash, length);
    if (id === 0) id = this.#addSymbol(hash, length);
    if (this.#remembered.size >= MAX_REMEMBERED_SYMBOLS) this.#remembered.clear();
    this.#remembered.set(text, id);
    return id;
  }

  #findSymbol(hash: number, length: number): number {
    const { linear } = this.#memory;
    const { slots } = this.#symbols;
    const mask = slots.length - 1;
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const address = linear.u32[entryAddress(linear, ROOT.SYMBOL_DIRECTORY, slots[slot]!, 4) >>> 2]!;
      if (linear.u32[address >>> 2] !== length) continue;
      let i = 0;
      while (i < length && linear.u8[address + 4 + i] === this.#scratch[i]) i++;
      if (i === length) return slots[slot]!;
    }
    return 0;
  }

  #addSymbol(hash: number, length: number): number {
    const { linear } = this.#memory;
    const id = this.#memory.get(ROOT.SYMBOLS) + 1;
    const entry = this.#memory.makeEntry(ROOT.SYMBOL_DIRECTORY, id, 4);
    const address = this.#memory.allocateSmall(4 + length);
    linear.u32[address >>> 2] = length;
    linear.u8.set(this.#scratch.subarray(0, length), address + 4);
    linear.u32[entry >>> 2] = address;
    this.#symbols.insert(hash, id, (each) => {
      const at = linear.u32[entryAddress(linear, ROOT.SYMBOL_DIRECTORY, each, 4) >>> 2]!;
      return hashBytes(linear.u8, at + 4, linear.u32[at >>> 2]!);
    });
    this.#memory.publish(ROOT.SYMBOLS, id);
    this.#memory.set(ROOT.LABEL_BYTES, this.#memory.get(ROOT.LABEL_BYTES) + length);
    return id;
  }

  #pair(name: number, value: number): number {
    const { linear } = this.#memory;
    const hash = hashPair(name, value);
    const { slots } = this.#pairs;
    const mask = slots.length - 1;
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const at = entryAddress(linear, ROOT.PAIR_DIRECTORY, slots[slot]!, PAIR.BYTES) >>> 2;
      if (linear.u32[at] === name && linear.u32[at + 1] === value) return slots[slot]!;
    }
    return this.#addPair(hash, name, value);
  }

  #addPair(hash: number, name: number, value: number): number {
    const memory = this.#memory;
    const id = memory.get(ROOT.PAIRS) + 1;
    const nameIndex = this.#nameIndex(name);
    const at = memory.makeEntry(ROOT.PAIR_DIRECTORY, id, PAIR.BYTES);
    const { u32, i32 } = memory.linear;
    const nameAt = memory.get(ROOT.NAMES) + nameIndex * NAME.BYTES;
    u32[(at + PAIR.NAME) >>> 2] = name;
    u32[(at + PAIR.VALUE) >>> 2] = value;
    u32[(at + PAIR.NEXT_OF_NAME) >>> 2] = u32[(nameAt + NAME.FIRST_PAIR) >>> 2]!;
    this.#pairs.insert(hash, id, (each) => {
      const entry = entryAddress(memory.linear, ROOT.PAIR_DIRECTORY, each, PAIR.BYTES) >>> 2;
      return hashPair(memory.linear.u32[entry]!, memory.linear.u32[entry + 1]!);
    });
    memory.publish(ROOT.PAIRS, id);
    Atomics.store(i32, (nameAt + NAME.FIRST_PAIR) >>> 2, id);
    Atomics.add(i32, (nameAt + NAME.PAIR_COUNT) >>> 2, 1);
    return id;
  }

  #nameIndex(symbol: number): number {
    const known = this.#names.get(symbol);
    if (known !== undefined) return known;
    const index = this.#names.size;
    if (index >= MAX_LABEL_NAMES) throw new LabelNameLimitError(`more than ${MAX_LABEL_NAMES} label names`);
    this.#names.set(symbol, index);
    const { u32 } = this.#memory.linear;
    u32[(this.#memory.get(ROOT.NAMES) + index * NAME.BYTES + NAME.SYMBOL) >>> 2] = symbol;
    this.#memory.publish(ROOT.NAME_COUNT, index + 1);
    return index;
  }

  /** Blocks of a list double in size, so that a list of n refs takes about log n blocks and at most twice the room. */
  #addPosting(pair: number, ref: number): void {
    const memory = this.#memory;
    const at = entryAddress(memory.linear, ROOT.PAIR_DIRECTORY, pair, PAIR.BYTES) >>> 2;
    let { u32 } = memory.linear;
    const count = u32[at + (PAIR.COUNT >>> 2)]!;
    if (count === 0) u32[at + (PAIR.FIRST_REF >>> 2)] = ref;
    else {
      let last = u32[at + (PAIR.LAST_BLOCK >>> 2)]!;
      const used = u32[at + (PAIR.USED >>> 2)]!;
      const capacity = last === 0 ? 0 : u32[(last + POSTINGS.CAPACITY) >>> 2]!;
      if (used === capacity) {
        const size = capacity === 0 ? FIRST_POSTINGS_CAPACITY : Math.min(capacity * 2 + 2, MAX_POSTINGS_CAPACITY);
        const block = memory.allocateSmall(POSTINGS.REFS + size * 4);
        u32 = memory.linear.u32;
        u32[(block + POSTINGS.CAPACITY) >>> 2] = size;
        u32[(block + POSTINGS.REFS) >>> 2] = ref;
        u32[(last === 0 ? at * 4 + PAIR.FIRST_BLOCK : last + POSTINGS.NEXT) >>> 2] = block;
        last = block;
        u32[at + (PAIR.LAST_BLOCK >>> 2)] = block;
        u32[at + (PAIR.USED >>> 2)] = 1;
      } else {
        u32[((last + POSTINGS.REFS) >>> 2) + used] = ref;
        u32[at + (PAIR.USED >>> 2)] = used + 1;
      }
    }
    Atomics.store(memory.linear.i32, at + (PAIR.COUNT >>> 2), count + 1);
  }
}

/** Murmur3's mixing over 32-bit words. */
function hashWords(words: Uint32Array, from: number, count: number): number {
  let hash = 0x9e3779b9 ^ count;
  for (let i = 0; i < count; i++) {
    hash = Math.imul(hash ^ words[from + i]!, 0x85ebca6b);
    hash = (hash << 13) | (hash >>> 19);
  }
  return finish(hash);
}

function hashBytes(bytes: Uint8Array, from: number, length: number): number {
  let hash = 0x811c9dc5 ^ length;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ bytes[from + i]!, 0x01000193);
  return finish(hash);
}

const hashPair = (name: number, value: number): number => finish(Math.imul(name, 0x9e3779b1) ^ Math.imul(value, 0x85ebca77));

function finish(hash: number): number {
  let h = hash;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
