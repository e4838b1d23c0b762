/**
 * Label sets, numbered: the hash table under groups, joins and the search for equal series.
 *
 * Label strings come from the store again and again, so each gets a number once; a set's hash is put together from the
 * numbers of its parts. Nothing is allocated to look a set up, and equality is decided by the strings.
 */
import type { Labels } from '../../../core/model/labels.ts';

const FIRST_ROOM = 64;

export class LabelSets {
  readonly #ids = new Map<string, number>();
  readonly #sets: Labels[] = [];
  readonly #hashes: number[] = [];
  /** Open addressing; 0 is free, else the number of a set + 1. A power of two long. */
  #table = new Int32Array(FIRST_ROOM);

  get size(): number {
    return this.#sets.length;
  }

  /** The set of that number. */
  at(number: number): Labels {
    return this.#sets[number]!;
  }

  /**
   * The number of a set, given one if it is new.
   *
   * @param parts names and values in label order; only the first `length` count
   */
  add(parts: readonly string[], length = parts.length): number {
    let hash = length;
    for (let i = 0; i < length; i++) hash = mix(hash, this.#idOf(parts[i]!));
    const slot = this.#slotOf(hash, parts, length);
    const known = this.#table[slot]!;
    if (known > 0) return known - 1;
    const number = this.#sets.push(parts.slice(0, length)) - 1;
    this.#hashes.push(hash);
    this.#table[slot] = number + 1;
    if (this.#sets.length * 2 > this.#table.length) this.#grow();
    return number;
  }

  /** The number of a set, −1 if it has none. */
  find(parts: readonly string[], length = parts.length): number {
    let hash = length;
    for (let i = 0; i < length; i++) {
      const id = this.#ids.get(parts[i]!);
      if (id === undefined) return -1;
      hash = mix(hash, id);
    }
    return this.#table[this.#slotOf(hash, parts, length)]! - 1;
  }

  #idOf(part: string): number {
    const known = this.#ids.get(part);
    if (known !== undefined) return known;
    const made = this.#ids.size + 1;
    this.#ids.set(part, made);
    return made;
  }

  /** Where a set is, or would go. */
  #slotOf(hash: number, parts: readonly string[], length: number): number {
    const table = this.#table;
    const mask = table.length - 1;
    for (let slot = spread(hash) & mask; ; slot = (slot + 1) & mask) {
      const known = table[slot]! - 1;
      if (known < 0 || (this.#hashes[known] === hash && isSame(this.#sets[known]!, parts, length))) return slot;
    }
  }

  #grow(): void {
    const table = new Int32Array(this.#table.length * 2);
    const mask = table.length - 1;
    for (const [number, hash] of this.#hashes.entries()) {
      let slot = spread(hash) & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = number + 1;
    }
    this.#table = table;
  }
}

const mix = (hash: number, id: number): number => (Math.imul(hash, 0x01000193) ^ Math.imul(id, 0x9e3779b1)) | 0;
const spread = (hash: number): number => hash ^ (hash >>> 15);

function isSame(set: Labels, parts: readonly string[], length: number): boolean {
  if (set.length !== length) return false;
  for (let i = 0; i < length; i++) if (set[i] !== parts[i]) return false;
  return true;
}
