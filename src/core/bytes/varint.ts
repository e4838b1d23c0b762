/**
 * Go's varints, written: seven bits a byte, the least significant first; signed numbers are zig-zagged. `ByteCursor` reads them.
 */
import { assert } from '../base/assert.ts';

/** Most bytes that a safe integer takes, with or without a sign. */
export const MAX_SAFE_VARINT_BYTES = 8;

/** @param value a safe integer, not negative @returns the byte behind it */
export function putUvarint(out: Uint8Array, at: number, value: number): number {
  assert(value >= 0 && value <= Number.MAX_SAFE_INTEGER, 'a uvarint is a safe integer');
  let to = at;
  let rest = value;
  while (rest > 0x7fffffff) {
    out[to++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  while (rest >= 0x80) {
    out[to++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[to++] = rest;
  return to;
}

/** Zig-zag. @param value a safe integer @returns the byte behind it */
export function putVarint(out: Uint8Array, at: number, value: number): number {
  assert(Number.isSafeInteger(value), 'a varint is a safe integer');
  // The magnitude without the sign bit, so that doubling loses no bit: -1 is 0 with the sign.
  const magnitude = value < 0 ? -1 - value : value;
  const sign = value < 0 ? 1 : 0;
  const rest = Math.floor(magnitude / 64);
  const first = (magnitude % 64) * 2 + sign;
  if (rest === 0) {
    out[at] = first;
    return at + 1;
  }
  out[at] = first | 0x80;
  return putUvarint(out, at + 1, rest);
}

/** Bytes that `putUvarint` takes for `value`. */
export function uvarintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) length++;
  return length;
}
