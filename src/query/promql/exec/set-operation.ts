/**
 * and, or, unless: which series of one side stay, by what the other side has at the same step.
 *
 * Only the presence of the other side matters, so that is all that is kept of it: a byte per match group and step.
 */
import type { Labels } from '../../../core/model/labels.ts';
import type { StepGrid } from '../plan/grid.ts';
import type { SetPlan } from '../plan/plan.ts';
import type { Execution } from './execution.ts';
import { GroupIndex, groupSeries } from './group-index.ts';
import type { RowSink, VectorOperator } from './operator.ts';
import type { RowBatch } from './row-batch.ts';

export class SetOperation implements VectorOperator {
  readonly grid: StepGrid;
  readonly #execution: Execution;
  readonly #op: SetPlan['op'];
  readonly #left: VectorOperator;
  readonly #right: VectorOperator;
  readonly #groups: GroupIndex;
  #leftGroups: Int32Array = new Int32Array(0);
  #rightGroups: Int32Array = new Int32Array(0);

  constructor(execution: Execution, plan: SetPlan, left: VectorOperator, right: VectorOperator) {
    this.grid = plan.grid;
    this.#execution = execution;
    this.#op = plan.op;
    this.#left = left;
    this.#right = right;
    this.#groups = new GroupIndex(plan.matching.on, plan.matching.labels);
  }

  get mayRepeatLabels(): boolean {
    return this.#op === 'or' || this.#left.mayRepeatLabels;
  }

  get seriesCount(): number {
    return this.#left.seriesCount + (this.#op === 'or' ? this.#right.seriesCount : 0);
  }

  open(): void {
    const left = this.#left;
    const right = this.#right;
    left.open();
    right.open();
    this.#leftGroups = groupSeries(this.#groups, left.seriesCount, (series) => left.labels(series));
    this.#rightGroups = groupSeries(this.#groups, right.seriesCount, (series) => right.labels(series));
  }

  labels(series: number): Labels {
    const count = this.#left.seriesCount;
    return series < count ? this.#left.labels(series) : this.#right.labels(series - count);
  }

  dropsName(series: number): boolean {
    const count = this.#left.seriesCount;
    return series < count ? this.#left.dropsName(series) : this.#right.dropsName(series - count);
  }

  run(sink: RowSink): void {
    const slots = this.#groups.groupCount * this.grid.stepCount;
    this.#execution.hold(Math.ceil(slots / 8));
    const has = new Uint8Array(slots);
    if (this.#op === 'or') {
      this.#left.run((batch) => {
        this.#note(batch, this.#leftGroups, has);
        sink(batch);
      });
      const shift = this.#left.seriesCount;
      this.#right.run((batch) => {
        this.#keep(batch, this.#rightGroups, has, false);
        for (let row = 0; row < batch.rows; row++) batch.series[row]! += shift;
        sink(batch);
      });
    } else {
      this.#right.run((batch) => this.#note(batch, this.#rightGroups, has));
      this.#left.run((batch) => {
        this.#keep(batch, this.#leftGroups, has, this.#op === 'and');
        sink(batch);
      });
    }
    this.#execution.release(Math.ceil(slots / 8));
  }

  #note({ rows, series, present, stepCount }: RowBatch, groups: Int32Array, has: Uint8Array): void {
    for (let row = 0; row < rows; row++) {
      const into = groups[series[row]!]! * stepCount;
      for (let i = 0; i < stepCount; i++) has[into + i]! |= present[row * stepCount + i]!;
    }
  }

  /** Leaves the slots whose group has something (`wanted`) or nothing on the other side. */
  #keep({ rows, series, present, stepCount }: RowBatch, groups: Int32Array, has: Uint8Array, wanted: boolean): void {
    for (let row = 0; row < rows; row++) {
      const from = groups[series[row]!]! * stepCount;
      for (let i = 0; i < stepCount; i++) if ((has[from + i] !== 0) !== wanted) present[row * stepCount + i] = 0;
    }
  }
}
