/**
 * Kernels of the head: append samples to open chunks, encode WAL records, copy and decode chunks.
 *
 * Layouts are drawn in core/kernels/head-layout.ts; this file repeats the offsets because AssemblyScript can't import them.
 * Every function has a twin in core/kernels/head-kernel.ts that passes the same tests.
 */

// Root.
const ROOT_BLOCK_FREE: usize = 40;
const ROOT_BLOCK_NEXT: usize = 44;
const ROOT_META_FREE: usize = 52;
const ROOT_META_NEXT: usize = 56;
const ROOT_PENDING_FIRST: usize = 64;
const ROOT_PENDING_LAST: usize = 68;
const ROOT_PENDING_COUNT: usize = 72;
const ROOT_CHUNK_COUNT: usize = 76;
const ROOT_MAX_TIME: usize = 88;
const ROOT_TRANSACTION: usize = 104;
const ROOT_APPENDED_MIN_TIME: usize = 112;
const ROOT_RECORD_DIRECTORY: usize = 16;

// Series record, one cache line.
const RECORD_SHIFT: u32 = 12;
const RECORD_MASK: u32 = 4095;
const R_VERSION: usize = 0;
const R_LAST_TIME: usize = 8;
const R_LAST_VALUE: usize = 16;
const R_DELTA: usize = 24;
const R_TRANSACTION: usize = 28;
const R_FIRST_TIME: usize = 32;
const R_HIDDEN: usize = 40;
const R_LAST_BLOCK: usize = 44;
const R_COUNT: usize = 48;
const R_FLAGS: usize = 49;
const R_BIT: usize = 50;
const R_LEADING: usize = 52;
const R_TRAILING: usize = 53;
const R_WAL_REF_HIGH: usize = 54;
const R_CLOSED: usize = 56;
const R_WAL_REF: usize = 60;

const FLAG_OUT_OF_ORDER: u8 = 4;
const ALL_HIDDEN: u32 = 0xffffffff;

// Block of an open chunk: next address (of the last block the first's), 4 spare bytes, seven words whose first bit is the most significant.
const BLOCK_BITS: i32 = 448;
const BLOCK_WORDS: usize = 8;

// Closed chunk.
const META_BYTES: usize = 40;
const M_OLDER: usize = 0;
const M_LOCATION: usize = 4;
const M_LENGTH: usize = 8;
const M_COUNT: usize = 12;
const M_STATE: usize = 14;
const M_MIN_TIME: usize = 16;
const M_MAX_TIME: usize = 24;
const M_REF: usize = 32;
const M_PENDING: usize = 36;

const OK: u8 = 0;
const IDENTICAL: u8 = 1;
const DUPLICATE: u8 = 2;
const OUT_OF_ORDER: u8 = 3;
const OUT_OF_BOUNDS: u8 = 4;

const CHUNK_SAMPLES: u32 = 120;
const CHUNK_MAX_BITS: u32 = 1005 * 8;
const NO_WINDOW: u8 = 0xff;

let root: usize = 0;
let block: usize = 0;
let bit: i32 = 0;

// @ts-ignore: decorator
@inline
function recordAddress(ref: u32): usize {
  return load<u32>(load<u32>(root + ROOT_RECORD_DIRECTORY) + ((ref >> RECORD_SHIFT) << 2)) + ((ref & RECORD_MASK) << 6);
}

function newBlock(): usize {
  const free = load<u32>(root + ROOT_BLOCK_FREE);
  if (free != 0) {
    store<u32>(root + ROOT_BLOCK_FREE, load<u32>(free));
    return free;
  }
  const next = load<u32>(root + ROOT_BLOCK_NEXT);
  store<u32>(root + ROOT_BLOCK_NEXT, next + 64);
  return next;
}

function newMeta(): usize {
  const free = load<u32>(root + ROOT_META_FREE);
  if (free != 0) {
    store<u32>(root + ROOT_META_FREE, load<u32>(free));
    return free;
  }
  const next = load<u32>(root + ROOT_META_NEXT);
  store<u32>(root + ROOT_META_NEXT, next + <u32>META_BYTES);
  return next;
}

/** Appends the low n (1–64) bits of v to the chain at (block, bit). */
function put(v: u64, n: i32): void {
  v <<= <u64>(64 - n);
  while (n > 0) {
    if (bit == BLOCK_BITS) {
      const next = newBlock();
      store<u32>(next, load<u32>(block));
      store<u32>(block, <u32>next);
      block = next;
      bit = 0;
    }
    const used = bit & 63;
    const at = block + BLOCK_WORDS + (<usize>(bit >> 6) << 3);
    if (used == 0) store<u64>(at, v);
    else store<u64>(at, load<u64>(at) | (v >> <u64>used));
    const room = 64 - used;
    if (n <= room) {
      bit += n;
      return;
    }
    v <<= <u64>room;
    bit += room;
    n -= room;
  }
}

function putUvarint(v: u64): void {
  while (v >= 0x80) {
    put((v & 0x7f) | 0x80, 8);
    v >>= 7;
  }
  put(v, 8);
}

// @ts-ignore: decorator
@inline
function fits(x: i64, n: i64): bool {
  return -((<i64>1 << (n - 1)) - 1) <= x && x <= <i64>1 << (n - 1);
}

function putTimeDelta(dod: i64): void {
  if (dod == 0) put(0, 1);
  else if (fits(dod, 14)) put((<u64>0b10 << 14) | (<u64>dod & 0x3fff), 16);
  else if (fits(dod, 17)) put((<u64>0b110 << 17) | (<u64>dod & 0x1ffff), 20);
  else if (fits(dod, 20)) put((<u64>0b1110 << 20) | (<u64>dod & 0xfffff), 24);
  else {
    put(0b1111, 4);
    put(<u64>dod, 64);
  }
}

function putValue(record: usize, value: u64): void {
  const delta = value ^ load<u64>(record + R_LAST_VALUE);
  if (delta == 0) {
    put(0, 1);
    return;
  }
  let leading = <u8>clz(delta);
  const trailing = <u8>ctz(delta);
  if (leading >= 32) leading = 31;
  const windowLeading = load<u8>(record + R_LEADING);
  const windowTrailing = load<u8>(record + R_TRAILING);
  if (windowLeading != NO_WINDOW && leading >= windowLeading && trailing >= windowTrailing) {
    const n = 64 - <i32>windowLeading - <i32>windowTrailing;
    const bits = delta >> <u64>windowTrailing;
    if (n <= 62) put((<u64>0b10 << <u64>n) | bits, n + 2);
    else {
      put(0b10, 2);
      put(bits, n);
    }
    return;
  }
  store<u8>(record + R_LEADING, leading);
  store<u8>(record + R_TRAILING, trailing);
  const n = 64 - <i32>leading - <i32>trailing;
  put((<u64>0b11 << 11) | (<u64>leading << 6) | (<u64>n & 63), 13);
  put(delta >> <u64>trailing, n);
}

/** Moves the open chunk of a record into its list of closed ones. */
function closeChunk(record: usize, ref: u32): void {
  const meta = newMeta();
  store<u32>(meta + M_OLDER, load<u32>(record + R_CLOSED));
  store<u32>(meta + M_LOCATION, load<u32>(load<u32>(record + R_LAST_BLOCK)));
  store<u32>(meta + M_LENGTH, chunkBits(record));
  store<u16>(meta + M_COUNT, <u16>load<u8>(record + R_COUNT));
  store<u8>(meta + M_STATE, 0);
  store<u64>(meta + M_MIN_TIME, load<u64>(record + R_FIRST_TIME));
  store<u64>(meta + M_MAX_TIME, load<u64>(record + R_LAST_TIME));
  store<u32>(meta + M_REF, ref);
  store<u32>(meta + M_PENDING, 0);
  const last: usize = load<u32>(root + ROOT_PENDING_LAST);
  if (last == 0) store<u32>(root + ROOT_PENDING_FIRST, <u32>meta);
  else store<u32>(last + M_PENDING, <u32>meta);
  store<u32>(root + ROOT_PENDING_LAST, <u32>meta);
  store<u32>(root + ROOT_PENDING_COUNT, load<u32>(root + ROOT_PENDING_COUNT) + 1);
  store<u32>(record + R_CLOSED, <u32>meta);
  store<u8>(record + R_COUNT, 0);
}

/** Bits written to a record's open chunk. */
function chunkBits(record: usize): u32 {
  let bits: u32 = 0;
  const last: usize = load<u32>(record + R_LAST_BLOCK);
  let at: usize = load<u32>(last);
  while (at != last) {
    bits += <u32>BLOCK_BITS;
    at = load<u32>(at);
  }
  return bits + load<u16>(record + R_BIT);
}

/** The end (exclusive) of the chunk range that holds timeMs. */
// @ts-ignore: decorator
@inline
function rangeEnd(timeMs: f64, rangeMs: f64): f64 {
  return (Math.floor(timeMs / rangeMs) + 1) * rangeMs;
}

/** How far before the new sample the newest one lies that is not of the open transaction. */
// @ts-ignore: decorator
@inline
function hide(record: usize, sinceLast: f64, transaction: u32): void {
  let hidden = sinceLast;
  if (load<u32>(record + R_TRANSACTION) == transaction) {
    const before = load<u32>(record + R_HIDDEN);
    hidden = before == ALL_HIDDEN ? Infinity : hidden + <f64>before;
  } else store<u32>(record + R_TRANSACTION, transaction);
  store<u32>(record + R_HIDDEN, hidden < <f64>ALL_HIDDEN ? <u32>hidden : ALL_HIDDEN);
}

function appendOne(record: usize, ref: u32, time: f64, value: u64, chunkRangeMs: f64, transaction: u32): void {
  const version = load<u32>(record + R_VERSION);
  atomic.store<u32>(record + R_VERSION, version + 1);
  const sinceLast = time - load<f64>(record + R_LAST_TIME);
  hide(record, sinceLast, transaction);
  let count: u32 = load<u8>(record + R_COUNT);
  if (count > 0) {
    const full = count >= CHUNK_SAMPLES
      || (count >= 2 && <u32>load<u16>(record + R_BIT) + 200 > <u32>BLOCK_BITS && chunkBits(record) + 200 > CHUNK_MAX_BITS)
      || time >= rangeEnd(load<f64>(record + R_FIRST_TIME), chunkRangeMs);
    if (full) {
      closeChunk(record, ref);
      count = 0;
    }
  }
  const t = <i64>time;
  if (count == 0) {
    block = newBlock();
    bit = 0;
    store<u32>(block, <u32>block);
    store<f64>(record + R_FIRST_TIME, time);
    store<u8>(record + R_LEADING, NO_WINDOW);
    store<u8>(record + R_TRAILING, 0);
    putUvarint((<u64>t << 1) ^ <u64>(t >> 63));
    put(value, 64);
    store<u32>(root + ROOT_CHUNK_COUNT, load<u32>(root + ROOT_CHUNK_COUNT) + 1);
  } else {
    block = load<u32>(record + R_LAST_BLOCK);
    bit = load<u16>(record + R_BIT);
    // A chunk is shorter than its range, and that fits 32 bits.
    const delta = <i64>sinceLast;
    if (count == 1) putUvarint(<u64>delta);
    else putTimeDelta(delta - <i64>load<u32>(record + R_DELTA));
    store<u32>(record + R_DELTA, <u32>delta);
    putValue(record, value);
  }
  store<f64>(record + R_LAST_TIME, time);
  store<u64>(record + R_LAST_VALUE, value);
  store<u32>(record + R_LAST_BLOCK, <u32>block);
  store<u16>(record + R_BIT, <u16>bit);
  store<u8>(record + R_COUNT, <u8>(count + 1));
  atomic.store<u32>(record + R_VERSION, version + 2);
}

/**
 * Appends columns of `count` samples; statuses (one byte a sample) tell how each ended. The caller has made room for
 * 4 blocks and one closed chunk a sample. Returns how many were appended.
 */
export function append(
  rootAddress: usize, refs: usize, times: usize, values: usize, statuses: usize, count: u32, minValidMs: f64, chunkRangeMs: f64,
): u32 {
  root = rootAddress;
  let appended: u32 = 0;
  const transaction = load<u32>(root + ROOT_TRANSACTION);
  let minTime = load<f64>(root + ROOT_APPENDED_MIN_TIME);
  let maxTime = load<f64>(root + ROOT_MAX_TIME);
  for (let i: u32 = 0; i < count; i++) {
    const ref = load<u32>(refs + (i << 2));
    const time = load<f64>(times + (i << 3));
    const value = load<u64>(values + (i << 3));
    const record = recordAddress(ref);
    // A record without samples has the last time -Infinity, one whose series is gone +Infinity.
    const last = load<f64>(record + R_LAST_TIME);
    let status = OK;
    if (time > last) {
      if (time < minValidMs) status = OUT_OF_BOUNDS;
    } else if (time == last) {
      status = load<u64>(record + R_LAST_VALUE) == value ? IDENTICAL : DUPLICATE;
    } else status = time < minValidMs ? OUT_OF_BOUNDS : OUT_OF_ORDER;
    store<u8>(statuses + i, status);
    if (status != OK) continue;
    appendOne(record, ref, time, value, chunkRangeMs, transaction);
    appended++;
    if (time > maxTime) maxTime = time;
    if (time < minTime) minTime = time;
  }
  store<f64>(root + ROOT_APPENDED_MIN_TIME, minTime);
  store<f64>(root + ROOT_MAX_TIME, maxTime);
  return appended;
}

/**
 * Adds a closed chunk of the columns' samples to a record without an open one, whatever its other chunks hold. Times ascend, and the
 * samples are few enough for one chunk. The caller has made room as for `append`.
 */
export function appendClosed(rootAddress: usize, ref: u32, times: usize, values: usize, count: u32): void {
  root = rootAddress;
  const record = recordAddress(ref);
  store<f64>(record + R_LAST_TIME, -Infinity);
  for (let i: u32 = 0; i < count; i++) appendOne(record, ref, load<f64>(times + (i << 3)), load<u64>(values + (i << 3)), Infinity, 0);
  const version = load<u32>(record + R_VERSION);
  atomic.store<u32>(record + R_VERSION, version + 1);
  closeChunk(record, ref);
  atomic.store<u32>(record + R_VERSION, version + 2);
}

// @ts-ignore: decorator
@inline
function storeBig64(at: usize, v: u64): void {
  store<u64>(at, bswap<u64>(v));
}

function storeUvarint(at: usize, v: u64): usize {
  while (v >= 0x80) {
    store<u8>(at++, <u8>v | 0x80);
    v >>= 7;
  }
  store<u8>(at, <u8>v);
  return at + 1;
}

// @ts-ignore: decorator
@inline
function zigzag(v: i64): u64 {
  return (<u64>v << 1) ^ <u64>(v >> 63);
}

/**
 * Encodes the samples whose status is OK as one WAL record of type 2 at `out` (room: 17 + 28 bytes a sample) and returns its
 * length, 0 where there is none. Source: Prometheus, tsdb/record (samples v1).
 */
export function encodeSamples(rootAddress: usize, refs: usize, times: usize, values: usize, statuses: usize, count: u32, out: usize): u32 {
  root = rootAddress;
  let at = out;
  let baseRef: i64 = 0;
  let baseTime: i64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (load<u8>(statuses + i) != OK) continue;
    const record = recordAddress(load<u32>(refs + (i << 2)));
    const ref = (<i64>load<u16>(record + R_WAL_REF_HIGH) << 32) | <i64>load<u32>(record + R_WAL_REF);
    const time = <i64>load<f64>(times + (i << 3));
    if (at == out) {
      store<u8>(at, 2);
      storeBig64(at + 1, <u64>ref);
      storeBig64(at + 9, <u64>time);
      at += 17;
      baseRef = ref;
      baseTime = time;
    }
    at = storeUvarint(at, zigzag(ref - baseRef));
    at = storeUvarint(at, zigzag(time - baseTime));
    storeBig64(at, load<u64>(values + (i << 3)));
    at += 8;
  }
  return <u32>(at - out);
}

/**
 * Writes a chunk held in blocks as the bytes of its file form: count, then the bit stream. Returns the byte length.
 * `out` needs room for the stream plus 64 bytes. Stops at `limit` blocks, in case the chain is being changed meanwhile.
 */
export function copyChunk(firstBlock: usize, bits: u32, count: u32, out: usize, limit: u32): u32 {
  store<u8>(out, <u8>(count >> 8));
  store<u8>(out + 1, <u8>count);
  let at = out + 2;
  let from = firstBlock;
  let rest = <i32>bits;
  const end = <usize>memory.size() << 16;
  while (rest > 0 && limit > 0) {
    // A torn read may give any address: stay inside. The version check throws the copy away.
    if (from + 64 > end || from == 0) return 0;
    for (let word: usize = 0; word < 7; word++) store<u64>(at + (word << 3), bswap<u64>(load<u64>(from + BLOCK_WORDS + (word << 3))));
    at += 56;
    rest -= BLOCK_BITS;
    limit--;
    from = load<u32>(from);
  }
  return 2 + ((bits + 7) >> 3);
}

// Bit reader over bytes, most significant bit first.
let readAt: usize = 0;
let readEnd: usize = 0;
let cache: u64 = 0;
let cacheBits: i32 = 0;
let failed: bool = false;

/** Tops the cache up to more than 56 bits where bytes are left. */
// @ts-ignore: decorator
@inline
function fill(): void {
  if (readAt + 8 <= readEnd) {
    cache |= bswap<u64>(load<u64>(readAt)) >> <u64>cacheBits;
    const taken = (63 - cacheBits) >> 3;
    readAt += <usize>taken;
    cacheBits += taken << 3;
    return;
  }
  while (cacheBits <= 56 && readAt < readEnd) {
    cache |= <u64>load<u8>(readAt++) << <u64>(56 - cacheBits);
    cacheBits += 8;
  }
}

/** n in 1–56 bits. */
// @ts-ignore: decorator
@inline
function take(n: i32): u64 {
  if (cacheBits < n) {
    fill();
    if (cacheBits < n) {
      failed = true;
      return 0;
    }
  }
  const v = cache >> <u64>(64 - n);
  cache <<= <u64>n;
  cacheBits -= n;
  return v;
}

function take64(n: i32): u64 {
  if (n <= 32) return take(n);
  const high = take(n - 32);
  return (high << 32) | take(32);
}

function takeUvarint(): u64 {
  let v: u64 = 0;
  for (let shift: u64 = 0; shift < 70; shift += 7) {
    const byte = take(8);
    v |= (byte & 0x7f) << shift;
    if (byte < 0x80) return v;
  }
  failed = true;
  return 0;
}

function takeTimeDelta(): i64 {
  if (take(1) == 0) return 0;
  let n: i32 = 14;
  if (take(1) != 0) {
    n = 17;
    if (take(1) != 0) {
      n = 20;
      if (take(1) != 0) return <i64>take64(64);
    }
  }
  let v = <i64>take(n);
  if (v > <i64>1 << <i64>(n - 1)) v -= <i64>1 << <i64>n;
  return v;
}

/**
 * Decodes an XOR chunk of `length` bytes, count first, and writes the samples inside [startMs, endMs]. Returns how many,
 * or -1 where the bytes contradict the format. Columns need room for the chunk's count.
 * Source: Prometheus, tsdb/docs/format/chunks.md.
 */
export function decodeXor(bytes: usize, length: u32, startMs: f64, endMs: f64, times: usize, values: usize): i32 {
  if (length < 2) return -1;
  const count = (<u32>load<u8>(bytes) << 8) | load<u8>(bytes + 1);
  readAt = bytes + 2;
  readEnd = bytes + length;
  cache = 0;
  cacheBits = 0;
  failed = false;
  let written: i32 = 0;
  let time: i64 = 0;
  let delta: i64 = 0;
  let value: u64 = 0;
  let leading: i32 = 0;
  let trailing: i32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (i == 0) {
      const z = takeUvarint();
      time = <i64>(z >> 1) ^ -(<i64>(z & 1));
      value = take64(64);
    } else {
      delta = i == 1 ? <i64>takeUvarint() : delta + takeTimeDelta();
      time += delta;
      if (take(1) != 0) {
        if (take(1) != 0) {
          const window = take(11);
          leading = <i32>(window >> 6);
          const n = <i32>(window & 63);
          trailing = 64 - leading - (n == 0 ? 64 : n);
          if (trailing < 0) return -1;
        }
        const n = 64 - leading - trailing;
        value ^= take64(n) << <u64>trailing;
      }
    }
    if (failed) return -1;
    const at = <f64>time;
    if (at > endMs) break;
    if (at < startMs) continue;
    store<f64>(times + (written << 3), at);
    store<u64>(values + (written << 3), value);
    written++;
  }
  return written;
}

/**
 * Copies the record and every chunk in memory that touches [startMs, endMs] into `staging`, all of one moment:
 * u32 number of chunks, then per chunk, newest first, 32 bytes {f64 min, f64 max, u32 state, u32 a, u32 b, u32 count} where state 0 is
 * in memory with its bytes at address a and length b, state 1 in a head chunk file a at offset b. Returns the number of chunks, or -1
 * where `room` bytes do not suffice. The 8 bytes before `staging` are used too.
 */
export function snapshot(rootAddress: usize, ref: u32, startMs: f64, endMs: f64, staging: usize, room: u32): i32 {
  root = rootAddress;
  const record = recordAddress(ref);
  let chunks: i32 = 0;
  let version: u32 = 1;
  // Sequence lock: an odd version is a write in progress, a changed one a torn copy.
  while ((version & 1) != 0 || atomic.load<u32>(record + R_VERSION) != version) {
    version = atomic.load<u32>(record + R_VERSION);
    if ((version & 1) != 0) continue;
    chunks = snapshotOnce(record, startMs, endMs, staging, room);
    // A full fence: the copy's plain loads must not move behind the second look at the version. The word is the reader's own.
    atomic.add<u32>(staging - 8, 0);
  }
  return chunks;
}

function snapshotOnce(record: usize, startMs: f64, endMs: f64, staging: usize, room: u32): i32 {
  // A torn list could lead in circles.
  const MAX_CHUNKS: i32 = 1 << 20;
  const isInOrder = (load<u8>(record + R_FLAGS) & FLAG_OUT_OF_ORDER) == 0;
  // Chunk list grows from the front, bytes follow behind the largest possible list that this series needs.
  let listed: i32 = 0;
  const end = <usize>memory.size() << 16;
  let meta: usize = load<u32>(record + R_CLOSED);
  let inList: i32 = 1;
  while (meta != 0 && inList < MAX_CHUNKS) {
    if (meta + META_BYTES > end) return 0;
    inList++;
    if (isInOrder && load<f64>(meta + M_MIN_TIME) < startMs && load<f64>(meta + M_MAX_TIME) < startMs) break;
    meta = load<u32>(meta + M_OLDER);
  }
  let bytesAt = staging + (<usize>inList << 5);
  const stop = staging + room;
  if (bytesAt > stop) return -1;
  const count: u32 = load<u8>(record + R_COUNT);
  if (count > 0 && load<f64>(record + R_FIRST_TIME) <= endMs && load<f64>(record + R_LAST_TIME) >= startMs) {
    const last: usize = load<u32>(record + R_LAST_BLOCK);
    if (last + 64 > end) return 0;
    const first: usize = load<u32>(last);
    const bits = chunkBitsBounded(record, first, last, end);
    if (bytesAt + (bits >> 3) + 128 > stop) return -1;
    const length = copyChunk(first, bits, count, bytesAt, 4096);
    listChunk(staging, listed++, load<f64>(record + R_FIRST_TIME), load<f64>(record + R_LAST_TIME), 0, <u32>bytesAt, length, count);
    bytesAt += (<usize>length + 71) & ~7;
  }
  meta = load<u32>(record + R_CLOSED);
  for (let i: i32 = 1; i < inList && meta != 0; i++) {
    if (meta + META_BYTES > end) return 0;
    const min = load<f64>(meta + M_MIN_TIME);
    const max = load<f64>(meta + M_MAX_TIME);
    if (min <= endMs && max >= startMs) {
      const chunkCount: u32 = load<u16>(meta + M_COUNT);
      if (load<u8>(meta + M_STATE) == 0) {
        const bits = load<u32>(meta + M_LENGTH);
        if (bytesAt + (bits >> 3) + 128 > stop) return -1;
        const length = copyChunk(load<u32>(meta + M_LOCATION), bits, chunkCount, bytesAt, 4096);
        listChunk(staging, listed++, min, max, 0, <u32>bytesAt, length, chunkCount);
        bytesAt += (<usize>length + 71) & ~7;
      } else {
        listChunk(staging, listed++, min, max, 1, load<u32>(meta + M_LOCATION), load<u32>(meta + M_LENGTH), chunkCount);
      }
    }
    meta = load<u32>(meta + M_OLDER);
  }
  return listed;
}

function chunkBitsBounded(record: usize, first: usize, last: usize, end: usize): u32 {
  let bits: u32 = 0;
  let at = first;
  for (let i = 0; i < 4096 && at != last; i++) {
    if (at == 0 || at + 64 > end) return 0;
    bits += <u32>BLOCK_BITS;
    at = load<u32>(at);
  }
  return bits + load<u16>(record + R_BIT);
}

function listChunk(staging: usize, index: i32, min: f64, max: f64, state: u32, a: u32, b: u32, count: u32): void {
  const at = staging + (<usize>index << 5);
  store<f64>(at, min);
  store<f64>(at + 8, max);
  store<u32>(at + 16, state);
  store<u32>(at + 20, a);
  store<u32>(at + 24, b);
  store<u32>(at + 28, count);
}

/**
 * Reads the samples of [startMs, endMs] of a series that lie in memory, oldest first, into columns. Returns their number, or
 * -1 where `room` or `capacity` do not suffice, -2 where the range also touches chunks in files (then `snapshot` is to be used),
 * -3 where a chunk contradicts its format.
 */
export function readSeries(
  rootAddress: usize, ref: u32, startMs: f64, endMs: f64, staging: usize, room: u32, times: usize, values: usize, capacity: u32,
): i32 {
  const chunks = snapshot(rootAddress, ref, startMs, endMs, staging, room);
  if (chunks < 0) return -1;
  let total: u32 = 0;
  for (let i = 0; i < chunks; i++) {
    const at = staging + (<usize>i << 5);
    if (load<u32>(at + 16) != 0) return -2;
    total += load<u32>(at + 28);
  }
  if (total > capacity) return -1;
  let written: i32 = 0;
  for (let i = chunks - 1; i >= 0; i--) {
    const at = staging + (<usize>i << 5);
    const n = decodeXor(load<u32>(at + 20), load<u32>(at + 24), startMs, endMs, times + (written << 3), values + (written << 3));
    if (n < 0) return -3;
    written += n;
  }
  return written;
}

/** Returns the blocks of a flushed chunk to the free list. */
export function freeBlocks(rootAddress: usize, firstBlock: usize, bits: u32): void {
  root = rootAddress;
  let blocks = <i32>((bits + <u32>BLOCK_BITS - 1) / <u32>BLOCK_BITS);
  let at = firstBlock;
  while (blocks-- > 0) {
    const next = load<u32>(at);
    store<u32>(at, load<u32>(root + ROOT_BLOCK_FREE));
    store<u32>(root + ROOT_BLOCK_FREE, <u32>at);
    at = next;
  }
}

/** Marks a closed chunk as written to a file, under its series' version. */
export function setFlushed(rootAddress: usize, meta: usize, file: u32, offset: u32): void {
  root = rootAddress;
  const record = recordAddress(load<u32>(meta + M_REF));
  const version = load<u32>(record + R_VERSION);
  atomic.store<u32>(record + R_VERSION, version + 1);
  const firstBlock = load<u32>(meta + M_LOCATION);
  const bits = load<u32>(meta + M_LENGTH);
  store<u32>(meta + M_LOCATION, file);
  store<u32>(meta + M_LENGTH, offset);
  store<u8>(meta + M_STATE, 1);
  freeBlocks(rootAddress, firstBlock, bits);
  atomic.store<u32>(record + R_VERSION, version + 2);
}
