/**
 * Native histograms in aggregations: sum and avg add them, count and group count them, the rest ignore them.
 */
import type { FloatHistogram } from '../../../core/model/histogram.ts';
import { METRIC_NAME, labelValue, type Labels } from '../../../core/model/labels.ts';
import { HistogramMean, HistogramSum } from '../functions/histogram-sum.ts';
import type { AggregatePlan } from '../plan/plan.ts';
import { forMetric } from './annotations.ts';
import type { Execution } from './execution.ts';
import { reportSum } from './histogram-operators.ts';
import { HISTOGRAM, type RowBatch } from './row-batch.ts';

interface Slot {
  readonly sum: HistogramSum | HistogramMean;
  /** Layouts were met that cannot be added. */
  isIncompatible: boolean;
}

export class GroupHistograms {
  readonly #execution: Execution;
  readonly #plan: AggregatePlan;
  /** By slot of the group and step. */
  readonly #slots = new Map<number, Slot>();
  readonly #labels: (series: number) => Labels;

  constructor(execution: Execution, plan: AggregatePlan, labels: (series: number) => Labels) {
    this.#execution = execution;
    this.#plan = plan;
    this.#labels = labels;
  }

  /** Adds the histograms in `length` slots of a row, from slot `from` of the batch on. */
  add(batch: RowBatch, row: number, from: number, into: number, length: number): void {
    const { op } = this.#plan;
    if (op === 'count' || op === 'group') return;
    for (let i = 0; i < length; i++) {
      if (batch.present[from + i] !== HISTOGRAM) continue;
      if (op === 'sum' || op === 'avg') this.#addOne(batch.histograms![from + i]!, into + i, batch.series[row]!);
      else this.#execution.annotations.info(`ignored histogram in ${op} aggregation`, this.#plan.innerSpan);
    }
  }

  /** The histogram at a slot, null for none; 'mixed' where there is no result since floats and histograms met. */
  result(slot: number, hasFloat: boolean): FloatHistogram | 'mixed' | null {
    if (this.#slots.size === 0) return null;
    const known = this.#slots.get(slot);
    if (known === undefined) return null;
    if (hasFloat) {
      this.#execution.annotations.warn(
        'encountered a mix of histograms and floats for aggregation',
        this.#plan.innerSpan,
      );
      return 'mixed';
    }
    if (known.isIncompatible) return 'mixed';
    reportSum(known.sum, 'aggregation', this.#execution.annotations, this.#plan.innerSpan);
    return known.sum.result();
  }

  #addOne(histogram: FloatHistogram, slot: number, series: number): void {
    const known = this.#slots.get(slot);
    if (known === undefined) {
      const sum = this.#plan.op === 'avg' ? new HistogramMean(histogram) : new HistogramSum(histogram);
      this.#slots.set(slot, { sum, isIncompatible: false });
      return;
    }
    if (known.isIncompatible || known.sum.add(histogram)) return;
    known.isIncompatible = true;
    const name = labelValue(this.#labels(series), METRIC_NAME);
    this.#execution.annotations.warn(
      `vector contains a mix of histograms with exponential and custom buckets schemas${forMetric(name)}`,
      this.#plan.innerSpan,
    );
  }
}
