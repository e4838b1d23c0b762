/**
 * sort, sort_desc, sort_by_label, sort_by_label_desc: the order of an instant result. Range results are ordered by labels.
 */
import type { FloatHistogram } from '../../../core/model/histogram.ts';
import { compareLabels, compareStrings, labelValue, type Labels } from '../../../core/model/labels.ts';
import type { StepGrid } from '../plan/grid.ts';
import type { SeriesCallPlan } from '../plan/plan.ts';
import type { Execution } from './execution.ts';
import { compareNatural } from './natural-order.ts';
import type { RowSink, VectorOperator } from './operator.ts';
import { FLOAT, RowBatch } from './row-batch.ts';

interface Element {
  readonly series: number;
  readonly value: number;
}

export class Sort implements VectorOperator {
  readonly grid: StepGrid;
  readonly #execution: Execution;
  readonly #plan: SeriesCallPlan;
  readonly #input: VectorOperator;

  constructor(execution: Execution, plan: SeriesCallPlan, input: VectorOperator) {
    this.grid = plan.grid;
    this.#execution = execution;
    this.#plan = plan;
    this.#input = input;
  }

  get mayRepeatLabels(): boolean {
    return this.#input.mayRepeatLabels;
  }

  get seriesCount(): number {
    return this.#input.seriesCount;
  }

  open(): void {
    this.#input.open();
  }

  labels(series: number): Labels {
    return this.#input.labels(series);
  }

  dropsName(series: number): boolean {
    return this.#input.dropsName(series);
  }

  run(sink: RowSink): void {
    const { func, span } = this.#plan;
    const byLabel = func.startsWith('sort_by_label');
    if (!this.#execution.isInstant) {
      this.#execution.annotations.warn(
        'sort is ineffective for range queries since results are always ordered by labels',
        span,
      );
    }
    if (this.grid.stepCount !== 1) {
      this.#input.run((batch) => {
        if (!byLabel) dropHistograms(batch);
        sink(batch);
      });
      return;
    }
    const kept = new KeptElements();
    this.#input.run((batch) => {
      if (!byLabel) dropHistograms(batch);
      kept.take(batch);
    });
    this.#execution.pass(kept.elements.length);
    kept.elements.sort(byLabel ? this.#byLabels() : byValue(func === 'sort_desc' ? -1 : 1));
    kept.emit(sink);
  }

  #byLabels(): (a: Element, b: Element) => number {
    const { func, texts } = this.#plan;
    const sign = func === 'sort_by_label_desc' ? -1 : 1;
    return (a, b) => {
      const left = this.#input.labels(a.series);
      const right = this.#input.labels(b.series);
      for (const name of texts) {
        const x = labelValue(left, name);
        const y = labelValue(right, name);
        if (x !== y) return sign * (compareNatural(x, y) || compareStrings(x, y));
      }
      return sign * compareLabels(left, right);
    };
  }
}

class KeptElements {
  readonly elements: Element[] = [];
  readonly #histograms = new Map<number, FloatHistogram>();

  take(batch: RowBatch): void {
    for (let row = 0; row < batch.rows; row++) {
      if (batch.present[row] === 0) continue;
      const series = batch.series[row]!;
      this.elements.push({ series, value: batch.values[row]! });
      const histogram = batch.histograms?.[row] ?? null;
      if (batch.present[row] !== FLOAT && histogram !== null) this.#histograms.set(series, histogram);
    }
  }

  emit(sink: RowSink): void {
    const batch = new RowBatch(1);
    for (const { series, value } of this.elements) {
      const histogram = this.#histograms.get(series);
      batch.values[batch.rows] = value;
      batch.present[batch.rows] = FLOAT;
      if (histogram !== undefined) batch.putHistogram(batch.rows, histogram);
      batch.series[batch.rows++] = series;
      if (!batch.isFull) continue;
      sink(batch);
      batch.clear();
    }
    if (batch.rows > 0) sink(batch);
  }
}

/** NaN last, either way. */
function byValue(sign: number): (a: Element, b: Element) => number {
  return ({ value: a }, { value: b }) => {
    if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
    if (Number.isNaN(b)) return -1;
    return sign * (a < b ? -1 : a > b ? 1 : 0);
  };
}

/** Histograms have no order. */
function dropHistograms(batch: RowBatch): void {
  if (batch.histograms === null) return;
  for (let slot = 0; slot < batch.rows * batch.stepCount; slot++)
    if (batch.present[slot] !== FLOAT) batch.present[slot] = 0;
  batch.histograms = null;
}
