/**
 * Snappy's block format: literals and copies within one block, no checksum.
 * Source: google/snappy, format_description.txt.
 */
import { putUvarint } from './varint.ts';

/** Bytes that are no snappy block, or one larger than allowed. */
export class SnappyError extends Error {
  override readonly name = 'SnappyError';
}

const HASH_BITS = 14;
const MIN_HASH_BITS = 8;
/** Offsets into the input reach back at most this far: the encoder works in fragments, as the format's reference does. */
const FRAGMENT_BYTES = 65_536;
/** Input bytes behind the last place where four bytes are compared. */
const TAIL_BYTES = 15;
/** Three bytes make at most 64: what claims to grow more is refused before memory is taken for it. */
const MAX_EXPANSION = 22;
/** Copies are no longer than this, and most literals. */
const LONGEST_SHORT_RUN = 64;

/** The decoded length that a block announces. @throws SnappyError where the announcement is broken or above `maxBytes` */
export function snappyDecodedLength(block: Uint8Array, maxBytes: number): number {
  return readLength(block, maxBytes).length;
}

function readLength(block: Uint8Array, maxBytes: number): { length: number; at: number } {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = block[i];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte >= 0x80) continue;
    if (length > maxBytes) throw new SnappyError(`snappy: decoded block is ${length} bytes, more than ${maxBytes}`);
    return { length, at: i + 1 };
  }
  throw new SnappyError('snappy: corrupt input: no length');
}

/** @returns a view of `out` where that is large enough, else a new array @throws SnappyError */
export function snappyDecode(block: Uint8Array, maxBytes: number, out?: Uint8Array): Uint8Array {
  const header = readLength(block, maxBytes);
  const end = header.length;
  if (end > block.length * MAX_EXPANSION) throw new SnappyError(`snappy: corrupt input: ${block.length} bytes can't hold ${end}`);
  const target = out !== undefined && out.length >= end ? out.subarray(0, end) : new Uint8Array(end);
  const to = decodeElements(block, header.at, target);
  if (to !== end) throw new SnappyError(`snappy: corrupt input: ${to} bytes of ${end}`);
  return target;
}

/**
 * Short runs are moved as 64-bit words and may write a few bytes too many, which the next run overwrites; near the ends single bytes
 * are moved. V8 makes plain moves of a DataView's big integers here: 0.4 ns a byte, where 32-bit words take 0.5 and bytes 1.6.
 */
function decodeElements(block: Uint8Array, start: number, target: Uint8Array): number {
  const from64 = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const to64 = new DataView(target.buffer, target.byteOffset, target.byteLength);
  const blockEnd = block.length;
  const targetEnd = target.length;
  const lastFrom = blockEnd - LONGEST_SHORT_RUN - 8;
  const lastTo = targetEnd - LONGEST_SHORT_RUN - 8;
  let from = start;
  let to = 0;
  while (from < blockEnd) {
    const tag = block[from++]!;
    if ((tag & 3) === 0) {
      let length = tag >>> 2;
      if (length >= 60) {
        const extra = length - 59;
        if (from + extra > blockEnd) throw new SnappyError('snappy: corrupt input: literal length is cut');
        length = 0;
        for (let i = 0; i < extra; i++) length += block[from + i]! * 2 ** (8 * i);
        from += extra;
      }
      length++;
      if (from + length > blockEnd || to + length > targetEnd) throw new SnappyError('snappy: corrupt input: literal is too long');
      if (length <= LONGEST_SHORT_RUN && from <= lastFrom && to <= lastTo) {
        for (let i = 0; i < length; i += 8) to64.setBigInt64(to + i, from64.getBigInt64(from + i, true), true);
      } else target.set(block.subarray(from, from + length), to);
      from += length;
      to += length;
      continue;
    }
    let length: number;
    let offset: number;
    if ((tag & 3) === 1) {
      length = 4 + ((tag >>> 2) & 7);
      offset = ((tag >>> 5) << 8) | (block[from] ?? 0);
      from += 1;
    } else {
      length = 1 + (tag >>> 2);
      offset = (block[from] ?? 0) | ((block[from + 1] ?? 0) << 8);
      if ((tag & 3) === 3) offset += (block[from + 2] ?? 0) * 0x10000 + (block[from + 3] ?? 0) * 0x1000000;
      from += (tag & 3) === 2 ? 2 : 4;
    }
    if (from > blockEnd || offset === 0 || offset > to || to + length > targetEnd) {
      throw new SnappyError('snappy: corrupt input: copy outside the block');
    }
    const source = to - offset;
    // Words that overlap would read what is not yet written: a near source repeats a pattern.
    if (offset >= 8 && to <= lastTo) for (let i = 0; i < length; i += 8) to64.setBigInt64(to + i, to64.getBigInt64(source + i, true), true);
    else for (let i = 0; i < length; i++) target[to + i] = target[source + i]!;
    to += length;
  }
  return to;
}

/** Most bytes that `snappyEncode` needs for `length` bytes of input. */
export const snappyMaxEncodedLength = (length: number): number => 32 + length + Math.ceil(length / 6);

/** Encodes blocks; keeps its hash table and its output between calls, so one instance serves one thread. */
export class SnappyEncoder {
  readonly #table = new Uint16Array(1 << HASH_BITS);
  #out = new Uint8Array(65_536);
  #view = new DataView(this.#out.buffer);

  /** @returns a view that is valid until the next call */
  encode(input: Uint8Array): Uint8Array {
    const room = snappyMaxEncodedLength(input.length);
    if (this.#out.length < room) {
      this.#out = new Uint8Array(room);
      this.#view = new DataView(this.#out.buffer);
    }
    const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
    let to = putUvarint(this.#out, 0, input.length);
    for (let at = 0; at < input.length; at += FRAGMENT_BYTES) {
      to = this.#fragment(input, view, at, Math.min(input.length, at + FRAGMENT_BYTES), to);
    }
    return this.#out.subarray(0, to);
  }

  /** Finds four bytes that were there before by a hash of them; the table remembers the newest place of each hash. */
  #fragment(input: Uint8Array, view: DataView, start: number, end: number, to: number): number {
    const table = this.#table;
    const out = this.#out;
    const outView = this.#view;
    // A small fragment needs, and clears, a small table.
    const bits = Math.min(HASH_BITS, Math.max(MIN_HASH_BITS, 32 - Math.clz32(end - start)));
    const shift = 32 - bits;
    table.fill(0, 0, 1 << bits);
    let written = to;
    let literal = start;
    let at = start + 1;
    const limit = end - TAIL_BYTES;
    let skip = 32;
    while (at < limit) {
      const word = view.getInt32(at, true);
      const slot = Math.imul(word, 0x1e35a7bd) >>> shift;
      const candidate = start + table[slot]!;
      table[slot] = at - start;
      if (view.getInt32(candidate, true) !== word) {
        // The longer nothing repeats, the larger the steps.
        const step = skip >>> 5;
        at += step;
        skip += step;
        continue;
      }
      skip = 32;
      if (literal < at) written = putLiteral(out, outView, written, input, view, literal, at);
      let length = 4;
      while (at + length + 4 <= end && view.getInt32(candidate + length, true) === view.getInt32(at + length, true)) length += 4;
      while (at + length < end && input[candidate + length] === input[at + length]) length++;
      written = putCopy(out, written, at - candidate, length);
      at += length;
      literal = at;
    }
    return literal < end ? putLiteral(out, outView, written, input, view, literal, end) : written;
  }
}

function putLiteral(out: Uint8Array, outView: DataView, to: number, input: Uint8Array, view: DataView, from: number, end: number): number {
  const length = end - from;
  const n = length - 1;
  let at = to;
  if (n < 60) out[at++] = n << 2;
  else if (n < 256) {
    out[at++] = 60 << 2;
    out[at++] = n;
  } else {
    out[at++] = 61 << 2;
    out[at++] = n & 0xff;
    out[at++] = n >>> 8;
  }
  // The output has room for a word that goes over; the input must have the bytes.
  if (length <= LONGEST_SHORT_RUN && from + LONGEST_SHORT_RUN + 8 <= input.length) {
    for (let i = 0; i < length; i += 8) outView.setBigInt64(at + i, view.getBigInt64(from + i, true), true);
  } else out.set(input.subarray(from, end), at);
  return at + length;
}

function putCopy(out: Uint8Array, to: number, offset: number, length: number): number {
  let at = to;
  let rest = length;
  while (rest > 0) {
    // A copy of one to three bytes can't use the short form: leave at least four.
    const now = rest > 64 ? (rest < 68 ? 60 : 64) : rest;
    if (now >= 4 && now < 12 && offset < 2048) {
      out[at++] = ((offset >>> 8) << 5) | ((now - 4) << 2) | 1;
      out[at++] = offset & 0xff;
    } else {
      out[at++] = ((now - 1) << 2) | 2;
      out[at++] = offset & 0xff;
      out[at++] = offset >>> 8;
    }
    rest -= now;
  }
  return at;
}
