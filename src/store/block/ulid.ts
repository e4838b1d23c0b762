/**
 * ULIDs: the names of blocks. 48 bits of time and 80 of randomness in 26 characters that sort by time.
 * Source: github.com/ulid/spec.
 */
import { assert } from '../../core/base/assert.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_CHARACTERS = 10;
const RANDOM_CHARACTERS = 16;
/** Random bytes that a ULID takes. */
export const ULID_RANDOM_BYTES = 10;
// 128 bits are 26 characters of 5, less two: the first is at most 7.
const PATTERN = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

export const isUlid = (text: string): boolean => PATTERN.test(text);

/** @param timeMs since the epoch, not negative @param random ULID_RANDOM_BYTES */
export function makeUlid(timeMs: number, random: Uint8Array): string {
  assert(timeMs >= 0 && timeMs < 2 ** 48 && random.length === ULID_RANDOM_BYTES, 'a ULID has 48 bits of time and 80 of randomness');
  let text = '';
  for (let i = 0, rest = timeMs; i < TIME_CHARACTERS; i++, rest = Math.floor(rest / 32)) text = ALPHABET[rest % 32]! + text;
  for (let i = 0; i < RANDOM_CHARACTERS; i++) {
    const bit = i * 5;
    const word = (random[bit >>> 3]! << 8) | (random[(bit >>> 3) + 1] ?? 0);
    text += ALPHABET[(word >>> (11 - (bit & 7))) & 31]!;
  }
  return text;
}

/** When the ULID was made. */
export function ulidTimeMs(ulid: string): number {
  assert(isUlid(ulid), 'a ULID is asked for its time');
  let timeMs = 0;
  for (let i = 0; i < TIME_CHARACTERS; i++) timeMs = timeMs * 32 + ALPHABET.indexOf(ulid[i]!);
  return timeMs;
}
