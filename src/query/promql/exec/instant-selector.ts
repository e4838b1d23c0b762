/**
 * Instant selection: from samples where scrapes put them to one value per step.
 *
 * A step sees the newest sample not after it, if that is younger than the lookback and no stale marker. Samples and steps
 * both ascend, so one pass serves the whole grid.
 * Source: Prometheus, querying basics, "Staleness".
 */
import { METRIC_NAME, labelValue, type Labels } from '../../../core/model/labels.ts';
import { MixedSamples } from '../../../core/model/mixed-samples.ts';
import { STALE_HIGH, STALE_LOW } from '../../../core/model/samples.ts';
import type { SeriesSet } from '../../../core/storage/querier.ts';
import type { StepGrid } from '../plan/grid.ts';
import type { InstantSelectPlan } from '../plan/plan.ts';
import type { Execution } from './execution.ts';
import { detectResets } from '../functions/histogram-arithmetic.ts';
import { noFindings } from '../functions/histogram-rate.ts';
import { withoutMetadata } from './metadata-labels.ts';
import type { RowSink, VectorOperator } from './operator.ts';
import { refuseMix, reportRate } from './range-annotations.ts';
import { FLOAT, HISTOGRAM, RowBatch } from './row-batch.ts';
import { selectSmoothed } from './smoothed-selector.ts';

export class InstantSelector implements VectorOperator {
  readonly grid: StepGrid;
  readonly mayRepeatLabels = false;
  readonly #execution: Execution;
  readonly #plan: InstantSelectPlan;
  readonly #set: SeriesSet;

  constructor(execution: Execution, plan: InstantSelectPlan, set: SeriesSet) {
    this.grid = plan.grid;
    this.#execution = execution;
    this.#plan = plan;
    this.#set = set;
  }

  get seriesCount(): number {
    return this.#set.seriesCount;
  }

  open(): void {}

  labels(series: number): Labels {
    const labels = this.#set.labels(series);
    return this.#plan.output === 'value' || this.#execution.delayedNameRemoval ? labels : withoutMetadata(labels);
  }

  dropsName(): boolean {
    return this.#plan.output !== 'value' && this.#execution.delayedNameRemoval;
  }

  run(sink: RowSink): void {
    const { stepCount } = this.grid;
    if (stepCount === 0) return;
    const set = this.#set;
    const execution = this.#execution;
    const samples = new MixedSamples();
    const batch = new RowBatch(stepCount);
    const count = set.seriesCount;
    for (let series = 0; series < count; series++) {
      samples.clear();
      set.read(series, samples);
      if (samples.length === 0) continue;
      if (this.#plan.detectsResets && samples.hasHistograms) detectResets(samples);
      const seen = this.#select(samples, batch, batch.rows * stepCount, series);
      if (seen === 0) continue;
      execution.queryableSamples += seen;
      batch.series[batch.rows++] = series;
      if (!batch.isFull) continue;
      this.#flush(batch, sink);
    }
    if (batch.rows > 0) this.#flush(batch, sink);
  }

  #flush(batch: RowBatch, sink: RowSink): void {
    this.#execution.checkpoint();
    this.#execution.pass(batch.rows * batch.stepCount);
    sink(batch);
    batch.clear();
  }

  #report(fault: 'mixed-kinds' | 'mixed-layouts', series: number): void {
    const name = labelValue(this.#set.labels(series), METRIC_NAME);
    const { annotations } = this.#execution;
    if (fault === 'mixed-kinds') refuseMix(name, annotations, this.#plan.span);
    else reportRate({ ...noFindings(), isMixedLayout: true }, name, annotations, this.#plan.span);
  }

  #select(samples: MixedSamples, batch: RowBatch, at: number, series: number): number {
    const { timeGrid, lookbackMs, output, isSmoothed } = this.#plan;
    if (isSmoothed)
      return selectSmoothed(samples, timeGrid, lookbackMs, batch, at, (fault) => this.#report(fault, series));
    if (output !== 'value') return selectTimesAtSteps(samples, this.#plan, batch, at);
    const seen = selectAtSteps(samples, timeGrid, lookbackMs, batch.values, batch.present, at);
    if (samples.hasHistograms && seen > 0) placeHistograms(samples, timeGrid, batch, at);
    return seen;
  }
}

/**
 * Writes what each step sees into `values[at…]` and `present[at…]`; every slot of `present` is written.
 *
 * @param timeGrid where each step looks
 * @param lookbackMs age at which a sample is no longer seen
 * @returns how many steps see a sample
 */
export function selectAtSteps(
  samples: MixedSamples,
  timeGrid: StepGrid,
  lookbackMs: number,
  values: Float64Array,
  present: Uint8Array,
  at: number,
): number {
  const { startMs, stepMs, stepCount } = timeGrid;
  const { times, valueBits, length } = samples;
  const sampleValues = samples.values;
  let next = 0; // The first sample after the current step.
  let seen = 0;
  for (let step = 0; step < stepCount; step++) {
    const atMs = startMs + step * stepMs;
    while (next < length && times[next]! <= atMs) next++;
    const newest = next - 1;
    const slot = at + step;
    present[slot] = 0;
    if (newest < 0 || atMs - times[newest]! >= lookbackMs) continue;
    if (valueBits[2 * newest + 1] === STALE_HIGH && valueBits[2 * newest] === STALE_LOW) continue;
    values[slot] = sampleValues[newest]!;
    present[slot] = FLOAT;
    seen++;
  }
  return seen;
}

/** Puts histograms over the slots that `selectAtSteps` filled from samples that are histograms. */
function placeHistograms(samples: MixedSamples, timeGrid: StepGrid, batch: RowBatch, at: number): void {
  const { times, length } = samples;
  const histograms = batch.ensureHistograms();
  let next = 0;
  for (let step = 0; step < timeGrid.stepCount; step++) {
    const atMs = timeGrid.startMs + step * timeGrid.stepMs;
    while (next < length && times[next]! <= atMs) next++;
    const slot = at + step;
    if (batch.present[slot] !== FLOAT) continue;
    const histogram = samples.histogramAt(next - 1);
    if (histogram === undefined) continue;
    batch.present[slot] = HISTOGRAM;
    histograms[slot] = histogram;
  }
}

/** As `selectAtSteps`, writing when the sample was taken or its counter began, in seconds. */
function selectTimesAtSteps(samples: MixedSamples, plan: InstantSelectPlan, batch: RowBatch, at: number): number {
  const { timeGrid, lookbackMs, output } = plan;
  const { times, length } = samples;
  let next = 0;
  let seen = 0;
  for (let step = 0; step < timeGrid.stepCount; step++) {
    const atMs = timeGrid.startMs + step * timeGrid.stepMs;
    while (next < length && times[next]! <= atMs) next++;
    const newest = next - 1;
    const slot = at + step;
    batch.present[slot] = 0;
    if (newest < 0 || atMs - times[newest]! >= lookbackMs || samples.isStale(newest)) continue;
    batch.values[slot] = (output === 'timestamp' ? times[newest]! : samples.startTimeAt(newest)) / 1000;
    batch.present[slot] = FLOAT;
    seen++;
  }
  return seen;
}
