/**
 * Open addressing over numbers from 1, which stand for things that lie elsewhere: whoever looks something up hashes and compares, the
 * table only knows how to hash what it holds.
 *
 * Load is at most a half. Taking out moves later entries of the same run forward, so that nothing is left behind.
 */
import { assert } from '../../core/base/assert.ts';

const FIRST_SLOTS = 1024;

export class NumberTable {
  /** A look-up goes from `hash & (length - 1)` on, around the end, to the first 0. */
  slots = new Uint32Array(FIRST_SLOTS);
  readonly #hashOf: (id: number) => number;
  #count = 0;

  constructor(hashOf: (id: number) => number) {
    this.#hashOf = hashOf;
  }

  /** @param hash of `id`, which is not in the table */
  insert(hash: number, id: number): void {
    if ((this.#count + 1) * 2 > this.slots.length) {
      const old = this.slots;
      this.slots = new Uint32Array(old.length * 2);
      for (const each of old) if (each !== 0) this.#place(this.#hashOf(each), each);
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

  /** @param id in the table */
  remove(id: number): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let hole = this.#hashOf(id) & mask;
    while (slots[hole] !== id) {
      assert(slots[hole] !== 0, 'only what is in the table is taken out');
      hole = (hole + 1) & mask;
    }
    for (let at = (hole + 1) & mask; slots[at] !== 0; at = (at + 1) & mask) {
      const home = this.#hashOf(slots[at]!) & mask;
      // It may move where its look-up still comes past the hole.
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      slots[hole] = slots[at]!;
      hole = at;
    }
    slots[hole] = 0;
    this.#count--;
  }
}

/** Murmur3's mixing over 32-bit words. */
export function hashWords(words: Uint32Array, from: number, count: number): number {
  let hash = 0x9e3779b9 ^ count;
  for (let i = 0; i < count; i++) {
    hash = Math.imul(hash ^ words[from + i]!, 0x85ebca6b);
    hash = (hash << 13) | (hash >>> 19);
  }
  return finish(hash);
}

export function hashBytes(bytes: Uint8Array, from: number, length: number): number {
  let hash = 0x811c9dc5 ^ length;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ bytes[from + i]!, 0x01000193);
  return finish(hash);
}

export const hashPair = (name: number, value: number): number => finish(Math.imul(name, 0x9e3779b1) ^ Math.imul(value, 0x85ebca77));

function finish(hash: number): number {
  let h = hash;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
