/**
 * Rows that are kept: one for each of a fixed number of series or groups, dense over the grid.
 */
import type { FloatHistogram } from '../../../core/model/histogram.ts';
import type { Execution } from './execution.ts';
import { HISTOGRAM, type RowBatch } from './row-batch.ts';

export class Rows {
  readonly stepCount: number;
  readonly values: Float64Array;
  readonly present: Uint8Array;
  readonly #execution: Execution;
  readonly #slots: number;
  #histograms: (FloatHistogram | null)[] | null = null;

  /** Counts against the query's sample limit until `release`. */
  constructor(execution: Execution, rowCount: number, stepCount: number) {
    this.#execution = execution;
    this.#slots = rowCount * stepCount;
    this.stepCount = stepCount;
    execution.hold(this.#slots);
    this.values = new Float64Array(this.#slots);
    this.present = new Uint8Array(this.#slots);
  }

  get histograms(): (FloatHistogram | null)[] | null {
    return this.#histograms;
  }

  release(): void {
    this.#execution.release(this.#slots);
  }

  /** Copies what row `from` of `batch` has over row `to`; what it lacks stays. */
  merge(batch: RowBatch, from: number, to: number): void {
    const { stepCount } = this;
    const source = from * stepCount;
    const target = to * stepCount;
    for (let i = 0; i < stepCount; i++) {
      const kind = batch.present[source + i]!;
      if (kind === 0) continue;
      this.present[target + i] = kind;
      this.values[target + i] = batch.values[source + i]!;
      if (kind === HISTOGRAM) {
        this.#histograms ??= Array.from({ length: this.#slots }, () => null);
        this.#histograms[target + i] = batch.histograms![source + i]!;
      }
    }
  }
}
