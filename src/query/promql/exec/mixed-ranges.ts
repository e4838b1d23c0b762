/**
 * Range functions over the few series that hold more than floats, one window at a time.
 *
 * Functions that mean nothing for histograms look past them and say so; those that mean something for both refuse windows
 * that mix the two.
 * Source: Prometheus, query functions; specification of native histograms.
 */
import type { FloatHistogram } from '../../../core/model/histogram.ts';
import { METRIC_NAME, labelValue, type Labels } from '../../../core/model/labels.ts';
import { MixedSamples } from '../../../core/model/mixed-samples.ts';
import { COUNTER_KINDS, extrapolationFactor } from '../functions/counters.ts';
import { detectReset, scaleHistogram } from '../functions/histogram-arithmetic.ts';
import { histogramGain, instantHistogramGain, noFindings, type RateFindings } from '../functions/histogram-rate.ts';
import { emptyLike, HistogramMean, HistogramSum } from '../functions/histogram-sum.ts';
import { countChanges, countResets } from '../functions/mixed-counts.ts';
import { windowFunction, type WindowResult } from '../functions/over-time.ts';
import { extremeOf } from '../functions/sliding-extreme.ts';
import { beganAfter, overlaps, zeroTime } from '../functions/start-times.ts';
import { Windows } from '../functions/windows.ts';
import type { RangeCallPlan } from '../plan/plan.ts';
import { forMetric } from './annotations.ts';
import type { Execution } from './execution.ts';
import { reportSum } from './histogram-operators.ts';
import { refuseMix, reportRate } from './range-annotations.ts';
import type { ScalarOperator } from './operator.ts';
import { FLOAT, type RowBatch } from './row-batch.ts';

type Value = number | FloatHistogram | null;

/** Functions for which a counter's start time matters. */
const READS_START: ReadonlySet<string> = new Set(['rate', 'increase', 'irate', 'resets']);

export class MixedRanges {
  /** Whether the last row had floats in its windows. */
  sawFloats = false;
  readonly #execution: Execution;
  readonly #plan: RangeCallPlan;
  readonly #args: readonly ScalarOperator[];
  readonly #floats = new MixedSamples();
  readonly #result: WindowResult = { value: 0, isPresent: false };
  #name = '';

  constructor(execution: Execution, plan: RangeCallPlan, args: readonly ScalarOperator[]) {
    this.#execution = execution;
    this.#plan = plan;
    this.#args = args;
  }

  isNeeded(samples: MixedSamples): boolean {
    return (
      samples.hasHistograms ||
      (samples.hasStartTimes && this.#execution.startTimestamps && READS_START.has(this.#plan.func))
    );
  }

  /** Fills one row at `at`. @returns how many steps have a value */
  evaluate(windows: Windows, batch: RowBatch, at: number, labels: Labels): number {
    this.#name = labelValue(labels, METRIC_NAME);
    this.sawFloats = false;
    let seen = 0;
    for (let step = 0; step < windows.stepCount; step++) {
      const from = windows.first[step]!;
      const to = windows.end[step]!;
      const slot = at + step;
      batch.present[slot] = 0;
      const value = from === to ? null : this.#evaluate(windows, from, to, step);
      if (value === null) continue;
      if (typeof value === 'number') {
        batch.values[slot] = value;
        batch.present[slot] = FLOAT;
      } else batch.putHistogram(slot, value);
      seen++;
    }
    return seen;
  }

  #evaluate(windows: Windows, from: number, to: number, step: number): Value {
    const { samples } = windows;
    const histograms: FloatHistogram[] = [];
    for (let i = from; i < to; i++) {
      const histogram = samples.histogramAt(i);
      if (histogram !== undefined) histograms.push(histogram);
    }
    const floatCount = to - from - histograms.length;
    if (floatCount > 0) this.sawFloats = true;
    switch (this.#plan.func) {
      case 'rate':
      case 'increase':
      case 'delta':
        if (histograms.length > 0 && floatCount > 0) return this.#refuseMix();
        return this.#extrapolated(histograms, windows, from, to, step);
      case 'irate':
      case 'idelta':
        return this.#instant(samples, from, to);
      case 'sum_over_time':
      case 'avg_over_time':
        if (histograms.length === 0) return this.#ofFloats(windows, from, to, step);
        return floatCount > 0 ? this.#refuseMix() : this.#added(histograms);
      case 'last_over_time':
        return samples.histogramAt(to - 1) ?? samples.values[to - 1]!;
      case 'first_over_time':
        return samples.histogramAt(from) ?? samples.values[from]!;
      case 'count_over_time':
        return to - from;
      case 'present_over_time':
        return 1;
      case 'ts_of_last_over_time':
        return samples.times[to - 1]! / 1000;
      case 'ts_of_first_over_time':
        return samples.times[from]! / 1000;
      case 'changes':
        return countChanges(samples, from, to);
      case 'resets':
        return countResets(samples, from, to, (index) => this.#isReset(samples, index));
      default:
        if (histograms.length === 0) return this.#ofFloats(windows, from, to, step);
        if (floatCount === 0) return null;
        this.#execution.annotations.info(
          `ignored histograms in a range containing both floats and histograms${forMetric(this.#name)}`,
          this.#plan.argSpan,
        );
        return this.#ofFloats(windows, from, to, step);
    }
  }

  /** The function over the floats of a window alone. */
  #ofFloats(windows: Windows, from: number, to: number, step: number): Value {
    const floats = this.#floats;
    const { func } = this.#plan;
    floats.clear();
    for (let i = from; i < to; i++) {
      if (windows.samples.histogramAt(i) === undefined)
        floats.push(windows.samples.times[i]!, windows.samples.values[i]!);
    }
    const { length } = floats;
    if (func === 'min_over_time' || func === 'max_over_time')
      return extremeOf(floats.values, length, func === 'max_over_time' ? 1 : -1);
    const each = windowFunction(func)!;
    const only = new Windows(floats, windows.timeGrid, windows.evalGrid, windows.rangeMs);
    this.#result.isPresent = false;
    each(only, 0, length, step, this.#result, this.#args[0]?.values()[step] ?? 0, this.#args[1]?.values()[step] ?? 0);
    return this.#result.isPresent ? this.#result.value : null;
  }

  /** A window of floats alone or of histograms alone. */
  #extrapolated(
    histograms: readonly FloatHistogram[],
    windows: Windows,
    from: number,
    to: number,
    step: number,
  ): Value {
    const { samples, timeGrid, rangeMs } = windows;
    const kind = COUNTER_KINDS.get(this.#plan.func)!;
    const beginMs = timeGrid.startMs + step * timeGrid.stepMs - rangeMs;
    const zeroMs = this.#readsStart && kind.isCounter ? zeroTime(samples, from, beginMs) : null;
    if (to - from < 2 && zeroMs === null) return null;
    if (this.#readsStart && overlaps(samples, from, to)) this.#warnOverlap();
    const span = { firstMs: samples.times[from]!, lastMs: samples.times[to - 1]!, gaps: to - from - 1, zeroMs };
    if (histograms.length === 0) {
      const first = samples.values[from]!;
      let gain = samples.values[to - 1]! - (zeroMs === null ? first : 0);
      if (kind.isCounter)
        for (let i = from + 1; i < to; i++) if (this.#isReset(samples, i)) gain += samples.values[i - 1]!;
      return gain * extrapolationFactor(kind, windows, step, span, first, gain);
    }
    const findings = noFindings();
    const all = zeroMs === null ? histograms : [emptyLike(histograms[0]!), ...histograms];
    // Entry 0 is sample `from`, or the zero before it.
    const shift = from - (all.length - histograms.length);
    const gain = histogramGain(
      all,
      kind.isCounter,
      findings,
      (i) => i + shift > from && this.#isReset(samples, i + shift),
    );
    this.#report(findings);
    if (gain === null) return null;
    return scaleHistogram(gain, extrapolationFactor(kind, windows, step, span, histograms[0]!.count, gain.count));
  }

  /** From the last two samples. */
  #instant(samples: MixedSamples, from: number, to: number): Value {
    if (to - from < 2) return null;
    const last = to - 1;
    const before = samples.histogramAt(last - 1);
    const now = samples.histogramAt(last);
    const seconds = (samples.times[last]! - samples.times[last - 1]!) / 1000;
    if ((before === undefined) !== (now === undefined)) return this.#refuseMix();
    if (seconds === 0) return null;
    const isCounter = this.#plan.func === 'irate';
    if (this.#readsStart && overlaps(samples, last - 1, to)) this.#warnOverlap();
    const isReset = isCounter && this.#isReset(samples, last);
    if (before === undefined || now === undefined) {
      const gain = samples.values[last]! - (isReset ? 0 : samples.values[last - 1]!);
      return isCounter ? gain / seconds : gain;
    }
    const findings = noFindings();
    const gain = instantHistogramGain(before, now, isCounter, isReset, findings);
    this.#report(findings);
    return gain === null || !isCounter ? gain : scaleHistogram(gain, 1 / seconds);
  }

  get #readsStart(): boolean {
    return this.#execution.startTimestamps && READS_START.has(this.#plan.func);
  }

  /** Whether the counter began anew between two neighbours, both floats or both histograms. */
  #isReset(samples: MixedSamples, index: number): boolean {
    if (this.#readsStart && beganAfter(samples, index)) return true;
    const now = samples.histogramAt(index);
    const before = samples.histogramAt(index - 1);
    if (now === undefined || before === undefined) return samples.values[index]! < samples.values[index - 1]!;
    return detectReset(now, before);
  }

  #warnOverlap(): void {
    this.#execution.annotations.warn(
      `sample has start time that overlaps with previous sample timestamp for metric ${JSON.stringify(this.#name)}`,
      this.#plan.argSpan,
    );
  }

  #added(histograms: readonly FloatHistogram[]): Value {
    const sum =
      this.#plan.func === 'avg_over_time' ? new HistogramMean(histograms[0]!) : new HistogramSum(histograms[0]!);
    for (const histogram of histograms.slice(1)) {
      if (sum.add(histogram)) continue;
      this.#report({ ...noFindings(), isMixedLayout: true });
      return null;
    }
    reportSum(sum, 'aggregation', this.#execution.annotations, this.#plan.argSpan);
    return sum.result();
  }

  #refuseMix(): null {
    return refuseMix(this.#name, this.#execution.annotations, this.#plan.argSpan);
  }

  #report(findings: RateFindings): void {
    reportRate(findings, this.#name, this.#execution.annotations, this.#plan.argSpan);
  }
}
