/**
 * Deleting from a block: the samples stay where they are, tombstones say that they are not there.
 * Source: Prometheus, tsdb/block.go, Delete.
 */
import type { LabelRequest } from '../../core/storage/querier.ts';
import { selectPostings } from '../index/select-postings.ts';
import { SeriesEntry } from '../index/series-entry.ts';
import type { Block } from './block.ts';
import { writeBlockMeta } from './block-meta.ts';
import { writeTombstones } from './tombstones.ts';

/**
 * Deletes the samples in [startMs, endMs] of the series that match. The open block does not see it: who holds it, in any thread, opens
 * it anew.
 *
 * @returns how many series had samples there
 * @throws RegexError, CorruptError, FileReadError, FileWriteError
 */
export function deleteSamples(block: Block, request: LabelRequest): number {
  if (!block.overlaps(request)) return 0;
  const { index, meta, folder } = block;
  const entry = new SeriesEntry();
  const added = new Map<number, readonly [number, number]>();
  for (const ref of selectPostings(index, request.matchers)) {
    index.series(ref, entry);
    const touched = touchedRange(entry, request);
    if (touched !== null) added.set(ref, touched);
  }
  block.release();
  if (added.size === 0) return 0;
  const tombstones = block.tombstones.with(added);
  writeTombstones(folder, tombstones);
  writeBlockMeta(folder, { ...meta, stats: { ...meta.stats, tombstoneCount: tombstones.count } });
  return added.size;
}

/** The part of the range from the series' first sample to its last, null where no chunk has any. */
function touchedRange({ chunkCount, minTimes, maxTimes }: SeriesEntry, { startMs, endMs }: LabelRequest): readonly [number, number] | null {
  for (let i = 0; i < chunkCount; i++) {
    if (minTimes[i]! <= endMs && startMs <= maxTimes[i]!) return [Math.max(startMs, minTimes[0]!), Math.min(endMs, maxTimes[chunkCount - 1]!)];
  }
  return null;
}
