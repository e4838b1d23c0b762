/**
 * Series refs by the bytes in which a sender writes the series' labels: whoever sends the same bytes again means the same series.
 *
 * Senders repeat their series in the same order, so each entry remembers which came after it, and most look-ups are one comparison
 * with that one. Else an open-addressing table finds the entry by hash; content is always compared. Entries live in two generations:
 * when the newer is full the older is dropped, so memory is bounded and series that are still sent stay.
 */
import { assert } from '../../core/base/assert.ts';

/** Key bytes in one generation; there are two. */
export const MAX_GENERATION_BYTES = 64 * 1024 * 1024;
/** Entries in one generation. */
export const MAX_GENERATION_ENTRIES = 1024 * 1024;
/** Slots looked at before a key counts as unknown: keys made to collide cost time, not more. */
export const MAX_PROBES = 64;

const FIRST_SLOTS = 1024;
const FIRST_ARENA_BYTES = 64 * 1024;

/** Entries are numbered from 1. */
class Generation {
  #slots = new Uint32Array(FIRST_SLOTS);
  #arena = new Uint8Array(FIRST_ARENA_BYTES);
  #arenaView = new DataView(this.#arena.buffer);
  #arenaUsed = 0;
  #hashes = new Int32Array(FIRST_SLOTS);
  #keyAt = new Uint32Array(FIRST_SLOTS);
  #keyLength = new Uint32Array(FIRST_SLOTS);
  #refs = new Uint32Array(FIRST_SLOTS);
  #next = new Uint32Array(FIRST_SLOTS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get keyBytes(): number {
    return this.#arenaUsed;
  }

  ref(entry: number): number {
    return this.#refs[entry]!;
  }

  next(entry: number): number {
    return this.#next[entry]!;
  }

  setNext(entry: number, next: number): void {
    this.#next[entry] = next;
  }

  keyLength(entry: number): number {
    return this.#keyLength[entry]!;
  }

  hasRoomFor(length: number): boolean {
    return this.#count < MAX_GENERATION_ENTRIES && this.#arenaUsed + length <= MAX_GENERATION_BYTES;
  }

  /**
   * Whether the bytes at `from` are the entry's key. The caller has checked that there are as many. V8 compares a DataView's big
   * integers as plain 64-bit words; 32-bit words made the whole decoder a quarter slower.
   */
  matches(entry: number, view: DataView, from: number): boolean {
    const length = this.#keyLength[entry]!;
    const arena = this.#arenaView;
    let a = this.#keyAt[entry]!;
    let b = from;
    const end = from + length;
    for (; b <= end - 8; a += 8, b += 8) if (arena.getBigInt64(a, true) !== view.getBigInt64(b, true)) return false;
    for (; b < end; a++, b++) if (arena.getUint8(a) !== view.getUint8(b)) return false;
    return true;
  }

  /** @returns the entry, or 0 */
  find(hash: number, view: DataView, from: number, length: number): number {
    const mask = this.#slots.length - 1;
    for (let i = 0, slot = hash & mask; i < MAX_PROBES; i++, slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]!;
      if (entry === 0) return 0;
      if (this.#hashes[entry] === hash && this.#keyLength[entry] === length && this.matches(entry, view, from)) return entry;
    }
    return 0;
  }

  /** @returns the entry, or 0 where too many keys collide with this one */
  add(hash: number, key: Uint8Array, ref: number): number {
    if ((this.#count + 1) * 2 > this.#slots.length) this.#growTable();
    const mask = this.#slots.length - 1;
    for (let i = 0, slot = hash & mask; i < MAX_PROBES; i++, slot = (slot + 1) & mask) {
      if (this.#slots[slot] !== 0) continue;
      const entry = ++this.#count;
      this.#slots[slot] = entry;
      this.#hashes[entry] = hash;
      this.#keyAt[entry] = this.#arenaUsed;
      this.#keyLength[entry] = key.length;
      this.#refs[entry] = ref;
      this.#next[entry] = 0;
      this.#keep(key);
      return entry;
    }
    return 0;
  }

  #keep(key: Uint8Array): void {
    if (this.#arenaUsed + key.length > this.#arena.length) {
      const larger = new Uint8Array(Math.max(this.#arenaUsed + key.length, Math.min(this.#arena.length * 2, MAX_GENERATION_BYTES)));
      larger.set(this.#arena.subarray(0, this.#arenaUsed));
      this.#arena = larger;
      this.#arenaView = new DataView(larger.buffer);
    }
    this.#arena.set(key, this.#arenaUsed);
    this.#arenaUsed += key.length;
  }

  #growTable(): void {
    const size = this.#slots.length * 2;
    const mask = size - 1;
    const slots = new Uint32Array(size);
    for (let entry = 1; entry <= this.#count; entry++) {
      let slot = this.#hashes[entry]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = entry;
    }
    this.#slots = slots;
    this.#hashes = larger(this.#hashes, new Int32Array(size));
    this.#keyAt = larger(this.#keyAt, new Uint32Array(size));
    this.#keyLength = larger(this.#keyLength, new Uint32Array(size));
    this.#refs = larger(this.#refs, new Uint32Array(size));
    this.#next = larger(this.#next, new Uint32Array(size));
  }
}

function larger<T extends Int32Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

export class SeriesCache {
  #newer = new Generation();
  #older = new Generation();
  /** The entry of the newer generation that was found last; what follows it is looked at first. */
  #last = 0;
  /** Mixed into hashes, so that senders can't choose keys that collide. */
  readonly #seed: number;

  constructor(seed = Math.floor(Math.random() * 2 ** 32)) {
    this.#seed = seed;
  }

  get entryCount(): number {
    return this.#newer.count + this.#older.count;
  }

  get keyBytes(): number {
    return this.#newer.keyBytes + this.#older.keyBytes;
  }

  /** Forgets everything: refs of series that are gone must not be found again. */
  clear(): void {
    this.#newer = new Generation();
    this.#older = new Generation();
    this.#last = 0;
  }

  /** Length of the key that is expected at this place, 0 where none is. */
  get expectedLength(): number {
    const next = this.#newer.next(this.#last);
    return next === 0 ? 0 : this.#newer.keyLength(next);
  }

  /** The ref of the expected key if the bytes at `from` are that, else 0. There must be `expectedLength` bytes, and more than 0. */
  takeExpected(view: DataView, from: number): number {
    const next = this.#newer.next(this.#last);
    if (!this.#newer.matches(next, view, from)) return 0;
    this.#last = next;
    return this.#newer.ref(next);
  }

  hash(view: DataView, from: number, length: number): number {
    let hash = this.#seed ^ length;
    let at = from;
    const end = from + length;
    for (; at <= end - 4; at += 4) {
      hash = Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    for (; at < end; at++) hash = Math.imul(hash ^ view.getUint8(at), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    return hash ^ (hash >>> 13);
  }

  /** @returns the ref, or 0 */
  find(hash: number, bytes: Uint8Array, view: DataView, from: number, length: number): number {
    let entry = this.#newer.find(hash, view, from, length);
    if (entry === 0) {
      const old = this.#older.find(hash, view, from, length);
      if (old === 0) return 0;
      const ref = this.#older.ref(old);
      this.add(hash, bytes.subarray(from, from + length), ref);
      return ref;
    }
    this.#newer.setNext(this.#last, entry);
    this.#last = entry;
    return this.#newer.ref(entry);
  }

  /** Remembers a key that was not found. @param ref not 0 */
  add(hash: number, key: Uint8Array, ref: number): void {
    assert(ref !== 0, 'a ref is not 0');
    if (key.length > MAX_GENERATION_BYTES) return;
    if (!this.#newer.hasRoomFor(key.length)) {
      this.#older = this.#newer;
      this.#newer = new Generation();
      this.#last = 0;
    }
    const entry = this.#newer.add(hash, key, ref);
    if (entry === 0) return;
    this.#newer.setNext(this.#last, entry);
    this.#last = entry;
  }
}
