/**
 * Where range functions get their series from: storage, or the rows of a subquery.
 */
import type { FloatHistogram } from '../../../core/model/histogram.ts';
import type { Labels } from '../../../core/model/labels.ts';
import type { MixedSamples } from '../../../core/model/mixed-samples.ts';
import type { SeriesSet } from '../../../core/storage/querier.ts';
import { detectResets } from '../functions/histogram-arithmetic.ts';
import { timeOfStep } from '../plan/grid.ts';
import type { Execution } from './execution.ts';
import type { SeriesSource, VectorOperator } from './operator.ts';
import { ABSENT, FLOAT } from './row-batch.ts';

export interface RangeSource extends SeriesSource {
  /** Fills `samples` with one series after the other, without stale markers, and calls `visit` for each that has any. */
  each(samples: MixedSamples, visit: (series: number) => void): void;
}

export class SelectedRanges implements RangeSource {
  readonly mayRepeatLabels = false;
  readonly #set: SeriesSet;
  readonly #detectsResets: boolean;

  constructor(set: SeriesSet, detectsResets: boolean) {
    this.#set = set;
    this.#detectsResets = detectsResets;
  }

  get seriesCount(): number {
    return this.#set.seriesCount;
  }

  open(): void {}

  labels(series: number): Labels {
    return this.#set.labels(series);
  }

  dropsName(): boolean {
    return false;
  }

  each(samples: MixedSamples, visit: (series: number) => void): void {
    const set = this.#set;
    const count = set.seriesCount;
    for (let series = 0; series < count; series++) {
      samples.clear();
      set.read(series, samples);
      samples.removeStale();
      if (this.#detectsResets && samples.hasHistograms) detectResets(samples);
      if (samples.length > 0) visit(series);
    }
  }
}

/** Each row of the inner query becomes a series whose samples lie on the subquery's grid. */
export class SubqueryRanges implements RangeSource {
  readonly mayRepeatLabels = false;
  readonly #execution: Execution;
  readonly #inner: VectorOperator;

  /** @param inner must not repeat labels */
  constructor(execution: Execution, inner: VectorOperator) {
    this.#execution = execution;
    this.#inner = inner;
  }

  get seriesCount(): number {
    return this.#inner.seriesCount;
  }

  open(): void {
    this.#inner.open();
  }

  labels(series: number): Labels {
    return this.#inner.labels(series);
  }

  dropsName(series: number): boolean {
    return this.#inner.dropsName(series);
  }

  each(samples: MixedSamples, visit: (series: number) => void): void {
    const { grid } = this.#inner;
    const { stepCount } = grid;
    this.#inner.run((batch) => {
      for (let row = 0; row < batch.rows; row++) {
        samples.clear();
        samples.reserve(stepCount);
        for (let step = 0; step < stepCount; step++) {
          const slot = row * stepCount + step;
          const kind = batch.present[slot];
          if (kind === ABSENT) continue;
          if (kind === FLOAT) samples.push(timeOfStep(grid, step), batch.values[slot]!);
          else samples.pushHistogram(timeOfStep(grid, step), withoutResetHint(batch.histograms![slot]!));
        }
        this.#execution.pass(samples.length);
        if (samples.length > 0) visit(batch.series[row]!);
      }
    });
  }
}

/** Between the steps of a subquery anything may have happened: only gauges stay what they are. */
function withoutResetHint(histogram: FloatHistogram): FloatHistogram {
  return histogram.resetHint === 'gauge' || histogram.resetHint === 'unknown'
    ? histogram
    : { ...histogram, resetHint: 'unknown' };
}
