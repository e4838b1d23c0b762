/**
 * Strings out of bytes, most of them without making a new one.
 *
 * Label names and many values repeat from series to series and from target to target. A table that forgets by overwriting
 * gives the same string again, which spares the copy and lets label sets share it.
 */

const SLOTS = 4096;
/** Longer strings repeat too rarely to be worth comparing. */
const MAX_SHARED_BYTES = 64;

/** Reads strings from one body after another. */
export class StringTable {
  readonly #slots: string[] = Array.from({ length: SLOTS }, () => '');

  /** The string that valid UTF-8 `bytes` hold in [start, end). */
  read(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start;
    if (length > MAX_SHARED_BYTES) return decode(bytes, start, end);
    let hash = length;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (byte >= 0x80) return decode(bytes, start, end);
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const known = this.#slots[slot]!;
    if (known.length === length && holds(known, bytes, start)) return known;
    const text = decode(bytes, start, end);
    this.#slots[slot] = text;
    return text;
  }
}

function holds(text: string, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}

/** TextDecoder refuses shared memory; a Buffer over it does not. */
function decode(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
}
