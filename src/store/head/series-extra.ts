/**
 * What few series have beside samples in order: intervals in which samples are deleted, samples out of order.
 *
 * A series' label set leads to it, and a flag in the record, which is at hand anyway, tells whether there is anything. What readers go by
 * is never changed but replaced, and retired as everything else that they may look at.
 */
import { EXTRA, LABEL_SET, RECORD, RECORD_FLAG, ROOT, TOMBSTONES } from '../../core/kernels/head-layout.ts';
import { MemoryLimitError, type LinearMemory } from '../../core/kernels/linear-memory.ts';
import type { Intervals } from '../../core/model/intervals.ts';
import { entryAddress, type HeadMemory } from './head-memory.ts';

const NO_INTERVALS: Intervals = [];
const INTERVAL_BYTES = 16;

/** A piece of the head's arena. */
export interface Piece {
  readonly address: number;
  readonly bytes: number;
}

/** Whether the series may have anything that is not in its record. */
export function hasExtra(linear: LinearMemory, ref: number): boolean {
  const record = entryAddress(linear, ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES);
  return (Atomics.load(linear.u8, record + RECORD.FLAGS) & RECORD_FLAG.EXTRA) !== 0;
}

/** The intervals of a series whose samples are deleted, for any thread. */
export function deletedIntervals(linear: LinearMemory, ref: number): Intervals {
  if (!hasExtra(linear, ref)) return NO_INTERVALS;
  linear.refresh();
  const extra = Atomics.load(linear.u32, extraLink(linear, ref) >>> 2);
  const tombstones = extra === 0 ? 0 : Atomics.load(linear.u32, (extra + EXTRA.TOMBSTONES) >>> 2);
  if (tombstones === 0) return NO_INTERVALS;
  linear.refresh();
  const from = (tombstones + TOMBSTONES.INTERVALS) >>> 3;
  return Array.from(linear.f64.subarray(from, from + 2 * linear.u32[(tombstones + TOMBSTONES.COUNT) >>> 2]!));
}

/** The record of a series' out-of-order samples, 0 where it has none, for any thread. */
export function outOfOrderRecord(linear: LinearMemory, ref: number): number {
  if (!hasExtra(linear, ref)) return 0;
  linear.refresh();
  const extra = Atomics.load(linear.u32, extraLink(linear, ref) >>> 2);
  const record = extra === 0 ? 0 : Atomics.load(linear.u32, (extra + EXTRA.OUT_OF_ORDER) >>> 2);
  if (record !== 0) linear.refresh();
  return record;
}

/** Where the address of a series' extra stands. */
function extraLink(linear: LinearMemory, ref: number): number {
  return linear.u32[(entryAddress(linear, ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES) + RECORD.LABELS) >>> 2]! + LABEL_SET.EXTRA;
}

/** The owner's side. */
export class SeriesExtras {
  readonly #memory: HeadMemory;
  /** What has been replaced since the last `takeRetired`. */
  #retired: Piece[] = [];

  constructor(memory: HeadMemory) {
    this.#memory = memory;
  }

  /** The series has something extra from now on, if it had nothing so far. @throws MemoryLimitError */
  open(ref: number): number {
    const { linear, arena } = this.#memory;
    const link = extraLink(linear, ref);
    const known = linear.u32[link >>> 2]!;
    if (known !== 0) return known;
    const extra = arena.take(EXTRA.BYTES);
    linear.u32.fill(0, extra >>> 2, (extra + EXTRA.BYTES) >>> 2);
    this.#memory.publishAt(link, extra);
    const record = entryAddress(linear, ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES);
    Atomics.or(linear.u8, record + RECORD.FLAGS, RECORD_FLAG.EXTRA);
    return extra;
  }

  /** @param record 0 for none; the series has something extra */
  setOutOfOrder(ref: number, record: number): void {
    this.#memory.publishAt(this.#memory.linear.u32[extraLink(this.#memory.linear, ref) >>> 2]! + EXTRA.OUT_OF_ORDER, record);
  }

  /** Memory for intervals, which no reader knows yet. @throws MemoryLimitError */
  makeTombstones(intervals: Intervals): Piece {
    const bytes = TOMBSTONES.INTERVALS + 8 * intervals.length;
    const address = this.#memory.arena.take(bytes);
    const { u32, f64 } = this.#memory.linear;
    u32[(address + TOMBSTONES.COUNT) >>> 2] = intervals.length >>> 1;
    f64.set(intervals, (address + TOMBSTONES.INTERVALS) >>> 3);
    return { address, bytes };
  }

  /** Intervals that were made are not needed after all. */
  dropTombstones({ address, bytes }: Piece): void {
    this.#memory.arena.give(address, bytes);
  }

  /** Puts intervals, or with null none, in the place of those that a series has, which has something extra. */
  setTombstones(ref: number, tombstones: Piece | null): void {
    const { linear } = this.#memory;
    const at = linear.u32[extraLink(linear, ref) >>> 2]! + EXTRA.TOMBSTONES;
    const before = this.#tombstonesAt(linear.u32[at >>> 2]!);
    this.#memory.publishAt(at, tombstones?.address ?? 0);
    if (before !== null) this.#retired.push(before);
  }

  /** Forgets intervals that end before, where there is memory for what is left. */
  trimTombstones(ref: number, beforeMs: number): void {
    const intervals = deletedIntervals(this.#memory.linear, ref);
    let past = 0;
    while (past < intervals.length && intervals[past + 1]! < beforeMs) past += 2;
    if (past === 0) return;
    try {
      this.setTombstones(ref, past === intervals.length ? null : this.makeTombstones(intervals.slice(past)));
    } catch (error) {
      if (!(error instanceof MemoryLimitError)) throw error;
    }
  }

  /** What readers may still look at and nobody else. */
  takeRetired(): Piece[] {
    const retired = this.#retired;
    this.#retired = [];
    return retired;
  }

  /** Gives back what a series has that is gone, when no reader looks at it any more. */
  giveBack(ref: number): void {
    if (!hasExtra(this.#memory.linear, ref)) return;
    const { linear, arena } = this.#memory;
    const extra = linear.u32[extraLink(linear, ref) >>> 2]!;
    const tombstones = this.#tombstonesAt(linear.u32[(extra + EXTRA.TOMBSTONES) >>> 2]!);
    if (tombstones !== null) arena.give(tombstones.address, tombstones.bytes);
    arena.give(extra, EXTRA.BYTES);
  }

  #tombstonesAt(address: number): Piece | null {
    if (address === 0) return null;
    return { address, bytes: TOMBSTONES.INTERVALS + INTERVAL_BYTES * this.#memory.linear.u32[(address + TOMBSTONES.COUNT) >>> 2]! };
  }
}
