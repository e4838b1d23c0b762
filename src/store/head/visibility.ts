/**
 * What a reader sees of each series: what is committed when it begins.
 *
 * A record tells its newest transaction and the newest sample from before that one. So a reader that knows what is committed knows up to
 * which time a series may be seen, unless a second transaction has come to the series while it looked: then it begins again.
 */
import { ALL_HIDDEN, RECORD, RECORD_FLAG, ROOT } from '../../core/kernels/head-layout.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { entryAddress, HEAD_ROOT } from './head-memory.ts';
import { outOfOrderRecord } from './series-extra.ts';
import { isUnchanged } from './version-word.ts';

const NO_SERIES = RECORD_FLAG.GONE | RECORD_FLAG.OUT_OF_ORDER;

export class Visibility {
  readonly #linear: LinearMemory;
  #committed = 0;
  #isTorn = false;

  constructor(linear: LinearMemory) {
    this.#linear = linear;
    this.begin();
  }

  /** What is committed now is what can be seen. To be called before series are looked up. */
  begin(): void {
    this.#committed = Atomics.load(this.#linear.i32, (HEAD_ROOT + ROOT.COMMITTED) >>> 2);
    this.#isTorn = false;
  }

  /** Whether some series, of those asked for since `begin`, may be seen with a part of a transaction. */
  get isTorn(): boolean {
    return this.#isTorn;
  }

  /**
   * The time of the newest sample that can be seen. -Infinity where the record has none that can be seen in [startMs, endMs], as that of a
   * series that is gone.
   */
  endOf(ref: number, startMs: number, endMs: number): number {
    const { u32, i32, f64, u8 } = this.#linear;
    const record = entryAddress(this.#linear, ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES);
    for (;;) {
      const version = Atomics.load(i32, (record + RECORD.VERSION) >>> 2);
      if ((version & 1) !== 0) continue;
      const lastMs = f64[(record + RECORD.LAST_TIME) >>> 3]!;
      const isOutside = lastMs < startMs || (f64[(record + RECORD.FIRST_TIME) >>> 3]! > endMs && u32[(record + RECORD.CLOSED) >>> 2] === 0);
      const isSeries = (u8[record + RECORD.FLAGS]! & NO_SERIES) === 0;
      const ahead = (u32[(record + RECORD.TRANSACTION) >>> 2]! - this.#committed) | 0;
      const hidden = u32[(record + RECORD.HIDDEN) >>> 2]!;
      if (!isUnchanged(i32, (record + RECORD.VERSION) >>> 2, version)) continue;
      if (isOutside || !isSeries) return Number.NEGATIVE_INFINITY;
      if (ahead <= 0) return lastMs;
      if (ahead > 1) this.#isTorn = true;
      return hidden === ALL_HIDDEN || lastMs - hidden < startMs ? Number.NEGATIVE_INFINITY : lastMs - hidden;
    }
  }
}

/** Whether the ref is that of a series, and not gone. */
export function isSeries(linear: LinearMemory, ref: number): boolean {
  const record = entryAddress(linear, ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES);
  return (Atomics.load(linear.u8, record + RECORD.FLAGS) & NO_SERIES) === 0;
}

/** Whether the ref is of a series whose record, as it is just now, does not exclude samples in [startMs, endMs]. */
export function mayHaveSamples(linear: LinearMemory, ref: number, startMs: number, endMs: number): boolean {
  const { u32, i32, f64, u8 } = linear;
  const record = entryAddress(linear, ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES);
  const flags = Atomics.load(u8, record + RECORD.FLAGS);
  if ((flags & NO_SERIES) !== 0) return false;
  if ((flags & RECORD_FLAG.EXTRA) !== 0 && outOfOrderRecord(linear, ref) !== 0) return true;
  if (f64[(record + RECORD.LAST_TIME) >>> 3]! < startMs) return false;
  const version = Atomics.load(i32, (record + RECORD.VERSION) >>> 2);
  const isAfter = f64[(record + RECORD.FIRST_TIME) >>> 3]! > endMs && u32[(record + RECORD.CLOSED) >>> 2] === 0;
  // Two words that are not of one moment exclude nothing.
  return !isAfter || (version & 1) !== 0 || !isUnchanged(i32, (record + RECORD.VERSION) >>> 2, version);
}
