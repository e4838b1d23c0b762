/**
 * count_values: a series for each distinct value, which becomes a label. What comes out is known only when all came in.
 */
import { printNumber } from '../parse/print.ts';
import { labelsKey, withLabel, type Labels } from '../../../core/model/labels.ts';
import { PromqlEvaluationError } from '../errors.ts';
import { formatHistogram } from '../functions/histogram-text.ts';
import { quoteString } from '../parse/string-literal.ts';
import type { StepGrid } from '../plan/grid.ts';
import type { AggregatePlan } from '../plan/plan.ts';
import { Grouping } from './aggregate.ts';
import type { Execution } from './execution.ts';
import type { RowSink, VectorOperator } from './operator.ts';
import { ABSENT, FLOAT, RowBatch } from './row-batch.ts';

interface ValueSeries {
  readonly labels: Labels;
  readonly dropsName: boolean;
  readonly counts: Float64Array;
}

export class CountValues implements VectorOperator {
  readonly grid: StepGrid;
  readonly mayRepeatLabels = false;
  readonly #execution: Execution;
  readonly #label: string;
  readonly #input: VectorOperator;
  readonly #grouping: Grouping;
  readonly #series: ValueSeries[] = [];
  #slots = 0;

  constructor(execution: Execution, plan: AggregatePlan, input: VectorOperator) {
    this.grid = plan.grid;
    this.#execution = execution;
    this.#label = plan.label;
    this.#input = input;
    this.#grouping = new Grouping(execution, plan, input);
  }

  get seriesCount(): number {
    return this.#series.length;
  }

  open(): void {
    if (this.#label === '' || !this.#label.isWellFormed()) {
      throw new PromqlEvaluationError(`invalid label name ${quoteString(this.#label)}`);
    }
    const { stepCount } = this.grid;
    this.#grouping.open();
    /** By group, then by the value's text. */
    const byText: Map<string, number>[] = Array.from({ length: this.#grouping.groupCount }, () => new Map());
    // Groups that differ only in the label written become one.
    const byLabels = new Map<string, number>();
    this.#input.run((batch) => {
      for (let row = 0; row < batch.rows; row++) {
        const group = this.#grouping.groupOf(batch.series[row]!);
        const known = byText[group]!;
        for (let step = 0; step < stepCount; step++) {
          const slot = row * stepCount + step;
          const kind = batch.present[slot]!;
          if (kind === ABSENT) continue;
          const text = kind === FLOAT ? printNumber(batch.values[slot]!) : formatHistogram(batch.histograms![slot]!);
          let series = known.get(text);
          if (series === undefined) known.set(text, (series = this.#add(group, text, byLabels)));
          this.#series[series]!.counts[step]!++;
        }
      }
    });
  }

  labels(series: number): Labels {
    return this.#series[series]!.labels;
  }

  dropsName(series: number): boolean {
    return this.#series[series]!.dropsName;
  }

  run(sink: RowSink): void {
    const { stepCount } = this.grid;
    const batch = new RowBatch(stepCount);
    for (const [series, { counts }] of this.#series.entries()) {
      const at = batch.rows * stepCount;
      for (let step = 0; step < stepCount; step++) {
        batch.values[at + step] = counts[step]!;
        batch.present[at + step] = counts[step]! > 0 ? FLOAT : ABSENT;
      }
      batch.series[batch.rows++] = series;
      if (!batch.isFull) continue;
      sink(batch);
      batch.clear();
    }
    if (batch.rows > 0) sink(batch);
    this.#execution.release(this.#slots);
  }

  #add(group: number, text: string, byLabels: Map<string, number>): number {
    const labels = withLabel(this.#grouping.labels(group), this.#label, text);
    const key = labelsKey(labels);
    const known = byLabels.get(key);
    if (known !== undefined) return known;
    const { stepCount } = this.grid;
    this.#slots += stepCount;
    this.#execution.hold(stepCount);
    const dropsName = this.#grouping.dropsName(group) && this.#label !== '__name__';
    const number = this.#series.push({ labels, dropsName, counts: new Float64Array(stepCount) }) - 1;
    byLabels.set(key, number);
    return number;
  }
}
