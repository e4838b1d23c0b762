/**
 * The head's kernels: WebAssembly, and the same in TypeScript.
 *
 * The signatures are those of assembly/head.ts: addresses in one linear memory. The TypeScript twin is what the tests compare
 * with and what runs where WebAssembly's threads are missing.
 */
import type { LinearMemory } from './linear-memory.ts';
import { instantiateKernel } from './kernels.ts';
import {
  ALL_HIDDEN, BLOCK_BITS, BLOCK_BYTES, CHUNK_MAX_BITS, CHUNK_SAMPLES, LISTED, META, RECORD, RECORD_FLAG, ROOT, SLAB_ENTRIES, SLAB_SHIFT, STATUS,
} from './head-layout.ts';

/** Addresses come back as signed 32-bit numbers from WebAssembly: use `>>> 0`. */
export interface HeadKernel {
  append(root: number, refs: number, times: number, values: number, statuses: number, count: number, minValidMs: number, chunkRangeMs: number): number;
  appendClosed(root: number, ref: number, times: number, values: number, count: number): void;
  encodeSamples(root: number, refs: number, times: number, values: number, statuses: number, count: number, out: number): number;
  copyChunk(firstBlock: number, bits: number, count: number, out: number, blockLimit: number): number;
  decodeXor(bytes: number, length: number, startMs: number, endMs: number, times: number, values: number): number;
  snapshot(root: number, ref: number, startMs: number, endMs: number, staging: number, room: number): number;
  readSeries(
    root: number, ref: number, startMs: number, endMs: number, staging: number, room: number, times: number, values: number, capacity: number,
  ): number;
  setFlushed(root: number, meta: number, file: number, offset: number): void;
  freeBlocks(root: number, firstBlock: number, bits: number): void;
}

export function createHeadKernel(module: WebAssembly.Module, memory: LinearMemory): HeadKernel {
  return instantiateKernel<HeadKernel>(module, memory);
}

const NO_WINDOW = 0xff;
const TWO_32 = 4294967296;
const MAX_WALK = 4096;
const MAX_CHUNKS = 2 ** 20;

/** 64 bits as two halves, so that no BigInt is made. */
interface Word {
  high: number;
  low: number;
}

/** The same in TypeScript. One instance is used by one thread. */
export class HeadKernelTwin implements HeadKernel {
  readonly #memory: LinearMemory;
  #block = 0;
  #bit = 0;
  #root = 0;
  // Bit reader.
  #at = 0;
  #end = 0;
  #bitAt = 0;
  #failed = false;
  readonly #word: Word = { high: 0, low: 0 };


  constructor(memory: LinearMemory) {
    this.#memory = memory;
  }

  append(root: number, refs: number, times: number, values: number, statuses: number, count: number, minValidMs: number, chunkRangeMs: number): number {
    this.#root = root;
    const { u32, f64, u8 } = this.#memory;
    const transaction = u32[(root + ROOT.TRANSACTION) >>> 2]!;
    let appended = 0;
    for (let i = 0; i < count; i++) {
      const ref = u32[(refs >>> 2) + i]!;
      const time = f64[(times >>> 3) + i]!;
      const low = u32[(values >>> 2) + 2 * i]!;
      const high = u32[(values >>> 2) + 2 * i + 1]!;
      const record = this.#record(ref);
      const last = f64[(record + RECORD.LAST_TIME) >>> 3]!;
      let status: number = STATUS.OK;
      if (time > last) {
        if (time < minValidMs) status = STATUS.OUT_OF_BOUNDS;
      } else if (time === last) {
        const at = (record + RECORD.LAST_VALUE) >>> 2;
        status = u32[at] === low && u32[at + 1] === high ? STATUS.IDENTICAL : STATUS.DUPLICATE;
      } else status = time < minValidMs ? STATUS.OUT_OF_BOUNDS : STATUS.OUT_OF_ORDER;
      u8[statuses + i] = status;
      if (status !== STATUS.OK) continue;
      this.#hide(record, time - last, transaction);
      this.#appendOne(record, ref, time, high, low, chunkRangeMs);
      appended++;
      if (time > f64[(root + ROOT.MAX_TIME) >>> 3]!) f64[(root + ROOT.MAX_TIME) >>> 3] = time;
      if (time < f64[(root + ROOT.APPENDED_MIN_TIME) >>> 3]!) f64[(root + ROOT.APPENDED_MIN_TIME) >>> 3] = time;
    }
    return appended;
  }

  #record(ref: number): number {
    const { u32 } = this.#memory;
    const directory = u32[(this.#root + ROOT.RECORD_DIRECTORY) >>> 2]!;
    return u32[(directory >>> 2) + (ref >>> SLAB_SHIFT)]! + (ref & (SLAB_ENTRIES - 1)) * RECORD.BYTES;
  }

  #get16(address: number): number {
    const { u8 } = this.#memory;
    return u8[address]! | (u8[address + 1]! << 8);
  }

  #set16(address: number, value: number): void {
    const { u8 } = this.#memory;
    u8[address] = value & 0xff;
    u8[address + 1] = value >>> 8;
  }

  /** How far before the new sample the newest one lies that is not of the open transaction. Readers may see it only with the sample. */
  #hide(record: number, sinceLast: number, transaction: number): void {
    const { u32, i32 } = this.#memory;
    Atomics.add(i32, (record + RECORD.VERSION) >>> 2, 1);
    const at = (record + RECORD.HIDDEN) >>> 2;
    const isSame = u32[(record + RECORD.TRANSACTION) >>> 2] === transaction;
    const before = !isSame ? 0 : u32[at] === ALL_HIDDEN ? Number.POSITIVE_INFINITY : u32[at]!;
    u32[(record + RECORD.TRANSACTION) >>> 2] = transaction;
    u32[at] = Math.min(sinceLast + before, ALL_HIDDEN);
  }

  /** Ends the write that `#hide` has begun. */
  #appendOne(record: number, ref: number, time: number, high: number, low: number, chunkRangeMs: number): void {
    const { u32, i32, f64, u8 } = this.#memory;
    let count = u8[record + RECORD.COUNT]!;
    if (count > 0) {
      const full =
        count >= CHUNK_SAMPLES ||
        (count >= 2 && this.#get16(record + RECORD.BIT) + 200 > BLOCK_BITS && this.#chunkBits(record) + 200 > CHUNK_MAX_BITS) ||
        time >= (Math.floor(f64[(record + RECORD.FIRST_TIME) >>> 3]! / chunkRangeMs) + 1) * chunkRangeMs;
      if (full) {
        this.#close(record, ref);
        count = 0;
      }
    }
    if (count === 0) {
      this.#block = this.#take(ROOT.BLOCK_FREE, ROOT.BLOCK_NEXT, 64);
      u32[this.#block >>> 2] = this.#block;
      this.#bit = 0;
      f64[(record + RECORD.FIRST_TIME) >>> 3] = time;
      u8[record + RECORD.LEADING] = NO_WINDOW;
      u8[record + RECORD.TRAILING] = 0;
      this.#putUvarint(time >= 0 ? time * 2 : -time * 2 - 1);
      this.#put(high, 32);
      this.#put(low, 32);
      u32[(this.#root + ROOT.CHUNK_COUNT) >>> 2]!++;
    } else {
      this.#block = u32[(record + RECORD.LAST_BLOCK) >>> 2]!;
      this.#bit = this.#get16(record + RECORD.BIT);
      const delta = time - f64[(record + RECORD.LAST_TIME) >>> 3]!;
      const deltaAt = (record + RECORD.DELTA) >>> 2;
      if (count === 1) this.#putUvarint(delta);
      else this.#putTimeDelta(delta - u32[deltaAt]!);
      u32[deltaAt] = delta;
      this.#putValue(record, high, low);
    }
    f64[(record + RECORD.LAST_TIME) >>> 3] = time;
    u32[(record + RECORD.LAST_VALUE) >>> 2] = low;
    u32[((record + RECORD.LAST_VALUE) >>> 2) + 1] = high;
    u32[(record + RECORD.LAST_BLOCK) >>> 2] = this.#block;
    this.#set16(record + RECORD.BIT, this.#bit);
    u8[record + RECORD.COUNT] = count + 1;
    Atomics.add(i32, (record + RECORD.VERSION) >>> 2, 1);
  }

  /** Takes an entry from a free list, else from the end of its slab. */
  #take(freeField: number, nextField: number, bytes: number): number {
    const { u32 } = this.#memory;
    const free = u32[(this.#root + freeField) >>> 2]!;
    if (free !== 0) {
      u32[(this.#root + freeField) >>> 2] = u32[free >>> 2]!;
      return free;
    }
    const next = u32[(this.#root + nextField) >>> 2]!;
    u32[(this.#root + nextField) >>> 2] = next + bytes;
    return next;
  }

  #close(record: number, ref: number): void {
    const { u32, f64, u8 } = this.#memory;
    const meta = this.#take(ROOT.META_FREE, ROOT.META_NEXT, META.BYTES);
    u32[(meta + META.OLDER) >>> 2] = u32[(record + RECORD.CLOSED) >>> 2]!;
    u32[(meta + META.LOCATION) >>> 2] = u32[u32[(record + RECORD.LAST_BLOCK) >>> 2]! >>> 2]!;
    u32[(meta + META.LENGTH) >>> 2] = this.#chunkBits(record);
    this.#set16(meta + META.COUNT, u8[record + RECORD.COUNT]!);
    u8[meta + META.STATE] = 0;
    f64[(meta + META.MIN_TIME) >>> 3] = f64[(record + RECORD.FIRST_TIME) >>> 3]!;
    f64[(meta + META.MAX_TIME) >>> 3] = f64[(record + RECORD.LAST_TIME) >>> 3]!;
    u32[(meta + META.REF) >>> 2] = ref;
    u32[(meta + META.PENDING) >>> 2] = 0;
    const last = u32[(this.#root + ROOT.PENDING_LAST) >>> 2]!;
    u32[(last === 0 ? this.#root + ROOT.PENDING_FIRST : last + META.PENDING) >>> 2] = meta;
    u32[(this.#root + ROOT.PENDING_LAST) >>> 2] = meta;
    u32[(this.#root + ROOT.PENDING_COUNT) >>> 2]!++;
    u32[(record + RECORD.CLOSED) >>> 2] = meta;
    u8[record + RECORD.COUNT] = 0;
  }

  #chunkBits(record: number): number {
    const { u32 } = this.#memory;
    let bits = 0;
    const last = u32[(record + RECORD.LAST_BLOCK) >>> 2]!;
    let at = u32[last >>> 2]!;
    for (let i = 0; i < MAX_WALK && at !== last; i++) {
      bits += BLOCK_BITS;
      at = u32[at >>> 2]!;
    }
    return bits + this.#get16(record + RECORD.BIT);
  }

  /** Appends the low n (0–32) bits of v. */
  #put(v: number, n: number): void {
    const { u32 } = this.#memory;
    while (n > 0) {
      if (this.#bit === BLOCK_BITS) {
        const next = this.#take(ROOT.BLOCK_FREE, ROOT.BLOCK_NEXT, 64);
        u32[next >>> 2] = u32[this.#block >>> 2]!;
        u32[this.#block >>> 2] = next;
        this.#block = next;
        this.#bit = 0;
      }
      const used = this.#bit & 31;
      const room = 32 - used;
      const now = Math.min(n, room);
      const piece = now === 32 ? v >>> 0 : (v >>> (n - now)) & (2 ** now - 1);
      // The first bit of a 64-bit word is its most significant: the word's high half comes second in memory.
      const half = this.#bit >>> 5;
      const at = ((this.#block + 8) >>> 2) + (half ^ 1);
      const placed = room - now === 0 ? piece : (piece << (room - now)) >>> 0;
      if (used === 0) u32[at] = placed;
      else u32[at] = (u32[at]! | placed) >>> 0;
      this.#bit += now;
      n -= now;
    }
  }

  #putUvarint(v: number): void {
    while (v >= 0x80) {
      this.#put((v % 0x80) | 0x80, 8);
      v = Math.floor(v / 0x80);
    }
    this.#put(v, 8);
  }

  #putTimeDelta(dod: number): void {
    if (dod === 0) this.#put(0, 1);
    else if (fits(dod, 14)) this.#put((0b10 << 14) | (dod & 0x3fff), 16);
    else if (fits(dod, 17)) this.#put((0b110 << 17) | (dod & 0x1ffff), 20);
    else if (fits(dod, 20)) this.#put((0b1110 << 20) | (dod & 0xfffff), 24);
    else {
      this.#put(0b1111, 4);
      this.#put(Math.floor(dod / TWO_32) >>> 0, 32);
      this.#put((((dod % TWO_32) + TWO_32) % TWO_32) >>> 0, 32);
    }
  }

  #putValue(record: number, high: number, low: number): void {
    const { u32, u8 } = this.#memory;
    const at = (record + RECORD.LAST_VALUE) >>> 2;
    const deltaLow = (low ^ u32[at]!) >>> 0;
    const deltaHigh = (high ^ u32[at + 1]!) >>> 0;
    if (deltaLow === 0 && deltaHigh === 0) {
      this.#put(0, 1);
      return;
    }
    const leading = Math.min(31, Math.clz32(deltaHigh));
    const trailing = deltaLow === 0 ? 32 + trailingZeros(deltaHigh) : trailingZeros(deltaLow);
    const windowLeading = u8[record + RECORD.LEADING]!;
    const windowTrailing = u8[record + RECORD.TRAILING]!;
    if (windowLeading !== NO_WINDOW && leading >= windowLeading && trailing >= windowTrailing) {
      this.#put(0b10, 2);
      this.#putMiddle(deltaHigh, deltaLow, windowLeading, windowTrailing);
      return;
    }
    u8[record + RECORD.LEADING] = leading;
    u8[record + RECORD.TRAILING] = trailing;
    this.#put((0b11 << 11) | (leading << 6) | ((64 - leading - trailing) & 63), 13);
    this.#putMiddle(deltaHigh, deltaLow, leading, trailing);
  }

  /** Puts the 64 − leading − trailing bits in the middle; leading is at most 31. */
  #putMiddle(high: number, low: number, leading: number, trailing: number): void {
    if (trailing >= 32) {
      this.#put(high >>> (trailing - 32), 64 - leading - trailing);
      return;
    }
    this.#put(high, 32 - leading);
    this.#put(low >>> trailing, 32 - trailing);
  }

  appendClosed(root: number, ref: number, times: number, values: number, count: number): void {
    this.#root = root;
    const { u32, i32, f64 } = this.#memory;
    const record = this.#record(ref);
    f64[(record + RECORD.LAST_TIME) >>> 3] = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < count; i++) {
      const time = f64[(times >>> 3) + i]!;
      this.#hide(record, time - f64[(record + RECORD.LAST_TIME) >>> 3]!, 0);
      this.#appendOne(record, ref, time, u32[(values >>> 2) + 2 * i + 1]!, u32[(values >>> 2) + 2 * i]!, Number.POSITIVE_INFINITY);
    }
    Atomics.add(i32, (record + RECORD.VERSION) >>> 2, 1);
    this.#close(record, ref);
    Atomics.add(i32, (record + RECORD.VERSION) >>> 2, 1);
  }

  encodeSamples(root: number, refs: number, times: number, values: number, statuses: number, count: number, out: number): number {
    this.#root = root;
    const { u32, f64, u8 } = this.#memory;
    let at = out;
    let baseRef = 0;
    let baseTime = 0;
    for (let i = 0; i < count; i++) {
      if (u8[statuses + i] !== STATUS.OK) continue;
      const record = this.#record(u32[(refs >>> 2) + i]!);
      const ref = this.#get16(record + RECORD.WAL_REF_HIGH) * TWO_32 + u32[(record + RECORD.WAL_REF) >>> 2]!;
      const time = f64[(times >>> 3) + i]!;
      if (at === out) {
        u8[at++] = 2;
        at = this.#storeBig64(at, Math.floor(ref / TWO_32), ref % TWO_32);
        at = this.#storeBig64(at, Math.floor(time / TWO_32) >>> 0, (((time % TWO_32) + TWO_32) % TWO_32) >>> 0);
        baseRef = ref;
        baseTime = time;
      }
      at = this.#storeVarint(at, ref - baseRef);
      at = this.#storeVarint(at, time - baseTime);
      at = this.#storeBig64(at, u32[(values >>> 2) + 2 * i + 1]!, u32[(values >>> 2) + 2 * i]!);
    }
    return at - out;
  }

  #storeBig64(at: number, high: number, low: number): number {
    const { u8 } = this.#memory;
    for (let i = 0; i < 4; i++) {
      u8[at + i] = high >>> (24 - 8 * i);
      u8[at + 4 + i] = low >>> (24 - 8 * i);
    }
    return at + 8;
  }

  #storeVarint(at: number, v: number): number {
    const { u8 } = this.#memory;
    let rest = v >= 0 ? v * 2 : -v * 2 - 1;
    while (rest >= 0x80) {
      u8[at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    u8[at++] = rest;
    return at;
  }

  copyChunk(firstBlock: number, bits: number, count: number, out: number, blockLimit: number): number {
    const { u32, u8 } = this.#memory;
    u8[out] = count >>> 8;
    u8[out + 1] = count;
    let at = out + 2;
    let from = firstBlock;
    for (let rest = bits, blocks = 0; rest > 0 && blocks < blockLimit; rest -= BLOCK_BITS, blocks++) {
      if (from === 0 || from + 64 > this.#memory.byteLength) return 0;
      for (let word = 0; word < 7; word++) {
        const half = ((from + 8) >>> 2) + 2 * word;
        at = this.#storeBig64(at, u32[half + 1]!, u32[half]!);
      }
      from = u32[from >>> 2]!;
    }
    return 2 + ((bits + 7) >>> 3);
  }

  decodeXor(bytes: number, length: number, startMs: number, endMs: number, times: number, values: number): number {
    if (length < 2) return -1;
    const { u8, u32, f64 } = this.#memory;
    const count = (u8[bytes]! << 8) | u8[bytes + 1]!;
    this.#at = bytes + 2;
    this.#end = bytes + length;
    this.#bitAt = 0;
    this.#failed = false;
    let written = 0;
    let time = 0;
    let delta = 0;
    let high = 0;
    let low = 0;
    let leading = 0;
    let trailing = 0;
    for (let i = 0; i < count; i++) {
      if (i === 0) {
        const z = this.#takeUvarint();
        time = z % 2 === 0 ? z / 2 : -(z + 1) / 2;
        high = this.#takeBits(32);
        low = this.#takeBits(32);
      } else {
        delta = i === 1 ? this.#takeUvarint() : delta + this.#takeTimeDelta();
        time += delta;
        if (this.#takeBits(1) !== 0) {
          if (this.#takeBits(1) !== 0) {
            leading = this.#takeBits(5);
            const n = this.#takeBits(6);
            trailing = 64 - leading - (n === 0 ? 64 : n);
            if (trailing < 0) return -1;
          }
          this.#takeMiddle(leading, trailing);
          high = (high ^ this.#word.high) >>> 0;
          low = (low ^ this.#word.low) >>> 0;
        }
      }
      if (this.#failed) return -1;
      if (time > endMs) break;
      if (time < startMs) continue;
      f64[(times >>> 3) + written] = time;
      u32[(values >>> 2) + 2 * written] = low;
      u32[(values >>> 2) + 2 * written + 1] = high;
      written++;
    }
    return written;
  }

  /** n in 0–32. */
  #takeBits(n: number): number {
    const { u8 } = this.#memory;
    let v = 0;
    for (let rest = n; rest > 0; ) {
      if (this.#at >= this.#end) {
        this.#failed = true;
        return 0;
      }
      const now = Math.min(rest, 8 - this.#bitAt);
      const piece = (u8[this.#at]! >>> (8 - this.#bitAt - now)) & ((1 << now) - 1);
      v = ((v << now) | piece) >>> 0;
      this.#bitAt += now;
      rest -= now;
      if (this.#bitAt === 8) {
        this.#bitAt = 0;
        this.#at++;
      }
    }
    return v;
  }

  /** Takes 64 − leading − trailing bits and puts them into #word at their place. */
  #takeMiddle(leading: number, trailing: number): void {
    if (trailing >= 32) {
      const v = this.#takeBits(64 - leading - trailing);
      this.#word.high = trailing === 32 ? v : (v << (trailing - 32)) >>> 0;
      this.#word.low = 0;
      return;
    }
    this.#word.high = this.#takeBits(32 - leading);
    this.#word.low = (this.#takeBits(32 - trailing) << trailing) >>> 0;
  }

  #takeUvarint(): number {
    let v = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.#takeBits(8);
      v += (byte & 0x7f) * scale;
      if (byte < 0x80) return v;
      scale *= 128;
    }
    this.#failed = true;
    return 0;
  }

  #takeTimeDelta(): number {
    if (this.#takeBits(1) === 0) return 0;
    let n = 14;
    if (this.#takeBits(1) !== 0) {
      n = 17;
      if (this.#takeBits(1) !== 0) {
        n = 20;
        if (this.#takeBits(1) !== 0) {
          const high = this.#takeBits(32) | 0;
          return high * TWO_32 + this.#takeBits(32);
        }
      }
    }
    const v = this.#takeBits(n);
    return v > 2 ** (n - 1) ? v - 2 ** n : v;
  }

  snapshot(root: number, ref: number, startMs: number, endMs: number, staging: number, room: number): number {
    this.#root = root;
    const { i32 } = this.#memory;
    const record = this.#record(ref);
    const versionAt = (record + RECORD.VERSION) >>> 2;
    for (;;) {
      const version = Atomics.load(i32, versionAt);
      if ((version & 1) !== 0) continue;
      const chunks = this.#snapshotOnce(record, startMs, endMs, staging, room);
      Atomics.add(i32, (staging - 8) >>> 2, 0);
      if (Atomics.load(i32, versionAt) === version) return chunks;
    }
  }

  #snapshotOnce(record: number, startMs: number, endMs: number, staging: number, room: number): number {
    const { u32, f64, u8 } = this.#memory;
    const end = this.#memory.byteLength;
    const metas: number[] = [];
    const isInOrder = (u8[record + RECORD.FLAGS]! & RECORD_FLAG.OUT_OF_ORDER) === 0;
    for (let meta = u32[(record + RECORD.CLOSED) >>> 2]!; meta !== 0 && metas.length < MAX_CHUNKS - 1; meta = u32[(meta + META.OLDER) >>> 2]!) {
      if (meta + META.BYTES > end) return 0;
      metas.push(meta);
      if (isInOrder && f64[(meta + META.MIN_TIME) >>> 3]! < startMs && f64[(meta + META.MAX_TIME) >>> 3]! < startMs) break;
    }
    let bytesAt = staging + (metas.length + 1) * LISTED.BYTES;
    const stop = staging + room;
    let listed = 0;
    const list = (min: number, max: number, state: number, a: number, b: number, count: number): void => {
      const at = staging + listed++ * LISTED.BYTES;
      f64[(at + LISTED.MIN_TIME) >>> 3] = min;
      f64[(at + LISTED.MAX_TIME) >>> 3] = max;
      u32[(at + LISTED.STATE) >>> 2] = state;
      u32[(at + LISTED.A) >>> 2] = a;
      u32[(at + LISTED.B) >>> 2] = b;
      u32[(at + LISTED.COUNT) >>> 2] = count;
    };
    const copy = (min: number, max: number, firstBlock: number, bits: number, count: number): boolean => {
      if (bytesAt + (bits >>> 3) + 128 > stop) return false;
      const length = this.copyChunk(firstBlock, bits, count, bytesAt, MAX_WALK);
      list(min, max, 0, bytesAt, length, count);
      bytesAt += (length + 71) & ~7;
      return true;
    };
    if (bytesAt > stop) return -1;
    const count = u8[record + RECORD.COUNT]!;
    const first = f64[(record + RECORD.FIRST_TIME) >>> 3]!;
    const last = f64[(record + RECORD.LAST_TIME) >>> 3]!;
    if (count > 0 && first <= endMs && last >= startMs) {
      const lastBlock = u32[(record + RECORD.LAST_BLOCK) >>> 2]!;
      if (lastBlock + BLOCK_BYTES > end) return 0;
      if (!copy(first, last, u32[lastBlock >>> 2]!, this.#chunkBits(record), count)) return -1;
    }
    for (const meta of metas) {
      const min = f64[(meta + META.MIN_TIME) >>> 3]!;
      const max = f64[(meta + META.MAX_TIME) >>> 3]!;
      if (min > endMs || max < startMs) continue;
      const location = u32[(meta + META.LOCATION) >>> 2]!;
      const length = u32[(meta + META.LENGTH) >>> 2]!;
      const chunkCount = this.#get16(meta + META.COUNT);
      if (u8[meta + META.STATE] !== 0) list(min, max, 1, location, length, chunkCount);
      else if (!copy(min, max, location, length, chunkCount)) return -1;
    }
    return listed;
  }

  readSeries(
    root: number, ref: number, startMs: number, endMs: number, staging: number, room: number, times: number, values: number, capacity: number,
  ): number {
    const chunks = this.snapshot(root, ref, startMs, endMs, staging, room);
    if (chunks < 0) return -1;
    const { u32 } = this.#memory;
    let total = 0;
    for (let i = 0; i < chunks; i++) {
      const at = staging + i * LISTED.BYTES;
      if (u32[(at + LISTED.STATE) >>> 2] !== 0) return -2;
      total += u32[(at + LISTED.COUNT) >>> 2]!;
    }
    if (total > capacity) return -1;
    let written = 0;
    for (let i = chunks - 1; i >= 0; i--) {
      const at = staging + i * LISTED.BYTES;
      const n = this.decodeXor(u32[(at + LISTED.A) >>> 2]!, u32[(at + LISTED.B) >>> 2]!, startMs, endMs, times + written * 8, values + written * 8);
      if (n < 0) return -3;
      written += n;
    }
    return written;
  }

  freeBlocks(root: number, firstBlock: number, bits: number): void {
    const { u32 } = this.#memory;
    let at = firstBlock;
    for (let blocks = Math.ceil(bits / BLOCK_BITS); blocks > 0; blocks--) {
      const next = u32[at >>> 2]!;
      u32[at >>> 2] = u32[(root + ROOT.BLOCK_FREE) >>> 2]!;
      u32[(root + ROOT.BLOCK_FREE) >>> 2] = at;
      at = next;
    }
  }

  setFlushed(root: number, meta: number, file: number, offset: number): void {
    this.#root = root;
    const { u32, i32, u8 } = this.#memory;
    const versionAt = (this.#record(u32[(meta + META.REF) >>> 2]!) + RECORD.VERSION) >>> 2;
    Atomics.add(i32, versionAt, 1);
    const firstBlock = u32[(meta + META.LOCATION) >>> 2]!;
    const bits = u32[(meta + META.LENGTH) >>> 2]!;
    u32[(meta + META.LOCATION) >>> 2] = file;
    u32[(meta + META.LENGTH) >>> 2] = offset;
    u8[meta + META.STATE] = 1;
    this.freeBlocks(root, firstBlock, bits);
    Atomics.add(i32, versionAt, 1);
  }
}

const fits = (x: number, n: number): boolean => -(2 ** (n - 1) - 1) <= x && x <= 2 ** (n - 1);

/** Of a number that is not 0. */
const trailingZeros = (v: number): number => 31 - Math.clz32(v & -v);
