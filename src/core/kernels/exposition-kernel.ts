/**
 * The exposition kernel: parses the lines of a scraped body that were seen before, where the body lies in linear memory.
 *
 * Here are the layouts and the wrapper of the WebAssembly module; `exposition-twin.ts` does the same in TypeScript.
 *
 * A cache, 6 words of 4 bytes:   entries | entry count | hash table | its slots | entry that began the last body | dead entries
 * An entry, 5 words:             bytes | length (24 bits) and flags (8) | ref | scrape that saw it | entry that followed
 * A slot of the hash table:      0 or index + 1 (24 bits) and a tag of the hash (8)
 *
 * The bytes of an entry are a series part as exposed, from name or brace to the closing brace, or a whole comment line. At
 * least 16 readable bytes follow them. An entry's own labels may depend on the last TYPE line (`le` and `quantile` are
 * normalised for histograms and summaries), therefore it may name the bound context that it holds for.
 */
import type { LinearMemory } from './linear-memory.ts';
import { instantiateKernel } from './kernels.ts';
import { powersOfTen } from './powers-of-ten.ts';

export const CACHE_BYTES = 24;
export const CACHE = { entries: 0, entryCount: 1, table: 2, slots: 3, first: 4, deadCount: 5 } as const;
export const ENTRY_BYTES = 20;
export const ENTRY = { bytes: 0, lengthAndFlags: 1, ref: 2, seen: 3, next: 4 } as const;
export const LENGTH_MASK = 0x00ffffff;
/** No entry. */
export const NONE = 0xffffffff;

/** Flags of an entry, in the upper byte of its second word. */
export const FLAG = {
  /** Two bits: 0 any context, else one of BOUND. Of a comment: the context that it sets, 0 for none. */
  bound: 3 << 24,
  comment: 4 << 24,
  openMetrics: 8 << 24,
  /** Subject to a stale marker when it vanishes. */
  live: 16 << 24,
  /** Its sample came with its own time in the scrape that saw it. */
  explicit: 32 << 24,
  /** Not seen in the last good scrape; matches nothing. */
  dead: 64 << 24,
  /** Found in this scrape, ref not yet known; matches nothing. */
  unresolved: 0x80000000,
} as const;
export const BOUND = { histogram: 1, summary: 2, other: 3 } as const;

/** The state of one parse, 16 words; `timeMs` is a float over two. */
export const STATE_BYTES = 64;
export const STATE = {
  position: 0,
  end: 1,
  mode: 2,
  scrape: 3,
  bound: 4,
  previous: 5,
  refs: 6,
  times: 7,
  values: 8,
  capacity: 9,
  count: 10,
  lines: 11,
  kept: 12,
  duplicates: 13,
  timeMs: 14,
} as const;
export const MODE = { openMetrics: 1, honorTimestamps: 2 } as const;
/** Scrapes after which a comment line that is gone is forgotten. */
export const METADATA_SCRAPES = 10;

/** Why `parse` returned: the body's end; a line that the full parser must read; columns without room. */
export const STOP = { end: 0, line: 1, full: 2 } as const;

export interface ExpositionKernel {
  readonly name: 'kernel' | 'twin';
  /**
   * Goes on at the state's position, writes refs, times and values behind `count`, counts lines and duplicates and marks
   * entries as seen. A newline must lie behind the body's last byte, and 64 readable bytes.
   * @returns one of STOP; at a line that stops it nothing of that line has been done
   */
  parse(cache: number, state: number): number;
  /** The entry with these bytes, of this kind (comment and format flags), for this bound context, dead or not; else NONE. */
  find(cache: number, at: number, length: number, kind: number, bound: number): number;
  /** Enters an entry in the hash table, which must have a free slot more. */
  link(cache: number, index: number): void;
  /**
   * Ends a good scrape: what it saw is live (unless its time was explicit and `trackExplicit` is 0), what it did not see is
   * dead, comments METADATA_SCRAPES later. Counts the dead.
   * @param vanished receives the refs that were live and are now dead; has room for all that were live
   * @returns how many these are
   */
  sweep(cache: number, scrape: number, trackExplicit: number, vanished: number): number;
}

interface Exports {
  readonly init: (tables: number, seed: number) => void;
  readonly parse: (cache: number, state: number) => number;
  readonly find: (cache: number, at: number, length: number, kind: number, bound: number) => number;
  readonly link: (cache: number, index: number) => void;
  readonly sweep: (cache: number, scrape: number, trackExplicit: number, vanished: number) => number;
}

/** The kernel over `memory`. @param seed random, so that a target cannot know which series collide */
export function createExpositionKernel(module: WebAssembly.Module, memory: LinearMemory, seed: number): ExpositionKernel {
  const exports = instantiateKernel<Exports>(module, memory);
  const tables = powersOfTen();
  const address = memory.allocate(tables.byteLength);
  memory.u8.set(tables, address);
  exports.init(address, seed);
  return {
    name: 'kernel',
    parse: exports.parse,
    // WebAssembly's 32-bit results are signed.
    find: (cache, at, length, kind, bound) => exports.find(cache, at, length, kind, bound) >>> 0,
    link: exports.link,
    sweep: exports.sweep,
  };
}
