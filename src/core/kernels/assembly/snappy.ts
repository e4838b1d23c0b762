/**
 * Snappy's block format, written; the same steps as the twin in ../../bytes/snappy.ts, which explains them, so both give the same bytes.
 */

const HASH_BITS: u32 = 14;
const MIN_HASH_BITS: u32 = 8;
const FRAGMENT_BYTES: u32 = 65_536;
const TAIL_BYTES: u32 = 15;

let to: usize = 0;

/**
 * Encodes `length` bytes at `input` to `out` (room: snappyMaxEncodedLength). `table` has 2^14 halfwords. Returns the encoded length.
 */
export function encode(input: usize, length: u32, table: usize, out: usize): u32 {
  to = out;
  let rest = length;
  for (; rest >= 0x80; rest >>= 7) store<u8>(to++, <u8>rest | 0x80);
  store<u8>(to++, <u8>rest);
  for (let at: u32 = 0; at < length; at += FRAGMENT_BYTES) fragment(input + at, input + min(length, at + FRAGMENT_BYTES), input + length, table);
  return <u32>(to - out);
}

function fragment(start: usize, end: usize, inputEnd: usize, table: usize): void {
  const bits = min(HASH_BITS, max(MIN_HASH_BITS, 32 - clz<u32>(<u32>(end - start))));
  const shift = 32 - bits;
  memory.fill(table, 0, <usize>2 << bits);
  let literal = start;
  let at = start + 1;
  const limit = end - start > TAIL_BYTES ? end - TAIL_BYTES : start;
  let skip: u32 = 32;
  while (at < limit) {
    const word = load<u32>(at);
    const slot = table + (<usize>((word * 0x1e35a7bd) >> shift) << 1);
    const candidate = start + load<u16>(slot);
    store<u16>(slot, <u16>(at - start));
    if (load<u32>(candidate) != word) {
      const step = skip >> 5;
      at += step;
      skip += step;
      continue;
    }
    skip = 32;
    if (literal < at) putLiteral(literal, at, inputEnd);
    let length: usize = 4;
    while (at + length + 8 <= end) {
      const difference = load<u64>(candidate + length) ^ load<u64>(at + length);
      if (difference != 0) {
        length += <usize>(ctz<u64>(difference) >> 3);
        break;
      }
      length += 8;
    }
    // Near the end, or where the words ran out: single bytes.
    while (at + length < end && load<u8>(candidate + length) == load<u8>(at + length)) length++;
    putCopy(at - candidate, length);
    at += length;
    literal = at;
  }
  if (literal < end) putLiteral(literal, end, inputEnd);
}

function putLiteral(from: usize, end: usize, inputEnd: usize): void {
  const length = end - from;
  const n = length - 1;
  if (n < 60) store<u8>(to++, <u8>(n << 2));
  else if (n < 256) {
    store<u8>(to, 60 << 2);
    store<u8>(to + 1, <u8>n);
    to += 2;
  } else {
    store<u8>(to, 61 << 2);
    store<u16>(to + 1, <u16>n);
    to += 3;
  }
  // The output has room for a word that goes over; the input must have the bytes.
  if (length <= 64 && from + 72 <= inputEnd) {
    for (let i: usize = 0; i < length; i += 8) store<u64>(to + i, load<u64>(from + i));
  } else memory.copy(to, from, length);
  to += length;
}

function putCopy(offset: usize, length: usize): void {
  let rest = length;
  while (rest > 0) {
    const now: usize = rest > 64 ? (rest < 68 ? 60 : 64) : rest;
    if (now >= 4 && now < 12 && offset < 2048) {
      store<u8>(to, <u8>(((offset >> 8) << 5) | ((now - 4) << 2) | 1));
      store<u8>(to + 1, <u8>offset);
      to += 2;
    } else {
      store<u8>(to, <u8>(((now - 1) << 2) | 2));
      store<u16>(to + 1, <u16>offset);
      to += 3;
    }
    rest -= now;
  }
}
