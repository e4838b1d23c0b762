/**
 * Protobuf's wire format: fields of a message in any order, each behind a tag. What the fields mean, the caller knows.
 * Source: protobuf.dev, "Encoding". Groups, which nothing that we speak uses, are refused.
 */
import { assert } from '../base/assert.ts';
import { BinaryWriter } from './binary-writer.ts';
import { BytesError } from './cursor.ts';

export const WIRE = { VARINT: 0, FIXED64: 1, BYTES: 2, FIXED32: 5 } as const;

const TWO_32 = 4294967296;
const MAX_VARINT_BYTES = 10;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Walks over the fields of one message: `while (reader.next()) { if (reader.field === 1) … else reader.skip(); }`.
 * Every field must be read or skipped. Reading throws BytesError where the bytes are no protobuf.
 */
export class ProtobufReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;
  /** Number and wire type of the field that `next` came to. */
  field = 0;
  wire = 0;

  constructor(bytes: Uint8Array, from = 0, to = bytes.length) {
    this.bytes = bytes;
    this.at = from;
    this.end = to;
  }

  /** Reads the next tag. @returns false at the message's end */
  next(): boolean {
    if (this.at >= this.end) return false;
    const start = this.at;
    const tag = this.uint64();
    this.field = Math.floor(tag / 8);
    this.wire = tag % 8;
    if (this.field === 0 || tag >= TWO_32) throw new BytesError(`protobuf: tag ${tag} has no field number`, start);
    return true;
  }

  /** Rounded where it is no safe integer. */
  uint64(): number {
    const { bytes, at, end } = this;
    let value = 0;
    for (let i = 0, scale = 1; i < MAX_VARINT_BYTES && at + i < end; i++, scale *= 128) {
      const byte = bytes[at + i]!;
      value += (byte & 0x7f) * scale;
      if (byte >= 0x80) continue;
      this.at = at + i + 1;
      return value;
    }
    throw new BytesError('protobuf: a varint does not end', at);
  }

  /** Two's complement in ten bytes where negative; rounded where it is no safe integer. */
  int64(): number {
    const start = this.at;
    const value = this.uint64();
    if (this.at - start < MAX_VARINT_BYTES) return value;
    // Ten bytes: the sign bit is set. The distance to 2^64 is made of the inverted groups, so that small numbers stay exact.
    let distance = 1;
    for (let i = 0, scale = 1; i < MAX_VARINT_BYTES; i++, scale *= 128) {
      distance += (~this.bytes[start + i]! & (i === MAX_VARINT_BYTES - 1 ? 1 : 0x7f)) * scale;
    }
    return -distance;
  }

  /** Copies a double's bits to entry `index` of `halves`, where the low half comes first. */
  double(halves: Uint32Array, index: number): void {
    const at = this.#take(8);
    halves[2 * index] = this.#fixed32(at);
    halves[2 * index + 1] = this.#fixed32(at + 4);
  }

  /** Comes to the content of a length-delimited field and steps over it. @returns where it begins; it ends at `at` */
  content(): number {
    const length = this.uint64();
    return this.#take(length);
  }

  /** Invalid UTF-8 becomes U+FFFD. */
  string(): string {
    const from = this.content();
    return decoder.decode(this.bytes.subarray(from, this.at));
  }

  /** The embedded message. */
  message(): ProtobufReader {
    const from = this.content();
    return new ProtobufReader(this.bytes, from, this.at);
  }

  /** Steps over the field's value. */
  skip(): void {
    if (this.wire === WIRE.VARINT) this.uint64();
    else if (this.wire === WIRE.FIXED64) this.#take(8);
    else if (this.wire === WIRE.BYTES) this.content();
    else if (this.wire === WIRE.FIXED32) this.#take(4);
    else throw new BytesError(`protobuf: wire type ${this.wire} of field ${this.field} is not known`, this.at);
  }

  /** Throws unless the field is coded as `wire`. */
  expect(wire: number): void {
    if (this.wire !== wire) throw new BytesError(`protobuf: field ${this.field} has wire type ${this.wire}, not ${wire}`, this.at);
  }

  #take(count: number): number {
    const at = this.at;
    if (count > this.end - at) throw new BytesError(`protobuf: field ${this.field} is cut off`, at);
    this.at = at + count;
    return at;
  }

  #fixed32(at: number): number {
    const { bytes } = this;
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  }
}

/** Writes fields in the order of the calls; embedded messages are written apart and then taken over. */
export class ProtobufWriter {
  readonly #out = new BinaryWriter();

  /** A view that is valid until the next call. */
  get written(): Uint8Array {
    return this.#out.written;
  }

  clear(): void {
    this.#out.clear();
  }

  /** @param value a safe integer, not negative */
  uint64(field: number, value: number): void {
    this.#out.uvarint(field * 8 + WIRE.VARINT);
    this.#out.uvarint(value);
  }

  /** @param value a safe integer */
  int64(field: number, value: number): void {
    if (value >= 0) {
      this.uint64(field, value);
      return;
    }
    assert(Number.isSafeInteger(value), 'an int64 is a safe integer');
    this.#out.uvarint(field * 8 + WIRE.VARINT);
    let rest = -1 - value; // Inverted: its groups are the inverted groups of the two's complement.
    for (let i = 0; i < MAX_VARINT_BYTES - 1; i++) {
      this.#out.u8(0x80 | (~(rest % 128) & 0x7f));
      rest = Math.floor(rest / 128);
    }
    this.#out.u8(1);
  }

  /** The bits of one double, from entry `index` of `halves`, where the low half comes first. */
  double(field: number, halves: Uint32Array, index: number): void {
    this.#out.uvarint(field * 8 + WIRE.FIXED64);
    for (const half of [halves[2 * index]!, halves[2 * index + 1]!]) for (let shift = 0; shift < 32; shift += 8) this.#out.u8(half >>> shift);
  }

  string(field: number, text: string): void {
    this.#out.uvarint(field * 8 + WIRE.BYTES);
    this.#out.string(text);
  }

  /** Bytes, or an embedded message. */
  bytes(field: number, bytes: Uint8Array): void {
    this.#out.uvarint(field * 8 + WIRE.BYTES);
    this.#out.uvarint(bytes.length);
    this.#out.bytes(bytes);
  }
}
