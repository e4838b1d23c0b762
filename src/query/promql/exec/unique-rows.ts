/**
 * Makes label sets unique: rows of equal labels become one, and an error where both have a value at one step.
 *
 * Two metrics of one name-less label set become one series once their name goes. Labels are known before values, so where
 * none repeats, which is nearly always, rows just pass.
 */
import type { Labels } from '../../../core/model/labels.ts';
import { PromqlEvaluationError } from '../errors.ts';
import type { StepGrid } from '../plan/grid.ts';
import type { Execution } from './execution.ts';
import { LabelSets } from './label-sets.ts';
import type { RowSink, VectorOperator } from './operator.ts';
import { RowBatch } from './row-batch.ts';
import { Rows } from './rows.ts';

export const DUPLICATE_LABELS = 'vector cannot contain metrics with the same labelset';

export class UniqueRows implements VectorOperator {
  readonly grid: StepGrid;
  readonly mayRepeatLabels = false;
  readonly #execution: Execution;
  readonly #input: VectorOperator;
  /** Of a series whose labels repeat: the number of its row; else −1. Null if none repeats. */
  #shared: Int32Array | null = null;
  /** The first series of each shared row. */
  #firsts: number[] = [];

  constructor(execution: Execution, input: VectorOperator) {
    this.grid = input.grid;
    this.#execution = execution;
    this.#input = input;
  }

  get seriesCount(): number {
    return this.#input.seriesCount;
  }

  open(): void {
    const input = this.#input;
    input.open();
    const sets = new LabelSets();
    const firstOfSet: number[] = [];
    for (let series = 0; series < input.seriesCount; series++) {
      const set = sets.add(input.labels(series));
      const first = firstOfSet[set];
      if (first === undefined) {
        firstOfSet[set] = series;
        continue;
      }
      this.#shared ??= new Int32Array(input.seriesCount).fill(-1);
      if (this.#shared[first] === -1) this.#shared[first] = this.#firsts.push(first) - 1;
      this.#shared[series] = this.#shared[first]!;
    }
  }

  labels(series: number): Labels {
    return this.#input.labels(series);
  }

  dropsName(series: number): boolean {
    return this.#input.dropsName(series);
  }

  run(sink: RowSink): void {
    const shared = this.#shared;
    if (shared === null) {
      this.#input.run(sink);
      return;
    }
    const { stepCount } = this.grid;
    const rows = new Rows(this.#execution, this.#firsts.length, stepCount);
    const out = new RowBatch(stepCount);
    this.#input.run((batch) => {
      for (let row = 0; row < batch.rows; row++) {
        const series = batch.series[row]!;
        const into = shared[series]!;
        if (into >= 0) {
          if (overlaps(batch, row, rows, into)) throw new PromqlEvaluationError(DUPLICATE_LABELS);
          rows.merge(batch, row, into);
          continue;
        }
        out.copyRow(batch, row, series);
        if (out.isFull) flush(out, sink);
      }
    });
    for (let row = 0; row < this.#firsts.length; row++) {
      out.copyKept(rows, row, this.#firsts[row]!);
      if (out.isFull) flush(out, sink);
    }
    if (out.rows > 0) flush(out, sink);
    rows.release();
  }
}

function flush(batch: RowBatch, sink: RowSink): void {
  sink(batch);
  batch.clear();
}

function overlaps(batch: RowBatch, row: number, rows: Rows, into: number): boolean {
  const { stepCount } = batch;
  for (let i = 0; i < stepCount; i++) {
    if (batch.present[row * stepCount + i] !== 0 && rows.present[into * stepCount + i] !== 0) return true;
  }
  return false;
}
