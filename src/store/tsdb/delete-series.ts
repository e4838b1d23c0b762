/**
 * Deleting samples of a block: its tombstones say which, until it is written anew.
 */
import type { Matcher } from '../../core/model/matcher.ts';
import type { Block } from '../block/block.ts';
import { writeBlockMeta } from '../block/block-meta.ts';
import { writeTombstones } from '../block/tombstones.ts';
import { selectPostings } from '../index/select-postings.ts';
import { SeriesEntry } from '../index/series-entry.ts';

/** Series that pass all matchers of any one set, and samples of theirs in [startMs, endMs]. */
export interface Deletion {
  readonly matcherSets: readonly (readonly Matcher[])[];
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * Writes to the disk which samples are gone. The block must be opened anew if any are.
 * @returns how many series have samples in the range
 * @throws RegexError, CorruptError, FileReadError, FileWriteError
 */
export function deleteFromBlock(block: Block, { matcherSets, startMs, endMs }: Deletion): number {
  if (!block.overlaps({ startMs, endMs })) return 0;
  const { index, folder, meta } = block;
  const entry = new SeriesEntry();
  const affected: number[] = [];
  for (const ref of new Set(matcherSets.flatMap((matchers) => [...selectPostings(index, matchers)]))) {
    index.series(ref, entry);
    if (hasChunkBetween(entry, startMs, endMs)) affected.push(ref);
  }
  block.release();
  if (affected.length === 0) return 0;
  const tombstones = block.tombstones.with(affected, Math.max(startMs, meta.minTimeMs), Math.min(endMs, meta.maxTimeMs - 1));
  writeTombstones(folder, tombstones);
  writeBlockMeta(folder, { ...meta, stats: { ...meta.stats, tombstoneCount: tombstones.count } });
  return affected.length;
}

function hasChunkBetween(entry: SeriesEntry, startMs: number, endMs: number): boolean {
  for (let i = 0; i < entry.chunkCount; i++) if (entry.minTimes[i]! <= endMs && startMs <= entry.maxTimes[i]!) return true;
  return false;
}
