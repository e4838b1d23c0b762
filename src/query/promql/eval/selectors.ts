/**
 * Selectors over a grid: from samples where scrapes put them to a value per step.
 *
 * Samples and steps both ascend, so one pass over a series serves all steps. Windows are open at their start and closed at their end.
 */
import { METRIC_NAME, labelValue, type Labels } from '../../../core/model/labels.ts';
import { SampleBuffer } from '../../../core/model/samples.ts';
import type { Expr, MatrixSelector, SubqueryExpr, VectorSelector } from '../parse/ast.ts';
import { durationMs, positiveDurationMs } from './durations.ts';
import { atMs, subqueryGrid } from './select-series.ts';
import type { QueryContext } from './context.ts';
import { gridEnd, newRow, type Grid, type RowSink } from './rows.ts';

/** Where a selector's windows end, by step: `startMs + i * stepMs`. */
interface Ends {
  readonly startMs: number;
  readonly stepMs: number;
}

function endsOf(selector: Pick<VectorSelector, 'at' | 'offset'>, grid: Grid, context: QueryContext): Ends {
  const { grid: whole, query } = context.options;
  const offsetMs = selector.offset === null ? 0 : durationMs(selector.offset, whole, query);
  const fixed = atMs(selector.at, whole);
  return fixed === null ? { startMs: grid.startMs - offsetMs, stepMs: grid.stepMs } : { startMs: fixed - offsetMs, stepMs: 0 };
}

/**
 * The newest sample that each step sees; a stale marker hides the series.
 * @param timestamps the sample's time in seconds instead of its value
 */
export function selectInstants(selector: VectorSelector, grid: Grid, context: QueryContext, timestamps: boolean, sink: RowSink): void {
  const set = context.selections.get(selector);
  if (set === undefined) return;
  const { startMs, stepMs } = endsOf(selector, grid, context);
  const { lookbackMs } = context.options;
  const buffer = new SampleBuffer();
  const row = newRow(grid.stepCount);
  for (let s = 0; s < set.seriesCount; s++) {
    context.tick();
    buffer.clear();
    set.read(s, buffer);
    if (buffer.length === 0) continue;
    context.totalSamples += buffer.length;
    const { times, values, length } = buffer;
    let next = 0;
    let seen = 0;
    for (let i = 0; i < grid.stepCount; i++) {
      const atEnd = startMs + i * stepMs;
      while (next < length && times[next]! <= atEnd) next++;
      const newest = next - 1;
      if (newest >= 0 && atEnd - times[newest]! < lookbackMs && !buffer.isStale(newest)) {
        row.present[i] = 1;
        row.values[i] = timestamps ? times[newest]! / 1000 : values[newest]!;
        seen++;
      } else row.present[i] = 0;
    }
    if (seen === 0) continue;
    row.labels = set.labels(s);
    row.dropName = false;
    sink(row);
  }
}

/** One series with the samples that the windows of a grid need, stale markers taken out. */
export interface RangeSeries {
  labels: Labels;
  dropName: boolean;
  readonly samples: SampleBuffer;
}

/** The windows of a range expression: (end − rangeMs, end] with end = startMs + i·stepMs. */
export interface RangeWindows extends Ends {
  readonly rangeMs: number;
  /** Gives every series that has samples. */
  forEachSeries(take: (series: RangeSeries) => void): void;
}

/** Evaluates an expression's rows; the evaluator itself, handed in so that the two files need not import each other. */
export type EvaluateRows = (expr: Expr, grid: Grid, sink: RowSink) => void;

export function rangeWindows(expr: MatrixSelector | SubqueryExpr, grid: Grid, context: QueryContext, evaluate: EvaluateRows): RangeWindows {
  const { grid: whole, query } = context.options;
  const rangeMs = positiveDurationMs(expr.range, whole, query);
  if (expr.kind === 'subquery') {
    const ends = endsOf(expr, grid, context);
    return { ...ends, rangeMs, forEachSeries: (take) => subquerySeries(expr, grid, context, evaluate, take) };
  }
  const ends = endsOf(expr.selector, grid, context);
  return { ...ends, rangeMs, forEachSeries: (take) => selectedSeries(expr.selector, context, take) };
}

function selectedSeries(selector: VectorSelector, context: QueryContext, take: (series: RangeSeries) => void): void {
  const set = context.selections.get(selector);
  if (set === undefined) return;
  const samples = new SampleBuffer();
  const series: RangeSeries = { labels: [], dropName: false, samples };
  for (let s = 0; s < set.seriesCount; s++) {
    context.tick();
    samples.clear();
    set.read(s, samples);
    removeStale(samples);
    if (samples.length === 0) continue;
    context.totalSamples += samples.length;
    series.labels = set.labels(s);
    context.hold(samples.length);
    take(series);
    context.release(samples.length);
  }
}

/** Values of the inner expression at the subquery's own steps become samples. */
function subquerySeries(expr: SubqueryExpr, grid: Grid, context: QueryContext, evaluate: EvaluateRows, take: (series: RangeSeries) => void): void {
  const inner = subqueryGrid(expr, { startMs: grid.startMs, endMs: gridEnd(grid) }, context);
  if (inner.stepCount === 0) return;
  const samples = new SampleBuffer();
  evaluate(expr.inner, inner, ({ labels, dropName, values, present }) => {
    samples.clear();
    samples.reserve(inner.stepCount);
    for (let i = 0; i < inner.stepCount; i++) if (present[i] !== 0) samples.push(inner.startMs + i * inner.stepMs, values[i]!);
    if (samples.length === 0) return;
    context.hold(samples.length);
    take({ labels, dropName, samples });
    context.release(samples.length);
  });
}

/** Takes stale markers out, in place. Nearly always there are none. */
export function removeStale(buffer: SampleBuffer): void {
  let kept = 0;
  const { times, values, length } = buffer;
  for (let i = 0; i < length; i++) {
    if (buffer.isStale(i)) continue;
    if (kept !== i) {
      times[kept] = times[i]!;
      values[kept] = values[i]!;
    }
    kept++;
  }
  buffer.length = kept;
}

export const metricName = (labels: Labels): string => labelValue(labels, METRIC_NAME);
