/**
 * Which blocks to compact next: a pure function of what the blocks' metas say, in the manner of Prometheus' levelled compactor.
 *
 * Blocks that overlap come first. Else blocks that fill an aligned range of the next size up, or lie before the newest block and share
 * such a range, become one. The newest block stays as it is for a while, so that whatever still arrives for its time need not rewrite a
 * large one. Else a block of which much was deleted is rewritten alone.
 */
import type { BlockMeta } from '../block/block-meta.ts';

/** What `compaction.hints` of a meta may say. */
export const BLOCK_HINT = { OUT_OF_ORDER: 'from-out-of-order', STALE_SERIES: 'from-stale-series', SELECTED_SERIES: 'from-selected-series' } as const;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What the head writes at once. */
export const MIN_BLOCK_RANGE_MS = 2 * HOUR_MS;
export const MAX_BLOCK_RANGE_MS = 31 * DAY_MS;
/** Each size of blocks is three of the one below. */
const RANGE_FACTOR = 3;
/** Of what a retention keeps, one block holds no more than this part: retention only removes whole blocks. */
const RETENTION_SHARE = 0.1;
/** Deleted parts a series from which a block is rewritten. */
const TOMBSTONE_SHARE = 0.05;
/** Blocks that are read together. Of a longer run of overlaps what comes out is compacted with the next ones. */
export const MAX_BLOCKS_AT_ONCE = 32;

/**
 * Sizes of blocks, ascending, from what the head writes to the largest that compaction makes.
 * @param retentionMs 0 where time alone removes nothing
 * @param maxRangeMs goes before what the retention allows
 */
export function blockRanges(retentionMs: number, minRangeMs = MIN_BLOCK_RANGE_MS, maxRangeMs?: number): number[] {
  const allowedMs = retentionMs > 0 ? Math.min(MAX_BLOCK_RANGE_MS, retentionMs * RETENTION_SHARE) : MAX_BLOCK_RANGE_MS;
  const largestMs = maxRangeMs ?? allowedMs;
  const ranges = [minRangeMs];
  for (let rangeMs = minRangeMs * RANGE_FACTOR; rangeMs <= largestMs; rangeMs *= RANGE_FACTOR) ranges.push(rangeMs);
  return ranges;
}

/** First millisecond of the aligned range of that size in which `timeMs` lies. */
export function alignedStart(timeMs: number, rangeMs: number): number {
  return Math.floor(timeMs / rangeMs) * rangeMs;
}

/**
 * The blocks that belong into one, in order of time; empty where nothing is to be done.
 *
 * Blocks of early compactions (of stale or selected series) are never mixed with others: they say nothing about how far the head has been
 * written, and a block made of both could not say so any more.
 * @param ranges as `blockRanges` gives them
 */
export function planCompaction(metas: readonly BlockMeta[], ranges: readonly number[]): BlockMeta[] {
  const kinds = Map.groupBy(metas, ({ compaction }) => EARLY_HINTS.filter((hint) => compaction.hints.includes(hint)).join());
  for (const kind of [...kinds.keys()].sort()) {
    const blocks = (kinds.get(kind) ?? []).toSorted((a, b) => a.minTimeMs - b.minTimeMs || compareIds(a, b));
    const plan = planOneKind(blocks, ranges);
    if (plan.length > 0) return plan;
  }
  return [];
}

const EARLY_HINTS: readonly string[] = [BLOCK_HINT.STALE_SERIES, BLOCK_HINT.SELECTED_SERIES];

const compareIds = (a: BlockMeta, b: BlockMeta): number => (a.ulid < b.ulid ? -1 : 1);

/** @param blocks sorted by their begin */
function planOneKind(blocks: readonly BlockMeta[], ranges: readonly number[]): BlockMeta[] {
  const overlapping = firstOverlap(blocks.filter((block) => !hasFailed(block)));
  if (overlapping.length > 0) return overlapping;
  const settled = blocks.slice(0, -1);
  const filling = firstFilling(settled, ranges);
  if (filling.length > 0) return filling;
  return mostlyDeleted(settled, ranges);
}

/** The first run of blocks of which each begins before the ones before it end. */
function firstOverlap(blocks: readonly BlockMeta[]): BlockMeta[] {
  let run: BlockMeta[] = [];
  let endMs = Number.NEGATIVE_INFINITY;
  for (const block of blocks) {
    if (block.minTimeMs >= endMs) {
      if (run.length > 1) break;
      run = [];
    }
    run.push(block);
    endMs = Math.max(endMs, block.maxTimeMs);
  }
  return run.length > 1 ? run.slice(0, MAX_BLOCKS_AT_ONCE) : [];
}

function firstFilling(blocks: readonly BlockMeta[], ranges: readonly number[]): BlockMeta[] {
  const newestStartMs = blocks.at(-1)?.minTimeMs ?? 0;
  for (const rangeMs of ranges.slice(1)) {
    for (const group of groupByRange(blocks, rangeMs)) {
      if (group.length < 2 || group.some(hasFailed)) continue;
      const endMs = group[group.length - 1]!.maxTimeMs;
      const isFull = endMs - group[0]!.minTimeMs === rangeMs;
      if (isFull || endMs <= newestStartMs) return group;
    }
  }
  return [];
}

const hasFailed = ({ compaction }: BlockMeta): boolean => compaction.hasFailed;

/** Blocks that lie in one aligned range together; those that reach over an end of theirs are in no group. */
function groupByRange(blocks: readonly BlockMeta[], rangeMs: number): BlockMeta[][] {
  const fitting = blocks.filter(({ minTimeMs, maxTimeMs }) => maxTimeMs <= alignedStart(minTimeMs, rangeMs) + rangeMs);
  return [...Map.groupBy(fitting, ({ minTimeMs }) => alignedStart(minTimeMs, rangeMs)).values()];
}

/** The newest block worth rewriting for what was deleted from it. Small ones soon are merged anyway, unless nothing is left of them. */
function mostlyDeleted(blocks: readonly BlockMeta[], ranges: readonly number[]): BlockMeta[] {
  const largeMs = ranges[Math.floor(ranges.length / 2)]!;
  for (const block of blocks.toReversed()) {
    const { tombstoneCount, seriesCount } = block.stats;
    const isLarge = block.maxTimeMs - block.minTimeMs >= largeMs;
    const isWorthIt = isLarge ? tombstoneCount / (seriesCount + 1) > TOMBSTONE_SHARE : tombstoneCount > 0 && tombstoneCount >= seriesCount;
    if (isWorthIt && !hasFailed(block)) return [block];
    if (!isLarge) return [];
  }
  return [];
}
