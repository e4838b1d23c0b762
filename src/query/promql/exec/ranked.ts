/**
 * topk, bottomk, limitk and limit_ratio: aggregations that keep some series of each group as they are.
 *
 * The best k of each group and step are kept while rows stream by, so memory holds what is chosen and not what is looked at.
 */
import type { Labels } from '../../../core/model/labels.ts';
import { PromqlEvaluationError } from '../errors.ts';
import type { StepGrid } from '../plan/grid.ts';
import type { AggregatePlan } from '../plan/plan.ts';
import { Grouping } from './aggregate.ts';
import type { Execution } from './execution.ts';
import { labelsFraction } from './labels-fraction.ts';
import type { RowSink, ScalarOperator, VectorOperator } from './operator.ts';
import { ABSENT, FLOAT, HISTOGRAM, RowBatch } from './row-batch.ts';
import { Rows } from './rows.ts';

/** Largest k: what Go's int64 holds. */
const MAX_K = 2 ** 63;

abstract class Selection implements VectorOperator {
  readonly grid: StepGrid;
  protected readonly execution: Execution;
  protected readonly plan: AggregatePlan;
  protected readonly input: VectorOperator;
  protected readonly grouping: Grouping;
  protected readonly param: ScalarOperator;

  constructor(execution: Execution, plan: AggregatePlan, input: VectorOperator, param: ScalarOperator) {
    this.grid = plan.grid;
    this.execution = execution;
    this.plan = plan;
    this.input = input;
    this.param = param;
    this.grouping = new Grouping(execution, plan, input);
  }

  get mayRepeatLabels(): boolean {
    return this.input.mayRepeatLabels;
  }

  get seriesCount(): number {
    return this.input.seriesCount;
  }

  open(): void {
    this.grouping.open();
  }

  labels(series: number): Labels {
    return this.input.labels(series);
  }

  dropsName(series: number): boolean {
    return this.input.dropsName(series);
  }

  abstract run(sink: RowSink): void;

  /** k at each step; below 1 none. @throws PromqlEvaluationError for what is no integer of 64 bits */
  protected limits(): Float64Array {
    return this.param.values().map((k) => {
      if (Number.isNaN(k)) throw new PromqlEvaluationError('Parameter value is NaN');
      if (k >= MAX_K) throw new PromqlEvaluationError(`Scalar value ${k} overflows int64`);
      if (k < -MAX_K) throw new PromqlEvaluationError(`Scalar value ${k} underflows int64`);
      return Math.trunc(k);
    });
  }
}

/** topk and bottomk. A NaN is worse than any number. */
export class TopK extends Selection {
  run(sink: RowSink): void {
    const { stepCount } = this.grid;
    const limits = this.limits();
    const sign = this.plan.op === 'topk' ? 1 : -1;
    const { groupCount } = this.grouping;
    const sizes = this.#groupSizes();
    const largest = limits.reduce((a, b) => Math.max(a, b), 0);
    if (largest < 1) {
      this.input.run(() => {});
      return;
    }
    // A heap per group and step, the worst at its root.
    const offsets = new Float64Array(groupCount + 1);
    for (let group = 0; group < groupCount; group++) {
      offsets[group + 1] = offsets[group]! + Math.min(largest, sizes[group]!) * stepCount;
    }
    const slots = offsets[groupCount]!;
    this.execution.hold(slots);
    const heap: Heap = { values: new Float64Array(slots), series: new Int32Array(slots), sign };
    const counts = new Int32Array(groupCount * stepCount);
    this.input.run((batch) => {
      for (let row = 0; row < batch.rows; row++) {
        const series = batch.series[row]!;
        const group = this.grouping.groupOf(series);
        const room = Math.min(largest, sizes[group]!);
        for (let step = 0; step < stepCount; step++) {
          const slot = row * stepCount + step;
          if (batch.present[slot] === ABSENT) continue;
          if (batch.present[slot] === HISTOGRAM) {
            this.execution.annotations.info(`ignored histogram in ${this.plan.op} aggregation`, this.plan.innerSpan);
            continue;
          }
          const k = Math.min(limits[step]!, room);
          if (k < 1) continue;
          const place = group * stepCount + step;
          const base = offsets[group]! + step * room;
          const value = batch.values[slot]!;
          if (counts[place]! < k) push(heap, base, counts[place]!++, value, series);
          else if (isWorse(sign, heap.values[base]!, value)) replaceRoot(heap, base, k, value, series);
        }
      }
    });
    if (this.execution.isInstant && stepCount === 1) this.#emitOrdered(heap, offsets, counts, sink);
    else this.#emitRows(heap, offsets, counts, sizes, largest, sink);
    this.execution.release(slots);
  }

  #groupSizes(): Int32Array {
    const sizes = new Int32Array(this.grouping.groupCount);
    for (let series = 0; series < this.input.seriesCount; series++) sizes[this.grouping.groupOf(series)]!++;
    return sizes;
  }

  /** Best first within each group. */
  #emitOrdered(heap: Heap, offsets: Float64Array, counts: Int32Array, sink: RowSink): void {
    const batch = new RowBatch(1);
    for (let group = 0; group < this.grouping.groupCount; group++) {
      const base = offsets[group]!;
      const order = Array.from({ length: counts[group]! }, (_, i) => base + i);
      order.sort((a, b) => compareRank(heap.sign, heap.values[a]!, heap.values[b]!));
      for (const slot of order) {
        batch.values[batch.rows] = heap.values[slot]!;
        batch.present[batch.rows] = FLOAT;
        batch.series[batch.rows++] = heap.series[slot]!;
        if (!batch.isFull) continue;
        sink(batch);
        batch.clear();
      }
    }
    if (batch.rows > 0) sink(batch);
  }

  #emitRows(
    heap: Heap,
    offsets: Float64Array,
    counts: Int32Array,
    sizes: Int32Array,
    largest: number,
    sink: RowSink,
  ): void {
    const { stepCount } = this.grid;
    const rowOf = new Map<number, number>();
    const visit = (use: (series: number, step: number, value: number) => void): void => {
      for (let group = 0; group < this.grouping.groupCount; group++) {
        const room = Math.min(largest, sizes[group]!);
        for (let step = 0; step < stepCount; step++) {
          const base = offsets[group]! + step * room;
          for (let i = 0; i < counts[group * stepCount + step]!; i++)
            use(heap.series[base + i]!, step, heap.values[base + i]!);
        }
      }
    };
    visit((series) => {
      if (!rowOf.has(series)) rowOf.set(series, rowOf.size);
    });
    const rows = new Rows(this.execution, rowOf.size, stepCount);
    visit((series, step, value) => {
      const slot = rowOf.get(series)! * stepCount + step;
      rows.values[slot] = value;
      rows.present[slot] = FLOAT;
    });
    const batch = new RowBatch(stepCount);
    for (const [series, row] of rowOf) {
      batch.copyKept(rows, row, series);
      if (!batch.isFull) continue;
      sink(batch);
      batch.clear();
    }
    if (batch.rows > 0) sink(batch);
    rows.release();
  }
}

/** limitk: the first k elements of each group, floats or histograms. */
export class LimitK extends Selection {
  run(sink: RowSink): void {
    const { stepCount } = this.grid;
    const limits = this.limits();
    const counts = new Float64Array(this.grouping.groupCount * stepCount);
    this.input.run((batch) => {
      for (let row = 0; row < batch.rows; row++) {
        const place = this.grouping.groupOf(batch.series[row]!) * stepCount;
        for (let step = 0; step < stepCount; step++) {
          const slot = row * stepCount + step;
          if (batch.present[slot] === ABSENT) continue;
          if (counts[place + step]! >= limits[step]!) batch.present[slot] = ABSENT;
          else counts[place + step]!++;
        }
      }
      sink(batch);
    });
  }
}

/** limit_ratio: the elements whose labels hash below the ratio; a negative ratio gives those that 1 + ratio leaves out. */
export class LimitRatio extends Selection {
  run(sink: RowSink): void {
    const { stepCount } = this.grid;
    const ratios = this.param.values().map((ratio) => {
      if (Number.isNaN(ratio)) throw new PromqlEvaluationError('Ratio value is NaN');
      if (ratio >= -1 && ratio <= 1) return ratio;
      const capped = ratio > 1 ? 1 : -1;
      this.execution.annotations.warn(
        `ratio value should be between -1 and 1, got ${ratio}, capping to ${capped}`,
        this.plan.paramSpan,
      );
      return capped;
    });
    this.input.run((batch) => {
      for (let row = 0; row < batch.rows; row++) {
        const fraction = labelsFraction(this.input.labels(batch.series[row]!));
        for (let step = 0; step < stepCount; step++) {
          const ratio = ratios[step]!;
          const isIn = ratio >= 0 ? fraction < ratio : fraction >= 1 + ratio;
          if (!isIn) batch.present[row * stepCount + step] = ABSENT;
        }
      }
      sink(batch);
    });
  }
}

interface Heap {
  readonly values: Float64Array;
  readonly series: Int32Array;
  readonly sign: number;
}

/** Whether `a` should give way to `b`. */
function isWorse(sign: number, a: number, b: number): boolean {
  if (Number.isNaN(a)) return !Number.isNaN(b);
  return sign * a < sign * b;
}

/** Best first, NaN last. */
function compareRank(sign: number, a: number, b: number): number {
  return isWorse(sign, a, b) ? 1 : isWorse(sign, b, a) ? -1 : 0;
}

function push(heap: Heap, base: number, count: number, value: number, series: number): void {
  let at = count;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isWorse(heap.sign, value, heap.values[base + parent]!)) break;
    heap.values[base + at] = heap.values[base + parent]!;
    heap.series[base + at] = heap.series[base + parent]!;
    at = parent;
  }
  heap.values[base + at] = value;
  heap.series[base + at] = series;
}

function replaceRoot(heap: Heap, base: number, count: number, value: number, series: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= count) break;
    if (child + 1 < count && isWorse(heap.sign, heap.values[base + child + 1]!, heap.values[base + child]!)) child++;
    if (!isWorse(heap.sign, heap.values[base + child]!, value)) break;
    heap.values[base + at] = heap.values[base + child]!;
    heap.series[base + at] = heap.series[base + child]!;
    at = child;
  }
  heap.values[base + at] = value;
  heap.series[base + at] = series;
}
