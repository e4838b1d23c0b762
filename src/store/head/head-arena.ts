/**
 * Small pieces of the head's memory that come back: label sets, symbols, postings.
 *
 * Sizes are rounded up to eight bytes, and each size has a list of pieces that were given back; the list runs through the pieces
 * themselves. New series look like the old ones they follow, so their pieces fit. Pieces are never joined: what the arena holds is at most
 * the sum of what each size has needed at once.
 */
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { MemoryPool } from '../../core/kernels/memory-pool.ts';

const UNIT_BYTES = 8;
/** Larger pieces come from a pool with coarser sizes. */
const MAX_SMALL_BYTES = 1024;
const REGION_BYTES = 256 * 1024;

export class HeadArena {
  readonly #linear: LinearMemory;
  readonly #pool: MemoryPool;
  /** By size in units: the first piece that was given back. */
  readonly #free = new Uint32Array(MAX_SMALL_BYTES / UNIT_BYTES + 1);
  #at = 0;
  #end = 0;
  #freeBytes = 0;

  constructor(linear: LinearMemory) {
    this.#linear = linear;
    this.#pool = new MemoryPool(linear);
  }

  /** Bytes that were given back and wait. */
  get freeBytes(): number {
    return this.#freeBytes + this.#pool.freeBytes;
  }

  /** At least `bytes`, aligned to 8, content undefined. @throws MemoryLimitError */
  take(bytes: number): number {
    const units = Math.ceil(bytes / UNIT_BYTES);
    const size = units * UNIT_BYTES;
    if (size > MAX_SMALL_BYTES) return this.#pool.take(bytes);
    const free = this.#free[units]!;
    if (free !== 0) {
      this.#free[units] = this.#linear.u32[free >>> 2]!;
      this.#freeBytes -= size;
      return free;
    }
    if (this.#at + size > this.#end) this.#nextRegion();
    const at = this.#at;
    this.#at += size;
    return at;
  }

  /** Gives a piece back. @param bytes as it was taken */
  give(address: number, bytes: number): void {
    const units = Math.ceil(bytes / UNIT_BYTES);
    const size = units * UNIT_BYTES;
    if (size > MAX_SMALL_BYTES) {
      this.#pool.give(address, bytes);
      return;
    }
    this.#linear.u32[address >>> 2] = this.#free[units]!;
    this.#free[units] = address;
    this.#freeBytes += size;
  }

  #nextRegion(): void {
    const region = this.#linear.allocate(REGION_BYTES);
    // The rest of the old region is smaller than what was asked for.
    if (this.#at < this.#end) this.give(this.#at, this.#end - this.#at);
    this.#at = region;
    this.#end = region + REGION_BYTES;
  }
}
