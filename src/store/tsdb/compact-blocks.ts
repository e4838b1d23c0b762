/**
 * Several blocks into one, or one into itself without what was deleted.
 *
 * What comes out names the blocks that it replaces. So whoever finds both after a crash knows which to keep: the parents stay until their
 * child is whole on the disk, and go with the next start if not before.
 */
import type { ChunkSource } from '../../core/storage/chunk-source.ts';
import type { Block } from '../block/block.ts';
import type { BlockCompaction, BlockMeta } from '../block/block-meta.ts';
import { blockSource } from '../block/block-source.ts';
import { BLOCK_HINT } from './compaction-plan.ts';
import { mergeSources } from './merge-sources.ts';
import { writeInSteps, type Steps } from './write-in-steps.ts';

export interface CompactionTarget {
  readonly dataFolder: string;
  readonly ulid: string;
  readonly segmentBytes: number;
}

/**
 * @param blocks in the order in which they win where samples contradict each other; not to be used for anything else meanwhile
 * @returns null where nothing is left of them
 * @throws CorruptError, FileReadError, and as `writeInSteps` does
 */
export function compactBlocks(blocks: readonly Block[], target: CompactionTarget, steps: Steps): Promise<BlockMeta | null> {
  const metas = blocks.map(({ meta }) => meta);
  const options = {
    ...target,
    minTimeMs: Math.min(...metas.map(({ minTimeMs }) => minTimeMs)),
    maxTimeMs: Math.max(...metas.map(({ maxTimeMs }) => maxTimeMs)),
    compaction: mergedCompaction(metas),
  };
  return writeInSteps(mergedSource(blocks), options, steps);
}

const mergedSource = (blocks: readonly Block[]): ChunkSource => mergeSources(blocks.map((block) => ({ name: block.folder, source: blockSource(block) })));

/** What the meta of a block says that is made of these. */
export function mergedCompaction(metas: readonly BlockMeta[]): BlockCompaction {
  const all = metas.map(({ compaction }) => compaction);
  const hints = Object.values(BLOCK_HINT).filter((hint) => all.every((each) => each.hints.includes(hint)));
  return {
    level: Math.max(...all.map(({ level }) => level)) + 1,
    sources: [...new Set(all.flatMap(({ sources }) => sources))].sort(),
    parents: metas.map(({ ulid, minTimeMs, maxTimeMs }) => ({ ulid, minTimeMs, maxTimeMs })),
    isDeletable: false,
    hasFailed: false,
    hints: hints.sort(),
  };
}

/** Whether any two of them share some time. */
export function overlapInTime(metas: readonly BlockMeta[]): boolean {
  const sorted = metas.toSorted((a, b) => a.minTimeMs - b.minTimeMs);
  return sorted.some((meta, i) => i > 0 && meta.minTimeMs < Math.max(...sorted.slice(0, i).map(({ maxTimeMs }) => maxTimeMs)));
}
