/**
 * Range functions over `anchored` and `smoothed` selectors, one window at a time.
 */
import { METRIC_NAME, labelValue, type Labels } from '../../../core/model/labels.ts';
import { COUNTER_KINDS, type CounterKind } from '../functions/counters.ts';
import {
  anchoredFrom,
  isResetAt,
  smoothedWindow,
  type EdgeValue,
  type ExtendedWindow,
} from '../functions/extended-windows.ts';
import { scaleHistogram } from '../functions/histogram-arithmetic.ts';
import { histogramGain, noFindings } from '../functions/histogram-rate.ts';
import { countChanges, countResets } from '../functions/mixed-counts.ts';
import type { Windows } from '../functions/windows.ts';
import type { RangeCallPlan } from '../plan/plan.ts';
import type { Execution } from './execution.ts';
import { refuseMix, reportRate } from './range-annotations.ts';
import { FLOAT, type RowBatch } from './row-batch.ts';

export class ExtendedRanges {
  readonly #execution: Execution;
  readonly #plan: RangeCallPlan;
  readonly #lookbackMs: number;
  readonly #isSmoothed: boolean;

  constructor(execution: Execution, plan: RangeCallPlan) {
    this.#execution = execution;
    this.#plan = plan;
    const { range } = plan;
    this.#lookbackMs = range.kind === 'range-select' ? range.lookbackMs : 0;
    this.#isSmoothed = range.kind === 'range-select' && range.extension === 'smoothed';
  }

  /** Fills one row at `at`. @returns how many steps have a value */
  evaluate(windows: Windows, batch: RowBatch, at: number, labels: Labels): number {
    const name = labelValue(labels, METRIC_NAME);
    let seen = 0;
    for (let step = 0; step < windows.stepCount; step++) {
      const slot = at + step;
      batch.present[slot] = 0;
      const value = this.#evaluate(windows, step, name);
      if (value === null) continue;
      if (typeof value === 'number') {
        batch.values[slot] = value;
        batch.present[slot] = FLOAT;
      } else batch.putHistogram(slot, value);
      seen++;
    }
    return seen;
  }

  #evaluate(windows: Windows, step: number, name: string): EdgeValue | null {
    const { func } = this.#plan;
    const { samples } = windows;
    const kind = COUNTER_KINDS.get(func);
    if (this.#isSmoothed) {
      const window = smoothedWindow(windows, step, this.#lookbackMs, kind?.isCounter === true);
      return window === null || kind === undefined ? null : this.#gain(window, kind, windows.rangeMs, name);
    }
    const from = anchoredFrom(windows, step, this.#lookbackMs);
    const to = windows.end[step]!;
    if (from === to) return null;
    if (func === 'changes') return countChanges(samples, from, to);
    if (func === 'resets') return countResets(samples, from, to, (index) => isResetAt(samples, index));
    const window: ExtendedWindow = { values: [], isReset: [], isMixedLayout: false };
    for (let i = from; i < to; i++) {
      window.values.push(samples.histogramAt(i) ?? samples.values[i]!);
      window.isReset.push(i > from && isResetAt(samples, i));
    }
    return kind === undefined ? null : this.#gain(window, kind, windows.rangeMs, name);
  }

  /** From the first value to the last, with what the counter had before its resets. */
  #gain(
    { values, isReset, isMixedLayout }: ExtendedWindow,
    { isCounter, isRate }: CounterKind,
    rangeMs: number,
    name: string,
  ): EdgeValue | null {
    const { annotations } = this.#execution;
    const { argSpan } = this.#plan;
    const seconds = rangeMs / 1000;
    const floats = values.filter((value) => typeof value === 'number');
    if (isMixedLayout) {
      reportRate({ ...noFindings(), isMixedLayout }, name, annotations, argSpan);
      return null;
    }
    if (floats.length === values.length) {
      let gain = (floats.at(-1) ?? 0) - (floats[0] ?? 0);
      if (isCounter) for (let i = 1; i < floats.length; i++) if (isReset[i]) gain += floats[i - 1]!;
      return isRate ? gain / seconds : gain;
    }
    if (floats.length > 0) return refuseMix(name, annotations, argSpan);
    const findings = noFindings();
    const histograms = values.filter((value) => typeof value !== 'number');
    const gain = histogramGain(histograms, isCounter, findings, (index) => isReset[index]!);
    reportRate(findings, name, annotations, argSpan);
    return gain !== null && isRate ? scaleHistogram(gain, 1 / seconds) : gain;
  }
}
