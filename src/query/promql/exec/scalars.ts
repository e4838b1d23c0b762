/**
 * Scalars: one value at each step, computed once and read by whoever needs it.
 */
import { applyScalarOp } from '../functions/scalar-ops.ts';
import { timeOfStep, type StepGrid } from '../plan/grid.ts';
import type { ScalarOp } from '../plan/plan.ts';
import type { ScalarOperator, VectorOperator } from './operator.ts';
import { FLOAT } from './row-batch.ts';

/** Computes its column on first use. */
abstract class LazyScalar implements ScalarOperator {
  #values: Float64Array | null = null;

  values(): Float64Array {
    this.#values ??= this.compute();
    return this.#values;
  }

  protected abstract compute(): Float64Array;
}

export class ConstantScalar extends LazyScalar {
  readonly #grid: StepGrid;
  readonly #value: number;

  constructor(grid: StepGrid, value: number) {
    super();
    this.#grid = grid;
    this.#value = value;
  }

  protected override compute(): Float64Array {
    return new Float64Array(this.#grid.stepCount).fill(this.#value);
  }
}

/** `time()`: the evaluation time in seconds. */
export class TimeScalar extends LazyScalar {
  readonly #grid: StepGrid;

  constructor(grid: StepGrid) {
    super();
    this.#grid = grid;
  }

  protected override compute(): Float64Array {
    const values = new Float64Array(this.#grid.stepCount);
    for (let step = 0; step < values.length; step++) values[step] = timeOfStep(this.#grid, step) / 1000;
    return values;
  }
}

/** An operator or function on two scalars. */
export class ScalarPair extends LazyScalar {
  readonly #combine: (a: number, b: number) => number;
  readonly #left: ScalarOperator;
  readonly #right: ScalarOperator;

  constructor(combine: (a: number, b: number) => number, left: ScalarOperator, right: ScalarOperator) {
    super();
    this.#combine = combine;
    this.#left = left;
    this.#right = right;
  }

  protected override compute(): Float64Array {
    const left = this.#left.values();
    const right = this.#right.values();
    return left.map((value, step) => this.#combine(value, right[step]!));
  }
}

export const scalarBinary = (op: ScalarOp, left: ScalarOperator, right: ScalarOperator): ScalarOperator =>
  new ScalarPair((a, b) => applyScalarOp(op, a, b), left, right);

export class NegatedScalar extends LazyScalar {
  readonly #inner: ScalarOperator;

  constructor(inner: ScalarOperator) {
    super();
    this.#inner = inner;
  }

  protected override compute(): Float64Array {
    return this.#inner.values().map((value) => -value);
  }
}

/** `scalar(v)`: the value of the only element, NaN where there is none or more than one. */
export class ScalarOfVector extends LazyScalar {
  readonly #inner: VectorOperator;

  constructor(inner: VectorOperator) {
    super();
    this.#inner = inner;
  }

  protected override compute(): Float64Array {
    const inner = this.#inner;
    const { stepCount } = inner.grid;
    const values = new Float64Array(stepCount).fill(Number.NaN);
    const counts = new Uint8Array(stepCount);
    inner.open();
    inner.run((batch) => {
      for (let row = 0; row < batch.rows; row++) {
        for (let step = 0; step < stepCount; step++) {
          const kind = batch.present[row * stepCount + step];
          // Histograms are no scalars and are looked past.
          if (kind !== FLOAT) continue;
          values[step] = counts[step] === 0 ? batch.values[row * stepCount + step]! : Number.NaN;
          counts[step] = 1;
        }
      }
    });
    return values;
  }
}
