/**
 * Parses the lines of a scraped body that were seen before, where the body lies; its layouts, and what each function
 * promises, are in ../exposition-kernel.ts, beside the twin.
 *
 * The n-th line is expected to be the one that followed its predecessor last time, so its bytes are compared with that
 * entry's; else the line is looked up in the hash table. Only bytes that the full parser has once accepted can match, and
 * what follows them is read by a grammar narrower than the full one: everything else stops the kernel at that line.
 */

const ENTRY_BYTES: u32 = 20;
const NONE: u32 = 0xffffffff;
const LENGTH_MASK: u32 = 0x00ffffff;
const FLAG_BOUND: u32 = 3 << 24;
const FLAG_COMMENT: u32 = 4 << 24;
const FLAG_OPENMETRICS: u32 = 8 << 24;
const FLAG_LIVE: u32 = 16 << 24;
const FLAG_EXPLICIT: u32 = 32 << 24;
const FLAG_DEAD: u32 = 64 << 24;
const FLAG_UNRESOLVED: u32 = 128 << 24;
/** Flags of an entry and tags of a slot are the upper byte of their words. */
const TAG_SHIFT: u32 = 24;

const MODE_OPENMETRICS: u32 = 1;
const MODE_HONOR: u32 = 2;
const STOP_END: u32 = 0;
const STOP_LINE: u32 = 1;
const STOP_FULL: u32 = 2;

const MAX_LINE_BYTES: u32 = 256 * 1024;
const METADATA_SCRAPES: u32 = 10;
const MAX_TIMESTAMP_DIGITS: u32 = 15;

const SMALLEST_POWER: i32 = -342;
const LARGEST_POWER: i32 = 308;
/** Canonical NaN of the Prometheus formats: not the stale marker. */
const ORDINARY_NAN: u64 = 0x7ff8000000000001;

/** 10^0 … 10^22 as floats, then the 128-bit powers from 10^-342 on, low half first. */
let powersAt: usize = 0;
let widePowersAt: usize = 0;
let hashSeed: u64 = 0;
/** What `readFloat` found; bits, so that a NaN stays what it is. */
let floatBits: u64 = 0;
let timestamp: f64 = 0;
let hasTimestamp: bool = false;

export function init(tables: usize, seed: u32): void {
  powersAt = tables;
  widePowersAt = tables + 23 * 8;
  hashSeed = ((seed as u64) << 32) | ((seed ^ 0x9e3779b9) as u64);
}

export function parse(cache: usize, state: usize): u32 {
  const entries: usize = load<u32>(cache);
  const entryCount = load<u32>(cache, 4);
  const end = load<u32>(state, 4);
  const mode = load<u32>(state, 8);
  const scrape = load<u32>(state, 12);
  let bound = load<u32>(state, 16);
  let previous = load<u32>(state, 20);
  const refs: usize = load<u32>(state, 24);
  const times: usize = load<u32>(state, 28);
  const values: usize = load<u32>(state, 32);
  const capacity = load<u32>(state, 36);
  let count = load<u32>(state, 40);
  let lines = load<u32>(state, 44);
  let kept = load<u32>(state, 48);
  let duplicates = load<u32>(state, 52);
  const defaultTime = load<f64>(state, 56);
  const openMetrics = (mode & MODE_OPENMETRICS) != 0;
  const formatFlag: u32 = openMetrics ? FLAG_OPENMETRICS : 0;
  const honor = (mode & MODE_HONOR) != 0;
  let position = load<u32>(state);
  let stop = STOP_LINE;

  while (true) {
    if (position >= end) {
      if (!openMetrics) stop = STOP_END;
      break;
    }
    const first = load<u8>(position);
    if (first == 0x0a) {
      if (openMetrics) break;
      position++;
      continue;
    }
    const isComment = first == 0x23;
    const kind = formatFlag | (isComment ? FLAG_COMMENT : 0);
    let index = previous == NONE ? load<u32>(cache, 16) : load<u32>(entries + previous * ENTRY_BYTES, 16);
    let entry: usize = entries + index * ENTRY_BYTES;
    let matched = index < entryCount && fits(entry, position, end, kind, bound);
    let after: u32 = 0;
    if (matched) {
      after = position + (load<u32>(entry, 4) & LENGTH_MASK);
      if (isComment) {
        // The whole line must be the comment.
        if (load<u8>(after) != 0x0a) matched = false;
        else after++;
      } else {
        after = readSuffix(position, after, openMetrics);
        // A bare name can match the beginning of a longer series part.
        if (after == 0) matched = false;
      }
    }
    if (!matched) {
      const lineEnd = findNewline(position);
      if (isComment) {
        if (!openMetrics && isFreeComment(position) && lineEnd - position <= MAX_LINE_BYTES) {
          position = lineEnd + 1;
          continue;
        }
        index = find(cache, position, lineEnd - position, kind, bound);
        after = lineEnd + 1;
      } else {
        const seriesEnd = findSeriesEnd(position, lineEnd);
        index = find(cache, position, seriesEnd - position, kind, bound);
        if (index != NONE) after = readSuffix(position, seriesEnd, openMetrics);
      }
      if (index == NONE || after == 0) break;
      entry = entries + index * ENTRY_BYTES;
      if (load<u32>(entry, 4) & (FLAG_DEAD | FLAG_UNRESOLVED)) break;
    }
    // Lines end inside the body; a text body may lack the last newline.
    if (after > end) {
      if (openMetrics) break;
      after = end;
    }
    if (after - position > MAX_LINE_BYTES) break;

    const flags = load<u32>(entry, 4);
    if (isComment) {
      store<u32>(entry, scrape, 12);
      if (flags & FLAG_BOUND) bound = (flags & FLAG_BOUND) >>> TAG_SHIFT;
    } else {
      const ref = load<u32>(entry, 8);
      const explicit = hasTimestamp && honor;
      if (load<u32>(entry, 12) == scrape && !explicit) {
        if (ref != 0) {
          kept++;
          duplicates++;
        }
      } else {
        if (ref != 0) {
          if (count == capacity) {
            stop = STOP_FULL;
            break;
          }
          store<u32>(refs + ((count as usize) << 2), ref);
          store<f64>(times + ((count as usize) << 3), explicit ? timestamp : defaultTime);
          store<u64>(values + ((count as usize) << 3), floatBits);
          count++;
          kept++;
        }
        store<u32>(entry, scrape, 12);
        store<u32>(entry, explicit ? flags | FLAG_EXPLICIT : flags & ~FLAG_EXPLICIT, 4);
      }
      lines++;
    }
    if (!matched) {
      if (previous == NONE) store<u32>(cache, index, 16);
      else store<u32>(entries + previous * ENTRY_BYTES, index, 16);
    }
    previous = index;
    position = after;
  }

  store<u32>(state, position);
  store<u32>(state, bound, 16);
  store<u32>(state, previous, 20);
  store<u32>(state, count, 40);
  store<u32>(state, lines, 44);
  store<u32>(state, kept, 48);
  store<u32>(state, duplicates, 52);
  return stop;
}

/** Whether the entry may stand for the bytes at `position`: same kind, same bound context, usable, same bytes. */
// @ts-ignore: decorator
@inline
function fits(entry: usize, position: u32, end: u32, kind: u32, bound: u32): bool {
  const word = load<u32>(entry, 4);
  if ((word & (FLAG_COMMENT | FLAG_OPENMETRICS | FLAG_DEAD | FLAG_UNRESOLVED)) != kind) return false;
  if (!boundFits(word, bound)) return false;
  const length = word & LENGTH_MASK;
  return length <= end - position && equalBytes(load<u32>(entry), position, length);
}

// @ts-ignore: decorator
@inline
function boundFits(word: u32, bound: u32): bool {
  const wanted = word & FLAG_BOUND;
  return wanted == 0 || (word & FLAG_COMMENT) != 0 || wanted >>> TAG_SHIFT == bound;
}

/** Both places are followed by at least 16 readable bytes. */
function equalBytes(a: usize, b: usize, length: u32): bool {
  let i: usize = 0;
  const whole: usize = length & ~15;
  for (; i < whole; i += 16) {
    if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
  }
  const rest = length & 15;
  if (rest == 0) return true;
  const equal = i8x16.bitmask(i8x16.eq(v128.load(a + i), v128.load(b + i)));
  return (~equal & ((1 << rest) - 1)) == 0;
}

/** Address of the first newline; one always lies behind the body. */
function findNewline(from: u32): u32 {
  const newline = i8x16.splat(0x0a);
  let at: usize = from;
  while (true) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(at), newline));
    if (mask != 0) return (at as u32) + ctz(mask);
    at += 16;
  }
}

/** Behind the last brace of the line; without one, the first blank. A wrong guess finds no entry. */
function findSeriesEnd(from: u32, lineEnd: u32): u32 {
  for (let at = lineEnd; at > from; at--) if (load<u8>(at - 1) == 0x7d) return at;
  let at = from;
  while (at < lineEnd && !isBlank(load<u8>(at))) at++;
  return at;
}

// @ts-ignore: decorator
@inline
function isBlank(byte: u8): bool {
  return byte == 0x20 || byte == 0x09;
}

// @ts-ignore: decorator
@inline
function isDigit(byte: u8): bool {
  return byte - 0x30 < 10;
}

/** Whether the comment at `position` is surely neither HELP nor TYPE. */
function isFreeComment(position: u32): bool {
  if (!isBlank(load<u8>(position, 1))) return true;
  const third = load<u8>(position, 2);
  return third != 0x48 && third != 0x54 && !isBlank(third);
}

/**
 * Reads value, timestamp and newline behind a series part that ends at `at`.
 * Returns the address behind the newline, 0 where the full parser must look.
 */
function readSuffix(seriesStart: u32, at: u32, openMetrics: bool): u32 {
  let position: usize = at;
  let byte = load<u8>(position);
  if (openMetrics) {
    if (byte != 0x20) return 0;
    position++;
  } else {
    if (!isBlank(byte) && load<u8>(at - 1) != 0x7d) return 0;
    while (isBlank(byte)) byte = load<u8>(++position);
  }
  position = readFloat(position);
  if (position == 0) return 0;
  byte = load<u8>(position);
  hasTimestamp = false;
  if (byte == 0x0a) return (position as u32) + 1;
  return openMetrics ? readSeconds(position) : readMilliseconds(position);
}

function readMilliseconds(from: usize): u32 {
  let position = from;
  let byte = load<u8>(position);
  if (!isBlank(byte)) return 0;
  while (isBlank(byte)) byte = load<u8>(++position);
  let digits: u32 = 0;
  let time: u64 = 0;
  while (isDigit(byte)) {
    if (++digits > MAX_TIMESTAMP_DIGITS) return 0;
    time = time * 10 + ((byte - 0x30) as u64);
    byte = load<u8>(++position);
  }
  while (isBlank(byte)) byte = load<u8>(++position);
  if (byte != 0x0a) return 0;
  if (digits > 0) {
    hasTimestamp = true;
    timestamp = time as f64;
  }
  return (position as u32) + 1;
}

function readSeconds(from: usize): u32 {
  if (load<u8>(from) != 0x20) return 0;
  const value = floatBits;
  const position = readFloat(from + 1);
  const seconds = reinterpret<f64>(floatBits);
  floatBits = value;
  if (position == 0 || load<u8>(position) != 0x0a || seconds - seconds != 0) return 0;
  hasTimestamp = true;
  timestamp = trunc(seconds * 1000);
  return (position as u32) + 1;
}

/**
 * Reads a decimal float, `NaN`, `Inf`, `+Inf` or `-Inf` into `floatBits`; returns the address behind it, 0 where none of
 * these begins, at more than 19 digits, and for results that are no normal floats.
 */
function readFloat(from: usize): usize {
  let position = from;
  let byte = load<u8>(position);
  const negative = byte == 0x2d;
  if (negative || byte == 0x2b) byte = load<u8>(++position);
  if (byte > 0x39) return readWord(from, position, negative);

  let mantissa: u64 = 0;
  let digits: u32 = 0; // Without leading zeros.
  let exponent: i32 = 0;
  let any = false;
  while (isDigit(byte)) {
    any = true;
    mantissa = mantissa * 10 + ((byte - 0x30) as u64);
    if (digits != 0 || byte != 0x30) digits++;
    byte = load<u8>(++position);
  }
  if (byte == 0x2e) {
    byte = load<u8>(++position);
    const fraction = position;
    while (isDigit(byte)) {
      mantissa = mantissa * 10 + ((byte - 0x30) as u64);
      if (digits != 0 || byte != 0x30) digits++;
      byte = load<u8>(++position);
    }
    if (position != fraction) any = true;
    // Longer fractions than an exponent can hold have failed by their digits, or are zeros.
    if (position - fraction > 1000) return 0;
    exponent = -((position - fraction) as i32);
  }
  if (!any || digits > 19) return 0;
  if (byte == 0x65 || byte == 0x45) {
    byte = load<u8>(++position);
    const negativeExponent = byte == 0x2d;
    if (negativeExponent || byte == 0x2b) byte = load<u8>(++position);
    if (!isDigit(byte)) return 0;
    let written: i32 = 0;
    while (isDigit(byte)) {
      written = written * 10 + ((byte - 0x30) as i32);
      if (written > 10000) return 0;
      byte = load<u8>(++position);
    }
    exponent += negativeExponent ? -written : written;
  }
  const sign: u64 = negative ? 0x8000000000000000 : 0;
  if (mantissa == 0) {
    floatBits = sign;
    return position;
  }
  if (mantissa <= 0x20000000000000 && exponent >= -22 && exponent <= 22) {
    const whole = mantissa as f64;
    const value = exponent < 0 ? whole / load<f64>(powersAt + ((-exponent) << 3)) : whole * load<f64>(powersAt + (exponent << 3));
    floatBits = reinterpret<u64>(value) | sign;
    return position;
  }
  return nearestFloat(mantissa, exponent, sign) ? position : 0;
}

/** `NaN` without sign, `Inf` with or without. Other spellings are for the full parser. */
function readWord(from: usize, position: usize, negative: bool): usize {
  const word = load<u32>(position) & 0x00ffffff;
  if (word == 0x4e614e) {
    if (position != from) return 0;
    floatBits = ORDINARY_NAN;
  } else if (word == 0x666e49) {
    floatBits = negative ? 0xfff0000000000000 : 0x7ff0000000000000;
  } else return 0;
  return position + 3;
}

/**
 * The float nearest to mantissa × 10^exponent, by multiplying with a 128-bit power of ten (Lemire, "Number Parsing at a
 * Gigabyte per Second", 2021; Mushtak and Lemire, "Fast Number Parsing Without Fallback", 2022). False where the result is
 * not a normal float.
 */
function nearestFloat(mantissa: u64, exponent: i32, sign: u64): bool {
  if (exponent < SMALLEST_POWER || exponent > LARGEST_POWER) return false;
  const power = widePowersAt + ((exponent - SMALLEST_POWER) << 4);
  const shift = clz(mantissa);
  const scaled = mantissa << shift;
  const powerHigh = load<u64>(power, 8);
  let high = multiplyHigh(scaled, powerHigh);
  let low = scaled * powerHigh;
  // Only where all further bits are set can the power's low half carry into those that count.
  if ((high & 0x1ff) == 0x1ff) {
    const carry = multiplyHigh(scaled, load<u64>(power));
    low += carry;
    if (low < carry) high++;
  }
  const top = high >> 63;
  let bits = high >> (top + 9);
  // floor(exponent × log2 10) by 217706 / 2^16.
  let binary: i64 = (((217706 * exponent) >> 16) + 63 + 1023) as i64 + (top as i64) - (shift as i64);
  // Half way between two floats, which happens for these powers alone: to the even one.
  if (low <= 1 && exponent >= -4 && exponent <= 23 && (bits & 3) == 1 && bits << (top + 9) == high) bits &= ~1;
  bits = (bits + (bits & 1)) >> 1;
  if (bits >> 53 != 0) {
    bits >>= 1;
    binary++;
  }
  if (binary < 1 || binary > 2046) return false;
  floatBits = sign | ((binary as u64) << 52) | (bits & 0xfffffffffffff);
  return true;
}

function multiplyHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >> 32);
  const other = aLow * bHigh + (middle & 0xffffffff);
  return aHigh * bHigh + (middle >> 32) + (other >> 32);
}

/** 32 bits for the bytes; the seed keeps targets from choosing series that collide. */
function hashBytes(at: usize, length: u32): u32 {
  let hash: u64 = hashSeed ^ length;
  let i: usize = 0;
  const whole: usize = length & ~7;
  for (; i < whole; i += 8) {
    hash = (hash ^ load<u64>(at + i)) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 29;
  }
  const rest = length & 7;
  if (rest != 0) {
    hash = (hash ^ (load<u64>(at + i) & (((1 as u64) << (rest << 3)) - 1))) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 29;
  }
  hash *= 0xbf58476d1ce4e5b9;
  return (hash >> 32) as u32;
}

export function find(cache: usize, at: u32, length: u32, kind: u32, bound: u32): u32 {
  const slots = load<u32>(cache, 12);
  if (slots == 0) return NONE;
  const entries: usize = load<u32>(cache);
  const table: usize = load<u32>(cache, 8);
  const hash = hashBytes(at, length);
  const tag = hash & 0xff;
  let slot = (((hash as u64) * (slots as u64)) >> 32) as u32;
  while (true) {
    const word = load<u32>(table + (slot << 2));
    if (word == 0) return NONE;
    if (word >> TAG_SHIFT == tag) {
      const index = (word & LENGTH_MASK) - 1;
      const entry = entries + index * ENTRY_BYTES;
      const flags = load<u32>(entry, 4);
      if (
        (flags & LENGTH_MASK) == length &&
        (flags & (FLAG_COMMENT | FLAG_OPENMETRICS)) == kind &&
        boundFits(flags, bound) &&
        equalBytes(load<u32>(entry), at, length)
      ) {
        return index;
      }
    }
    if (++slot == slots) slot = 0;
  }
}

export function link(cache: usize, index: u32): void {
  const entry: usize = load<u32>(cache) + index * ENTRY_BYTES;
  const slots = load<u32>(cache, 12);
  const table: usize = load<u32>(cache, 8);
  const hash = hashBytes(load<u32>(entry), load<u32>(entry, 4) & LENGTH_MASK);
  let slot = (((hash as u64) * (slots as u64)) >> 32) as u32;
  while (load<u32>(table + (slot << 2)) != 0) if (++slot == slots) slot = 0;
  store<u32>(table + (slot << 2), ((hash & 0xff) << TAG_SHIFT) | (index + 1));
}

export function sweep(cache: usize, scrape: u32, trackExplicit: u32, vanished: usize): u32 {
  const entries: usize = load<u32>(cache);
  const count = load<u32>(cache, 4);
  let found: u32 = 0;
  let dead: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const entry = entries + i * ENTRY_BYTES;
    const flags = load<u32>(entry, 4);
    if (flags & FLAG_DEAD) {
      dead++;
      continue;
    }
    const seen = load<u32>(entry, 12);
    if (flags & FLAG_COMMENT) {
      if (scrape - seen > METADATA_SCRAPES) {
        store<u32>(entry, flags | FLAG_DEAD, 4);
        dead++;
      }
    } else if (seen == scrape) {
      const live = load<u32>(entry, 8) != 0 && (trackExplicit != 0 || !(flags & FLAG_EXPLICIT));
      const now = live ? flags | FLAG_LIVE : flags & ~FLAG_LIVE;
      if (now != flags) store<u32>(entry, now, 4);
    } else {
      if (flags & FLAG_LIVE) store<u32>(vanished + (found++ << 2), load<u32>(entry, 8));
      store<u32>(entry, (flags | FLAG_DEAD) & ~FLAG_LIVE, 4);
      dead++;
    }
  }
  store<u32>(cache, dead, 20);
  return found;
}
