/**
 * Strings from UTF-8 bytes, remembering some: label names and values repeat, and finding one costs less than making it again.
 *
 * Each hash has one slot and the newest string takes it, so the cache never grows.
 */

const SLOTS = 4096;
/** Longer strings are rarely met twice and are made anew. */
const MAX_CACHED_BYTES = 64;

const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

export class StringCache {
  readonly #strings: string[] = Array.from({ length: SLOTS }, () => '');

  /** The text of `bytes[from, to)`; invalid UTF-8 becomes U+FFFD. */
  decode(bytes: Uint8Array, from: number, to: number): string {
    const length = to - from;
    if (length > MAX_CACHED_BYTES) return lenient.decode(bytes.subarray(from, to));
    let hash = length;
    let union = 0;
    for (let i = from; i < to; i++) {
      const byte = bytes[i]!;
      hash = Math.imul(hash ^ byte, 0x01000193);
      union |= byte;
    }
    // Only ASCII is compared byte by byte with a string.
    if (union >= 0x80) return lenient.decode(bytes.subarray(from, to));
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const known = this.#strings[slot]!;
    if (known.length === length && isSame(known, bytes, from)) return known;
    const text = lenient.decode(bytes.subarray(from, to));
    this.#strings[slot] = text;
    return text;
  }
}

function isSame(text: string, bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}
