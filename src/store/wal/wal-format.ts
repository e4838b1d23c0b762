/**
 * The WAL's framing: segments of pages of fragments.
 *
 *   segment %08d = pages of 32 KiB        fragment                       type byte
 *   page         = fragments, zero rest    0 u8  type                     bits 0–2  0 rest of the page is empty, 1 full,
 *                                          1 u16 length, big-endian                 2 first, 3 middle, 4 last
 *                                          3 u32 CRC-32C of the data      bit 3     snappy   bit 4  zstd
 *                                          7 data
 *
 * A record is one full fragment, or first, middle …, last; compression is of the whole record; it never crosses segments.
 * Source: Prometheus, tsdb/docs/format/wal.md.
 */
import { readdirSync } from 'node:fs';

export const PAGE_BYTES = 32 * 1024;
export const FRAGMENT_HEADER_BYTES = 7;
export const DEFAULT_SEGMENT_BYTES = 128 * 1024 * 1024;

export const FRAGMENT = { EMPTY: 0, FULL: 1, FIRST: 2, MIDDLE: 3, LAST: 4 } as const;
export const TYPE_MASK = 7;
export const SNAPPY_BIT = 8;
export const ZSTD_BIT = 16;
/** Longest record taken when reading, decompressed: a bound against damaged lengths. */
export const MAX_RECORD_BYTES = 256 * 1024 * 1024;

const SEGMENT_NAME = /^\d{8,}$/;
const CHECKPOINT_NAME = /^checkpoint\.(\d{8,})$/;

export const segmentName = (index: number): string => String(index).padStart(8, '0');

/** Numbers of the segments in `folder`, ascending; none where the folder is missing. */
export function listSegments(folder: string): number[] {
  return names(folder).filter((name) => SEGMENT_NAME.test(name)).map(Number).sort((a, b) => a - b);
}

export interface Checkpoint {
  readonly name: string;
  /** It holds what segments up to this one held. */
  readonly index: number;
}

/** The complete checkpoints in `folder`, oldest first. */
export function listCheckpoints(folder: string): Checkpoint[] {
  const found = names(folder).map((name) => CHECKPOINT_NAME.exec(name)).filter((match) => match !== null);
  return found.map((match) => ({ name: match[0], index: Number(match[1]) })).sort((a, b) => a.index - b.index);
}

/** The newest checkpoint, or null. */
export const lastCheckpoint = (folder: string): Checkpoint | null => listCheckpoints(folder).at(-1) ?? null;

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
