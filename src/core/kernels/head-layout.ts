/**
 * How the head lies in linear memory. All numbers are byte offsets; words are little-endian, addresses 32 bits.
 *
 *   root                series record (64)          block (64)                   closed chunk (40)
 *    0 magic             0 u32 version               0 u32 next; of the last      0 u32 older closed chunk
 *    4 series            4 u32 label set                   one the first          4 u32 first block | file number
 *    8 symbols           8 f64 last time             4 -                          8 u32 bits        | offset in file
 *   12 pairs            16 f64 last value            8 7 × u64 bits              12 u16 samples
 *   16 records          24 u32 last delta                                        14 u8 state: CHUNK_STATE
 *   20 symbol dir       28 u32 transaction          label set (8 + 4n)           16 f64 min time
 *   24 pair dir         32 f64 first time            0 u32 extra                 24 f64 max time
 *   28 names            40 u32 hidden                4 u32 n                     32 u32 ref
 *   32 name count       44 u32 last block            8 n × u32 pair id           36 u32 next waiting for a file
 *   36 label bytes      48 u8 samples
 *   40 block free       49 u8 flags                 pair (24)                    symbol
 *   44 block next       50 u16 bits in last          0 u32 name symbol            0 u32 byte length
 *   48 block end        52 u8 leading                4 u32 value symbol           4 bytes, UTF-8
 *   52 meta free        53 u8 trailing               8 u32 next of name
 *   56 meta next        54 u16 WAL ref, high        12 u32 series count          postings block
 *   60 meta end         56 u32 closed               16 u32 postings               0 u32 next
 *   64 pending first    60 u32 WAL ref, low         20 u32 last postings          4 u32 capacity
 *   68 pending last                                                               8 u32 used
 *   72 pending count    name (12): symbol, first pair, pair count                12 refs; 0 is a hole
 *   76 chunks           extra (16): 0 u32 tombstones, 4 u32 ref of the out-of-order record
 *                        tombstones (8 + 16n): 0 u32 n, 8 n × { f64 first, f64 last }
 *   80 f64 min time of all samples      96 highest ref        108 committed
 *   88 f64 max time of all samples     100 generation         112 f64 min time of appends
 *                                      104 transaction        120 first chunk file
 *  128 f64 min time of out-of-order samples                    136 f64 max time of out-of-order samples
 *
 * Directories hold the addresses of slabs of 4,096 entries. One thread writes. What readers find their way by (symbols, pairs, label
 * sets, postings) is complete before the count or link that leads to it is stored, and what is taken out stays as it was until no
 * reader can still hold it; then its place and number are given out again. The generation changes whenever something was taken out, so
 * that readers drop what they remember by number. A series record is guarded by its version, odd while it is being written.
 *
 * Postings of a pair: 0 none, odd 2 · ref + 1 for a single one, else the address of the first block.
 *
 * Out-of-order samples of a series have a record of their own, whose label set is a buffer (520): u32 n, then at 8 32 × f64 times,
 * ascending, and at 264 32 × f64 values. Its closed chunks may overlap; it has no open one.
 *
 * A commit makes the samples of one transaction visible at once. A record has the transaction of its newest sample and, in `hidden`, how
 * many milliseconds before that sample the newest one lies that was there before the transaction: a reader that begins before the commit
 * sees no later one.
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
  HIGHEST_REF: 96,
  GENERATION: 100,
  TRANSACTION: 104,
  COMMITTED: 108,
  APPENDED_MIN_TIME: 112,
  FIRST_CHUNK_FILE: 120,
  OUT_OF_ORDER_MIN_TIME: 128,
  OUT_OF_ORDER_MAX_TIME: 136,
  BYTES: 192,
} as const;

export const RECORD = {
  BYTES: 64,
  VERSION: 0,
  LABELS: 4,
  LAST_TIME: 8,
  LAST_VALUE: 16,
  DELTA: 24,
  TRANSACTION: 28,
  FIRST_TIME: 32,
  HIDDEN: 40,
  LAST_BLOCK: 44,
  COUNT: 48,
  FLAGS: 49,
  BIT: 50,
  LEADING: 52,
  TRAILING: 53,
  WAL_REF_HIGH: 54,
  CLOSED: 56,
  WAL_REF: 60,
} as const;

/**
 * Bits of a record's flags. GONE: the series has been taken out; its last time is +Infinity, so that nothing is appended to it.
 * EXTRA: its label set leads to what few series have. OUT_OF_ORDER: it is the record of a series' out-of-order samples, and no series.
 */
export const RECORD_FLAG = { GONE: 1, EXTRA: 2, OUT_OF_ORDER: 4 } as const;
/** In `hidden`: there was no sample before the transaction, or so long before that it can't be told. */
export const ALL_HIDDEN = 0xffffffff;

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
/** DROPPED: its samples are gone, and it only waits to be taken out of the list of chunks that wait for a file. */
export const CHUNK_STATE = { BLOCKS: 0, FILE: 1, DROPPED: 2 } as const;

export const LABEL_SET = { EXTRA: 0, COUNT: 4, PAIRS: 8 } as const;
export const EXTRA = { BYTES: 16, TOMBSTONES: 0, OUT_OF_ORDER: 4 } as const;
/** Samples that come out of order wait here until there are enough for a chunk (Prometheus' size). */
export const OUT_OF_ORDER_SAMPLES = 32;
export const OUT_OF_ORDER_BUFFER = { BYTES: 8 + 2 * OUT_OF_ORDER_SAMPLES * 8, COUNT: 0, TIMES: 8, VALUES: 8 + OUT_OF_ORDER_SAMPLES * 8 } as const;
export const TOMBSTONES = { COUNT: 0, INTERVALS: 8 } as const;
export const PAIR = { BYTES: 24, NAME: 0, VALUE: 4, NEXT_OF_NAME: 8, COUNT: 12, POSTINGS: 16, LAST_BLOCK: 20 } as const;
export const NAME = { BYTES: 12, SYMBOL: 0, FIRST_PAIR: 4, PAIR_COUNT: 8 } as const;
export const POSTINGS = { NEXT: 0, CAPACITY: 4, USED: 8, REFS: 12 } as const;

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

/** WAL refs are numbers below this. */
export const WAL_REF_LIMIT = 2 ** 48;

/** One entry of what `snapshot` lists. */
export const LISTED = { BYTES: 32, MIN_TIME: 0, MAX_TIME: 8, STATE: 16, A: 20, B: 24, COUNT: 28 } as const;
