/**
 * Operators between two vectors.
 *
 * The one side is kept, a row per bundle; the many side streams past it and each of its rows is combined as a whole. Errors
 * that Prometheus finds step by step are found the same way, but only in groups that have several members at all.
 */
import type { FloatHistogram } from '../../../core/model/histogram.ts';
import { compareLabels, type Labels } from '../../../core/model/labels.ts';
import { PromqlEvaluationError } from '../errors.ts';
import type { ArithmeticOp, ComparisonOp } from '../parse/ast.ts';
import { isComparison } from '../parse/check.ts';
import type { StepGrid } from '../plan/grid.ts';
import type { JoinPlan } from '../plan/plan.ts';
import type { Execution } from './execution.ts';
import { combineMixed } from './histogram-operators.ts';
import { arithmeticRows, compareRows } from './join-kernels.ts';
import { JoinLayout } from './join-layout.ts';
import { bracedLabels } from './metadata-labels.ts';
import type { RowSink, VectorOperator } from './operator.ts';
import { FLOAT, HISTOGRAM, RowBatch } from './row-batch.ts';
import { Rows } from './rows.ts';

const MULTIPLE_MATCHES = 'multiple matches for labels';

/** One row somewhere: its columns and where it begins in them. */
interface RowAt {
  values: Float64Array;
  present: Uint8Array;
  histograms: (FloatHistogram | null)[] | null;
  at: number;
}

/** Two series of one match group on the one side that both have a value at a step. */
interface Conflict {
  readonly step: number;
  readonly group: number;
  readonly first: number;
  readonly second: number;
}

export class Join implements VectorOperator {
  readonly grid: StepGrid;
  readonly #execution: Execution;
  readonly #plan: JoinPlan;
  readonly #layout: JoinLayout;
  #holds = new Uint8Array(0);

  constructor(execution: Execution, plan: JoinPlan, left: VectorOperator, right: VectorOperator) {
    this.grid = plan.grid;
    this.#execution = execution;
    this.#plan = plan;
    this.#layout = new JoinLayout(plan, left, right);
  }

  /** Series of one match group come out with equal labels, at different steps. */
  get mayRepeatLabels(): boolean {
    return true;
  }

  get seriesCount(): number {
    return this.#layout.pairings.length;
  }

  open(): void {
    this.#layout.open();
  }

  labels(series: number): Labels {
    return this.#layout.labels(series);
  }

  dropsName(series: number): boolean {
    return this.#layout.dropsName(series);
  }

  run(sink: RowSink): void {
    const { stepCount } = this.grid;
    const layout = this.#layout;
    this.#holds = new Uint8Array(stepCount);
    const conflicts: Conflict[] = [];
    const one = this.#collectOne(conflicts);
    if (conflicts.length > 0 && layout.fillMany !== null) this.#failDuplicate(conflicts[0]!);
    const batch = new RowBatch(stepCount);
    const emit = (pairing: number): void => {
      batch.series[batch.rows++] = pairing;
      if (!batch.isFull) return;
      this.#execution.checkpoint();
      sink(batch);
      batch.clear();
    };
    const matched = new Map<number, Uint8Array>();
    const seenMany = layout.fillMany === null ? null : new Uint8Array(layout.groups.groupCount * stepCount);
    const filler = new Rows(this.#execution, 1, stepCount);
    layout.many.run((input) => {
      for (let row = 0; row < input.rows; row++) {
        const series = input.series[row]!;
        const from = row * stepCount;
        // At a step where one side is empty Prometheus does not look at the other.
        for (const conflict of conflicts) if (input.present[from + conflict.step] !== 0) this.#failDuplicate(conflict);
        const manyRow: RowAt = { values: input.values, present: input.present, histograms: input.histograms, at: from };
        const group = layout.groupOfMany(series);
        if (seenMany !== null && group >= 0) {
          for (let i = 0; i < stepCount; i++) seenMany[group * stepCount + i]! |= input.present[from + i]!;
        }
        for (const pairing of layout.pairingsOfMany(series)) {
          const oneRow = this.#oneRow(pairing, one, filler);
          if (layout.isOneToOne) this.#checkMatch(pairing, manyRow, oneRow, matched);
          if (!this.#combine(manyRow, oneRow, batch)) continue;
          this.#checkUnique(pairing, batch, matched);
          emit(pairing);
        }
      }
    });
    if (seenMany !== null) this.#fillMany(one, seenMany, filler, batch, emit);
    if (batch.rows > 0) sink(batch);
    filler.release();
    one.release();
  }

  /** Rows of the one side by bundle. Where a group has two values at one step, `conflicts` gets the first of that step. */
  #collectOne(conflicts: Conflict[]): Rows {
    const layout = this.#layout;
    const { stepCount } = this.grid;
    const rows = new Rows(this.#execution, layout.bundles.length, stepCount);
    /** For groups with several members: which series has the step, + 1. */
    const owners = new Map<number, Int32Array>();
    layout.one.run((batch) => {
      for (let row = 0; row < batch.rows; row++) {
        const series = batch.series[row]!;
        const group = layout.groupOfOne(series);
        if (layout.oneCount(group) > 1) {
          let owner = owners.get(group);
          if (owner === undefined) owners.set(group, (owner = new Int32Array(stepCount)));
          for (let i = 0; i < stepCount; i++) {
            if (batch.present[row * stepCount + i] === 0) continue;
            if (owner[i] === 0) owner[i] = series + 1;
            else if (!conflicts.some(({ step }) => step === i))
              conflicts.push({ step: i, group, first: owner[i]! - 1, second: series });
          }
        }
        rows.merge(batch, row, layout.bundleOfOne(series));
      }
    });
    return rows;
  }

  #oneRow(pairing: number, one: Rows, filler: Rows): RowAt {
    const { bundle, group } = this.#layout.pairings[pairing]!;
    const { stepCount } = this.grid;
    const { fillOne } = this.#layout;
    if (bundle >= 0 && (fillOne === null || this.#plan.matching.include.length > 0)) {
      return { values: one.values, present: one.present, histograms: one.histograms, at: bundle * stepCount };
    }
    for (let i = 0; i < stepCount; i++) {
      const slot = bundle * stepCount + i;
      const has = bundle >= 0 ? one.present[slot]! : this.#groupHas(group, one, i) ? HISTOGRAM + FLOAT : 0;
      // A pairing of its own fills only where none of the group's bundles has a value.
      if (bundle < 0) filler.present[i] = has === 0 ? FLOAT : 0;
      else filler.present[i] = has === 0 ? FLOAT : has;
      filler.values[i] = bundle >= 0 && has !== 0 ? one.values[slot]! : fillOne!;
    }
    const shifted =
      bundle >= 0 && one.histograms !== null
        ? one.histograms.slice(bundle * stepCount, (bundle + 1) * stepCount)
        : null;
    return { values: filler.values, present: filler.present, histograms: shifted, at: 0 };
  }

  #groupHas(group: number, one: Rows, step: number): boolean {
    return this.#layout.bundlesOfGroup(group).some((bundle) => one.present[bundle * this.grid.stepCount + step] !== 0);
  }

  /** Where a group has a value on the one side alone, the many side is filled in. */
  #fillMany(one: Rows, seenMany: Uint8Array, filler: Rows, batch: RowBatch, emit: (pairing: number) => void): void {
    const layout = this.#layout;
    const { stepCount } = this.grid;
    for (let group = 0; group < layout.groups.groupCount; group++) {
      for (const pairing of layout.fillsOfGroup(group)) {
        for (let i = 0; i < stepCount; i++) {
          filler.values[i] = layout.fillMany!;
          filler.present[i] = seenMany[group * stepCount + i] === 0 ? FLOAT : 0;
        }
        const { bundle } = layout.pairings[pairing]!;
        const manyRow: RowAt = { values: filler.values, present: filler.present, histograms: null, at: 0 };
        const oneRow: RowAt = {
          values: one.values,
          present: one.present,
          histograms: one.histograms,
          at: bundle * stepCount,
        };
        if (this.#combine(manyRow, oneRow, batch)) emit(pairing);
      }
    }
  }

  /** Writes the combined row as the next of `batch`. @returns whether it has any value */
  #combine(many: RowAt, one: RowAt, batch: RowBatch): boolean {
    const { stepCount } = this.grid;
    const at = batch.rows * stepCount;
    const left = this.#layout.isSwapped ? one : many;
    const right = this.#layout.isSwapped ? many : one;
    if (left.histograms !== null || right.histograms !== null || this.#plan.op === '</' || this.#plan.op === '>/') {
      return this.#combineMixed(left, right, batch, at);
    }
    const { op, returnBool } = this.#plan;
    const { values, present } = batch;
    let any = 0;
    if (isComparison(op)) {
      const holds = this.#holds;
      compareRows(op as ComparisonOp, left.values, left.at, right.values, right.at, holds, 0, stepCount);
      for (let i = 0; i < stepCount; i++) {
        const both = left.present[left.at + i]! & right.present[right.at + i]!;
        values[at + i] = returnBool ? holds[i]! : left.values[left.at + i]!;
        const kept = returnBool ? both : both & holds[i]!;
        present[at + i] = kept;
        any |= kept;
      }
      return any !== 0;
    }
    arithmeticRows(op as ArithmeticOp, left.values, left.at, right.values, right.at, values, at, stepCount);
    for (let i = 0; i < stepCount; i++) {
      const both = left.present[left.at + i]! & right.present[right.at + i]!;
      present[at + i] = both;
      any |= both;
    }
    return any !== 0;
  }

  #combineMixed(left: RowAt, right: RowAt, batch: RowBatch, at: number): boolean {
    const { op, returnBool, span } = this.#plan;
    let any = false;
    for (let i = 0; i < this.grid.stepCount; i++) {
      batch.present[at + i] = 0;
      const l = left.at + i;
      const r = right.at + i;
      if (left.present[l] === 0 || right.present[r] === 0) continue;
      const a = left.present[l] === HISTOGRAM ? left.histograms![l]! : left.values[l]!;
      const b = right.present[r] === HISTOGRAM ? right.histograms![r]! : right.values[r]!;
      const result = combineMixed(op, a, b, returnBool, this.#execution.annotations, span);
      if (result === null) continue;
      any = true;
      if (typeof result === 'number') {
        batch.values[at + i] = result;
        batch.present[at + i] = FLOAT;
      } else {
        batch.ensureHistograms()[at + i] = result;
        batch.present[at + i] = HISTOGRAM;
      }
    }
    return any;
  }

  /** Two series of one match group may not both find a partner, whatever a comparison then makes of them. @throws PromqlEvaluationError */
  #checkMatch(pairing: number, many: RowAt, one: RowAt, matched: Map<number, Uint8Array>): void {
    const { group } = this.#layout.pairings[pairing]!;
    if (this.#layout.manyCount(group) < 2) return;
    const steps = this.#watch(group, matched);
    for (let i = 0; i < steps.length; i++) {
      if (many.present[many.at + i] === 0 || one.present[one.at + i] === 0) continue;
      if (steps[i] !== 0)
        throw new PromqlEvaluationError(
          `${MULTIPLE_MATCHES}: many-to-one matching must be explicit (group_left/group_right)`,
        );
      steps[i] = 1;
    }
  }

  /** @throws PromqlEvaluationError where two series of a grouped join would have equal labels at one step */
  #checkUnique(pairing: number, batch: RowBatch, matched: Map<number, Uint8Array>): void {
    const collision = this.#layout.collisionOf(pairing);
    if (collision < 0) return;
    const steps = this.#watch(collision, matched);
    const at = batch.rows * this.grid.stepCount;
    for (let i = 0; i < steps.length; i++) {
      if (batch.present[at + i] === 0) continue;
      if (steps[i] !== 0)
        throw new PromqlEvaluationError(`${MULTIPLE_MATCHES}: grouping labels must ensure unique matches`);
      steps[i] = 1;
    }
  }

  /** The steps at which something was seen of `key`. */
  #watch(key: number, matched: Map<number, Uint8Array>): Uint8Array {
    let steps = matched.get(key);
    if (steps === undefined) matched.set(key, (steps = new Uint8Array(this.grid.stepCount)));
    return steps;
  }

  #failDuplicate({ group, first, second }: Conflict): never {
    const layout = this.#layout;
    const side = layout.isSwapped ? 'left' : 'right';
    const pair = [layout.one.labels(first), layout.one.labels(second)].sort(compareLabels).map(bracedLabels).join(', ');
    throw new PromqlEvaluationError(
      `found duplicate series for the match group ${bracedLabels(layout.groups.labels(group))} on the ${side} hand-side of the operation: ` +
        `[${pair}];many-to-many matching not allowed: matching labels must be unique on one side`,
    );
  }
}
