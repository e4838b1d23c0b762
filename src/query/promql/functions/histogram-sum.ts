/**
 * Adding native histograms: layouts are made to agree, then counts and sums are added with compensation.
 *
 * Two layouts agree on the wider zero bucket and the coarser schema, custom ones on the bounds that both have. Exponential
 * and custom layouts never agree.
 * Source: Prometheus, specification of native histograms, "Addition and subtraction".
 */
import type { Buckets, FloatHistogram, ResetHint } from '../../../core/model/histogram.ts';
import { commonBounds, compacted, isCustom, sameBounds, toBounds, toSchema, widenZero } from './histogram-buckets.ts';

/** What happened on the way that the user should know. */
export interface SumFindings {
  /** A reset met a hint that there was none. */
  readonly hasCollision: boolean;
  /** Custom bounds differed. */
  readonly hasReconciledBounds: boolean;
}

const NO_BUCKETS: Buckets = { indexes: [], counts: [] };

/** A histogram of nothing in the layout of another. */
export function emptyLike({ schema, customBounds }: FloatHistogram): FloatHistogram {
  return {
    schema,
    customBounds,
    zeroThreshold: 0,
    zeroCount: 0,
    count: 0,
    sum: 0,
    positive: NO_BUCKETS,
    negative: NO_BUCKETS,
    resetHint: 'unknown',
  };
}

/** A running sum of histograms. */
export class HistogramSum implements SumFindings {
  hasReconciledBounds = false;
  #sawReset: boolean;
  #sawNoReset: boolean;
  #sum: FloatHistogram;
  /** What float addition lost, in the layout of the sum. */
  #lost: FloatHistogram;

  constructor(first: FloatHistogram) {
    this.#sum = first;
    this.#lost = emptyLike(first);
    this.#lost.zeroThreshold = first.zeroThreshold;
    this.#sawReset = first.resetHint === 'reset';
    this.#sawNoReset = first.resetHint === 'not-reset';
  }

  /** Gauges among the histograms do not hide it. */
  get hasCollision(): boolean {
    return this.#sawReset && this.#sawNoReset;
  }

  /** @returns false, and leaves the sum alone, if the layouts cannot agree */
  add(other: FloatHistogram, sign: 1 | -1 = 1): boolean {
    if (isCustom(this.#sum) !== isCustom(other)) return false;
    const hint = this.#combineHints(other.resetHint);
    const addend = this.#agree(other);
    const sum = { ...this.#sum, resetHint: hint };
    const lost = { ...this.#lost };
    [sum.count, lost.count] = plus(sum.count, lost.count, sign * addend.count);
    [sum.sum, lost.sum] = plus(sum.sum, lost.sum, sign * addend.sum);
    [sum.zeroCount, lost.zeroCount] = plus(sum.zeroCount, lost.zeroCount, sign * addend.zeroCount);
    [sum.positive, lost.positive] = plusBuckets(sum.positive, lost.positive, addend.positive, sign);
    [sum.negative, lost.negative] = plusBuckets(sum.negative, lost.negative, addend.negative, sign);
    this.#sum = sum;
    this.#lost = lost;
    return true;
  }

  /** Whether a count or the sum is past the largest float. */
  get isOverflowed(): boolean {
    const { count, sum, zeroCount, positive, negative } = this.#sum;
    return [count, sum, zeroCount, ...positive.counts, ...negative.counts].some((x) => Math.abs(x) === Infinity);
  }

  /** A sum of the same so far. */
  copy(): HistogramSum {
    const copy = new HistogramSum(this.#sum);
    copy.#lost = this.#lost;
    copy.#sawReset = this.#sawReset;
    copy.#sawNoReset = this.#sawNoReset;
    copy.hasReconciledBounds = this.hasReconciledBounds;
    return copy;
  }

  /** Changes every count and sum so far. */
  change(change: (x: number) => number): void {
    this.#sum = changed(this.#sum, change);
    this.#lost = changed(this.#lost, change);
  }

  /** The sum so far divided by `divisor`. */
  result(divisor = 1): FloatHistogram {
    const sum = this.#sum;
    const lost = this.#lost;
    const total = (a: number, b: number): number => (Number.isFinite(a) ? a / divisor + b / divisor : a / divisor);
    const totals = (a: Buckets, b: Buckets): Buckets =>
      compacted({ indexes: a.indexes, counts: a.counts.map((count, i) => total(count, b.counts[i] ?? 0)) });
    return {
      ...sum,
      count: total(sum.count, lost.count),
      sum: total(sum.sum, lost.sum),
      zeroCount: total(sum.zeroCount, lost.zeroCount),
      positive: totals(sum.positive, lost.positive),
      negative: totals(sum.negative, lost.negative),
    };
  }

  /** Brings the sum and `other` to one layout. @returns `other` in it */
  #agree(other: FloatHistogram): FloatHistogram {
    if (isCustom(other)) {
      if (sameBounds(this.#sum.customBounds, other.customBounds)) return other;
      this.hasReconciledBounds = true;
      const bounds = commonBounds(this.#sum.customBounds, other.customBounds);
      this.#changeLayout((histogram) => toBounds(histogram, bounds));
      return toBounds(other, bounds);
    }
    let addend = other;
    while (this.#sum.zeroThreshold !== addend.zeroThreshold) {
      if (this.#sum.zeroThreshold < addend.zeroThreshold) this.#widenZero(addend.zeroThreshold);
      else addend = widenZero(addend, this.#sum.zeroThreshold);
    }
    const schema = Math.min(this.#sum.schema, addend.schema);
    this.#changeLayout((histogram) => toSchema(histogram, schema));
    return toSchema(addend, schema);
  }

  #widenZero(threshold: number): void {
    this.#sum = widenZero(this.#sum, threshold);
    const width = this.#sum.zeroThreshold;
    this.#lost = { ...widenZero(this.#lost, width), zeroThreshold: width };
  }

  #changeLayout(change: (histogram: FloatHistogram) => FloatHistogram): void {
    // The lost parts have the buckets of the sum, so that both stay in step.
    this.#lost = change(aligned(this.#lost, this.#sum));
    this.#sum = change(this.#sum);
  }

  #combineHints(other: ResetHint): ResetHint {
    const own = this.#sum.resetHint;
    if (other === 'reset') this.#sawReset = true;
    if (other === 'not-reset') this.#sawNoReset = true;
    if (own === other || own === 'gauge') return own;
    return other === 'gauge' ? 'gauge' : 'unknown';
  }
}

/** A running mean: the sum, divided last; where the sum overflows, goes on with the mean of what it has. */
export class HistogramMean implements SumFindings {
  #sum: HistogramSum;
  #count = 1;
  #isIncremental = false;

  constructor(first: FloatHistogram) {
    this.#sum = new HistogramSum(first);
  }

  get hasCollision(): boolean {
    return this.#sum.hasCollision;
  }

  get hasReconciledBounds(): boolean {
    return this.#sum.hasReconciledBounds;
  }

  /** @returns false, and leaves the mean alone, if the layouts cannot agree */
  add(other: FloatHistogram): boolean {
    const before = this.#sum.copy();
    if (!this.#isIncremental) {
      if (!this.#sum.add(other)) return false;
      this.#count++;
      if (!this.#sum.isOverflowed) return true;
      this.#isIncremental = true;
      this.#count--;
      this.#sum = before;
      this.#sum.change((x) => x / this.#count);
    }
    this.#count++;
    const weight = (this.#count - 1) / this.#count;
    this.#sum.change((x) => x * weight);
    if (this.#sum.add(changed(other, (x) => x / this.#count))) return true;
    this.#sum = before;
    this.#count--;
    return false;
  }

  result(): FloatHistogram {
    return this.#sum.result(this.#isIncremental ? 1 : this.#count);
  }
}

function changed(histogram: FloatHistogram, change: (x: number) => number): FloatHistogram {
  const changeAll = ({ indexes, counts }: Buckets): Buckets => ({ indexes, counts: counts.map(change) });
  return {
    ...histogram,
    count: change(histogram.count),
    sum: change(histogram.sum),
    zeroCount: change(histogram.zeroCount),
    positive: changeAll(histogram.positive),
    negative: changeAll(histogram.negative),
  };
}

/** `lost` with a bucket for each of `sum`. */
function aligned(lost: FloatHistogram, sum: FloatHistogram): FloatHistogram {
  return {
    ...lost,
    positive: alignedBuckets(lost.positive, sum.positive),
    negative: alignedBuckets(lost.negative, sum.negative),
  };
}

function alignedBuckets(lost: Buckets, sum: Buckets): Buckets {
  const byIndex = new Map(lost.indexes.map((index, i) => [index, lost.counts[i]!]));
  return { indexes: sum.indexes, counts: sum.indexes.map((index) => byIndex.get(index) ?? 0) };
}

function plus(sum: number, lost: number, x: number): [number, number] {
  const next = sum + x;
  if (next === Infinity || next === -Infinity) return [next, 0];
  return Math.abs(sum) >= Math.abs(x) ? [next, lost + (sum - next + x)] : [next, lost + (x - next + sum)];
}

function plusBuckets(sum: Buckets, lost: Buckets, other: Buckets, sign: number): [Buckets, Buckets] {
  const sums: Buckets = { indexes: [], counts: [] };
  const losts: Buckets = { indexes: sums.indexes, counts: [] };
  const lostByIndex = new Map(lost.indexes.map((index, i) => [index, lost.counts[i]!]));
  let a = 0;
  let b = 0;
  while (a < sum.indexes.length || b < other.indexes.length) {
    const left = sum.indexes[a] ?? Infinity;
    const right = other.indexes[b] ?? Infinity;
    const index = Math.min(left, right);
    const [count, rest] = plus(
      left === index ? sum.counts[a++]! : 0,
      lostByIndex.get(index) ?? 0,
      right === index ? sign * other.counts[b++]! : 0,
    );
    sums.indexes.push(index);
    sums.counts.push(count);
    losts.counts.push(rest);
  }
  return [sums, losts];
}
