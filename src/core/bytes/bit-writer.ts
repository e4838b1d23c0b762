/**
 * Writes bits into bytes, the most significant first, as chunk encodings do.
 */

export class BitWriter {
  #bytes = new Uint8Array(256);
  /** Whole words of 32 bits that are in `#bytes`, in bytes. */
  #at = 0;
  /** The bits behind them, from the top, and how many more go into their word: 1 to 32. */
  #word = 0;
  #free = 32;

  get byteLength(): number {
    return this.#at + ((32 - this.#free + 7) >>> 3);
  }

  /** What was written, the last byte filled up with zeros: a view that is valid until the next call that writes. */
  get written(): Uint8Array {
    this.#putWord();
    return this.#bytes.subarray(0, this.byteLength);
  }

  clear(): void {
    this.#at = 0;
    this.#word = 0;
    this.#free = 32;
  }

  /** Appends the low `count` (0–32) bits of `value`. */
  put(value: number, count: number): void {
    const bits = count === 32 ? value | 0 : value & ((1 << count) - 1);
    const left = this.#free - count;
    if (left > 0) {
      this.#word |= bits << left;
      this.#free = left;
      return;
    }
    this.#word |= bits >>> -left;
    this.#putWord();
    this.#at += 4;
    this.#word = left === 0 ? 0 : bits << (32 + left);
    this.#free = 32 + left;
  }

  #putWord(): void {
    const at = this.#at;
    if (at + 4 > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    const bytes = this.#bytes;
    const word = this.#word;
    bytes[at] = word >>> 24;
    bytes[at + 1] = word >>> 16;
    bytes[at + 2] = word >>> 8;
    bytes[at + 3] = word;
  }
}
