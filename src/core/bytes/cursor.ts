/**
 * Reads binary fields one after the other, never past a given end.
 *
 * Fixed numbers are big-endian and varints Go's, as all of Prometheus' files have them. Numbers must be safe integers: a larger one
 * is an error of the input here, since nothing that we read legitimately counts that far.
 */

/** Bytes that end inside a field, or a field that can't be. `offset` counts from the start of the array that was read. */
export class BytesError extends Error {
  override readonly name = 'BytesError';
  readonly offset: number;

  constructor(what: string, offset: number) {
    super(`${what}, at byte ${offset}`);
    this.offset = offset;
  }
}

const TWO_32 = 4294967296;
/** A 64-bit number takes at most ten groups of seven bits. */
const MAX_VARINT_BYTES = 10;

export class ByteCursor {
  readonly bytes: Uint8Array;
  /** First byte that is not to be read. */
  readonly end: number;
  /** The next byte. */
  at: number;

  constructor(bytes: Uint8Array, from = 0, to = bytes.length) {
    this.bytes = bytes;
    this.at = from;
    this.end = Math.min(to, bytes.length);
  }

  get isDone(): boolean {
    return this.at >= this.end;
  }

  /** Steps over `count` bytes. @returns where they begin @throws BytesError */
  skip(count: number): number {
    const at = this.at;
    if (count > this.end - at) throw new BytesError(`the bytes end inside a field of ${count}`, at);
    this.at = at + count;
    return at;
  }

  u8(): number {
    return this.bytes[this.skip(1)]!;
  }

  u16(): number {
    const at = this.skip(2);
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  u32(): number {
    const at = this.skip(4);
    const { bytes } = this;
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
  }

  /** Unsigned, 64 bits wide. @throws BytesError where it is no safe integer */
  u64(): number {
    const high = this.u32();
    return safe(high * TWO_32 + this.u32(), this.at - 8);
  }

  /** Signed, 64 bits wide. @throws BytesError where it is no safe integer */
  i64(): number {
    const high = this.u32() | 0;
    return safe(high * TWO_32 + this.u32(), this.at - 8);
  }

  /** @throws BytesError where it is no safe integer */
  uvarint(): number {
    const { bytes, at, end } = this;
    let value = 0;
    for (let i = 0, scale = 1; i < MAX_VARINT_BYTES && at + i < end; i++, scale *= 128) {
      const byte = bytes[at + i]!;
      value += (byte & 0x7f) * scale;
      if (byte >= 0x80) continue;
      this.at = at + i + 1;
      return safe(value, at);
    }
    throw noVarint(at, end);
  }

  /** Zig-zag. @throws BytesError where it is no safe integer */
  varint(): number {
    const at = this.at;
    return safe(this.roundedVarint(), at);
  }

  /** Zig-zag; past 2^53 rounded, which is enough for limits such as the earliest time. */
  roundedVarint(): number {
    const { bytes, at, end } = this;
    let value = 0; // Without the sign bit, so that all of the 63 others count.
    for (let i = 0, scale = 0.5; i < MAX_VARINT_BYTES && at + i < end; i++, scale *= 128) {
      const byte = bytes[at + i]!;
      value += (i === 0 ? byte & 0x7e : byte & 0x7f) * scale;
      if (byte >= 0x80) continue;
      this.at = at + i + 1;
      return (bytes[at]! & 1) === 0 ? value : -1 - value;
    }
    throw noVarint(at, end);
  }

  /** Steps over a varint of any size. */
  skipVarint(): void {
    const { bytes, at, end } = this;
    for (let i = 0; i < MAX_VARINT_BYTES && at + i < end; i++) {
      if (bytes[at + i]! >= 0x80) continue;
      this.at = at + i + 1;
      return;
    }
    throw noVarint(at, end);
  }

  /** Copies the bits of one float to entry `index` of `halves`, where the low half comes first. */
  float(halves: Uint32Array, index: number): void {
    halves[2 * index + 1] = this.u32();
    halves[2 * index] = this.u32();
  }
}

function safe(value: number, offset: number): number {
  if (!Number.isSafeInteger(value)) throw new BytesError('a number is too large', offset);
  return value;
}

function noVarint(at: number, end: number): BytesError {
  return new BytesError(end - at < MAX_VARINT_BYTES ? 'the bytes end inside a varint' : 'a varint is too long', at);
}
