/**
 * One column of floats in a chunk: each value as what differs from the one before, bit by bit.
 *
 *   value     0                                          as before
 *             10 + the bits inside the last window
 *             11 + 5 bits leading zeros, 6 bits length (0 is 64), the bits       of value XOR previous value
 *
 * The 64 bits are handled as two halves, so that NaNs keep theirs. Source: Prometheus, tsdb/docs/format/chunks.md.
 */
import type { BitWriter } from '../bytes/bit-writer.ts';
import type { BitReader } from './bit-reader.ts';
import { ChunkError } from './chunk-error.ts';

/** No window of bits has been written yet. */
const NO_WINDOW = 255;
/** The format has five bits for it. */
const MAX_LEADING = 31;

/** The value before, and the window of bits that changed last. */
export class XorValue {
  low = 0;
  high = 0;
  #leading = NO_WINDOW;
  #trailing = 0;

  /** Begins a column with its first value, which is written whole by the caller. */
  begin(low: number, high: number): void {
    this.low = low >>> 0;
    this.high = high >>> 0;
    this.#leading = NO_WINDOW;
    this.#trailing = 0;
  }

  write(bits: BitWriter, nextLow: number, nextHigh: number): void {
    const low = (nextLow ^ this.low) >>> 0;
    const high = (nextHigh ^ this.high) >>> 0;
    this.low = nextLow >>> 0;
    this.high = nextHigh >>> 0;
    if (low === 0 && high === 0) {
      bits.put(0, 1);
      return;
    }
    const leading = Math.min(MAX_LEADING, Math.clz32(high));
    const trailing = low === 0 ? 32 + trailingZeros(high) : trailingZeros(low);
    if (this.#leading !== NO_WINDOW && leading >= this.#leading && trailing >= this.#trailing) bits.put(0b10, 2);
    else {
      this.#leading = leading;
      this.#trailing = trailing;
      bits.put((0b11 << 11) | (leading << 6) | ((64 - leading - trailing) & 63), 13);
    }
    if (this.#trailing >= 32) bits.put(high >>> (this.#trailing - 32), 64 - this.#leading - this.#trailing);
    else {
      bits.put(high, 32 - this.#leading);
      bits.put(low >>> this.#trailing, 32 - this.#trailing);
    }
  }

  /** The next value goes to `low` and `high`. @throws ChunkError */
  read(bits: BitReader): void {
    if (bits.bits(1) === 0) return;
    if (bits.bits(1) === 1) {
      this.#leading = bits.bits(5);
      this.#trailing = 64 - this.#leading - (bits.bits(6) || 64);
      if (this.#trailing < 0) throw new ChunkError('a chunk is damaged: a value has more than 64 bits', 0);
    } else if (this.#leading === NO_WINDOW) this.#leading = 0;
    const trailing = this.#trailing;
    const length = 64 - this.#leading - trailing;
    const upper = length > 32 ? bits.bits(length - 32) : 0;
    const lower = bits.bits(Math.min(32, length));
    if (trailing >= 32) this.high = (this.high ^ (lower << (trailing - 32))) >>> 0;
    else {
      this.low = (this.low ^ (lower << trailing)) >>> 0;
      this.high = (this.high ^ (trailing === 0 ? upper : (upper << trailing) | (lower >>> (32 - trailing)))) >>> 0;
    }
  }
}

/** Of a number that is not 0. */
const trailingZeros = (value: number): number => 31 - Math.clz32(value & -value);
