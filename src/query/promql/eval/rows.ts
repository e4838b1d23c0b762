/**
 * Rows: one series evaluated at every step of a grid. Operators pass them on one by one.
 *
 * Whoever produces a row owns its arrays and fills them again for the next one; whoever receives it may change it in place and must copy
 * what it keeps. So a chain of selector, function and aggregation over 100,000 series holds one row and the groups.
 */
import { assert } from '../../../core/base/assert.ts';
import type { Labels } from '../../../core/model/labels.ts';

/** All steps of an evaluation: startMs, startMs + stepMs, … An instant is a grid of one step. */
export interface Grid {
  readonly startMs: number;
  /** 0 for an instant. */
  readonly stepMs: number;
  readonly stepCount: number;
}

export const gridEnd = (grid: Grid): number => grid.startMs + (grid.stepCount - 1) * grid.stepMs;

/** Values and whether there is one, by step. */
export interface Row {
  labels: Labels;
  /** The metric name goes when the query is done (delayed name removal). */
  dropName: boolean;
  values: Float64Array;
  present: Uint8Array;
}

export type RowSink = (row: Row) => void;

export const newRow = (stepCount: number): Row => ({ labels: [], dropName: false, values: new Float64Array(stepCount), present: new Uint8Array(stepCount) });

/** Rows that are kept: a matrix of values with a row a series. */
export class RowTable {
  readonly stepCount: number;
  readonly labels: Labels[] = [];
  readonly dropName: boolean[] = [];
  #values: Float64Array;
  #present: Uint8Array;

  constructor(stepCount: number) {
    this.stepCount = stepCount;
    this.#values = new Float64Array(16 * stepCount);
    this.#present = new Uint8Array(16 * stepCount);
  }

  get rowCount(): number {
    return this.labels.length;
  }

  /** All values, row after row. */
  get values(): Float64Array {
    return this.#values;
  }

  get present(): Uint8Array {
    return this.#present;
  }

  /** Copies a row in. @returns its index */
  add({ labels, dropName, values, present }: Row): number {
    const index = this.addEmpty(labels, dropName);
    this.#values.set(values, index * this.stepCount);
    this.#present.set(present, index * this.stepCount);
    return index;
  }

  /** A row without values. @returns its index */
  addEmpty(labels: Labels, dropName: boolean): number {
    const index = this.labels.length;
    const end = (index + 1) * this.stepCount;
    if (end > this.#values.length) {
      const values = new Float64Array(end * 2);
      values.set(this.#values);
      this.#values = values;
      const present = new Uint8Array(end * 2);
      present.set(this.#present);
      this.#present = present;
    }
    this.labels.push(labels);
    this.dropName.push(dropName);
    return index;
  }

  /** Gives every row on, through one row that is filled anew each time. Rows without any value are left out. */
  forEach(sink: RowSink): void {
    const row = newRow(this.stepCount);
    for (let i = 0; i < this.rowCount; i++) {
      if (!this.hasValues(i)) continue;
      this.read(i, row);
      sink(row);
    }
  }

  read(index: number, row: Row): void {
    const from = index * this.stepCount;
    assert(index < this.rowCount, 'the table has the row');
    row.labels = this.labels[index]!;
    row.dropName = this.dropName[index]!;
    row.values.set(this.#values.subarray(from, from + this.stepCount));
    row.present.set(this.#present.subarray(from, from + this.stepCount));
  }

  hasValues(index: number): boolean {
    const from = index * this.stepCount;
    for (let i = from; i < from + this.stepCount; i++) if (this.#present[i] !== 0) return true;
    return false;
  }
}
