/**
 * Memory that comes back: size classes over a linear memory, which itself never frees.
 *
 * A block's class is its size rounded up to a quarter step between powers of two, so at most a fifth is lost. A block
 * that is given back waits in its class's list; when a class is empty the smallest larger waiting block is split.
 * Blocks are never joined again.
 */
import { assert } from '../base/assert.ts';
import type { LinearMemory } from './linear-memory.ts';

const SMALLEST_BYTES = 64;

export class MemoryPool {
  readonly #memory: LinearMemory;
  /** Waiting addresses by class. */
  readonly #free: number[][] = [];
  #heldBytes = 0;
  #freeBytes = 0;

  constructor(memory: LinearMemory) {
    this.#memory = memory;
  }

  /** Bytes taken and not given back, rounded up to their classes. */
  get heldBytes(): number {
    return this.#heldBytes;
  }
  /** Bytes waiting to be taken again. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** A block of at least `bytes`, aligned to 64, content undefined. @throws MemoryLimitError */
  take(bytes: number): number {
    assert(bytes > 0, 'a block has a size');
    const wanted = classOf(bytes);
    const size = classBytes(wanted);
    for (let at = wanted; at < this.#free.length; at++) {
      const address = this.#free[at]?.pop();
      if (address === undefined) continue;
      this.#freeBytes -= size;
      this.#heldBytes += size;
      this.#keepRemainder(address + size, classBytes(at) - size);
      return address;
    }
    const address = this.#memory.allocate(size);
    this.#heldBytes += size;
    return address;
  }

  /** A block for each size, or none at all. @throws MemoryLimitError */
  takeAll(sizes: readonly number[]): number[] {
    const taken: number[] = [];
    try {
      for (const size of sizes) taken.push(this.take(size));
    } catch (error) {
      for (const [i, address] of taken.entries()) this.give(address, sizes[i]!);
      throw error;
    }
    return taken;
  }

  /** Returns a block. @param bytes as it was taken */
  give(address: number, bytes: number): void {
    const at = classOf(bytes);
    const size = classBytes(at);
    this.#heldBytes -= size;
    this.#freeBytes += size;
    assert(this.#heldBytes >= 0, 'only taken blocks are given back');
    this.#list(at).push(address);
  }

  #list(at: number): number[] {
    while (this.#free.length <= at) this.#free.push([]);
    return this.#free[at]!;
  }

  /** Cuts what a split left over into the largest classes that fit. */
  #keepRemainder(address: number, bytes: number): void {
    let from = address;
    let left = bytes;
    while (left >= SMALLEST_BYTES) {
      let at = classOf(left);
      if (classBytes(at) > left) at--;
      const size = classBytes(at);
      this.#list(at).push(from);
      from += size;
      left -= size;
    }
    assert(left === 0, 'classes are multiples of the smallest');
  }
}

/** The size that `take(bytes)` really holds. */
export const blockBytes = (bytes: number): number => classBytes(classOf(bytes));

/** Classes 0–3 are 64, 128, 192, 256; then four steps for each doubling. */
function classOf(bytes: number): number {
  const units = Math.ceil(bytes / SMALLEST_BYTES);
  if (units <= 4) return units - 1;
  const power = 31 - Math.clz32(units - 1); // 2^power < units <= 2^(power + 1)
  const step = 2 ** (power - 2);
  return (power - 1) * 4 + Math.ceil(units / step) - 5;
}

function classBytes(at: number): number {
  if (at < 4) return (at + 1) * SMALLEST_BYTES;
  const power = Math.floor(at / 4) + 1;
  return 2 ** (power - 2) * ((at % 4) + 5) * SMALLEST_BYTES;
}
