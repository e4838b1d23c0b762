/**
 * Writes a block without keeping its thread from everything else: between series it lets others have their turn.
 */
import type { Clock } from '../../core/base/clock.ts';
import type { ChunkSource } from '../../core/storage/chunk-source.ts';
import type { BlockMeta } from '../block/block-meta.ts';
import { BlockWriteCanceledError, BlockWriter, type BlockWriterOptions } from '../block/block-writer.ts';

/** How long others wait at most, as long as no single series takes longer. */
const STEP_MS = 20;
/** Series between two looks at the clock. */
const STEP_SERIES = 50;

export interface Steps {
  readonly clock: Clock;
  /** Lets others have their turn. */
  readonly pause: () => Promise<void>;
  /** Asked after each pause. */
  readonly isStopping: () => boolean;
}

/**
 * @returns null where there are no samples: no block is made
 * @throws BlockWriteCanceledError, FileWriteError, IndexLimitError and what the source throws; nothing is left of the block then
 */
export async function writeInSteps(source: ChunkSource, options: BlockWriterOptions, steps: Steps): Promise<BlockMeta | null> {
  const writer = new BlockWriter(options);
  try {
    writer.addSymbols(source.symbols());
    let seen = 0;
    let turnMs = steps.clock.monotonicMs();
    for (const series of source.series()) {
      writer.addSeries(series);
      if (++seen % STEP_SERIES !== 0 || steps.clock.monotonicMs() - turnMs < STEP_MS) continue;
      await steps.pause();
      if (steps.isStopping()) throw new BlockWriteCanceledError(`writing block ${options.ulid} was stopped`);
      turnMs = steps.clock.monotonicMs();
    }
    return writer.finish();
  } catch (error) {
    writer.abandon();
    throw error;
  }
}
