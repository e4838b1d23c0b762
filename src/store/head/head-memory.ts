/**
 * The head's linear memory as its owner sees it: root, directories of slabs, and what small things are taken from.
 *
 * The layout is drawn in core/kernels/head-layout.ts. Nothing is ever moved, so an address stays good as long as what lies there lives.
 */
import { BLOCK_BYTES, HEAD_MAGIC, META, ROOT, SLAB_ENTRIES, SLAB_SHIFT } from '../../core/kernels/head-layout.ts';
import { KERNEL_RESERVED_BYTES } from '../../core/kernels/kernels.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { assert } from '../../core/base/assert.ts';
import { HeadArena } from './head-arena.ts';

/** The root is the first thing allocated, so every thread knows where it is. */
export const HEAD_ROOT = KERNEL_RESERVED_BYTES;

const DIRECTORY_ENTRIES = 16_384;
/** Most series, symbols or label pairs that one head can hold. */
export const MAX_ENTRIES = DIRECTORY_ENTRIES * SLAB_ENTRIES;
const LEAST_POOL_BYTES = 256 * 1024;

export type DirectoryField = typeof ROOT.RECORD_DIRECTORY | typeof ROOT.SYMBOL_DIRECTORY | typeof ROOT.PAIR_DIRECTORY;

/** Address of entry `index` of a directory whose entries have `entryBytes`. */
export function entryAddress(memory: LinearMemory, field: DirectoryField, index: number, entryBytes: number): number {
  const directory = memory.u32[(HEAD_ROOT + field) >>> 2]!;
  return memory.u32[(directory >>> 2) + (index >>> SLAB_SHIFT)]! + (index & (SLAB_ENTRIES - 1)) * entryBytes;
}

export class HeadMemory {
  readonly linear: LinearMemory;
  readonly arena: HeadArena;

  /** Lays out an empty head in a fresh memory. */
  constructor(linear: LinearMemory) {
    this.linear = linear;
    const root = linear.allocate(ROOT.BYTES);
    assert(root === HEAD_ROOT, 'the head root is the first allocation');
    this.arena = new HeadArena(linear);
    for (const field of [ROOT.RECORD_DIRECTORY, ROOT.SYMBOL_DIRECTORY, ROOT.PAIR_DIRECTORY]) {
      this.set(field, linear.allocate(DIRECTORY_ENTRIES * 4));
    }
    for (const field of [ROOT.MIN_TIME, ROOT.APPENDED_MIN_TIME, ROOT.OUT_OF_ORDER_MIN_TIME]) this.setTime(field, Number.POSITIVE_INFINITY);
    for (const field of [ROOT.MAX_TIME, ROOT.OUT_OF_ORDER_MAX_TIME]) this.setTime(field, Number.NEGATIVE_INFINITY);
    this.set(ROOT.TRANSACTION, 1);
    this.set(ROOT.MAGIC, HEAD_MAGIC);
  }

  get(field: number): number {
    return this.linear.u32[(HEAD_ROOT + field) >>> 2]!;
  }

  set(field: number, value: number): void {
    this.linear.u32[(HEAD_ROOT + field) >>> 2] = value;
  }

  time(field: number): number {
    return this.linear.f64[(HEAD_ROOT + field) >>> 3]!;
  }

  setTime(field: number, timeMs: number): void {
    this.linear.f64[(HEAD_ROOT + field) >>> 3] = timeMs;
  }

  /** Stores a word that other threads go by: everything written before is visible to whoever reads it. */
  publish(field: number, value: number): void {
    this.publishAt(HEAD_ROOT + field, value);
  }

  publishAt(address: number, value: number): void {
    Atomics.store(this.linear.i32, address >>> 2, value);
  }

  /** Readers drop what they remember by number. */
  nextGeneration(): void {
    Atomics.add(this.linear.i32, (HEAD_ROOT + ROOT.GENERATION) >>> 2, 1);
  }

  /** Address of entry `index`, making its slab if it is the first there. Entries of a new slab are zeroed. @throws MemoryLimitError */
  makeEntry(field: DirectoryField, index: number, entryBytes: number): number {
    assert(index < MAX_ENTRIES, 'the head directory has room');
    const slabAt = (this.get(field) >>> 2) + (index >>> SLAB_SHIFT);
    // Numbering starts at 1: entry 0 of the first slab stays unused.
    if (this.linear.u32[slabAt] === 0) {
      const slab = this.linear.allocate(SLAB_ENTRIES * entryBytes);
      this.linear.u32[slabAt] = slab;
    }
    return entryAddress(this.linear, field, index, entryBytes);
  }

  /** Makes sure that the next `sampleCount` appends find a block and a closed chunk each without asking. @throws MemoryLimitError */
  reserveForAppend(sampleCount: number): void {
    this.#reserve(ROOT.BLOCK_FREE, ROOT.BLOCK_NEXT, ROOT.BLOCK_END, sampleCount * 2 * BLOCK_BYTES, BLOCK_BYTES);
    this.#reserve(ROOT.META_FREE, ROOT.META_NEXT, ROOT.META_END, sampleCount * META.BYTES, META.BYTES);
  }

  /** One closed-chunk entry for the owner itself. @throws MemoryLimitError */
  takeMeta(): number {
    const free = this.get(ROOT.META_FREE);
    if (free !== 0) {
      this.set(ROOT.META_FREE, this.linear.u32[free >>> 2]!);
      return free;
    }
    this.#reserve(ROOT.META_FREE, ROOT.META_NEXT, ROOT.META_END, META.BYTES, META.BYTES);
    const at = this.get(ROOT.META_NEXT);
    this.set(ROOT.META_NEXT, at + META.BYTES);
    return at;
  }

  /** Readers that come upon it find their series' version changed. */
  giveMeta(meta: number): void {
    this.linear.u32[meta >>> 2] = this.get(ROOT.META_FREE);
    this.set(ROOT.META_FREE, meta);
  }

  #reserve(freeField: number, nextField: number, endField: number, bytes: number, entryBytes: number): void {
    const next = this.get(nextField);
    const end = this.get(endField);
    if (end - next >= bytes) return;
    const size = Math.max(bytes, LEAST_POOL_BYTES);
    const slab = this.linear.allocate(size);
    if (slab === end) {
      this.set(endField, end + size);
      return;
    }
    // What is left of the old region goes to the free list; it is less than one reservation.
    for (let at = next; at > 0 && at + entryBytes <= end; at += entryBytes) {
      this.linear.u32[at >>> 2] = this.get(freeField);
      this.set(freeField, at);
    }
    this.set(nextField, slab);
    this.set(endField, slab + Math.floor(size / entryBytes) * entryBytes);
  }
}
