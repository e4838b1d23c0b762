/**
 * Strings of symbols that were asked for last, of all indexes that one thread has open: series repeat theirs.
 *
 * Each symbol has one slot and the newest one takes it, so the cache never grows.
 */

/** Slots by default: about five megabytes when all are taken. */
export const SYMBOL_CACHE_SLOTS = 65_536;
const TWO_32 = 4294967296;

export class SymbolCache {
  readonly #slots: number;
  /** Index × 2^32 + symbol of each slot, −1 where there is none; made with the first string. */
  #keys = new Float64Array(0);
  #strings: string[] = [];
  #indexCount = 0;

  /** @param slots a power of two */
  constructor(slots = SYMBOL_CACHE_SLOTS) {
    this.#slots = slots;
  }

  /** @returns a number by which an index calls its symbols here */
  register(): number {
    return this.#indexCount++;
  }

  get(index: number, symbol: number): string | undefined {
    const slot = this.#slotOf(index, symbol);
    return this.#keys[slot] === index * TWO_32 + symbol ? this.#strings[slot] : undefined;
  }

  set(index: number, symbol: number, text: string): void {
    if (this.#keys.length === 0) {
      this.#keys = new Float64Array(this.#slots).fill(-1);
      this.#strings = Array.from({ length: this.#slots }, () => '');
    }
    const slot = this.#slotOf(index, symbol);
    this.#keys[slot] = index * TWO_32 + symbol;
    this.#strings[slot] = text;
  }

  /** Neighbours in one index have neighbouring slots. */
  #slotOf(index: number, symbol: number): number {
    return (symbol + Math.imul(index, 0x9e3779b1)) & (this.#slots - 1);
  }
}
