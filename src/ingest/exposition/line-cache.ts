/**
 * The memory of a scrape cache: entries, the bytes they stand for, and the hash table over them, laid out as the
 * exposition kernel reads them (core/kernels/exposition-kernel.ts).
 */
import { assert } from '../../core/base/assert.ts';
import {
  CACHE,
  CACHE_BYTES,
  ENTRY,
  ENTRY_BYTES,
  FLAG,
  LENGTH_MASK,
  type ExpositionKernel,
} from '../../core/kernels/exposition-kernel.ts';
import { MemoryLimitError, type LinearMemory } from '../../core/kernels/linear-memory.ts';
import { blockBytes, type MemoryPool } from '../../core/kernels/memory-pool.ts';

const ENTRY_WORDS = ENTRY_BYTES / 4;
/** Readable bytes that the kernel wants behind an entry's bytes. */
const SLAB_PADDING_BYTES = 16;
const SMALLEST_SLAB_BYTES = 1024;
const LARGEST_SLAB_BYTES = 64 * 1024;
const SMALLEST_CAPACITY = 16;
/** Of four slots three are filled at most. */
const SLOTS_PER_ENTRY = 4 / 3;
const NEWLINE = 0x0a;

interface Slab {
  readonly address: number;
  readonly bytes: number;
  used: number;
}

/** A state to go back to. */
export interface CacheMark {
  readonly entryCount: number;
  readonly slabCount: number;
  readonly slabUsed: number;
}

export class LineCache {
  readonly #memory: LinearMemory;
  readonly #pool: MemoryPool;
  readonly #kernel: ExpositionKernel;
  /** Address of the kernel's cache words. */
  readonly address: number;
  #slabs: Slab[] = [];
  #capacity = 0;

  constructor(memory: LinearMemory, pool: MemoryPool, kernel: ExpositionKernel) {
    this.#memory = memory;
    this.#pool = pool;
    this.#kernel = kernel;
    this.address = pool.take(CACHE_BYTES);
    memory.u32.fill(0, this.address >>> 2, (this.address + CACHE_BYTES) >>> 2);
  }

  get entryCount(): number {
    return this.#header(CACHE.entryCount);
  }

  get deadCount(): number {
    return this.#header(CACHE.deadCount);
  }

  /** Whether `compact` would pay: most entries are dead, or far fewer came than there is room for. */
  get isWasteful(): boolean {
    return 2 * this.deadCount > this.entryCount || this.#capacity > 2 * (this.entryCount + SMALLEST_CAPACITY);
  }

  /** Linear memory held. */
  get bytes(): number {
    let bytes = blockBytes(CACHE_BYTES);
    for (const slab of this.#slabs) bytes += slab.bytes;
    if (this.#capacity > 0) bytes += blockBytes(this.#capacity * ENTRY_BYTES) + blockBytes(this.#header(CACHE.slots) * 4);
    return bytes;
  }

  word(index: number, word: number): number {
    return this.#memory.u32[(this.#header(CACHE.entries) >>> 2) + index * ENTRY_WORDS + word]!;
  }

  setWord(index: number, word: number, value: number): void {
    this.#memory.u32[(this.#header(CACHE.entries) >>> 2) + index * ENTRY_WORDS + word] = value;
  }

  flags(index: number): number {
    return this.word(index, ENTRY.lengthAndFlags);
  }

  changeFlags(index: number, set: number, clear: number): void {
    this.setWord(index, ENTRY.lengthAndFlags, (this.flags(index) | set) & ~clear);
  }

  /** The entry that a body begins with. */
  setFirst(index: number): void {
    this.#setHeader(CACHE.first, index);
  }

  /**
   * Copies the bytes at `at` into a new entry without ref.
   * @param expected how much more will come in this body, so that memory is taken to measure
   * @returns its index
   */
  add(at: number, length: number, flags: number, expected: { lines: number; bytes: number }): number {
    const index = this.entryCount;
    if (index === this.#capacity) {
      this.#grow(index + Math.max(SMALLEST_CAPACITY, index >>> 3, Math.min(index, expected.lines)));
    }
    const bytes = this.#store(at, length, flags, expected.bytes);
    this.#setHeader(CACHE.entryCount, index + 1);
    this.setWord(index, ENTRY.bytes, bytes);
    this.setWord(index, ENTRY.lengthAndFlags, length | flags);
    this.setWord(index, ENTRY.ref, 0);
    this.setWord(index, ENTRY.seen, 0);
    this.setWord(index, ENTRY.next, index + 1);
    this.#kernel.link(this.address, index);
    return index;
  }

  mark(): CacheMark {
    return { entryCount: this.entryCount, slabCount: this.#slabs.length, slabUsed: this.#slabs.at(-1)?.used ?? 0 };
  }

  /** Drops the entries added since `mark`. */
  rollback(mark: CacheMark): void {
    if (this.entryCount === mark.entryCount) return;
    this.#setHeader(CACHE.entryCount, mark.entryCount);
    for (const slab of this.#slabs.splice(mark.slabCount)) this.#pool.give(slab.address, slab.bytes);
    const last = this.#slabs.at(-1);
    if (last !== undefined) last.used = mark.slabUsed;
    this.#linkAll();
  }

  /**
   * Drops the dead entries and their bytes; without room to do so everything stays. Indexes change, the order of entries
   * does not.
   */
  compact(): void {
    const old = this.#takeOut();
    try {
      this.#copyAlive(old);
    } catch (error) {
      this.#giveBack(this.#takeOut());
      this.#putBack(old);
      if (!(error instanceof MemoryLimitError)) throw error;
      return;
    }
    this.#giveBack(old);
  }

  #copyAlive(old: Contents): void {
    const { u32 } = this.#memory;
    const words = old.entries >>> 2;
    // Where each entry goes; the last place is that of an entry behind the end.
    const places = new Uint32Array(old.entryCount + 1);
    let alive = 0;
    let bytes = 0;
    for (let i = 0; i < old.entryCount; i++) {
      places[i] = alive;
      const flags = u32[words + i * ENTRY_WORDS + ENTRY.lengthAndFlags]!;
      if ((flags & FLAG.dead) !== 0) continue;
      alive++;
      bytes += storedBytes(flags);
    }
    places[old.entryCount] = alive;
    if (alive > 0) this.#grow(alive + (alive >>> 4) + 1);
    for (let i = 0; i < old.entryCount; i++) {
      const entry = words + i * ENTRY_WORDS;
      const flags = u32[entry + ENTRY.lengthAndFlags]!;
      if ((flags & FLAG.dead) !== 0) continue;
      const index = this.add(u32[entry + ENTRY.bytes]!, flags & LENGTH_MASK, flags & ~LENGTH_MASK, { lines: 0, bytes });
      bytes -= storedBytes(flags);
      this.setWord(index, ENTRY.ref, u32[entry + ENTRY.ref]!);
      this.setWord(index, ENTRY.seen, u32[entry + ENTRY.seen]!);
      this.setWord(index, ENTRY.next, places[Math.min(u32[entry + ENTRY.next]!, old.entryCount)]!);
    }
    this.#setHeader(CACHE.first, places[Math.min(old.first, old.entryCount)]!);
  }

  /** Returns all memory to the pool. */
  close(): void {
    this.#giveBack(this.#takeOut());
    this.#pool.give(this.address, CACHE_BYTES);
  }

  #header(word: number): number {
    return this.#memory.u32[(this.address >>> 2) + word]!;
  }

  #setHeader(word: number, value: number): void {
    this.#memory.u32[(this.address >>> 2) + word] = value;
  }

  /** Copies an entry's bytes into a slab; comments get their newline back, so that they can be parsed again. */
  #store(at: number, length: number, flags: number, expectedBytes: number): number {
    const stored = storedBytes(length | flags);
    let slab = this.#slabs.at(-1);
    if (slab === undefined || slab.used + stored + SLAB_PADDING_BYTES > slab.bytes) {
      const wanted = Math.min(LARGEST_SLAB_BYTES, Math.max(SMALLEST_SLAB_BYTES, expectedBytes + SLAB_PADDING_BYTES));
      const bytes = blockBytes(Math.max(wanted, stored + SLAB_PADDING_BYTES));
      slab = { address: this.#pool.take(bytes), bytes, used: 0 };
      this.#slabs.push(slab);
    }
    const address = slab.address + slab.used;
    slab.used += stored;
    this.#memory.u8.copyWithin(address, at, at + length);
    if (stored > length) this.#memory.u8[address + length] = NEWLINE;
    return address;
  }

  /** Makes room for `capacity` entries, and a table to match. */
  #grow(capacity: number): void {
    const oldEntries = this.#header(CACHE.entries);
    const oldBytes = this.#capacity * ENTRY_BYTES;
    const fitting = Math.floor(blockBytes(capacity * ENTRY_BYTES) / ENTRY_BYTES);
    const slots = Math.ceil(fitting * SLOTS_PER_ENTRY) + 1;
    const [entries, table] = this.#pool.takeAll([fitting * ENTRY_BYTES, slots * 4]) as [number, number];
    if (oldBytes > 0) {
      this.#memory.u8.copyWithin(entries, oldEntries, oldEntries + oldBytes);
      this.#pool.give(oldEntries, oldBytes);
      this.#pool.give(this.#header(CACHE.table), this.#header(CACHE.slots) * 4);
    }
    this.#setHeader(CACHE.entries, entries);
    this.#setHeader(CACHE.table, table);
    this.#setHeader(CACHE.slots, slots);
    this.#capacity = fitting;
    this.#linkAll();
  }

  #linkAll(): void {
    const table = this.#header(CACHE.table) >>> 2;
    this.#memory.u32.fill(0, table, table + this.#header(CACHE.slots));
    const count = this.entryCount;
    for (let i = 0; i < count; i++) this.#kernel.link(this.address, i);
  }

  /** Empties the cache but gives nothing back yet. */
  #takeOut(): Contents {
    const contents: Contents = {
      entries: this.#header(CACHE.entries),
      entryCount: this.entryCount,
      capacity: this.#capacity,
      table: this.#header(CACHE.table),
      slots: this.#header(CACHE.slots),
      first: this.#header(CACHE.first),
      slabs: this.#slabs,
    };
    this.#memory.u32.fill(0, this.address >>> 2, (this.address + CACHE_BYTES) >>> 2);
    this.#slabs = [];
    this.#capacity = 0;
    return contents;
  }

  #putBack(contents: Contents): void {
    this.#setHeader(CACHE.entries, contents.entries);
    this.#setHeader(CACHE.entryCount, contents.entryCount);
    this.#setHeader(CACHE.table, contents.table);
    this.#setHeader(CACHE.slots, contents.slots);
    this.#setHeader(CACHE.first, contents.first);
    this.#slabs = contents.slabs;
    this.#capacity = contents.capacity;
  }

  #giveBack(contents: Contents): void {
    for (const slab of contents.slabs) this.#pool.give(slab.address, slab.bytes);
    if (contents.capacity === 0) return;
    this.#pool.give(contents.entries, contents.capacity * ENTRY_BYTES);
    this.#pool.give(contents.table, contents.slots * 4);
  }
}

interface Contents {
  readonly entries: number;
  readonly entryCount: number;
  readonly capacity: number;
  readonly table: number;
  readonly slots: number;
  readonly first: number;
  readonly slabs: Slab[];
}

function storedBytes(lengthAndFlags: number): number {
  const length = lengthAndFlags & LENGTH_MASK;
  assert(length > 0, 'an entry has bytes');
  return length + ((lengthAndFlags & FLAG.comment) === 0 ? 0 : 1);
}
