/**
 * The exposition kernel in TypeScript: the oracle of the WebAssembly module, and what runs where there is none.
 */
import {
  CACHE,
  ENTRY,
  ENTRY_BYTES,
  FLAG,
  LENGTH_MASK,
  METADATA_SCRAPES,
  MODE,
  NONE,
  STATE,
  STOP,
  type ExpositionKernel,
} from './exposition-kernel.ts';
import type { LinearMemory } from './linear-memory.ts';

const ENTRY_WORDS = ENTRY_BYTES / 4;
const MAX_LINE_BYTES = 256 * 1024;
const MAX_TIMESTAMP_DIGITS = 15;
const TAG_SHIFT = 24;
/** Whole numbers below are exact floats. */
const MAX_EXACT = 2 ** 53;
const POWERS = Array.from({ length: 23 }, (_, i) => 10 ** i);
const ORDINARY_NAN_HIGH = 0x7ff80000;
const ORDINARY_NAN_LOW = 1;

const NEWLINE = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const HASH = 0x23;
const CLOSE_BRACE = 0x7d;

const isBlank = (byte: number): boolean => byte === SPACE || byte === TAB;
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/** The twin over `memory`. @param seed as for the kernel */
export function createExpositionTwin(memory: LinearMemory, seed: number): ExpositionKernel {
  return new Twin(memory, seed);
}

class Twin implements ExpositionKernel {
  readonly name = 'twin';
  readonly #memory: LinearMemory;
  readonly #seed: number;
  #u8: Uint8Array;
  #u32: Uint32Array;
  #value = 0;
  #hasTimestamp = false;
  #timestamp = 0;

  constructor(memory: LinearMemory, seed: number) {
    this.#memory = memory;
    this.#seed = seed;
    this.#u8 = memory.u8;
    this.#u32 = memory.u32;
  }

  #refresh(): void {
    this.#memory.refresh();
    this.#u8 = this.#memory.u8;
    this.#u32 = this.#memory.u32;
  }

  parse(cache: number, state: number): number {
    this.#refresh();
    const u8 = this.#u8;
    const u32 = this.#u32;
    const f64 = this.#memory.f64;
    const header = cache >>> 2;
    const s = state >>> 2;
    const entries = u32[header + CACHE.entries]! >>> 2;
    const entryCount = u32[header + CACHE.entryCount]!;
    const end = u32[s + STATE.end]!;
    const scrape = u32[s + STATE.scrape]!;
    const openMetrics = (u32[s + STATE.mode]! & MODE.openMetrics) !== 0;
    const honor = (u32[s + STATE.mode]! & MODE.honorTimestamps) !== 0;
    const formatFlag = openMetrics ? FLAG.openMetrics : 0;
    const refs = u32[s + STATE.refs]! >>> 2;
    const times = u32[s + STATE.times]! >>> 3;
    const values = u32[s + STATE.values]! >>> 3;
    const timeMs = f64[(state >>> 3) + STATE.timeMs / 2]!;
    let stop: number = STOP.line;

    for (;;) {
      const position = u32[s + STATE.position]!;
      if (position >= end) {
        if (!openMetrics) stop = STOP.end;
        break;
      }
      const first = u8[position]!;
      if (first === NEWLINE) {
        if (openMetrics) break;
        u32[s + STATE.position] = position + 1;
        continue;
      }
      const isComment = first === HASH;
      const kind = formatFlag | (isComment ? FLAG.comment : 0);
      const bound = u32[s + STATE.bound]!;
      const previous = u32[s + STATE.previous]!;
      const expectation = previous === NONE ? header + CACHE.first : entries + previous * ENTRY_WORDS + ENTRY.next;
      let index = u32[expectation]!;
      let after = 0;
      if (index < entryCount && this.#fits(entries + index * ENTRY_WORDS, position, end, kind, bound)) {
        const bytesEnd = position + (u32[entries + index * ENTRY_WORDS + ENTRY.lengthAndFlags]! & LENGTH_MASK);
        if (!isComment) after = this.#readSuffix(bytesEnd, openMetrics);
        else if (u8[bytesEnd] === NEWLINE) after = bytesEnd + 1;
      }
      if (after === 0) {
        const lineEnd = u8.indexOf(NEWLINE, position);
        if (isComment && !openMetrics && this.#isFreeComment(position) && lineEnd - position <= MAX_LINE_BYTES) {
          u32[s + STATE.position] = lineEnd + 1;
          continue;
        }
        const bytesEnd = isComment ? lineEnd : this.#findSeriesEnd(position, lineEnd);
        index = this.find(cache, position, bytesEnd - position, kind, bound);
        if (index === NONE) break;
        if ((u32[entries + index * ENTRY_WORDS + ENTRY.lengthAndFlags]! & (FLAG.dead | FLAG.unresolved)) !== 0) break;
        after = isComment ? lineEnd + 1 : this.#readSuffix(bytesEnd, openMetrics);
        if (after === 0) break;
      }
      if (after > end) {
        if (openMetrics) break;
        after = end;
      }
      if (after - position > MAX_LINE_BYTES) break;

      const entry = entries + index * ENTRY_WORDS;
      const flags = u32[entry + ENTRY.lengthAndFlags]!;
      if (isComment) {
        u32[entry + ENTRY.seen] = scrape;
        if ((flags & FLAG.bound) !== 0) u32[s + STATE.bound] = (flags & FLAG.bound) >>> TAG_SHIFT;
      } else {
        const ref = u32[entry + ENTRY.ref]!;
        const explicit = this.#hasTimestamp && honor;
        if (u32[entry + ENTRY.seen] === scrape && !explicit) {
          if (ref !== 0) {
            u32[s + STATE.kept]!++;
            u32[s + STATE.duplicates]!++;
          }
        } else {
          if (ref !== 0) {
            const count = u32[s + STATE.count]!;
            if (count === u32[s + STATE.capacity]) {
              stop = STOP.full;
              break;
            }
            u32[refs + count] = ref;
            f64[times + count] = explicit ? this.#timestamp : timeMs;
            this.#storeValue(values + count);
            u32[s + STATE.count] = count + 1;
            u32[s + STATE.kept]!++;
          }
          u32[entry + ENTRY.seen] = scrape;
          u32[entry + ENTRY.lengthAndFlags] = explicit ? flags | FLAG.explicit : flags & ~FLAG.explicit;
        }
        u32[s + STATE.lines]!++;
      }
      u32[expectation] = index;
      u32[s + STATE.previous] = index;
      u32[s + STATE.position] = after;
    }
    return stop;
  }

  find(cache: number, at: number, length: number, kind: number, bound: number): number {
    this.#refresh();
    const u32 = this.#u32;
    const header = cache >>> 2;
    const slots = u32[header + CACHE.slots]!;
    if (slots === 0) return NONE;
    const entries = u32[header + CACHE.entries]! >>> 2;
    const table = u32[header + CACHE.table]! >>> 2;
    const hash = this.#hash(at, length);
    for (let slot = slotOf(hash, slots); ; slot = slot + 1 === slots ? 0 : slot + 1) {
      const word = u32[table + slot]!;
      if (word === 0) return NONE;
      if (word >>> TAG_SHIFT !== (hash & 0xff)) continue;
      const index = (word & LENGTH_MASK) - 1;
      const entry = entries + index * ENTRY_WORDS;
      const flags = u32[entry + ENTRY.lengthAndFlags]!;
      if (
        (flags & LENGTH_MASK) === length &&
        (flags & (FLAG.comment | FLAG.openMetrics)) === kind &&
        boundFits(flags, bound) &&
        this.#equal(u32[entry + ENTRY.bytes]!, at, length)
      ) {
        return index;
      }
    }
  }

  link(cache: number, index: number): void {
    this.#refresh();
    const u32 = this.#u32;
    const header = cache >>> 2;
    const entry = (u32[header + CACHE.entries]! >>> 2) + index * ENTRY_WORDS;
    const slots = u32[header + CACHE.slots]!;
    const table = u32[header + CACHE.table]! >>> 2;
    const hash = this.#hash(u32[entry + ENTRY.bytes]!, u32[entry + ENTRY.lengthAndFlags]! & LENGTH_MASK);
    let slot = slotOf(hash, slots);
    while (u32[table + slot] !== 0) slot = slot + 1 === slots ? 0 : slot + 1;
    u32[table + slot] = ((hash & 0xff) << TAG_SHIFT) | (index + 1);
  }

  sweep(cache: number, scrape: number, trackExplicit: number, vanished: number): number {
    this.#refresh();
    const u32 = this.#u32;
    const entries = u32[(cache >>> 2) + CACHE.entries]! >>> 2;
    const count = u32[(cache >>> 2) + CACHE.entryCount]!;
    let found = 0;
    let dead = 0;
    for (let entry = entries; entry < entries + count * ENTRY_WORDS; entry += ENTRY_WORDS) {
      const flags = u32[entry + ENTRY.lengthAndFlags]!;
      if ((flags & FLAG.dead) !== 0) {
        dead++;
        continue;
      }
      const seen = u32[entry + ENTRY.seen]!;
      if ((flags & FLAG.comment) !== 0) {
        if (scrape - seen > METADATA_SCRAPES) {
          u32[entry + ENTRY.lengthAndFlags] = flags | FLAG.dead;
          dead++;
        }
      } else if (seen === scrape) {
        const live = u32[entry + ENTRY.ref] !== 0 && (trackExplicit !== 0 || (flags & FLAG.explicit) === 0);
        u32[entry + ENTRY.lengthAndFlags] = live ? flags | FLAG.live : flags & ~FLAG.live;
      } else {
        if ((flags & FLAG.live) !== 0) u32[(vanished >>> 2) + found++] = u32[entry + ENTRY.ref]!;
        u32[entry + ENTRY.lengthAndFlags] = (flags | FLAG.dead) & ~FLAG.live;
        dead++;
      }
    }
    u32[(cache >>> 2) + CACHE.deadCount] = dead;
    return found;
  }

  #fits(entry: number, position: number, end: number, kind: number, bound: number): boolean {
    const word = this.#u32[entry + ENTRY.lengthAndFlags]!;
    if ((word & (FLAG.comment | FLAG.openMetrics | FLAG.dead | FLAG.unresolved)) !== kind) return false;
    const length = word & LENGTH_MASK;
    return boundFits(word, bound) && length <= end - position && this.#equal(this.#u32[entry + ENTRY.bytes]!, position, length);
  }

  #equal(a: number, b: number, length: number): boolean {
    const u8 = this.#u8;
    for (let i = 0; i < length; i++) if (u8[a + i] !== u8[b + i]) return false;
    return true;
  }

  #hash(at: number, length: number): number {
    let hash = this.#seed ^ length;
    for (let i = at; i < at + length; i++) hash = Math.imul(hash ^ this.#u8[i]!, 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    return (hash ^ (hash >>> 13)) >>> 0;
  }

  #findSeriesEnd(from: number, lineEnd: number): number {
    for (let at = lineEnd; at > from; at--) if (this.#u8[at - 1] === CLOSE_BRACE) return at;
    let at = from;
    while (at < lineEnd && !isBlank(this.#u8[at]!)) at++;
    return at;
  }

  #isFreeComment(position: number): boolean {
    if (!isBlank(this.#u8[position + 1]!)) return true;
    const third = this.#u8[position + 2]!;
    return third !== 0x48 && third !== 0x54 && !isBlank(third);
  }

  #readSuffix(at: number, openMetrics: boolean): number {
    const u8 = this.#u8;
    let position = at;
    if (openMetrics) {
      if (u8[position] !== SPACE) return 0;
      position++;
    } else {
      if (!isBlank(u8[position]!) && u8[at - 1] !== CLOSE_BRACE) return 0;
      while (isBlank(u8[position]!)) position++;
    }
    position = this.#readFloat(position);
    if (position === 0) return 0;
    this.#hasTimestamp = false;
    if (u8[position] === NEWLINE) return position + 1;
    return openMetrics ? this.#readSeconds(position) : this.#readMilliseconds(position);
  }

  #readMilliseconds(from: number): number {
    const u8 = this.#u8;
    let position = from;
    if (!isBlank(u8[position]!)) return 0;
    while (isBlank(u8[position]!)) position++;
    const digitsAt = position;
    let time = 0;
    while (isDigit(u8[position]!)) time = time * 10 + u8[position++]! - 0x30;
    const digits = position - digitsAt;
    if (digits > MAX_TIMESTAMP_DIGITS) return 0;
    while (isBlank(u8[position]!)) position++;
    if (u8[position] !== NEWLINE) return 0;
    if (digits > 0) {
      this.#hasTimestamp = true;
      this.#timestamp = time;
    }
    return position + 1;
  }

  #readSeconds(from: number): number {
    if (this.#u8[from] !== SPACE) return 0;
    const value = this.#value;
    const position = this.#readFloat(from + 1);
    const seconds = this.#value;
    this.#value = value;
    if (position === 0 || this.#u8[position] !== NEWLINE || !Number.isFinite(seconds)) return 0;
    this.#hasTimestamp = true;
    this.#timestamp = Math.trunc(seconds * 1000);
    return position + 1;
  }

  #readFloat(from: number): number {
    const u8 = this.#u8;
    let position = from;
    const negative = u8[position] === 0x2d;
    if (negative || u8[position] === 0x2b) position++;
    if (u8[position]! > 0x39) return this.#readWord(from, position, negative);
    let mantissa = 0;
    const wholeAt = position;
    while (isDigit(u8[position]!)) mantissa = mantissa * 10 + u8[position++]! - 0x30;
    let digits = position - wholeAt;
    let exponent = 0;
    if (u8[position] === 0x2e) {
      const fractionAt = ++position;
      while (isDigit(u8[position]!)) mantissa = mantissa * 10 + u8[position++]! - 0x30;
      exponent = fractionAt - position;
      digits -= exponent;
    }
    if (digits === 0) return 0;
    if (u8[position] === 0x65 || u8[position] === 0x45) {
      position++;
      const negativeExponent = u8[position] === 0x2d;
      if (negativeExponent || u8[position] === 0x2b) position++;
      if (!isDigit(u8[position]!)) return 0;
      let written = 0;
      while (isDigit(u8[position]!)) written = written * 10 + u8[position++]! - 0x30;
      exponent += negativeExponent ? -written : written;
    }
    if (mantissa <= MAX_EXACT && digits <= 16 && exponent >= -22 && exponent <= 22) {
      const value = exponent < 0 ? mantissa / POWERS[-exponent]! : mantissa * POWERS[exponent]!;
      this.#value = negative ? -value : value;
      return position;
    }
    this.#value = Number(String.fromCharCode(...u8.slice(from, Math.min(position, from + MAX_FLOAT_BYTES))));
    return position - from <= MAX_FLOAT_BYTES && Number.isFinite(this.#value) ? position : 0;
  }

  #readWord(from: number, position: number, negative: boolean): number {
    const word = String.fromCharCode(this.#u8[position]!, this.#u8[position + 1]!, this.#u8[position + 2]!);
    if (word === 'NaN' && position === from) this.#value = Number.NaN;
    else if (word === 'Inf') this.#value = negative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    else return 0;
    return position + 3;
  }

  #storeValue(index: number): void {
    if (Number.isNaN(this.#value)) {
      this.#u32[2 * index] = ORDINARY_NAN_LOW;
      this.#u32[2 * index + 1] = ORDINARY_NAN_HIGH;
    } else this.#memory.f64[index] = this.#value;
  }
}

/** Longer numbers are for the full parser. */
const MAX_FLOAT_BYTES = 64;

function boundFits(word: number, bound: number): boolean {
  const wanted = word & FLAG.bound;
  return wanted === 0 || (word & FLAG.comment) !== 0 || wanted >>> TAG_SHIFT === bound;
}

const slotOf = (hash: number, slots: number): number => Math.floor((hash * slots) / 2 ** 32);
