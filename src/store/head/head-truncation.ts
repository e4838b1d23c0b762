/**
 * Cutting off the head's oldest part once it lies in a block: closed chunks, then series without samples, then what only they used.
 *
 * It runs in the owner's thread between appends, in steps that each look at some series. Readers go on meanwhile. What they may still
 * look at is retired, not freed: the owner is told when none of those readers runs any more, and only then gives it out again.
 */
import { CHUNK_STATE, META, RECORD, RECORD_FLAG, ROOT } from '../../core/kernels/head-layout.ts';
import type { HeadKernel } from '../../core/kernels/head-kernel.ts';
import { HEAD_ROOT, type HeadMemory } from './head-memory.ts';
import type { LabelIndex, RetiredIndex } from './label-index.ts';
import { hasExtra } from './series-extra.ts';
import type { SeriesRef } from '../../core/storage/appender.ts';

/** Transactions after which a record's number is renewed, long before numbers come round. */
const OLD_TRANSACTION = 2 ** 30;
/** A meta's and a record's time word. */
const NO_TIME = Number.POSITIVE_INFINITY;

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
  const gone = empty.filter((ref) => memory.linear.f64[(index.record(ref) + RECORD.LAST_TIME) >>> 3]! < request.beforeMs);
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
  let minTimeMs = NO_TIME;
  // What is appended from now on is watched by the append itself.
  memory.setTime(ROOT.APPENDED_MIN_TIME, NO_TIME);
  for (let ref = 1; ref <= highest; ref++) {
    const record = index.record(ref);
    const { f64, u8 } = memory.linear;
    if ((u8[record + RECORD.FLAGS]! & RECORD_FLAG.GONE) === 0) {
      if (f64[(record + RECORD.LAST_TIME) >>> 3]! < beforeMs) empty.push(ref);
      else {
        minTimeMs = Math.min(minTimeMs, dropper.dropBefore(record, beforeMs));
        if (hasExtra(memory.linear, ref)) index.extras.trimTombstones(ref, beforeMs);
      }
    }
    if (ref % stepSize === 0) yield;
  }
  minTimeMs = Math.min(minTimeMs, memory.time(ROOT.APPENDED_MIN_TIME));
  memory.setTime(ROOT.MIN_TIME, minTimeMs);
  memory.setTime(ROOT.APPENDED_MIN_TIME, minTimeMs);
  return empty;
}

/** Takes chunks out of series, under their version. Their memory can be used at once: a reader that copies it finds the version changed. */
class ChunkDropper {
  readonly #memory: HeadMemory;
  readonly #kernel: HeadKernel;

  constructor({ memory, kernel }: TruncationParts) {
    this.#memory = memory;
    this.#kernel = kernel;
  }

  /** Closed chunks wholly before. @returns the time of the oldest sample that is left */
  dropBefore(record: number, beforeMs: number): number {
    const { u32, f64, u8 } = this.#memory.linear;
    let oldest = u8[record + RECORD.COUNT] === 0 ? NO_TIME : f64[(record + RECORD.FIRST_TIME) >>> 3]!;
    let linkAt = record + RECORD.CLOSED;
    let meta = u32[linkAt >>> 2]!;
    while (meta !== 0 && f64[(meta + META.MAX_TIME) >>> 3]! >= beforeMs) {
      oldest = f64[(meta + META.MIN_TIME) >>> 3]!;
      linkAt = meta + META.OLDER;
      meta = u32[linkAt >>> 2]!;
    }
    const isOld = ((this.#memory.get(ROOT.COMMITTED) - u32[(record + RECORD.TRANSACTION) >>> 2]!) | 0) > OLD_TRANSACTION;
    if (meta === 0 && !isOld) return oldest;
    this.#change(record, () => {
      if (isOld) u32[(record + RECORD.TRANSACTION) >>> 2] = this.#memory.get(ROOT.COMMITTED);
      u32[linkAt >>> 2] = 0;
      this.#giveChunks(meta);
    });
    return oldest;
  }

  /** All chunks of a series that is gone. */
  dropAll(record: number): void {
    const { u32, u8 } = this.#memory.linear;
    this.#change(record, () => {
      if (u8[record + RECORD.COUNT] !== 0) {
        const last = u32[(record + RECORD.LAST_BLOCK) >>> 2]!;
        this.#giveOpenChunk(last);
        u8[record + RECORD.COUNT] = 0;
      }
      const meta = u32[(record + RECORD.CLOSED) >>> 2]!;
      u32[(record + RECORD.CLOSED) >>> 2] = 0;
      this.#giveChunks(meta);
    });
  }

  #change(record: number, body: () => void): void {
    const { i32 } = this.#memory.linear;
    Atomics.add(i32, (record + RECORD.VERSION) >>> 2, 1);
    body();
    Atomics.add(i32, (record + RECORD.VERSION) >>> 2, 1);
  }

  /** The blocks of an open chunk are a ring. */
  #giveOpenChunk(last: number): void {
    const { u32 } = this.#memory.linear;
    const first = u32[last >>> 2]!;
    u32[last >>> 2] = this.#memory.get(ROOT.BLOCK_FREE);
    this.#memory.set(ROOT.BLOCK_FREE, first);
    this.#memory.set(ROOT.CHUNK_COUNT, this.#memory.get(ROOT.CHUNK_COUNT) - 1);
  }

  /** From `meta` on to the oldest. One that waits for a file stays in that list until its turn. */
  #giveChunks(from: number): void {
    const memory = this.#memory;
    const { u32, u8 } = memory.linear;
    for (let meta = from; meta !== 0; ) {
      const older = u32[(meta + META.OLDER) >>> 2]!;
      if (u8[meta + META.STATE] === CHUNK_STATE.BLOCKS) {
        this.#kernel.freeBlocks(HEAD_ROOT, u32[(meta + META.LOCATION) >>> 2]!, u32[(meta + META.LENGTH) >>> 2]!);
        u8[meta + META.STATE] = CHUNK_STATE.DROPPED;
      } else memory.giveMeta(meta);
      memory.set(ROOT.CHUNK_COUNT, memory.get(ROOT.CHUNK_COUNT) - 1);
      meta = older;
    }
  }
}
