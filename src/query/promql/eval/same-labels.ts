/**
 * Rows that lost their metric name may end up with the same labels: at different steps they are one series, at the same step an error.
 */
import { labelsKey } from '../../../core/model/labels.ts';
import { PromqlEvaluationError } from '../errors.ts';
import type { Row, RowSink } from './rows.ts';
import { RowTable } from './rows.ts';

const CLASH = 'vector cannot contain metrics with the same labelset';

/** Collects rows and joins those of equal labels. @throws PromqlEvaluationError where two have a value at one step */
export class RowMerger {
  readonly #table: RowTable;
  readonly #rows = new Map<string, number>();

  constructor(stepCount: number) {
    this.#table = new RowTable(stepCount);
  }

  add(row: Row): void {
    const key = labelsKey(row.labels);
    const known = this.#rows.get(key);
    if (known === undefined) {
      this.#rows.set(key, this.#table.add(row));
      return;
    }
    const { values, present, stepCount } = this.#table;
    const from = known * stepCount;
    for (let i = 0; i < stepCount; i++) {
      if (row.present[i] === 0) continue;
      if (present[from + i] !== 0) throw new PromqlEvaluationError(CLASH);
      present[from + i] = 1;
      values[from + i] = row.values[i]!;
    }
  }

  forEach(sink: RowSink): void {
    this.#table.forEach(sink);
  }
}

/** Fails when a row's labels have come before, at whatever step. */
export class DistinctLabels {
  readonly #seen = new Set<string>();

  check(row: Row): void {
    const key = labelsKey(row.labels);
    if (this.#seen.has(key)) throw new PromqlEvaluationError(CLASH);
    this.#seen.add(key);
  }
}
