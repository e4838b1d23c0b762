/**
 * Operators between a vector and a scalar. Comparisons filter the vector and keep its values, or give 0 and 1 with `bool`.
 */
import { applyScalarOp, power } from '../functions/scalar-ops.ts';
import { isComparison } from '../parse/check.ts';
import type { VectorScalarPlan } from '../plan/plan.ts';
import { combineHistogramAndFloat, describeMismatch } from './histogram-operators.ts';
import type { Execution } from './execution.ts';
import type { ScalarOperator, VectorOperator } from './operator.ts';
import { ValueChange } from './pass-through.ts';
import { FLOAT, HISTOGRAM, type RowBatch } from './row-batch.ts';

export class VectorScalar extends ValueChange {
  readonly #plan: VectorScalarPlan;
  readonly #scalar: ScalarOperator;

  constructor(execution: Execution, plan: VectorScalarPlan, vector: VectorOperator, scalar: ScalarOperator) {
    super(execution, vector);
    this.#plan = plan;
    this.#scalar = scalar;
  }

  protected override get dropsMetric(): boolean {
    const { op, returnBool } = this.#plan;
    if (op === '</' || op === '>/') return false;
    return returnBool || !isComparison(op);
  }

  protected override change(batch: RowBatch): void {
    if (batch.histograms !== null) this.#changeHistograms(batch);
    const { op, returnBool, isScalarLeft } = this.#plan;
    if (op === '</' || op === '>/') {
      this.#refuseFloats(batch);
      return;
    }
    const scalars = this.#scalar.values();
    const { values, present, stepCount } = batch;
    for (let row = 0; row < batch.rows; row++) {
      const at = row * stepCount;
      if (op === '*') for (let i = 0; i < stepCount; i++) values[at + i]! *= scalars[i]!;
      else if (op === '+') for (let i = 0; i < stepCount; i++) values[at + i]! += scalars[i]!;
      else if (op === '-' && !isScalarLeft) for (let i = 0; i < stepCount; i++) values[at + i]! -= scalars[i]!;
      else if (op === '/' && !isScalarLeft) for (let i = 0; i < stepCount; i++) values[at + i]! /= scalars[i]!;
      else if (op === '^' && !isScalarLeft)
        for (let i = 0; i < stepCount; i++) values[at + i] = power(values[at + i]!, scalars[i]!);
      else {
        const filters = isComparison(op) && !returnBool;
        for (let i = 0; i < stepCount; i++) {
          if (present[at + i] !== FLOAT) continue;
          const value = values[at + i]!;
          const result = isScalarLeft ? applyScalarOp(op, scalars[i]!, value) : applyScalarOp(op, value, scalars[i]!);
          if (!filters) values[at + i] = result;
          else if (result === 0) present[at + i] = 0;
        }
      }
    }
  }

  #changeHistograms({ values, present, histograms, rows, stepCount }: RowBatch): void {
    const { op, isScalarLeft, span } = this.#plan;
    const scalars = this.#scalar.values();
    for (let slot = 0; slot < rows * stepCount; slot++) {
      if (present[slot] !== HISTOGRAM) continue;
      const combined = combineHistogramAndFloat(op, histograms![slot]!, scalars[slot % stepCount]!, isScalarLeft);
      if (combined !== null) {
        histograms![slot] = combined;
        continue;
      }
      present[slot] = 0;
      values[slot] = 0;
      const [left, right] = isScalarLeft ? (['float', 'histogram'] as const) : (['histogram', 'float'] as const);
      this.execution.annotations.info(describeMismatch(op, left, right), span);
    }
  }

  /** Floats cannot be trimmed. */
  #refuseFloats({ present, rows, stepCount }: RowBatch): void {
    const { op, span } = this.#plan;
    for (let slot = 0; slot < rows * stepCount; slot++) {
      if (present[slot] !== FLOAT) continue;
      present[slot] = 0;
      this.execution.annotations.info(describeMismatch(op, 'float', 'float'), span);
    }
  }
}
