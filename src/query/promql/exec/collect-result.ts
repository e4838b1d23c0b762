/**
 * The rows of the root operator as the answer: a vector in the engine's order, or a matrix sorted by labels.
 *
 * Where metric names are removed late, this is where they go; series that then are equal become one, or are an error where
 * both have a value.
 */
import type { FloatHistogram } from '../../../core/model/histogram.ts';
import { compareLabels, labelsEqual, type Labels } from '../../../core/model/labels.ts';
import { MixedSamples } from '../../../core/model/mixed-samples.ts';
import { PromqlEvaluationError } from '../errors.ts';
import { timeOfStep } from '../plan/grid.ts';
import type { RangePlan } from '../plan/plan.ts';
import type { HistogramPoint, QueryValue, ResultSeries } from '../result.ts';
import { Windows } from '../functions/windows.ts';
import type { Execution } from './execution.ts';
import { LabelSets } from './label-sets.ts';
import { withoutMetadata } from './metadata-labels.ts';
import type { SeriesSource, VectorOperator } from './operator.ts';
import type { RangeSource } from './range-source.ts';
import { ABSENT, FLOAT, HISTOGRAM } from './row-batch.ts';
import { DUPLICATE_LABELS } from './unique-rows.ts';

/** The elements of an instant vector. @throws PromqlEvaluationError */
export function collectVector(execution: Execution, root: VectorOperator, timeMs: number): QueryValue {
  const labels: Labels[] = [];
  const values: number[] = [];
  const histograms: (FloatHistogram | null)[] = [];
  let hasHistograms = false;
  root.open();
  root.run((batch) => {
    for (let row = 0; row < batch.rows; row++) {
      const kind = batch.present[row]!;
      if (kind === ABSENT) continue;
      const own = finalLabels(root, batch.series[row]!);
      labels.push(own);
      values.push(kind === FLOAT ? batch.values[row]! : Number.NaN);
      histograms.push(kind === HISTOGRAM ? batch.histograms![row]! : null);
      if (kind === HISTOGRAM) hasHistograms = true;
    }
    execution.hold(batch.rows);
  });
  if (root.mayRepeatLabels || execution.delayedNameRemoval) refuseEqual(labels);
  const value = { type: 'vector', timeMs, labels, values: Float64Array.from(values) } as const;
  return hasHistograms ? { ...value, histograms } : value;
}

/** All series with their samples, sorted by labels. @throws PromqlEvaluationError */
export function collectMatrix(execution: Execution, root: VectorOperator): QueryValue {
  const { grid } = root;
  const { stepCount } = grid;
  const series: ResultSeries[] = [];
  root.open();
  root.run((batch) => {
    for (let row = 0; row < batch.rows; row++) {
      const at = row * stepCount;
      let floats = 0;
      let others = 0;
      for (let i = at; i < at + stepCount; i++) {
        if (batch.present[i] === FLOAT) floats++;
        else if (batch.present[i] === HISTOGRAM) others++;
      }
      if (floats + others === 0) continue;
      execution.hold(floats + others);
      const times = new Float64Array(floats);
      const values = new Float64Array(floats);
      const histograms: HistogramPoint[] = [];
      let next = 0;
      for (let step = 0; step < stepCount; step++) {
        const kind = batch.present[at + step];
        if (kind === FLOAT) {
          times[next] = timeOfStep(grid, step);
          values[next++] = batch.values[at + step]!;
        } else if (kind === HISTOGRAM)
          histograms.push({ timeMs: timeOfStep(grid, step), histogram: batch.histograms![at + step]! });
      }
      const own = { labels: finalLabels(root, batch.series[row]!), times, values };
      series.push(others > 0 ? { ...own, histograms } : own);
    }
  });
  series.sort((a, b) => compareLabels(a.labels, b.labels));
  const mayRepeat = root.mayRepeatLabels || execution.delayedNameRemoval;
  return { type: 'matrix', series: mayRepeat ? mergeEqual(series) : series };
}

/** The samples in the one window of an instant query over a range selector. */
export function collectRange(execution: Execution, source: RangeSource, plan: RangePlan): QueryValue {
  const series: ResultSeries[] = [];
  const samples = new MixedSamples();
  const windows = new Windows(samples, plan.timeGrid, plan.grid, plan.rangeMs);
  source.open();
  source.each(samples, (number) => {
    windows.locate();
    const from = windows.first[0]!;
    const to = windows.end[0]!;
    if (from === to) return;
    execution.hold(to - from);
    execution.queryableSamples += to - from;
    const labels = finalLabels(source, number);
    if (!samples.hasHistograms) {
      series.push({ labels, times: samples.times.slice(from, to), values: samples.values.slice(from, to) });
      return;
    }
    const times: number[] = [];
    const values: number[] = [];
    const histograms: HistogramPoint[] = [];
    for (let i = from; i < to; i++) {
      const histogram = samples.histogramAt(i);
      if (histogram !== undefined) histograms.push({ timeMs: samples.times[i]!, histogram });
      else {
        times.push(samples.times[i]!);
        values.push(samples.values[i]!);
      }
    }
    series.push({ labels, times: Float64Array.from(times), values: Float64Array.from(values), histograms });
  });
  series.sort((a, b) => compareLabels(a.labels, b.labels));
  return { type: 'matrix', series };
}

function finalLabels(source: SeriesSource, series: number): Labels {
  const labels = source.labels(series);
  return source.dropsName(series) ? withoutMetadata(labels) : labels;
}

/** @throws PromqlEvaluationError where two are equal */
function refuseEqual(all: readonly Labels[]): void {
  const sets = new LabelSets();
  for (const [i, labels] of all.entries()) if (sets.add(labels) < i) throw new PromqlEvaluationError(DUPLICATE_LABELS);
}

/** @param sorted by labels @throws PromqlEvaluationError where equal series have a value at one time */
function mergeEqual(sorted: readonly ResultSeries[]): ResultSeries[] {
  const merged: ResultSeries[] = [];
  for (const series of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && labelsEqual(last.labels, series.labels))
      merged[merged.length - 1] = mergeTwo(last, series);
    else merged.push(series);
  }
  return merged;
}

function mergeTwo(a: ResultSeries, b: ResultSeries): ResultSeries {
  const samples: { timeMs: number; value: number; histogram: FloatHistogram | null }[] = [];
  for (const { times, values, histograms } of [a, b]) {
    for (const [i, timeMs] of times.entries()) samples.push({ timeMs, value: values[i]!, histogram: null });
    for (const { timeMs, histogram } of histograms ?? []) samples.push({ timeMs, value: 0, histogram });
  }
  samples.sort((x, y) => x.timeMs - y.timeMs);
  if (samples.some(({ timeMs }, i) => i > 0 && samples[i - 1]!.timeMs === timeMs))
    throw new PromqlEvaluationError(DUPLICATE_LABELS);
  const floats = samples.filter(({ histogram }) => histogram === null);
  const own = {
    labels: a.labels,
    times: Float64Array.from(floats, ({ timeMs }) => timeMs),
    values: Float64Array.from(floats, ({ value }) => value),
  };
  const histograms = samples.flatMap(({ timeMs, histogram }) => (histogram === null ? [] : [{ timeMs, histogram }]));
  return histograms.length > 0 ? { ...own, histograms } : own;
}
