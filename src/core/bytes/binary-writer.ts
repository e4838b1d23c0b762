/**
 * Writes binary fields one after the other into a buffer that grows and is used again: the counterpart of `ByteCursor`.
 */
import { assert } from '../base/assert.ts';
import { MAX_SAFE_VARINT_BYTES, putUvarint, putVarint, uvarintLength } from './varint.ts';

const TWO_32 = 4294967296;
const textEncoder = new TextEncoder();

export class BinaryWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 4096) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Bytes written since the last `clear`. */
  get length(): number {
    return this.#length;
  }

  /** What was written: a view that is valid until the next call that writes. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** Forgets what was written behind `length`. */
  cutTo(length: number): void {
    assert(length <= this.#length, 'a writer is cut inside what was written');
    this.#length = length;
  }

  /**
   * Makes room for `count` bytes, for a caller that writes them itself at `length` and then tells by `advanceTo`.
   * @returns the buffer, valid until the next call
   */
  reserve(count: number): Uint8Array {
    const needed = this.#length + count;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.written);
      this.#bytes = larger;
    }
    return this.#bytes;
  }

  /** The caller of `reserve` has written up to here. */
  advanceTo(length: number): void {
    assert(length >= this.#length && length <= this.#bytes.length, 'a writer advances inside its buffer');
    this.#length = length;
  }

  u8(value: number): void {
    this.reserve(1)[this.#length++] = value;
  }

  u16(value: number): void {
    const out = this.reserve(2);
    out[this.#length++] = value >>> 8;
    out[this.#length++] = value;
  }

  u32(value: number): void {
    const out = this.reserve(4);
    for (let shift = 24; shift >= 0; shift -= 8) out[this.#length++] = value >>> shift;
  }

  /** A safe integer as 64 bits; negative ones as their two's complement. */
  i64(value: number): void {
    assert(Number.isSafeInteger(value), 'a 64-bit field holds a safe integer');
    this.u32(Math.floor(value / TWO_32));
    this.u32(((value % TWO_32) + TWO_32) % TWO_32);
  }

  uvarint(value: number): void {
    const out = this.reserve(MAX_SAFE_VARINT_BYTES);
    this.#length = putUvarint(out, this.#length, value);
  }

  varint(value: number): void {
    const out = this.reserve(MAX_SAFE_VARINT_BYTES);
    this.#length = putVarint(out, this.#length, value);
  }

  /** The bits of one float, from entry `index` of `halves`, where the low half comes first. */
  float(halves: Uint32Array, index: number): void {
    this.u32(halves[2 * index + 1]!);
    this.u32(halves[2 * index]!);
  }

  bytes(bytes: Uint8Array): void {
    this.reserve(bytes.length).set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** UTF-8 behind its length in bytes. */
  string(text: string): void {
    const most = text.length * 3;
    const out = this.reserve(MAX_SAFE_VARINT_BYTES + most);
    // The length comes first and is known only afterwards: leave the room that a short text needs, move a longer one.
    const guess = uvarintLength(text.length);
    const from = this.#length + guess;
    const { written } = textEncoder.encodeInto(text, out.subarray(from, from + most));
    const needed = uvarintLength(written);
    if (needed !== guess) out.copyWithin(this.#length + needed, from, from + written);
    this.#length = putUvarint(out, this.#length, written) + written;
  }
}
