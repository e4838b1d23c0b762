/**
 * The head's strings, each once, as its owner finds, adds and takes them out.
 *
 * A symbol is held by the label pairs that use it. When the last one is gone it can't be found any more; its bytes and number stay until
 * no reader can still look at them.
 */
import { ROOT } from '../../core/kernels/head-layout.ts';
import type { HeadMemory } from './head-memory.ts';
import { symbolAddress } from './head-symbols.ts';
import { hashBytes, NumberTable } from './number-table.ts';

/** Symbols whose id is remembered by string, so that names and common values need no hashing of bytes. */
const MAX_REMEMBERED = 8192;
const LENGTH_BYTES = 4;
const ENTRY_BYTES = 4;

export class SymbolTable {
  readonly #memory: HeadMemory;
  readonly #table = new NumberTable((id) => this.#hashOf(id));
  readonly #remembered = new Map<string, number>();
  readonly #encoder = new TextEncoder();
  #scratch = new Uint8Array(1024);
  /** By id: how many pairs have it as name or value. */
  #holders = new Uint32Array(1024);
  readonly #freeIds: number[] = [];

  constructor(memory: HeadMemory) {
    this.#memory = memory;
  }

  /** @returns 0 where there is none */
  find(text: string): number {
    const known = this.#remembered.get(text);
    if (known !== undefined) return known;
    const length = this.#encode(text);
    const id = this.#look(hashBytes(this.#scratch, 0, length), length);
    if (id !== 0) this.#remember(text, id);
    return id;
  }

  /** The symbol of `text`, a new one if there is none. Who uses it must hold it. @throws MemoryLimitError */
  make(text: string): number {
    const known = this.#remembered.get(text);
    if (known !== undefined) return known;
    const length = this.#encode(text);
    const hash = hashBytes(this.#scratch, 0, length);
    let id = this.#look(hash, length);
    if (id === 0) id = this.#add(hash, length);
    this.#remember(text, id);
    return id;
  }

  hold(id: number): void {
    if (id >= this.#holders.length) {
      const larger = new Uint32Array(Math.max(id + 1, this.#holders.length * 2));
      larger.set(this.#holders);
      this.#holders = larger;
    }
    this.#holders[id]!++;
  }

  /** @returns whether nobody holds it any more: then it can't be found, and is to be given back later */
  release(id: number): boolean {
    if (--this.#holders[id]! > 0) return false;
    this.#takeOut(id);
    return true;
  }

  /** Takes a symbol out that was made and is held by nobody, as after a failure. No reader can know of it. */
  drop(id: number): void {
    if ((this.#holders[id] ?? 0) > 0) return;
    this.#takeOut(id);
    this.giveBack(id);
  }

  /** The bytes and the number of a released symbol may be used again. */
  giveBack(id: number): void {
    const { linear, arena } = this.#memory;
    const address = symbolAddress(linear, id);
    arena.give(address, LENGTH_BYTES + linear.u32[address >>> 2]!);
    this.#freeIds.push(id);
  }

  #takeOut(id: number): void {
    const { linear } = this.#memory;
    this.#table.remove(id);
    if (this.#remembered.size > 0) this.#remembered.clear();
    this.#memory.set(ROOT.LABEL_BYTES, this.#memory.get(ROOT.LABEL_BYTES) - linear.u32[symbolAddress(linear, id) >>> 2]!);
  }

  #encode(text: string): number {
    if (this.#scratch.length < text.length * 3) this.#scratch = new Uint8Array(text.length * 3);
    return this.#encoder.encodeInto(text, this.#scratch).written;
  }

  #remember(text: string, id: number): void {
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(text, id);
  }

  /** Finds the first `length` bytes of the scratch. */
  #look(hash: number, length: number): number {
    const { linear } = this.#memory;
    const { slots } = this.#table;
    const mask = slots.length - 1;
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const address = symbolAddress(linear, slots[slot]!);
      if (linear.u32[address >>> 2] !== length) continue;
      let i = 0;
      while (i < length && linear.u8[address + LENGTH_BYTES + i] === this.#scratch[i]) i++;
      if (i === length) return slots[slot]!;
    }
    return 0;
  }

  #add(hash: number, length: number): number {
    const memory = this.#memory;
    const address = memory.arena.take(LENGTH_BYTES + length);
    const highest = memory.get(ROOT.SYMBOLS);
    let id = highest + 1;
    try {
      id = this.#freeIds.pop() ?? id;
      const entry = memory.makeEntry(ROOT.SYMBOL_DIRECTORY, id, ENTRY_BYTES);
      memory.linear.u32[entry >>> 2] = address;
    } catch (error) {
      memory.arena.give(address, LENGTH_BYTES + length);
      throw error;
    }
    memory.linear.u32[address >>> 2] = length;
    memory.linear.u8.set(this.#scratch.subarray(0, length), address + LENGTH_BYTES);
    this.#table.insert(hash, id);
    if (id > highest) memory.publish(ROOT.SYMBOLS, id);
    memory.set(ROOT.LABEL_BYTES, memory.get(ROOT.LABEL_BYTES) + length);
    return id;
  }

  #hashOf(id: number): number {
    const { linear } = this.#memory;
    const address = symbolAddress(linear, id);
    return hashBytes(linear.u8, address + LENGTH_BYTES, linear.u32[address >>> 2]!);
  }
}
