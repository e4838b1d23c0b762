/**
 * Operators that keep their input's series and change their values or labels where they stand.
 */
import type { Labels } from '../../../core/model/labels.ts';
import { EMPTY_LABELS } from '../../../core/model/labels.ts';
import { scaleHistogram } from '../functions/histogram-arithmetic.ts';
import type { PointFunction } from '../functions/point-functions.ts';
import { timeOfStep, type StepGrid } from '../plan/grid.ts';
import type { Execution } from './execution.ts';
import { withoutMetadata } from './metadata-labels.ts';
import type { RowSink, ScalarOperator, VectorOperator } from './operator.ts';
import { FLOAT, HISTOGRAM, RowBatch } from './row-batch.ts';

/** The input's series, of which the values are computed anew: the metric name goes. */
export abstract class ValueChange implements VectorOperator {
  readonly grid: StepGrid;
  protected readonly execution: Execution;
  protected readonly input: VectorOperator;

  constructor(execution: Execution, input: VectorOperator) {
    this.grid = input.grid;
    this.execution = execution;
    this.input = input;
  }

  get mayRepeatLabels(): boolean {
    return this.input.mayRepeatLabels;
  }

  get seriesCount(): number {
    return this.input.seriesCount;
  }

  open(): void {
    this.input.open();
  }

  labels(series: number): Labels {
    const labels = this.input.labels(series);
    return this.dropsMetric && !this.execution.delayedNameRemoval ? withoutMetadata(labels) : labels;
  }

  dropsName(series: number): boolean {
    return (this.dropsMetric && this.execution.delayedNameRemoval) || this.input.dropsName(series);
  }

  run(sink: RowSink): void {
    this.input.run((batch) => {
      this.change(batch);
      sink(batch);
    });
  }

  /** Whether the result no longer is the metric. */
  protected get dropsMetric(): boolean {
    return true;
  }

  protected abstract change(batch: RowBatch): void;
}

export class Negation extends ValueChange {
  protected override change(batch: RowBatch): void {
    const { values, present, histograms, stepCount } = batch;
    const slots = batch.rows * stepCount;
    for (let slot = 0; slot < slots; slot++) values[slot] = -values[slot]!;
    if (histograms === null) return;
    for (let slot = 0; slot < slots; slot++) {
      if (present[slot] === HISTOGRAM) histograms[slot] = scaleHistogram(histograms[slot]!, -1);
    }
  }
}

/** A function of one value. Histograms have none and go. */
export class PointCall extends ValueChange {
  readonly #map: PointFunction;
  readonly #args: readonly ScalarOperator[];
  /** `clamp` with its bounds crossed has no values. */
  readonly #needsOrder: boolean;

  constructor(
    execution: Execution,
    input: VectorOperator,
    map: PointFunction,
    args: readonly ScalarOperator[],
    needsOrder: boolean,
  ) {
    super(execution, input);
    this.#map = map;
    this.#args = args;
    this.#needsOrder = needsOrder;
  }

  protected override change(batch: RowBatch): void {
    const { values, present, stepCount } = batch;
    const map = this.#map;
    const first = this.#args[0]?.values();
    const second = this.#args[1]?.values();
    for (let step = 0; step < stepCount; step++) {
      const a = first === undefined ? 0 : first[step]!;
      const b = second === undefined ? 0 : second[step]!;
      const seconds = timeOfStep(this.grid, step) / 1000;
      const isEmpty = this.#needsOrder && b < a;
      for (let slot = step; slot < batch.rows * stepCount; slot += stepCount) {
        if (present[slot] !== FLOAT || isEmpty) present[slot] = 0;
        else values[slot] = map(values[slot]!, a, b, seconds);
      }
    }
    batch.histograms = null;
  }
}

/** `timestamp` of what is no selector: the evaluation time, of floats and histograms alike. */
export class EvaluationTimes extends ValueChange {
  protected override change(batch: RowBatch): void {
    const { values, present, stepCount } = batch;
    for (let slot = 0; slot < batch.rows * stepCount; slot++) {
      if (present[slot] === 0) continue;
      values[slot] = timeOfStep(this.grid, slot % stepCount) / 1000;
      present[slot] = FLOAT;
    }
    batch.histograms = null;
  }
}

/** A function that its argument has no value for. */
export class NoValues extends ValueChange {
  protected override change(batch: RowBatch): void {
    batch.present.fill(0);
    batch.histograms = null;
  }
}

/** `vector(s)`: one element without labels. */
export class VectorOfScalar implements VectorOperator {
  readonly grid: StepGrid;
  readonly mayRepeatLabels = false;
  readonly seriesCount = 1;
  readonly #scalar: ScalarOperator;

  constructor(grid: StepGrid, scalar: ScalarOperator) {
    this.grid = grid;
    this.#scalar = scalar;
  }

  open(): void {}

  labels(): Labels {
    return EMPTY_LABELS;
  }

  dropsName(): boolean {
    return false;
  }

  run(sink: RowSink): void {
    const batch = new RowBatch(this.grid.stepCount);
    batch.values.set(this.#scalar.values());
    batch.present.fill(FLOAT, 0, this.grid.stepCount);
    batch.rows = 1;
    sink(batch);
  }
}

/** A part that does not depend on the step: computed at one, shown at all. */
export class StepInvariant implements VectorOperator {
  readonly grid: StepGrid;
  readonly #input: VectorOperator;

  /** @param input has a grid of one step */
  constructor(grid: StepGrid, input: VectorOperator) {
    this.grid = grid;
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
    const { stepCount } = this.grid;
    const batch = new RowBatch(stepCount);
    this.#input.run((input) => {
      for (let row = 0; row < input.rows; row++) {
        const from = batch.rows * stepCount;
        batch.values.fill(input.values[row]!, from, from + stepCount);
        batch.present.fill(input.present[row]!, from, from + stepCount);
        if (input.present[row] === HISTOGRAM)
          batch.ensureHistograms().fill(input.histograms![row]!, from, from + stepCount);
        batch.series[batch.rows++] = input.series[row]!;
        if (!batch.isFull) continue;
        sink(batch);
        batch.clear();
      }
    });
    if (batch.rows > 0) sink(batch);
  }
}
