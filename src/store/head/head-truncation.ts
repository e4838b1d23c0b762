/**
 * Cutting off the head's oldest part once it lies in a block: closed chunks, then series without samples, then what only they used.
 *
 * It runs in the owner's thread between appends, in steps that each look at some series. Readers go on meanwhile. What they may still
 * look at is retired, not freed: the owner is told when none of those readers runs any more, and only then gives it out again.
 */
import { RECORD, RECORD_FLAG, ROOT } from '../../core/kernels/head-layout.ts';
import type { HeadKernel } from '../../core/kernels/head-kernel.ts';
import { ChunkDropper } from './chunk-dropper.ts';
import type { HeadMemory } from './head-memory.ts';
import type { LabelIndex, RetiredIndex } from './label-index.ts';
import { hasExtra, outOfOrderRecord } from './series-extra.ts';
import type { SeriesRef } from '../../core/storage/appender.ts';

export interface TruncateRequest {
  /** Samples before may go. They must be in a block that every query that begins from now on looks at. */
  readonly beforeMs: number;
  /**
   * Called once, in one turn with the removal: whoever keeps refs must look up anew those that are gone. A ref that is appended to
   * nevertheless takes no samples, and later belongs to another series.
   */
  readonly unbind: (isGone: (ref: SeriesRef) => boolean) => void;
}

export interface TruncateReport {
  readonly removedSeries: number;
  readonly removedChunks: number;
  /** For `quiesced`. */
  readonly epoch: number;
}

export interface TruncationParts {
  readonly memory: HeadMemory;
  readonly index: LabelIndex;
  readonly kernel: HeadKernel;
  /** Series, or pairs, that one step looks at. */
  readonly stepSize: number;
  /** Told of each series before it goes. */
  readonly onRemoved: (walRef: number) => void;
}

export interface Truncated {
  readonly removedChunks: number;
  readonly retired: RetiredIndex;
}

/** Each step does a bounded part of the work. */
export function* truncateHead(parts: TruncationParts, request: TruncateRequest): Generator<undefined, Truncated> {
  const { memory, index } = parts;
  const chunksBefore = memory.get(ROOT.CHUNK_COUNT);
  const dropper = new ChunkDropper(parts);
  const empty = yield* dropOldChunks(parts, dropper, request.beforeMs);
  // Some may have got samples since.
  const { linear } = memory;
  const gone = empty.filter((ref) => linear.f64[(index.record(ref) + RECORD.LAST_TIME) >>> 3]! < request.beforeMs && outOfOrderRecord(linear, ref) === 0);
  index.markGone(gone);
  if (gone.length > 0) request.unbind((ref) => index.isGone(ref));
  yield;
  for (const [i, ref] of gone.entries()) {
    parts.onRemoved(index.walRef(ref));
    dropper.dropAll(index.record(ref));
    if (i % parts.stepSize === parts.stepSize - 1) yield;
  }
  const retired = yield* index.removeGone(gone, parts.stepSize);
  return { removedChunks: chunksBefore - memory.get(ROOT.CHUNK_COUNT), retired };
}

/** Drops closed chunks and finds the oldest time that is left. @returns the series without newer samples */
function* dropOldChunks({ memory, index, stepSize }: TruncationParts, dropper: ChunkDropper, beforeMs: number): Generator<undefined, number[]> {
  const empty: number[] = [];
  const highest = index.highestRef;
  let minTimeMs = Number.POSITIVE_INFINITY;
  // What is appended from now on is watched by the append itself.
  memory.setTime(ROOT.APPENDED_MIN_TIME, Number.POSITIVE_INFINITY);
  for (let ref = 1; ref <= highest; ref++) {
    const record = index.record(ref);
    const { f64, u8 } = memory.linear;
    if ((u8[record + RECORD.FLAGS]! & (RECORD_FLAG.GONE | RECORD_FLAG.OUT_OF_ORDER)) === 0) {
      const hasOutOfOrder = outOfOrderRecord(memory.linear, ref) !== 0;
      if (f64[(record + RECORD.LAST_TIME) >>> 3]! < beforeMs && !hasOutOfOrder) empty.push(ref);
      else {
        minTimeMs = Math.min(minTimeMs, dropper.dropBefore(record, beforeMs));
        const keptFromMs = hasOutOfOrder ? Math.min(beforeMs, memory.time(ROOT.OUT_OF_ORDER_MIN_TIME)) : beforeMs;
        if (hasExtra(memory.linear, ref)) index.extras.trimTombstones(ref, keptFromMs);
      }
    }
    if (ref % stepSize === 0) yield;
  }
  minTimeMs = Math.min(minTimeMs, memory.time(ROOT.APPENDED_MIN_TIME));
  memory.setTime(ROOT.MIN_TIME, minTimeMs);
  memory.setTime(ROOT.APPENDED_MIN_TIME, minTimeMs);
  return empty;
}
