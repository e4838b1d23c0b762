/**
 * How the head lies in linear memory. All numbers are byte offsets; words are little-endian, addresses 32 bits.
 *
 *   root            series record (64)      block (64)              closed chunk (40)
 *    0 magic         0 u32 version            0 u32 next block        0 u32 older closed chunk
 *    4 series        4 u32 labels             4 -                     4 u32 first block | file number
 *    8 symbols       8 f64 last time          8 7 × u64 bits          8 u32 bits        | offset in file
 *   12 pairs        16 f64 last value                                12 u16 samples
 *   16 records      24 i64 last delta       label set (4 + 4n)       14 u8 state: 0 blocks, 1 file
 *   20 symbol dir   32 f64 first time         0 u32 n                16 f64 min time
 *   24 pair dir     40 u32 first block        4 n × u32 pair id      24 f64 max time
 *   28 names        44 u32 last block                                32 u32 ref
 *   32 name count   48 u16 samples          pair (32)                36 u32 next waiting for a file
 *   36 label sets   50 u16 bits in last       0 u32 name symbol
 *   40 block free   52 u8 leading             4 u32 value symbol     symbol
 *   44 block next   53 u8 trailing            8 u32 next of name      0 u32 byte length
 *   48 block end    56 u32 closed            12 u32 series count      4 bytes, UTF-8
 *   52 meta free    60 u32 WAL ref           16 u32 first ref
 *   56 meta next                             20 u32 first postings   postings block
 *   60 meta end                              24 u32 last postings     0 u32 next
 *   64 pending first                         28 u32 used in last      4 u32 capacity
 *   68 pending last                                                   8 refs
 *   72 pending count
 *   76 chunks        name (12): symbol, first pair, pair count
 *   80 f64 min time
 *   88 f64 max time
 *
 * Directories hold the addresses of slabs of 4,096 entries. One thread writes. Whatever is only ever added (symbols, pairs, label
 * sets, postings) is complete before the count or link that leads to it is stored; a series record is guarded by its version,
 * odd while it is being written.
 */

export const ROOT = {
  MAGIC: 0,
  SERIES: 4,
  SYMBOLS: 8,
  PAIRS: 12,
  RECORD_DIRECTORY: 16,
  SYMBOL_DIRECTORY: 20,
  PAIR_DIRECTORY: 24,
  NAMES: 28,
  NAME_COUNT: 32,
  LABEL_BYTES: 36,
  BLOCK_FREE: 40,
  BLOCK_NEXT: 44,
  BLOCK_END: 48,
  META_FREE: 52,
  META_NEXT: 56,
  META_END: 60,
  PENDING_FIRST: 64,
  PENDING_LAST: 68,
  PENDING_COUNT: 72,
  CHUNK_COUNT: 76,
  MIN_TIME: 80,
  MAX_TIME: 88,
  BYTES: 128,
} as const;

export const RECORD = {
  BYTES: 64,
  VERSION: 0,
  LABELS: 4,
  LAST_TIME: 8,
  LAST_VALUE: 16,
  DELTA: 24,
  FIRST_TIME: 32,
  FIRST_BLOCK: 40,
  LAST_BLOCK: 44,
  COUNT: 48,
  BIT: 50,
  LEADING: 52,
  TRAILING: 53,
  CLOSED: 56,
  WAL_REF: 60,
} as const;

export const META = {
  BYTES: 40,
  OLDER: 0,
  LOCATION: 4,
  LENGTH: 8,
  COUNT: 12,
  STATE: 14,
  MIN_TIME: 16,
  MAX_TIME: 24,
  REF: 32,
  PENDING: 36,
} as const;

export const PAIR = { BYTES: 32, NAME: 0, VALUE: 4, NEXT_OF_NAME: 8, COUNT: 12, FIRST_REF: 16, FIRST_BLOCK: 20, LAST_BLOCK: 24, USED: 28 } as const;
export const NAME = { BYTES: 12, SYMBOL: 0, FIRST_PAIR: 4, PAIR_COUNT: 8 } as const;
export const POSTINGS = { NEXT: 0, CAPACITY: 4, REFS: 8 } as const;

export const BLOCK_BYTES = 64;
export const BLOCK_BITS = 448;
export const SLAB_SHIFT = 12;
export const SLAB_ENTRIES = 4096;
export const HEAD_MAGIC = 0x436f6575;
/** Samples after which a chunk is closed. */
export const CHUNK_SAMPLES = 120;
/** Bytes that a float chunk must not exceed, its count left out (Prometheus' limit). */
export const CHUNK_MAX_BITS = 1005 * 8;

/** How one sample ended. */
export const STATUS = { OK: 0, IDENTICAL: 1, DUPLICATE: 2, OUT_OF_ORDER: 3, OUT_OF_BOUNDS: 4 } as const;

/** One entry of what `snapshot` lists. */
export const LISTED = { BYTES: 32, MIN_TIME: 0, MAX_TIME: 8, STATE: 16, A: 20, B: 24, COUNT: 28 } as const;
