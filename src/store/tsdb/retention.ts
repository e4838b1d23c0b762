/**
 * Which blocks are kept no longer: those that ended long before the newest one did, and the oldest ones while all take too much room.
 * Whole blocks go, never parts of one.
 */
import type { BlockInfo } from './block-set.ts';

export interface RetentionLimits {
  /** How long before the end of the newest block a block may have ended; 0 keeps all. */
  readonly timeMs: number;
  /** What blocks, log and head chunks may take together; 0 is no limit. */
  readonly sizeBytes: number;
  /** The same as a part of the disk, in percent; 0 is no limit. It goes before `sizeBytes`. */
  readonly diskPercentage: number;
}

export const KEEP_ALL: RetentionLimits = { timeMs: 0, sizeBytes: 0, diskPercentage: 0 };

/** Bytes that may be taken; 0 is no limit. */
export function sizeLimit({ sizeBytes, diskPercentage }: RetentionLimits, diskBytes: number): number {
  return diskPercentage > 0 ? Math.floor((diskBytes * diskPercentage) / 100) : sizeBytes;
}

/** Of blocks in any order: those that ended too long ago. */
export function beyondTime(blocks: readonly BlockInfo[], timeMs: number): BlockInfo[] {
  const newestMs = Math.max(...blocks.map(({ meta }) => meta.maxTimeMs));
  // The newest block is never out of its own time.
  return timeMs <= 0 ? [] : blocks.filter(({ meta }) => newestMs - meta.maxTimeMs >= timeMs);
}

/** Of blocks in any order: the oldest, so that the rest and `otherBytes` take no more than `limitBytes`. */
export function beyondSize(blocks: readonly BlockInfo[], otherBytes: number, limitBytes: number): BlockInfo[] {
  if (limitBytes <= 0) return [];
  const newestFirst = blocks.toSorted((a, b) => b.meta.maxTimeMs - a.meta.maxTimeMs || (a.meta.ulid < b.meta.ulid ? 1 : -1));
  let taken = otherBytes;
  const fitting = newestFirst.findIndex(({ byteLength }) => (taken += byteLength) > limitBytes);
  return fitting < 0 ? [] : newestFirst.slice(fitting);
}
