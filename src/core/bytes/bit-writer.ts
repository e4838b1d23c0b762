/**
 * Writes bits into bytes, the most significant first, as chunk encodings do.
 */

export class BitWriter {
  #bytes = new Uint8Array(256);
  /** Bits written so far. */
  #bits = 0;

  get byteLength(): number {
    return (this.#bits + 7) >>> 3;
  }

  /** What was written, the last byte filled up with zeros: a view that is valid until the next call that writes. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.byteLength);
  }

  clear(): void {
    this.#bits = 0;
  }

  /** Appends the low `count` (0–32) bits of `value`. */
  put(value: number, count: number): void {
    const last = (this.#bits + count + 7) >>> 3;
    if (last > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.written);
      this.#bytes = larger;
    }
    const bytes = this.#bytes;
    let left = count;
    while (left > 0) {
      const used = this.#bits & 7;
      const now = Math.min(left, 8 - used);
      const piece = (value >>> (left - now)) & ((1 << now) - 1);
      const at = this.#bits >>> 3;
      const placed = piece << (8 - used - now);
      bytes[at] = used === 0 ? placed : bytes[at]! | placed;
      this.#bits += now;
      left -= now;
    }
  }
}
