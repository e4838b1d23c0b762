/**
 * Symbols of an index that is being written: from text to number. The bytes of all lie in one array and a hash table over them has
 * a number a slot, so a million symbols cost their bytes and twelve more each.
 */
import { assert } from '../../core/base/assert.ts';
import { IndexLimitError, MAX_SYMBOL_BYTES } from './index-format.ts';

const textEncoder = new TextEncoder();
/** Strings whose numbers are remembered: names and common values. */
const REMEMBERED = 16_384;

export class SymbolIndex {
  #bytes = Buffer.allocUnsafeSlow(64 * 1024);
  /** Where each symbol begins; one more at the end. */
  #starts = new Uint32Array(1024);
  #count = 0;
  /** Symbol + 1 by hash, 0 where there is none; made with the first question. */
  #slots = new Uint32Array(0);
  #asked = new Uint8Array(256);
  readonly #remembered = new Map<string, number>();

  get count(): number {
    return this.#count;
  }

  /** Of all symbols together. */
  get byteLength(): number {
    return this.#starts[this.#count]!;
  }

  /** Behind those before, in byte order. @throws IndexLimitError */
  add(text: string): void {
    const from = this.byteLength;
    const room = from + text.length * 3;
    if (room > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(room, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, from);
      this.#bytes = larger;
    }
    const { written } = textEncoder.encodeInto(text, this.#bytes.subarray(from));
    if (written > MAX_SYMBOL_BYTES) throw new IndexLimitError(`a label of ${written} bytes is longer than ${MAX_SYMBOL_BYTES}`);
    if (this.#count > 0) {
      const before = this.#starts[this.#count - 1]!;
      assert(this.#bytes.compare(this.#bytes, before, from, from, from + written) > 0, 'symbols come in byte order, each once');
    }
    this.#count++;
    if (this.#count === this.#starts.length) {
      const larger = new Uint32Array(this.#starts.length * 2);
      larger.set(this.#starts);
      this.#starts = larger;
    }
    this.#starts[this.#count] = from + written;
  }

  /** The number of a symbol that was added. */
  numberOf(text: string): number {
    const symbol = this.find(text);
    assert(symbol >= 0, 'every label of a series is among the symbols');
    return symbol;
  }

  /** The number of a symbol, or -1. */
  find(text: string): number {
    const known = this.#remembered.get(text);
    if (known !== undefined) return known;
    if (this.#slots.length === 0) this.#makeSlots();
    if (text.length * 3 > this.#asked.length) this.#asked = new Uint8Array(text.length * 3);
    const { written } = textEncoder.encodeInto(text, this.#asked);
    const mask = this.#slots.length - 1;
    for (let slot = hash(this.#asked, 0, written) & mask; ; slot = (slot + 1) & mask) {
      const symbol = this.#slots[slot]! - 1;
      if (symbol < 0) return -1;
      if (!this.#isSame(symbol, written)) continue;
      if (this.#remembered.size >= REMEMBERED) this.#remembered.clear();
      this.#remembered.set(text, symbol);
      return symbol;
    }
  }

  /** The UTF-8 of a symbol: a view. */
  bytesOf(symbol: number): Uint8Array {
    return this.#bytes.subarray(this.#starts[symbol], this.#starts[symbol + 1]);
  }

  #isSame(symbol: number, length: number): boolean {
    const from = this.#starts[symbol]!;
    if (this.#starts[symbol + 1]! - from !== length) return false;
    for (let i = 0; i < length; i++) if (this.#bytes[from + i] !== this.#asked[i]) return false;
    return true;
  }

  #makeSlots(): void {
    const size = 2 ** Math.ceil(Math.log2(this.#count * 2 + 2));
    this.#slots = new Uint32Array(size);
    for (let symbol = 0; symbol < this.#count; symbol++) {
      let slot = hash(this.#bytes, this.#starts[symbol]!, this.#starts[symbol + 1]!) & (size - 1);
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (size - 1);
      this.#slots[slot] = symbol + 1;
    }
  }
}

/** FNV-1a, mixed once more so that the low bits count. */
function hash(bytes: Uint8Array, from: number, to: number): number {
  let h = 0x811c9dc5;
  for (let i = from; i < to; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}
