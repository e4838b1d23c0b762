/**
 * Label pairs of an index that is being written, numbered as they are met: how many series carry each, and in what order their
 * lists go into the file.
 */
import { assert } from '../../core/base/assert.ts';

const TWO_32 = 4294967296;

export class PairTable {
  #count = 0;
  #names = new Uint32Array(1024);
  #values = new Uint32Array(1024);
  #series = new Uint32Array(1024);
  /** Pair + 1 by hash, 0 where there is none. */
  #slots = new Uint32Array(4096);

  get count(): number {
    return this.#count;
  }

  nameOf(pair: number): number {
    return this.#names[pair]!;
  }

  valueOf(pair: number): number {
    return this.#values[pair]!;
  }

  /** Series that carry the pair. */
  seriesOf(pair: number): number {
    return this.#series[pair]!;
  }

  /** The number of a pair that was added, or -1. */
  find(name: number, value: number): number {
    return this.#slots[this.#slotOf(name, value)]! - 1;
  }

  /** Counts one more series for the pair of symbols. @returns its number */
  add(name: number, value: number): number {
    const slot = this.#slotOf(name, value);
    const known = this.#slots[slot]! - 1;
    if (known >= 0) {
      this.#series[known]!++;
      return known;
    }
    const pair = this.#count++;
    if (pair === this.#names.length) this.#grow();
    this.#names[pair] = name;
    this.#values[pair] = value;
    this.#series[pair] = 1;
    this.#slots[slot] = pair + 1;
    if (this.#count * 2 > this.#slots.length) this.#rehash();
    return pair;
  }

  /** Numbers of all pairs, by name and then by value, as the symbols are ordered. */
  inOrder(): Uint32Array {
    const ranks = new Map<number, number>();
    const names = [...new Set(this.#names.subarray(0, this.#count))].sort((a, b) => a - b);
    assert(names.length < 2 ** 21, 'rank and value fit a number together');
    for (const [rank, name] of names.entries()) ranks.set(name, rank);
    const keys = new Float64Array(this.#count);
    for (let pair = 0; pair < this.#count; pair++) keys[pair] = ranks.get(this.#names[pair]!)! * TWO_32 + this.#values[pair]!;
    keys.sort();
    const order = new Uint32Array(this.#count);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const value = key % TWO_32;
      order[i] = this.find(names[(key - value) / TWO_32]!, value);
    }
    return order;
  }

  /** Where the pair is, or where it is to go. */
  #slotOf(name: number, value: number): number {
    const mask = this.#slots.length - 1;
    let h = Math.imul(name, 0x9e3779b1) ^ Math.imul(value, 0x85ebca6b);
    h ^= h >>> 15;
    let slot = (Math.imul(h, 0x2c1b3c6d) >>> 7) & mask;
    for (;;) {
      const pair = this.#slots[slot]! - 1;
      if (pair < 0 || (this.#names[pair] === name && this.#values[pair] === value)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const grown = (column: Uint32Array): Uint32Array<ArrayBuffer> => {
      const larger = new Uint32Array(column.length * 2);
      larger.set(column);
      return larger;
    };
    this.#names = grown(this.#names);
    this.#values = grown(this.#values);
    this.#series = grown(this.#series);
  }

  #rehash(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let pair = 0; pair < this.#count; pair++) this.#slots[this.#slotOf(this.#names[pair]!, this.#values[pair]!)] = pair + 1;
  }
}
