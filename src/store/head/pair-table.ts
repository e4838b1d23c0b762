/**
 * The head's label pairs and names, as its owner finds, adds and takes them out.
 *
 * Readers come to the pairs of a name along a list, newest first. Pairs that no series carries any more are first taken out of the table,
 * so that the owner makes new ones in their place, then out of the lists, name by name; only then can no reader find them.
 */
import { NAME, PAIR, ROOT } from '../../core/kernels/head-layout.ts';
import { entryAddress, type HeadMemory } from './head-memory.ts';
import { hashPair, NumberTable } from './number-table.ts';
import { SymbolTable } from './symbol-table.ts';

/** Distinct label names that one head can hold. */
export const MAX_LABEL_NAMES = 65_536;

/** In the place of the last postings block, which readers do not use: the pair was taken out and not yet given back. */
const REMOVED = 1;

/** The head holds as many label names as it can. */
export class LabelNameLimitError extends Error {
  override readonly name = 'LabelNameLimitError';
}

/** What was taken out at one time and may still be looked at. */
export interface RetiredPairs {
  readonly pairs: number[];
  readonly symbols: number[];
  readonly names: number[];
}

export class PairTable {
  readonly #memory: HeadMemory;
  readonly #symbols: SymbolTable;
  readonly #table = new NumberTable((id) => this.#hashOf(id));
  /** Name symbol → index in the table of names. */
  readonly #names = new Map<number, number>();
  readonly #freeIds: number[] = [];
  readonly #freeNames: number[] = [];
  #count = 0;

  constructor(memory: HeadMemory) {
    this.#memory = memory;
    this.#symbols = new SymbolTable(memory);
    memory.set(ROOT.NAMES, memory.linear.allocate(MAX_LABEL_NAMES * NAME.BYTES));
  }

  /** Pairs that can be found. */
  get count(): number {
    return this.#count;
  }

  /** The highest number that a pair has had. */
  get highest(): number {
    return this.#memory.get(ROOT.PAIRS);
  }

  address(pair: number): number {
    return entryAddress(this.#memory.linear, ROOT.PAIR_DIRECTORY, pair, PAIR.BYTES);
  }

  /** @returns 0 where there is none */
  find(name: string, value: string): number {
    const nameSymbol = this.#symbols.find(name);
    const valueSymbol = nameSymbol === 0 ? 0 : this.#symbols.find(value);
    return valueSymbol === 0 ? 0 : this.#look(nameSymbol, valueSymbol);
  }

  /** The pair, a new one if there is none. @throws LabelNameLimitError, MemoryLimitError */
  make(name: string, value: string): number {
    const nameSymbol = this.#symbols.make(name);
    let valueSymbol = 0;
    try {
      valueSymbol = this.#symbols.make(value);
      const known = this.#look(nameSymbol, valueSymbol);
      return known === 0 ? this.#add(nameSymbol, valueSymbol) : known;
    } catch (error) {
      if (valueSymbol !== 0 && valueSymbol !== nameSymbol) this.#symbols.drop(valueSymbol);
      this.#symbols.drop(nameSymbol);
      throw error;
    }
  }

  /**
   * Takes the pairs out that no series carries, from the tables first and then from the lists.
   * A step is about `stepSize` pairs, or refs; between steps pairs may be found and made.
   * @param visit is called for each pair that stays, and tells how many refs it looked at
   */
  *removeUnused(stepSize: number, visit: (pair: number) => number): Generator<undefined, RetiredPairs> {
    const removed = new Uint8Array(this.highest + 1);
    const retired: RetiredPairs = { pairs: [], symbols: [], names: [] };
    const names = new Set<number>();
    const { linear } = this.#memory;
    let work = 0;
    for (let pair = 1; pair < removed.length; pair++) {
      const at = this.address(pair) >>> 2;
      const isIn = linear.u32[at + PAIR.NAME / 4] !== 0 && linear.u32[at + PAIR.LAST_BLOCK / 4] !== REMOVED;
      const name = isIn ? linear.u32[at + PAIR.NAME / 4]! : 0;
      if (name !== 0 && linear.u32[at + PAIR.COUNT / 4] === 0) {
        this.#table.remove(pair);
        this.#count--;
        linear.u32[at + PAIR.LAST_BLOCK / 4] = REMOVED;
        removed[pair] = 1;
        retired.pairs.push(pair);
        names.add(name);
      } else if (name !== 0) work += visit(pair);
      if (++work < stepSize) continue;
      work = 0;
      yield;
    }
    for (const name of names) yield* this.#unlink(name, removed, stepSize);
    for (const [i, pair] of retired.pairs.entries()) {
      this.#releaseSymbols(pair, retired);
      if (i % stepSize === stepSize - 1) yield;
    }
    return retired;
  }

  /** What was retired may be used again: no reader looks at it. */
  *giveBack({ pairs, symbols, names }: RetiredPairs, stepSize: number): Generator<undefined, void> {
    for (const [i, pair] of pairs.entries()) {
      this.#memory.linear.u32[(this.address(pair) + PAIR.NAME) >>> 2] = 0;
      this.#freeIds.push(pair);
      if (i % stepSize === stepSize - 1) yield;
    }
    for (const [i, symbol] of symbols.entries()) {
      this.#symbols.giveBack(symbol);
      if (i % stepSize === stepSize - 1) yield;
    }
    for (const name of names) this.#freeNames.push(name);
  }

  #nameAddress(index: number): number {
    return this.#memory.get(ROOT.NAMES) + index * NAME.BYTES;
  }

  /** Takes removed pairs out of a name's list. */
  *#unlink(name: number, removed: Uint8Array, stepSize: number): Generator<undefined, void> {
    const memory = this.#memory;
    const nameAddress = this.#nameAddress(this.#names.get(name)!);
    let linkAt = nameAddress + NAME.FIRST_PAIR;
    let steps = 0;
    let gone = 0;
    for (let pair = memory.linear.u32[linkAt >>> 2]!; pair !== 0; ) {
      const nextAt = this.address(pair) + PAIR.NEXT_OF_NAME;
      const next = memory.linear.u32[nextAt >>> 2]!;
      if (removed[pair] === 1) {
        memory.publishAt(linkAt, next);
        gone++;
      } else linkAt = nextAt;
      pair = next;
      if (++steps % stepSize !== 0) continue;
      yield;
      // New pairs may have come in at the front.
      while (memory.linear.u32[linkAt >>> 2] !== pair) linkAt = this.address(memory.linear.u32[linkAt >>> 2]!) + PAIR.NEXT_OF_NAME;
    }
    memory.publishAt(nameAddress + NAME.PAIR_COUNT, memory.linear.u32[(nameAddress + NAME.PAIR_COUNT) >>> 2]! - gone);
  }

  #releaseSymbols(pair: number, retired: RetiredPairs): void {
    const { u32 } = this.#memory.linear;
    const at = this.address(pair) >>> 2;
    const name = u32[at + PAIR.NAME / 4]!;
    const value = u32[at + PAIR.VALUE / 4]!;
    if (this.#symbols.release(value)) retired.symbols.push(value);
    const index = this.#names.get(name);
    if (index !== undefined && u32[(this.#nameAddress(index) + NAME.FIRST_PAIR) >>> 2] === 0) {
      // Nothing has the name: readers pass over entries without a symbol.
      this.#memory.publishAt(this.#nameAddress(index) + NAME.SYMBOL, 0);
      this.#memory.nextGeneration();
      this.#names.delete(name);
      retired.names.push(index);
    }
    if (this.#symbols.release(name)) retired.symbols.push(name);
  }

  #look(name: number, value: number): number {
    const { linear } = this.#memory;
    const { slots } = this.#table;
    const mask = slots.length - 1;
    for (let slot = hashPair(name, value) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const at = this.address(slots[slot]!) >>> 2;
      if (linear.u32[at + PAIR.NAME / 4] === name && linear.u32[at + PAIR.VALUE / 4] === value) return slots[slot]!;
    }
    return 0;
  }

  #add(name: number, value: number): number {
    const memory = this.#memory;
    const highest = this.highest;
    const id = this.#freeIds.at(-1) ?? highest + 1;
    const at = memory.makeEntry(ROOT.PAIR_DIRECTORY, id, PAIR.BYTES);
    const nameAddress = this.#nameAddress(this.#nameIndex(name));
    if (id <= highest) this.#freeIds.pop();
    const { u32 } = memory.linear;
    u32[(at + PAIR.NAME) >>> 2] = name;
    u32[(at + PAIR.VALUE) >>> 2] = value;
    u32[(at + PAIR.NEXT_OF_NAME) >>> 2] = u32[(nameAddress + NAME.FIRST_PAIR) >>> 2]!;
    u32[(at + PAIR.COUNT) >>> 2] = 0;
    u32[(at + PAIR.POSTINGS) >>> 2] = 0;
    u32[(at + PAIR.LAST_BLOCK) >>> 2] = 0;
    this.#table.insert(hashPair(name, value), id);
    this.#symbols.hold(name);
    this.#symbols.hold(value);
    this.#count++;
    if (id > highest) memory.publish(ROOT.PAIRS, id);
    memory.publishAt(nameAddress + NAME.FIRST_PAIR, id);
    memory.publishAt(nameAddress + NAME.PAIR_COUNT, u32[(nameAddress + NAME.PAIR_COUNT) >>> 2]! + 1);
    return id;
  }

  #nameIndex(symbol: number): number {
    const known = this.#names.get(symbol);
    if (known !== undefined) return known;
    const memory = this.#memory;
    const { u32 } = memory.linear;
    const free = this.#freeNames.pop();
    const index = free ?? memory.get(ROOT.NAME_COUNT);
    if (index >= MAX_LABEL_NAMES) throw new LabelNameLimitError(`more than ${MAX_LABEL_NAMES} label names`);
    this.#names.set(symbol, index);
    const at = this.#nameAddress(index);
    u32[(at + NAME.FIRST_PAIR) >>> 2] = 0;
    u32[(at + NAME.PAIR_COUNT) >>> 2] = 0;
    memory.publishAt(at + NAME.SYMBOL, symbol);
    if (free === undefined) memory.publish(ROOT.NAME_COUNT, index + 1);
    // Readers have read past this entry.
    else memory.nextGeneration();
    return index;
  }

  #hashOf(id: number): number {
    const { u32 } = this.#memory.linear;
    const at = this.address(id) >>> 2;
    return hashPair(u32[at + PAIR.NAME / 4]!, u32[at + PAIR.VALUE / 4]!);
  }
}
