/**
 * The running state of aggregations: for each group and step, what has been seen so far.
 *
 * Rows come in one at a time and are added to their group's row, so an aggregation holds its groups and not its input.
 * Sums are compensated, in the order in which rows come.
 * Source: Prometheus, "Aggregation operators".
 */
import { withLost } from '../functions/compensated-sum.ts';
import { FLOAT } from './row-batch.ts';

/** Adds rows of floats to groups. Which slot belongs to which group and step is the caller's affair. */
export interface Accumulator {
  /** Makes room for `slots` in all. */
  reserve(slots: number): void;
  /** Adds the floats of `values[from…from + length)`; other slots are left out. */
  add(values: Float64Array, present: Uint8Array, from: number, into: number, length: number): void;
  /** The result at a slot that `has` something. */
  result(slot: number): number;
  has(slot: number): boolean;
}

/** Slots that there is room for at first. */
const FIRST_SLOTS = 1024;

export function createAccumulator(op: string): Accumulator | null {
  switch (op) {
    case 'sum':
      return new SumAccumulator();
    case 'avg':
      return new AverageAccumulator();
    case 'count':
      return new CountAccumulator(false);
    case 'group':
      return new CountAccumulator(true);
    case 'min':
      return new ExtremeAccumulator(-1);
    case 'max':
      return new ExtremeAccumulator(1);
    case 'stdvar':
      return new VarianceAccumulator(false);
    case 'stddev':
      return new VarianceAccumulator(true);
    default:
      return null;
  }
}

class SumAccumulator implements Accumulator {
  // Adding to −0 gives what is added, a −0 too.
  #sums = new Float64Array(FIRST_SLOTS).fill(-0);
  #lost = new Float64Array(FIRST_SLOTS);
  #seen = new Uint8Array(FIRST_SLOTS);

  reserve(slots: number): void {
    const { length } = this.#sums;
    if (slots <= length) return;
    this.#sums = larger(this.#sums, slots).fill(-0, length);
    this.#lost = larger(this.#lost, slots);
    this.#seen = largerBytes(this.#seen, slots);
  }

  add(values: Float64Array, present: Uint8Array, from: number, into: number, length: number): void {
    const sums = this.#sums;
    const lost = this.#lost;
    const seen = this.#seen;
    for (let i = 0; i < length; i++) {
      if (present[from + i] !== FLOAT) continue;
      const x = values[from + i]!;
      const slot = into + i;
      const sum = sums[slot]!;
      const next = sum + x;
      const added = next - sum;
      // What rounding lost, whichever of the two is larger (see compensated-sum.ts).
      lost[slot]! += sum - (next - added) + (x - added);
      sums[slot] = next;
      seen[slot] = 1;
    }
  }

  has(slot: number): boolean {
    return this.#seen[slot] === 1;
  }

  result(slot: number): number {
    return withLost(this.#sums[slot]!, this.#lost[slot]!);
  }
}

/** Sums first and divides last; where the sum overflows, goes on with the mean of what it has. */
class AverageAccumulator implements Accumulator {
  #sums = new Float64Array(FIRST_SLOTS);
  #lost = new Float64Array(FIRST_SLOTS);
  #counts = new Float64Array(FIRST_SLOTS);
  #isIncremental = new Uint8Array(FIRST_SLOTS);

  reserve(slots: number): void {
    if (slots <= this.#sums.length) return;
    this.#sums = larger(this.#sums, slots);
    this.#lost = larger(this.#lost, slots);
    this.#counts = larger(this.#counts, slots);
    this.#isIncremental = largerBytes(this.#isIncremental, slots);
  }

  add(values: Float64Array, present: Uint8Array, from: number, into: number, length: number): void {
    const sums = this.#sums;
    const counts = this.#counts;
    for (let i = 0; i < length; i++) {
      if (present[from + i] !== FLOAT) continue;
      const x = values[from + i]!;
      const slot = into + i;
      const count = ++counts[slot]!;
      if (count === 1) {
        sums[slot] = x;
        continue;
      }
      if (this.#isIncremental[slot] === 0) {
        const next = sums[slot]! + x;
        if (next !== Infinity && next !== -Infinity) {
          this.#plus(slot, x);
          continue;
        }
        this.#isIncremental[slot] = 1;
        sums[slot]! /= count - 1;
        this.#lost[slot]! /= count - 1;
      }
      const weight = (count - 1) / count;
      sums[slot]! *= weight;
      this.#lost[slot]! *= weight;
      this.#plus(slot, x / count);
    }
  }

  has(slot: number): boolean {
    return this.#counts[slot]! > 0;
  }

  result(slot: number): number {
    if (this.#isIncremental[slot] === 1) return this.#sums[slot]! + this.#lost[slot]!;
    const count = this.#counts[slot]!;
    return this.#sums[slot]! / count + this.#lost[slot]! / count;
  }

  #plus(slot: number, x: number): void {
    const sum = this.#sums[slot]!;
    const next = sum + x;
    if (next === Infinity || next === -Infinity) this.#lost[slot] = 0;
    else if (Math.abs(sum) >= Math.abs(x)) this.#lost[slot]! += sum - next + x;
    else this.#lost[slot]! += x - next + sum;
    this.#sums[slot] = next;
  }
}

/** Also counts histograms. */
class CountAccumulator implements Accumulator {
  #counts = new Float64Array(FIRST_SLOTS);
  readonly #isGroup: boolean;

  constructor(isGroup: boolean) {
    this.#isGroup = isGroup;
  }

  reserve(slots: number): void {
    if (slots > this.#counts.length) this.#counts = larger(this.#counts, slots);
  }

  add(_values: Float64Array, present: Uint8Array, from: number, into: number, length: number): void {
    const counts = this.#counts;
    for (let i = 0; i < length; i++) if (present[from + i] !== 0) counts[into + i]!++;
  }

  has(slot: number): boolean {
    return this.#counts[slot]! > 0;
  }

  result(slot: number): number {
    return this.#isGroup ? 1 : this.#counts[slot]!;
  }
}

/** A NaN gives way to any number. */
class ExtremeAccumulator implements Accumulator {
  #best = new Float64Array(FIRST_SLOTS);
  #seen = new Uint8Array(FIRST_SLOTS);
  readonly #sign: number;

  constructor(sign: 1 | -1) {
    this.#sign = sign;
  }

  reserve(slots: number): void {
    if (slots <= this.#best.length) return;
    this.#best = larger(this.#best, slots);
    this.#seen = largerBytes(this.#seen, slots);
  }

  add(values: Float64Array, present: Uint8Array, from: number, into: number, length: number): void {
    const best = this.#best;
    const seen = this.#seen;
    const sign = this.#sign;
    for (let i = 0; i < length; i++) {
      if (present[from + i] !== FLOAT) continue;
      const x = values[from + i]!;
      const slot = into + i;
      const current = best[slot]!;
      if (seen[slot] === 0 || sign * x > sign * current || current !== current) {
        best[slot] = x;
        seen[slot] = 1;
      }
    }
  }

  has(slot: number): boolean {
    return this.#seen[slot] === 1;
  }

  result(slot: number): number {
    return this.#best[slot]!;
  }
}

/** By Welford's method. */
class VarianceAccumulator implements Accumulator {
  #counts = new Float64Array(FIRST_SLOTS);
  #means = new Float64Array(FIRST_SLOTS);
  #squares = new Float64Array(FIRST_SLOTS);
  readonly #isDeviation: boolean;

  constructor(isDeviation: boolean) {
    this.#isDeviation = isDeviation;
  }

  reserve(slots: number): void {
    if (slots <= this.#counts.length) return;
    this.#counts = larger(this.#counts, slots);
    this.#means = larger(this.#means, slots);
    this.#squares = larger(this.#squares, slots);
  }

  add(values: Float64Array, present: Uint8Array, from: number, into: number, length: number): void {
    const counts = this.#counts;
    const means = this.#means;
    const squares = this.#squares;
    for (let i = 0; i < length; i++) {
      if (present[from + i] !== FLOAT) continue;
      const x = values[from + i]!;
      const slot = into + i;
      const count = ++counts[slot]!;
      if (count === 1) {
        means[slot] = x;
        // The spread of an infinity or a NaN is not known.
        squares[slot] = x - x;
        continue;
      }
      const delta = x - means[slot]!;
      means[slot]! += delta / count;
      squares[slot]! += delta * (x - means[slot]!);
    }
  }

  has(slot: number): boolean {
    return this.#counts[slot]! > 0;
  }

  result(slot: number): number {
    const variance = this.#squares[slot]! / this.#counts[slot]!;
    return this.#isDeviation ? Math.sqrt(variance) : variance;
  }
}

function larger(column: Float64Array<ArrayBuffer>, slots: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(Math.max(slots, column.length * 2));
  grown.set(column);
  return grown;
}

function largerBytes(column: Uint8Array<ArrayBuffer>, slots: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(Math.max(slots, column.length * 2));
  grown.set(column);
  return grown;
}
