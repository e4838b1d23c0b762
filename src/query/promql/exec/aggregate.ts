/**
 * sum, avg, count, min, max, group, stddev and stdvar: rows go into their group's row as they come.
 */
import { EMPTY_LABELS, type Labels } from '../../../core/model/labels.ts';
import { assert } from '../../../core/base/assert.ts';
import type { StepGrid } from '../plan/grid.ts';
import type { AggregatePlan } from '../plan/plan.ts';
import { createAccumulator } from './accumulators.ts';
import type { Execution } from './execution.ts';
import { GroupIndex, groupSeries } from './group-index.ts';
import { GroupHistograms } from './group-histograms.ts';
import type { RowSink, VectorOperator } from './operator.ts';
import { FLOAT, HISTOGRAM, RowBatch } from './row-batch.ts';

/** Groups and their members, as all aggregations have them. */
export class Grouping {
  readonly #index: GroupIndex;
  readonly #input: VectorOperator;
  readonly #isDelayed: boolean;
  #groups: Int32Array = new Int32Array(0);
  #dropsName = new Uint8Array(0);

  constructor(execution: Execution, plan: AggregatePlan, input: VectorOperator) {
    this.#isDelayed = execution.delayedNameRemoval;
    this.#index = new GroupIndex(!plan.without, plan.grouping);
    this.#input = input;
  }

  open(): void {
    const input = this.#input;
    input.open();
    const count = input.seriesCount;
    this.#groups = groupSeries(this.#index, count, (series) => input.labels(series));
    this.#dropsName = new Uint8Array(this.#index.groupCount);
    if (!this.#isDelayed) return;
    for (let series = 0; series < count; series++) {
      if (input.dropsName(series)) this.#dropsName[this.#groups[series]!] = 1;
    }
  }

  get groupCount(): number {
    return this.#index.groupCount;
  }

  groupOf(series: number): number {
    return this.#groups[series]!;
  }

  labels(group: number): Labels {
    return this.#index.isSingle ? EMPTY_LABELS : this.#index.labels(group);
  }

  dropsName(group: number): boolean {
    return this.#dropsName[group] === 1;
  }
}

export class Aggregation implements VectorOperator {
  readonly grid: StepGrid;
  readonly mayRepeatLabels = false;
  readonly #execution: Execution;
  readonly #plan: AggregatePlan;
  readonly #input: VectorOperator;
  readonly #grouping: Grouping;

  constructor(execution: Execution, plan: AggregatePlan, input: VectorOperator) {
    this.grid = plan.grid;
    this.#execution = execution;
    this.#plan = plan;
    this.#input = input;
    this.#grouping = new Grouping(execution, plan, input);
  }

  get seriesCount(): number {
    return this.#grouping.groupCount;
  }

  open(): void {
    this.#grouping.open();
  }

  labels(series: number): Labels {
    return this.#grouping.labels(series);
  }

  dropsName(series: number): boolean {
    return this.#grouping.dropsName(series);
  }

  run(sink: RowSink): void {
    const { op } = this.#plan;
    const { stepCount } = this.grid;
    const grouping = this.#grouping;
    const slots = grouping.groupCount * stepCount;
    this.#execution.hold(slots);
    const floats = createAccumulator(op, slots);
    assert(floats !== null, `${op} adds rows one by one`);
    const histograms = new GroupHistograms(this.#execution, this.#plan, (series) => this.#input.labels(series));
    this.#input.run((batch) => {
      for (let row = 0; row < batch.rows; row++) {
        const into = grouping.groupOf(batch.series[row]!) * stepCount;
        const from = row * stepCount;
        if (batch.histograms !== null) histograms.add(batch, row, into);
        floats.add(batch.values, batch.present, from, into, stepCount);
      }
    });
    const batch = new RowBatch(stepCount);
    for (let group = 0; group < grouping.groupCount; group++) {
      const from = group * stepCount;
      const at = batch.rows * stepCount;
      let seen = 0;
      for (let step = 0; step < stepCount; step++) {
        const slot = at + step;
        const hasFloat = floats.has(from + step);
        const histogram = histograms.result(from + step, hasFloat);
        batch.present[slot] = 0;
        if (histogram === 'mixed') continue;
        if (histogram !== null) {
          batch.ensureHistograms()[slot] = histogram;
          batch.present[slot] = HISTOGRAM;
        } else if (hasFloat) {
          batch.values[slot] = floats.result(from + step);
          batch.present[slot] = FLOAT;
        } else continue;
        seen++;
      }
      if (seen === 0) continue;
      batch.series[batch.rows++] = group;
      if (!batch.isFull) continue;
      sink(batch);
      batch.clear();
    }
    if (batch.rows > 0) sink(batch);
    this.#execution.release(slots);
  }
}
