/**
 * XOR chunks: what Facebook's Gorilla paper describes, as Prometheus writes it.
 *
 *   u16 sample count, big-endian
 *   sample 0   varint time                    64 bits value
 *   sample 1   uvarint time − previous        value
 *   others     change of that difference      value
 *
 *   change     0            none              value      0                                    as before
 *              10    + 14 bits                           10 + the bits inside the last window
 *              110   + 17                                11 + 5 bits leading zeros, 6 bits length (0 is 64), the bits
 *              1110  + 20                     of value XOR previous value; n bits hold −(2^(n−1) − 1) … 2^(n−1)
 *              1111  + 64
 *
 * A value's 64 bits are handled as two halves, so that NaNs keep theirs and no BigInt is made.
 * Source: Prometheus, tsdb/docs/format/chunks.md.
 */
import { assert } from '../base/assert.ts';
import { BitWriter } from '../bytes/bit-writer.ts';
import { ByteCursor, BytesError } from '../bytes/cursor.ts';
import { MAX_SAFE_VARINT_BYTES, putUvarint, putVarint } from '../bytes/varint.ts';
import type { SampleBuffer } from '../model/samples.ts';
import { ChunkError } from './chunk-error.ts';
import { XorValue } from './xor-value.ts';

export const MAX_CHUNK_SAMPLES = 0xffff;
/** No encoding of that many samples is as long. */
export const MAX_CHUNK_BYTES = 16 * 1024 * 1024;

const TWO_32 = 4294967296;

/**
 * Appends the samples of the chunk in `bytes[from, to)` to `out`; bytes outside are not used.
 *
 * @returns how many
 * @throws ChunkError where the bytes end too early or times do not ascend; `out.length` is then as before
 */
export function decodeXor(bytes: Uint8Array, from: number, to: number, out: SampleBuffer): number {
  if (to - from < 2 || to > bytes.length) throw new ChunkError(`a chunk of ${to - from} bytes has no sample count`, from);
  if (to - from > MAX_CHUNK_BYTES) throw new ChunkError(`a chunk of ${to - from} bytes is too long`, from);
  const count = (bytes[from]! << 8) | bytes[from + 1]!;
  if (count === 0) return 0;
  out.reserve(out.length + count);
  const { times, valueBits } = out;
  const first = out.length;
  const head = new ByteCursor(bytes, from + 2, to);
  let time: number;
  let delta = 0;
  let low: number;
  let high: number;
  try {
    time = head.varint();
    high = head.u32();
    low = head.u32();
    if (count > 1) delta = head.uvarint();
  } catch (error) {
    if (error instanceof BytesError) throw new ChunkError(`a chunk is damaged: ${error.message}`, from, error);
    throw error;
  }
  times[first] = time;
  valueBits[2 * first] = low;
  valueBits[2 * first + 1] = high;
  // Bits are counted from `from`, so that the count stays small in a large file.
  let bit = (head.at - from) * 8;
  const end = (to - from) * 8;
  let leading = 0;
  let trailing = 0;
  for (let i = first + 1; i < first + count; i++) {
    if (i > first + 1) {
      const word = peek(bytes, from, bit);
      let change = 0;
      if (word >= 0) bit += 1;
      else if ((word & 0x40000000) === 0) {
        change = (word >>> 16) & 0x3fff;
        if (change > 0x2000) change -= 0x4000;
        bit += 16;
      } else if ((word & 0x20000000) === 0) {
        change = (word >>> 12) & 0x1ffff;
        if (change > 0x10000) change -= 0x20000;
        bit += 20;
      } else if ((word & 0x10000000) === 0) {
        change = (word >>> 8) & 0xfffff;
        if (change > 0x80000) change -= 0x100000;
        bit += 24;
      } else {
        change = peek(bytes, from, bit + 4) * TWO_32 + (peek(bytes, from, bit + 36) >>> 0);
        bit += 68;
      }
      delta += change;
    }
    time += delta;
    const word = peek(bytes, from, bit);
    if (word >= 0) bit += 1;
    else {
      if ((word & 0x40000000) === 0) bit += 2;
      else {
        leading = (word >>> 25) & 31;
        trailing = 64 - leading - (((word >>> 19) & 63) || 64);
        bit += 13;
      }
      const length = 64 - leading - trailing;
      if (length <= 32) {
        const middle = peek(bytes, from, bit) >>> (32 - length);
        if (trailing >= 32) high ^= middle << (trailing - 32);
        else {
          low ^= middle << trailing;
          if (trailing > 0) high ^= middle >>> (32 - trailing);
        }
      } else {
        const upper = peek(bytes, from, bit) >>> (64 - length);
        const lower = peek(bytes, from, bit + length - 32);
        low ^= lower << trailing;
        high ^= trailing === 0 ? upper : (upper << trailing) | (lower >>> (32 - trailing));
      }
      bit += length;
    }
    // One test a sample: what was read behind the end is dropped with the error. A negative `trailing` made a false value.
    if (bit > end || trailing < 0) throw new ChunkError(`a chunk is damaged: it ends inside sample ${i - first} of ${count}`, to);
    if (delta <= 0 || time > Number.MAX_SAFE_INTEGER) throw new ChunkError('a chunk is damaged: its times do not ascend', from + (bit >>> 3));
    times[i] = time;
    valueBits[2 * i] = low;
    valueBits[2 * i + 1] = high;
  }
  out.length = first + count;
  return count;
}

/** The 32 bits from `bit` on, counted from byte `from`; behind the array zeros. */
function peek(bytes: Uint8Array, from: number, bit: number): number {
  const at = from + (bit >>> 3);
  const shift = bit & 7;
  const word = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  return shift === 0 ? word : (word << shift) | (bytes[at + 4]! >>> (8 - shift));
}

/** Encodes one chunk after the other into the same memory. */
export class XorEncoder {
  readonly #bits = new BitWriter();
  readonly #varint = new Uint8Array(MAX_SAFE_VARINT_BYTES);
  #count = 0;
  #time = 0;
  #delta = 0;
  readonly #value = new XorValue();

  constructor() {
    this.clear();
  }

  get count(): number {
    return this.#count;
  }

  get byteLength(): number {
    return this.#bits.byteLength;
  }

  /** Begins a new chunk. */
  clear(): void {
    this.#bits.clear();
    this.#bits.put(0, 16);
    this.#count = 0;
  }

  /** @param timeMs later than the sample before @param low, high the halves of the value's bits */
  append(timeMs: number, low: number, high: number): void {
    assert(this.#count < MAX_CHUNK_SAMPLES, 'a chunk counts its samples in 16 bits');
    if (this.#count === 0) {
      this.#putBytes(putVarint(this.#varint, 0, timeMs));
      this.#bits.put(high, 32);
      this.#bits.put(low, 32);
      this.#value.begin(low, high);
    } else {
      const delta = timeMs - this.#time;
      assert(delta > 0, 'the times of a chunk ascend');
      if (this.#count === 1) this.#putBytes(putUvarint(this.#varint, 0, delta));
      else this.#putChange(delta - this.#delta);
      this.#value.write(this.#bits, low, high);
      this.#delta = delta;
    }
    this.#time = timeMs;
    this.#count++;
  }

  /** The chunk so far: a view that is valid until the next call. */
  bytes(): Uint8Array {
    const bytes = this.#bits.written;
    bytes[0] = this.#count >>> 8;
    bytes[1] = this.#count;
    return bytes;
  }

  #putBytes(length: number): void {
    for (let i = 0; i < length; i++) this.#bits.put(this.#varint[i]!, 8);
  }

  #putChange(change: number): void {
    const bits = this.#bits;
    if (change === 0) bits.put(0, 1);
    else if (fits(change, 14)) bits.put((0b10 << 14) | (change & 0x3fff), 16);
    else if (fits(change, 17)) bits.put((0b110 << 17) | (change & 0x1ffff), 20);
    else if (fits(change, 20)) bits.put((0b1110 << 20) | (change & 0xfffff), 24);
    else {
      bits.put(0b1111, 4);
      bits.put(Math.floor(change / TWO_32), 32);
      bits.put(change % TWO_32, 32);
    }
  }
}

/** One chunk of `samples[from, to)`, in memory of its own. */
export function encodeXor(samples: SampleBuffer, from: number, to: number): Uint8Array {
  const encoder = new XorEncoder();
  for (let i = from; i < to; i++) encoder.append(samples.times[i]!, samples.valueBits[2 * i]!, samples.valueBits[2 * i + 1]!);
  return encoder.bytes().slice();
}

const fits = (value: number, bits: number): boolean => value > -(2 ** (bits - 1)) && value <= 2 ** (bits - 1);
