import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlockMeta } from '../block/block-meta.ts';
import { makeUlid } from '../block/ulid.ts';
import { alignedStart, BLOCK_HINT, blockRanges, MAX_BLOCKS_AT_ONCE, planCompaction } from './compaction-plan.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

test('block sizes go up by three, to 31 days or a tenth of the retention', () => {
  const hours = (retentionMs: number): number[] => blockRanges(retentionMs).map((rangeMs) => rangeMs / HOUR_MS);
  assert.deepEqual(hours(0), [2, 6, 18, 54, 162, 486]);
  assert.deepEqual(hours(15 * DAY_MS), [2, 6, 18]);
  assert.deepEqual(hours(365 * DAY_MS), [2, 6, 18, 54, 162, 486]);
  assert.deepEqual(hours(HOUR_MS), [2]);
});

test('ranges are aligned to the epoch, also before it', () => {
  assert.deepEqual([-7, -6, -1, 0, 5, 6].map((time) => alignedStart(time, 6)), [-12, -6, -6, 0, 0, 6]);
});

/**
 * A block is `from-to` in hours, then flags: `f` compaction failed, `s` stale series, `x` selected series, `o` out of order, `d` and a
 * number: deleted parts of its 100 series. What is to be compacted is named by its place in the list.
 */
const FLAG_HINTS: Readonly<Record<string, string>> = { s: BLOCK_HINT.STALE_SERIES, x: BLOCK_HINT.SELECTED_SERIES, o: BLOCK_HINT.OUT_OF_ORDER };

function blockOf(text: string, index: number): BlockMeta {
  const [, from, to, flags, deleted] = /^(-?\d+)-(-?\d+)([fsxo]*)(?:d(\d+))?$/.exec(text)!;
  const ulid = makeUlid(index, new Uint8Array(10));
  return {
    ulid,
    minTimeMs: Number(from) * HOUR_MS,
    maxTimeMs: Number(to) * HOUR_MS,
    stats: { sampleCount: 1000, floatSampleCount: 1000, histogramSampleCount: 0, seriesCount: 100, chunkCount: 100, tombstoneCount: Number(deleted ?? 0) },
    compaction: {
      level: 1,
      sources: [ulid],
      parents: [],
      isDeletable: false,
      hasFailed: flags!.includes('f'),
      hints: flags!.split('').flatMap((flag) => FLAG_HINTS[flag] ?? []),
    },
    extra: {},
  };
}

function plan(text: string): string {
  const texts = text.split(' ');
  const blocks = texts.map(blockOf);
  const planned = planCompaction(blocks, [2, 6, 18, 54].map((hours) => hours * HOUR_MS));
  return planned.map((block) => texts[blocks.indexOf(block)]).join(' ');
}

const cases = [
  ['a block alone stays', '0-2', ''],
  ['the newest block stays', '0-2 2-4 4-6', ''],
  ['a full range is compacted once a newer block is there', '0-2 2-4 4-6 6-8', '0-2 2-4 4-6'],
  ['in whatever order blocks are given', '6-8 4-6 0-2 2-4', '0-2 2-4 4-6'],
  ['a range with a gap is compacted if it is spanned', '0-2 4-6 6-8', '0-2 4-6'],
  ['a range that is not spanned waits', '2-4 4-6 6-8', ''],
  ['a range that is not spanned is compacted when it lies before the newest settled block', '2-4 4-6 6-8 8-10', '2-4 4-6'],
  ['one block in its range stays', '4-6 6-8 8-10', ''],
  ['ranges are aligned', '2-4 4-6 6-8 8-10 10-12', '2-4 4-6'],
  ['the smallest range comes first', '0-6 6-12 12-14 14-16 16-18 18-20', '12-14 14-16 16-18'],
  ['then the next one', '0-6 6-12 12-18 18-20', '0-6 6-12 12-18'],
  ['mixed sizes share a range', '0-6 6-8 8-10 12-18 18-24 24-26', '6-8 8-10'],
  ['a block over the border of a range is in no group', '0-2 2-7 8-10 10-12 12-14 14-16', '8-10 10-12'],
  ['before the epoch too', '-6--4 -4--2 -2-0 0-2', '-6--4 -4--2 -2-0'],
  ['blocks larger than all ranges stay', '0-54 54-108 108-162 162-164', ''],
  ['a failed block keeps its range from compaction', '0-2 2-4f 4-6 6-8', ''],
  ['but not others', '0-2 2-4f 4-6 6-8 8-10 10-12 12-14', '6-8 8-10 10-12'],

  ['overlapping blocks come first', '0-2 2-4 4-6 6-8 7-9', '6-8 7-9'],
  ['the newest blocks too', '0-2 1-3', '0-2 1-3'],
  ['blocks that touch do not overlap', '0-2 2-4', ''],
  ['a chain of overlaps is one', '0-3 2-5 4-7 8-10', '0-3 2-5 4-7'],
  ['a large block overlaps all that lie in it', '0-18 0-2 4-6 10-12 18-20', '0-18 0-2 4-6 10-12'],
  ['the earliest overlap is taken', '0-2 1-3 10-12 11-13', '0-2 1-3'],
  ['a failed overlap leaves room for the next', '0-2f 1-3 10-12 11-13', '10-12 11-13'],
  ['a failed overlap at the end', '0-2 10-12f 11-13', ''],
  ['what overlaps beside a failed block is compacted', '0-18f 0-2 1-3 18-20', '0-2 1-3'],

  ['much deleted: rewritten', '0-18d6 18-20', '0-18d6'],
  ['not as much', '0-18d5 18-20', ''],
  ['the newest stays', '0-18d90', ''],
  ['small blocks wait for their compaction', '0-2d50 2-4', ''],
  ['unless nothing is left of them', '0-2d100 2-4', '0-2d100'],
  ['the newest settled one is looked at first', '0-18d50 18-36d50 36-38', '18-36d50'],
  ['a small one hides those before it', '0-18d50 18-20 20-22', ''],
  ['a failed one is not rewritten again', '0-18fd50 18-20', ''],

  ['out of order is compacted with the rest', '0-2 0-2o 2-4', '0-2 0-2o'],
  ['blocks of stale series are not, though they overlap', '0-2 0-2s 2-4', ''],
  ['nor make ranges full', '0-2 2-4 4-6s 6-8 8-10', '0-2 2-4'],
  ['they are compacted by themselves', '0-2s 2-4s 4-6s 6-8s 0-2', '0-2s 2-4s 4-6s'],
  ['overlapping ones too', '0-2s 0-2s 0-2x 0-2', '0-2s 0-2s'],
  ['selected series are another kind', '0-2x 1-3x 0-2s', '0-2x 1-3x'],
] as const;
for (const [claim, blocks, want] of cases) {
  test(claim, () => {
    assert.equal(plan(blocks), want);
  });
}

test('a long run of overlaps is taken in parts', () => {
  const blocks = Array.from({ length: MAX_BLOCKS_AT_ONCE + 10 }, (_, i) => blockOf('0-2', i));
  assert.deepEqual(planCompaction(blocks, blockRanges(0)), blocks.slice(0, MAX_BLOCKS_AT_ONCE));
});
