/**
 * Reads bits from bytes, the most significant first, as chunk encodings do. What goes over the end is an error, never a zero.
 */
import { ChunkError } from './chunk-error.ts';

const TWO_24 = 2 ** 24;
const TWO_32 = 2 ** 32;

export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #to: number;
  #at: number;
  /** Bits of the byte at `#at` that have been read. */
  #used = 0;

  /** Reads `bytes[from, to)`. */
  constructor(bytes: Uint8Array, from: number, to: number) {
    this.#bytes = bytes;
    this.#at = from;
    this.#to = to;
  }

  get bitsLeft(): number {
    return (this.#to - this.#at) * 8 - this.#used;
  }

  /** @param count 0–32 @returns an unsigned number @throws ChunkError */
  bits(count: number): number {
    if (count > this.bitsLeft) throw new ChunkError('a chunk is damaged: it ends inside a sample', this.#to);
    let value = 0;
    for (let left = count; left > 0; ) {
      const now = Math.min(left, 8 - this.#used);
      const piece = (this.#bytes[this.#at]! >>> (8 - this.#used - now)) & ((1 << now) - 1);
      value = value * 2 ** now + piece;
      left -= now;
      this.#used += now;
      if (this.#used === 8) {
        this.#used = 0;
        this.#at++;
      }
    }
    return value;
  }

  /** A number of 56 or 64 bits, exact up to 2^53. */
  #long(count: number, isSigned: boolean): number {
    const high = this.bits(count - 32);
    const low = this.bits(32);
    const limit = count === 56 ? TWO_24 : TWO_32;
    return (isSigned && high >= limit / 2 && !(count === 56 && high === limit / 2 && low === 0) ? high - limit : high) * TWO_32 + low;
  }

  /** A number in as many bits as it needs: see varbit.ts. */
  varbitInt(): number {
    const width = this.#width();
    if (width === 0) return 0;
    if (width > 32) return this.#long(width, true);
    const value = this.bits(width);
    return value > 2 ** (width - 1) ? value - 2 ** width : value;
  }

  varbitUint(): number {
    const width = this.#width();
    return width > 32 ? this.#long(width, false) : this.bits(width);
  }

  #width(): number {
    let ones = 0;
    while (ones < 8 && this.bits(1) === 1) ones++;
    return VARBIT_WIDTHS[ones]!;
  }
}

/** Bits of a varbit number by how many ones precede it. Source: Prometheus, tsdb/chunkenc, "varbit". */
export const VARBIT_WIDTHS = [0, 3, 6, 9, 12, 18, 25, 56, 64] as const;
