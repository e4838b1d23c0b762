/**
 * A function over a range: each series is decoded once, and evaluated for all steps in one pass over its windows.
 */
import type { Labels } from '../../../core/model/labels.ts';
import { METRIC_NAME, labelValue } from '../../../core/model/labels.ts';
import { MixedSamples } from '../../../core/model/mixed-samples.ts';
import { COUNTER_KINDS, extrapolate } from '../functions/counters.ts';
import { windowFunction, type WindowFunction, type WindowResult } from '../functions/over-time.ts';
import { SlidingExtreme } from '../functions/sliding-extreme.ts';
import { sumWindows } from '../functions/sliding-sum.ts';
import { Windows } from '../functions/windows.ts';
import type { StepGrid } from '../plan/grid.ts';
import type { RangeCallPlan } from '../plan/plan.ts';
import { assert } from '../../../core/base/assert.ts';
import { ExtendedRanges } from './extended-ranges.ts';
import type { Execution } from './execution.ts';
import { METRIC_TYPE, withoutMetadata } from './metadata-labels.ts';
import { MixedRanges } from './mixed-ranges.ts';
import type { RowSink, ScalarOperator, VectorOperator } from './operator.ts';
import { warnQuantile } from './quantile-aggregation.ts';
import type { RangeSource } from './range-source.ts';
import { FLOAT, RowBatch } from './row-batch.ts';

/** Functions whose result still is the metric. */
const KEEPS_NAME: ReadonlySet<string> = new Set(['last_over_time', 'first_over_time']);
const COUNTER_SUFFIXES: readonly string[] = ['_total', '_sum', '_count', '_bucket'];
/** Fills one row. @returns how many steps have a value */
type RowFunction = (windows: Windows, values: Float64Array, present: Uint8Array, at: number) => number;

export class RangeFunction implements VectorOperator {
  readonly grid: StepGrid;
  readonly #execution: Execution;
  readonly #plan: RangeCallPlan;
  readonly #source: RangeSource;
  readonly #args: readonly ScalarOperator[];
  /** Names that were looked at for being a counter's. */
  readonly #checkedNames = new Set<string>();
  #hasCheckedQuantiles = false;

  constructor(execution: Execution, plan: RangeCallPlan, source: RangeSource, args: readonly ScalarOperator[]) {
    this.grid = plan.grid;
    this.#execution = execution;
    this.#plan = plan;
    this.#source = source;
    this.#args = args;
  }

  get mayRepeatLabels(): boolean {
    return this.#source.mayRepeatLabels;
  }

  get seriesCount(): number {
    return this.#source.seriesCount;
  }

  open(): void {
    this.#source.open();
  }

  labels(series: number): Labels {
    const labels = this.#source.labels(series);
    return this.#execution.delayedNameRemoval || KEEPS_NAME.has(this.#plan.func) ? labels : withoutMetadata(labels);
  }

  dropsName(series: number): boolean {
    const dropsHere = this.#execution.delayedNameRemoval && !KEEPS_NAME.has(this.#plan.func);
    return dropsHere || this.#source.dropsName(series);
  }

  run(sink: RowSink): void {
    const { grid } = this;
    const { stepCount } = grid;
    if (stepCount === 0) return;
    const execution = this.#execution;
    const { func, range } = this.#plan;
    const samples = new MixedSamples();
    const windows = new Windows(samples, range.timeGrid, grid, range.rangeMs);
    const batch = new RowBatch(stepCount);
    const fill = this.#rowFunction();
    const mixed = new MixedRanges(execution, this.#plan, this.#args);
    const extended =
      range.kind === 'range-select' && range.extension !== null ? new ExtendedRanges(execution, this.#plan) : null;
    const checksName = func === 'rate' || func === 'increase';
    const flush = (): void => {
      execution.checkpoint();
      execution.pass(batch.rows * stepCount);
      sink(batch);
      batch.clear();
    };
    this.#source.each(samples, (series) => {
      windows.locate();
      execution.queryableSamples += windows.sampleCount;
      const at = batch.rows * stepCount;
      const isPlain = extended === null && !mixed.isNeeded(samples);
      let seen: number;
      if (isPlain) seen = fill(windows, batch.values, batch.present, at);
      else if (extended === null) seen = mixed.evaluate(windows, batch, at, this.#source.labels(series));
      else seen = extended.evaluate(windows, batch, at, this.#source.labels(series));
      if (seen === 0) return;
      if (func === 'quantile_over_time') this.#checkQuantiles();
      if (checksName && (!samples.hasHistograms || mixed.sawFloats)) this.#checkName(series);
      batch.series[batch.rows++] = series;
      if (batch.isFull) flush();
    });
    if (batch.rows > 0) flush();
  }

  #rowFunction(): RowFunction {
    const { func } = this.#plan;
    const counter = COUNTER_KINDS.get(func);
    if (counter !== undefined)
      return (windows, values, present, at) => extrapolate(counter, windows, values, present, at);
    if (func === 'max_over_time' || func === 'min_over_time') {
      const extreme = new SlidingExtreme(func === 'max_over_time' ? 'max' : 'min');
      return (windows, values, present, at) => extreme.run(windows, values, present, at);
    }
    if (func === 'sum_over_time' || func === 'avg_over_time') {
      return (windows, values, present, at) => sumWindows(func === 'avg_over_time', windows, values, present, at);
    }
    const each = windowFunction(func);
    assert(each !== undefined, `${func} is a function over ranges`);
    const first = this.#args[0]?.values();
    const second = this.#args[1]?.values();
    return (windows, values, present, at) => applyPerWindow(each, windows, first, second, values, present, at);
  }

  #checkQuantiles(): void {
    if (this.#hasCheckedQuantiles) return;
    this.#hasCheckedQuantiles = true;
    for (const q of this.#args[0]!.values())
      if (!(q >= 0 && q <= 1)) warnQuantile(this.#execution, q, this.#plan.scalarSpan);
  }

  /** Tells whoever takes the rate of a gauge. */
  #checkName(series: number): void {
    const labels = this.#source.labels(series);
    const name = labelValue(labels, METRIC_NAME);
    if (name === '') return;
    const { annotations, typeAndUnitLabels } = this.#execution;
    if (typeAndUnitLabels) {
      const type = labelValue(labels, METRIC_TYPE);
      if (type === 'counter' || type === 'histogram') return;
      annotations.info(
        `metric might not be a counter, __type__ label is not set to "counter" or "histogram", got ${JSON.stringify(type)}: ${JSON.stringify(name)}`,
        this.#plan.argSpan,
      );
      return;
    }
    if (this.#checkedNames.has(name)) return;
    this.#checkedNames.add(name);
    if (COUNTER_SUFFIXES.some((suffix) => name.endsWith(suffix))) return;
    annotations.info(
      `metric might not be a counter, name does not end in _total/_sum/_count/_bucket: ${JSON.stringify(name)}`,
      this.#plan.argSpan,
    );
  }
}

const result: WindowResult = { value: 0, isPresent: false };

function applyPerWindow(
  each: WindowFunction,
  windows: Windows,
  first: Float64Array | undefined,
  second: Float64Array | undefined,
  values: Float64Array,
  present: Uint8Array,
  at: number,
): number {
  let seen = 0;
  for (let step = 0; step < windows.stepCount; step++) {
    const from = windows.first[step]!;
    const to = windows.end[step]!;
    present[at + step] = 0;
    if (from === to) continue;
    result.isPresent = false;
    each(
      windows,
      from,
      to,
      step,
      result,
      first === undefined ? 0 : first[step]!,
      second === undefined ? 0 : second[step]!,
    );
    if (!result.isPresent) continue;
    values[at + step] = result.value;
    present[at + step] = FLOAT;
    seen++;
  }
  return seen;
}
