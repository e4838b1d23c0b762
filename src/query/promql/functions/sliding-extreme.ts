/**
 * min_over_time and max_over_time by a monotone queue: each sample enters and leaves once, whatever the window's length.
 *
 * The queue holds the samples that can still be the extreme of a window: indexes ascending, values from best to worst. NaN
 * never wins against a number, so it stays out; a window of nothing else is NaN.
 */
import { FLOAT } from '../exec/row-batch.ts';
import type { Windows } from './windows.ts';

export class SlidingExtreme {
  readonly #sign: number;
  #queue = new Int32Array(256);

  constructor(kind: 'min' | 'max') {
    this.#sign = kind === 'max' ? 1 : -1;
  }

  /** Writes one row at `at`; every slot of `present` is written. @returns how many steps have a value */
  run(windows: Windows, values: Float64Array, present: Uint8Array, at: number): number {
    const { first, end, stepCount } = windows;
    const samples = windows.samples.values;
    const sign = this.#sign;
    if (this.#queue.length < windows.samples.length) this.#queue = new Int32Array(windows.samples.length * 2);
    const queue = this.#queue;
    let head = 0;
    let tail = 0;
    let taken = 0;
    let seen = 0;
    for (let step = 0; step < stepCount; step++) {
      const from = first[step]!;
      const to = end[step]!;
      const slot = at + step;
      if (taken < from) taken = from;
      for (; taken < to; taken++) {
        const value = samples[taken]!;
        if (value !== value) continue;
        while (tail > head && sign * samples[queue[tail - 1]!]! < sign * value) tail--;
        queue[tail++] = taken;
      }
      while (head < tail && queue[head]! < from) head++;
      if (head === tail) head = tail = 0;
      if (to === from) {
        present[slot] = 0;
        continue;
      }
      values[slot] = head < tail ? samples[queue[head]!]! : Number.NaN;
      present[slot] = FLOAT;
      seen++;
    }
    return seen;
  }
}

/** The extreme of the first `length` values; NaN only if there is nothing else. @param sign 1 for the largest, −1 for the smallest */
export function extremeOf(values: Float64Array, length: number, sign: number): number {
  let best = values[0]!;
  for (let i = 1; i < length; i++) if (sign * values[i]! > sign * best || Number.isNaN(best)) best = values[i]!;
  return best;
}
