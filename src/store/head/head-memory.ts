/**
 * The head's linear memory as its owner sees it: root, directories of slabs, and an arena for small things.
 *
 * The layout is drawn in core/kernels/head-layout.ts. Nothing is ever moved, so an address stays good for the life of the head.
 */
import { BLOCK_BYTES, HEAD_MAGIC, META, ROOT, SLAB_ENTRIES, SLAB_SHIFT } from '../../core/kernels/head-layout.ts';
import { KERNEL_RESERVED_BYTES } from '../../core/kernels/kernels.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { assert } from '../../core/base/assert.ts';

/** The root is the first thing allocated, so every thread knows where it is. */
export const HEAD_ROOT = KERNEL_RESERVED_BYTES;

const DIRECTORY_ENTRIES = 16_384;
/** Most series, symbols or label pairs that one head can hold. */
export const MAX_ENTRIES = DIRECTORY_ENTRIES * SLAB_ENTRIES;
const ARENA_BYTES = 256 * 1024;
const LEAST_POOL_BYTES = 256 * 1024;

export type DirectoryField = typeof ROOT.RECORD_DIRECTORY | typeof ROOT.SYMBOL_DIRECTORY | typeof ROOT.PAIR_DIRECTORY;

/** Address of entry `index` of a directory whose entries have `entryBytes`. */
export function entryAddress(memory: LinearMemory, field: DirectoryField, index: number, entryBytes: number): number {
  const directory = memory.u32[(HEAD_ROOT + field) >>> 2]!;
  return memory.u32[(directory >>> 2) + (index >>> SLAB_SHIFT)]! + (index & (SLAB_ENTRIES - 1)) * entryBytes;
}

export class HeadMemory {
  readonly linear: LinearMemory;
  #arenaAt = 0;
  #arenaEnd = 0;

  /** Lays out an empty head in a fresh memory. */
  constructor(linear: LinearMemory) {
    this.linear = linear;
    const root = linear.allocate(ROOT.BYTES);
    assert(root === HEAD_ROOT, 'the head root is the first allocation');
    for (const field of [ROOT.RECORD_DIRECTORY, ROOT.SYMBOL_DIRECTORY, ROOT.PAIR_DIRECTORY]) {
      this.set(field, linear.allocate(DIRECTORY_ENTRIES * 4));
    }
    linear.f64[(HEAD_ROOT + ROOT.MIN_TIME) >>> 3] = Number.POSITIVE_INFINITY;
    linear.f64[(HEAD_ROOT + ROOT.MAX_TIME) >>> 3] = Number.NEGATIVE_INFINITY;
    this.set(ROOT.MAGIC, HEAD_MAGIC);
  }

  get(field: number): number {
    return this.linear.u32[(HEAD_ROOT + field) >>> 2]!;
  }

  set(field: number, value: number): void {
    this.linear.u32[(HEAD_ROOT + field) >>> 2] = value;
  }

  /** Stores a count that other threads go by: everything written before is visible to whoever reads it. */
  publish(field: number, value: number): void {
    Atomics.store(this.linear.i32, (HEAD_ROOT + field) >>> 2, value);
  }

  /** Address of entry `index`, making its slab if it is the first there. Entries are zeroed. */
  makeEntry(field: DirectoryField, index: number, entryBytes: number): number {
    assert(index < MAX_ENTRIES, 'the head directory has room');
    if ((index & (SLAB_ENTRIES - 1)) === 0) {
      const slab = this.linear.allocate(SLAB_ENTRIES * entryBytes);
      this.linear.u32[(this.get(field) >>> 2) + (index >>> SLAB_SHIFT)] = slab;
    } else if (index === 1) {
      // Numbering starts at 1: entry 0 of the first slab stays unused.
      const directory = this.get(field) >>> 2;
      if (this.linear.u32[directory] === 0) this.linear.u32[directory] = this.linear.allocate(SLAB_ENTRIES * entryBytes);
    }
    return entryAddress(this.linear, field, index, entryBytes);
  }

  /** Small zeroed allocation, aligned to `align` (4 or 8), never freed. */
  allocateSmall(bytes: number, align: 4 | 8 = 4): number {
    if (bytes > ARENA_BYTES / 8) return this.linear.allocate(bytes);
    let at = Math.ceil(this.#arenaAt / align) * align;
    if (at + bytes > this.#arenaEnd) {
      at = this.linear.allocate(ARENA_BYTES);
      this.#arenaEnd = at + ARENA_BYTES;
    }
    this.#arenaAt = at + bytes;
    return at;
  }

  /** Makes sure that the next `sampleCount` appends find a block and a closed chunk each without asking. */
  reserveForAppend(sampleCount: number): void {
    this.#reserve(ROOT.BLOCK_FREE, ROOT.BLOCK_NEXT, ROOT.BLOCK_END, sampleCount * 2 * BLOCK_BYTES, BLOCK_BYTES);
    this.#reserve(ROOT.META_FREE, ROOT.META_NEXT, ROOT.META_END, sampleCount * META.BYTES, META.BYTES);
  }

  /** One closed-chunk entry for the owner itself. */
  takeMeta(): number {
    this.#reserve(ROOT.META_FREE, ROOT.META_NEXT, ROOT.META_END, META.BYTES, META.BYTES);
    const at = this.get(ROOT.META_NEXT);
    this.set(ROOT.META_NEXT, at + META.BYTES);
    return at;
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
