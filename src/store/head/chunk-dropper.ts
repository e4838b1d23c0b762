/**
 * Taking chunks out of records, under their version. Their memory can be used at once: a reader that copies it finds the version changed.
 */
import type { HeadKernel } from '../../core/kernels/head-kernel.ts';
import { CHUNK_STATE, META, RECORD, ROOT } from '../../core/kernels/head-layout.ts';
import { HEAD_ROOT, type HeadMemory } from './head-memory.ts';

/** Transactions after which a record's number is renewed, long before numbers come round. */
const OLD_TRANSACTION = 2 ** 30;

export class ChunkDropper {
  readonly #memory: HeadMemory;
  readonly #kernel: HeadKernel;

  constructor({ memory, kernel }: { readonly memory: HeadMemory; readonly kernel: HeadKernel }) {
    this.#memory = memory;
    this.#kernel = kernel;
  }

  /** Closed chunks wholly before. @returns the time of the oldest sample that is left, +Infinity where there is none */
  dropBefore(record: number, beforeMs: number): number {
    const { u32, f64, u8 } = this.#memory.linear;
    let oldest = u8[record + RECORD.COUNT] === 0 ? Number.POSITIVE_INFINITY : f64[(record + RECORD.FIRST_TIME) >>> 3]!;
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

  /** A closed chunk and all that are older. */
  dropFrom(record: number, newest: number): void {
    const { u32 } = this.#memory.linear;
    let linkAt = record + RECORD.CLOSED;
    while (u32[linkAt >>> 2] !== newest) linkAt = u32[linkAt >>> 2]! + META.OLDER;
    this.#change(record, () => {
      u32[linkAt >>> 2] = 0;
      this.#giveChunks(newest);
    });
  }

  /** Closed chunks that are not in files; the record has them in front of those that are. */
  dropUnwritten(record: number): void {
    const { u32, u8 } = this.#memory.linear;
    const first = u32[(record + RECORD.CLOSED) >>> 2]!;
    let linkAt = 0;
    let meta = first;
    while (meta !== 0 && u8[meta + META.STATE] !== CHUNK_STATE.FILE) {
      linkAt = meta + META.OLDER;
      meta = u32[linkAt >>> 2]!;
    }
    if (linkAt === 0) return;
    this.#change(record, () => {
      u32[(record + RECORD.CLOSED) >>> 2] = meta;
      u32[linkAt >>> 2] = 0;
      this.#giveChunks(first);
    });
  }

  /** All chunks of a series that is gone. */
  dropAll(record: number): void {
    const { u32, u8 } = this.#memory.linear;
    this.#change(record, () => {
      if (u8[record + RECORD.COUNT] !== 0) {
        this.#giveOpenChunk(u32[(record + RECORD.LAST_BLOCK) >>> 2]!);
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
