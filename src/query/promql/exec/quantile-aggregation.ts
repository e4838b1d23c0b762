/**
 * quantile: needs all values of a group at once, so the rows are kept until the last has come.
 */
import type { Labels } from '../../../core/model/labels.ts';
import { formatFloat } from '../../../core/model/float.ts';
import { quantileOf, SortedFloats } from '../functions/quantile.ts';
import type { StepGrid } from '../plan/grid.ts';
import type { AggregatePlan } from '../plan/plan.ts';
import { Grouping } from './aggregate.ts';
import type { Execution } from './execution.ts';
import type { RowSink, ScalarOperator, VectorOperator } from './operator.ts';
import { FLOAT, HISTOGRAM, RowBatch } from './row-batch.ts';
import { Rows } from './rows.ts';

export class QuantileAggregation implements VectorOperator {
  readonly grid: StepGrid;
  readonly mayRepeatLabels = false;
  readonly #execution: Execution;
  readonly #plan: AggregatePlan;
  readonly #input: VectorOperator;
  readonly #param: ScalarOperator;
  readonly #grouping: Grouping;

  constructor(execution: Execution, plan: AggregatePlan, input: VectorOperator, param: ScalarOperator) {
    this.grid = plan.grid;
    this.#execution = execution;
    this.#plan = plan;
    this.#input = input;
    this.#param = param;
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
    const { stepCount } = this.grid;
    const quantiles = this.#param.values();
    for (const q of quantiles) {
      if (Number.isNaN(q) || q < 0 || q > 1) warnQuantile(this.#execution, q, this.#plan.paramSpan);
    }
    const kept = new Rows(this.#execution, this.#input.seriesCount, stepCount);
    const members: number[][] = Array.from({ length: this.#grouping.groupCount }, () => []);
    this.#input.run((batch) => {
      for (let row = 0; row < batch.rows; row++) {
        const series = batch.series[row]!;
        kept.merge(batch, row, series);
        members[this.#grouping.groupOf(series)]!.push(series);
      }
      if (batch.histograms !== null && batch.present.subarray(0, batch.rows * stepCount).includes(HISTOGRAM)) {
        this.#execution.annotations.info('ignored histogram in quantile aggregation', this.#plan.innerSpan);
      }
    });
    const batch = new RowBatch(stepCount);
    const sorted = new SortedFloats();
    for (const [group, rows] of members.entries()) {
      sorted.reserve(rows.length);
      const at = batch.rows * stepCount;
      let any = false;
      for (let step = 0; step < stepCount; step++) {
        let count = 0;
        for (const row of rows) {
          const slot = row * stepCount + step;
          if (kept.present[slot] === FLOAT) sorted.set(count++, kept.values[slot]!);
        }
        batch.present[at + step] = count > 0 ? FLOAT : 0;
        if (count === 0) continue;
        any = true;
        sorted.sort(count);
        batch.values[at + step] = quantileOf(sorted, quantiles[step]!);
      }
      if (!any) continue;
      batch.series[batch.rows++] = group;
      if (!batch.isFull) continue;
      sink(batch);
      batch.clear();
    }
    if (batch.rows > 0) sink(batch);
    kept.release();
  }
}

/** Tells that a quantile is none. */
export function warnQuantile(execution: Execution, q: number, span: AggregatePlan['span']): void {
  execution.annotations.warn(`quantile value should be between 0 and 1, got ${formatFloat(q)}`, span);
}
