/**
 * One series of an index: numbers of its label strings, and its chunks in columns. One instance is read into again and again.
 */
import { assert } from '../../core/base/assert.ts';
import type { BinaryWriter } from '../../core/bytes/binary-writer.ts';
import { BytesError } from '../../core/bytes/cursor.ts';

const TWO_28 = 2 ** 28;
const TWO_56 = 2 ** 56;
/** Groups of seven bits in a 64-bit varint. */
const MAX_VARINT_BYTES = 10;

export class SeriesEntry {
  labelCount = 0;
  /** Name and value of each label: twice `labelCount`. */
  symbols = new Uint32Array(32);
  chunkCount = 0;
  minTimes = new Float64Array(16);
  maxTimes = new Float64Array(16);
  /** Segment × 2^32 + offset. */
  chunkRefs = new Float64Array(16);

  // The decoder's place.
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  clear(): void {
    this.labelCount = 0;
    this.chunkCount = 0;
  }

  addLabel(nameSymbol: number, valueSymbol: number): void {
    const at = 2 * this.labelCount;
    if (at + 2 > this.symbols.length) this.#growSymbols(at + 2);
    this.symbols[at] = nameSymbol;
    this.symbols[at + 1] = valueSymbol;
    this.labelCount++;
  }

  addChunk(minTimeMs: number, maxTimeMs: number, ref: number): void {
    const at = this.chunkCount;
    if (at === this.minTimes.length) this.#growChunks(at + 1);
    this.minTimes[at] = minTimeMs;
    this.maxTimes[at] = maxTimeMs;
    this.chunkRefs[at] = ref;
    this.chunkCount++;
  }

  /** Reads the body of an entry, whose checksum is known to fit. @throws BytesError where it contradicts the format */
  decode(bytes: Uint8Array, from: number, to: number): void {
    this.#begin(bytes, from, to);
    const labels = this.#uvarint();
    if (labels * 2 > to - from) throw this.#error(`an entry of ${to - from} bytes can't have ${labels} labels`);
    if (labels * 2 > this.symbols.length) this.#growSymbols(labels * 2);
    for (let i = 0; i < 2 * labels; i++) this.symbols[i] = this.#symbol();
    this.labelCount = labels;
    const chunks = this.#uvarint();
    if (chunks * 3 > to - this.#at) throw this.#error(`${to - this.#at} bytes can't have ${chunks} chunks`);
    if (chunks > this.minTimes.length) this.#growChunks(chunks);
    let maxTime = 0;
    let ref = 0;
    for (let i = 0; i < chunks; i++) {
      const minTime = i === 0 ? this.#varint() : maxTime + this.#wrappedUvarint();
      maxTime = minTime + this.#uvarint();
      ref = i === 0 ? this.#uvarint() : ref + this.#varint();
      if (!Number.isSafeInteger(minTime) || !Number.isSafeInteger(maxTime) || !Number.isSafeInteger(ref) || ref < 0) {
        throw this.#error(`the times or the place of chunk ${i} are out of range`);
      }
      this.minTimes[i] = minTime;
      this.maxTimes[i] = maxTime;
      this.chunkRefs[i] = ref;
    }
    this.chunkCount = chunks;
    if (this.#at !== to) throw this.#error(this.#at > to ? 'the entry ends inside a number' : 'the entry has bytes left over');
  }

  /** Writes the body of the entry. */
  encode(out: BinaryWriter): void {
    out.uvarint(this.labelCount);
    for (let i = 0; i < 2 * this.labelCount; i++) out.uvarint(this.symbols[i]!);
    out.uvarint(this.chunkCount);
    for (let i = 0; i < this.chunkCount; i++) {
      const minTime = this.minTimes[i]!;
      const maxTime = this.maxTimes[i]!;
      const ref = this.chunkRefs[i]!;
      if (i === 0) out.varint(minTime);
      else {
        assert(minTime > this.maxTimes[i - 1]!, 'chunks of a series follow each other in time');
        out.uvarint(minTime - this.maxTimes[i - 1]!);
      }
      out.uvarint(maxTime - minTime);
      if (i === 0) out.uvarint(ref);
      else out.varint(ref - this.chunkRefs[i - 1]!);
    }
  }

  #begin(bytes: Uint8Array, from: number, to: number): void {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
  }

  #error(what: string): BytesError {
    return new BytesError(what, this.#at);
  }

  #symbol(): number {
    const symbol = this.#uvarint();
    if (symbol > 0xffffffff) throw this.#error(`there is no symbol ${symbol}`);
    return symbol;
  }

  #uvarint(): number {
    const bytes = this.#bytes;
    const first = bytes[this.#at]!;
    if (first < 0x80 && this.#at < this.#end) {
      this.#at++;
      return first;
    }
    const value = this.#wide();
    if (value < 0 || value > Number.MAX_SAFE_INTEGER) throw this.#error('a number is too large');
    return value;
  }

  #varint(): number {
    const value = this.#uvarint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** The time between two chunks: where they overlap it is negative, and written as 64 bits without a sign. */
  #wrappedUvarint(): number {
    const value = this.#wide();
    if (!Number.isSafeInteger(value)) throw this.#error('a number is too large');
    return value;
  }

  /** 64 bits, taken as two's complement; rounded past 2^53. */
  #wide(): number {
    const bytes = this.#bytes;
    let low = 0;
    let middle = 0;
    let high = 0;
    for (let i = 0; i < MAX_VARINT_BYTES && this.#at < this.#end; i++) {
      const byte = bytes[this.#at++]!;
      if (i < 4) low |= (byte & 0x7f) << (7 * i);
      else if (i < 8) middle |= (byte & 0x7f) << (7 * (i - 4));
      else high |= (byte & 0x7f) << (7 * (i - 8));
      if (byte >= 0x80) continue;
      if (high > 0xff) break;
      if (high < 0x80) return high * TWO_56 + middle * TWO_28 + low;
      return -((0xff - high) * TWO_56 + (TWO_28 - 1 - middle) * TWO_28 + (TWO_28 - 1 - low) + 1);
    }
    throw this.#error('a number is damaged');
  }

  #growSymbols(needed: number): void {
    const larger = new Uint32Array(Math.max(needed, this.symbols.length * 2));
    larger.set(this.symbols.subarray(0, 2 * this.labelCount));
    this.symbols = larger;
  }

  #growChunks(needed: number): void {
    const size = Math.max(needed, this.minTimes.length * 2);
    const grown = (column: Float64Array): Float64Array<ArrayBuffer> => {
      const larger = new Float64Array(size);
      larger.set(column.subarray(0, this.chunkCount));
      return larger;
    };
    this.minTimes = grown(this.minTimes);
    this.maxTimes = grown(this.maxTimes);
    this.chunkRefs = grown(this.chunkRefs);
  }
}
