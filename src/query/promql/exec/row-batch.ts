/**
 * What operators pass to each other: some rows, each the values of one series at all steps of a grid.
 *
 * A batch is owned by the operator that fills it and used again for the next one; its receiver may change it in place while
 * it holds it, and copies what it keeps. `present` says what a slot holds, so that NaN stays a value.
 */
import type { FloatHistogram } from '../../../core/model/histogram.ts';

/** What a slot holds. The codes share no bit, so that `a & b` is the kind that both sides have. */
export const ABSENT = 0;
export const FLOAT = 1;
export const HISTOGRAM = 2;

/** Rows of a batch have about this many slots together: 128 KiB of values, so that a batch stays in the processor's cache. */
const SLOTS_PER_BATCH = 16_384;
const MAX_ROWS = 256;

export class RowBatch {
  readonly stepCount: number;
  readonly capacity: number;
  rows = 0;
  /** Per row: the number of its series in the operator that put out the batch. */
  readonly series: Int32Array;
  /** Slot of step s in row r: r * stepCount + s. */
  readonly values: Float64Array;
  readonly present: Uint8Array;
  /** Where `present` is HISTOGRAM. Null as long as no row has one. */
  histograms: (FloatHistogram | null)[] | null = null;

  constructor(stepCount: number) {
    this.stepCount = stepCount;
    this.capacity = Math.max(1, Math.min(MAX_ROWS, Math.floor(SLOTS_PER_BATCH / Math.max(1, stepCount))));
    this.series = new Int32Array(this.capacity);
    this.values = new Float64Array(this.capacity * stepCount);
    this.present = new Uint8Array(this.capacity * stepCount);
  }

  get isFull(): boolean {
    return this.rows === this.capacity;
  }

  clear(): void {
    this.rows = 0;
    this.histograms = null;
  }

  /** The column of histograms, made on first use. */
  ensureHistograms(): (FloatHistogram | null)[] {
    this.histograms ??= Array.from({ length: this.capacity * this.stepCount }, () => null);
    return this.histograms;
  }

  putHistogram(slot: number, histogram: FloatHistogram): void {
    this.ensureHistograms()[slot] = histogram;
    this.present[slot] = HISTOGRAM;
  }

  /** Appends a copy of row `from` of another batch as the row of `series`. */
  copyRow(other: RowBatch, from: number, series: number): void {
    this.#copy(other.values, other.present, other.histograms, from, series);
  }

  /** Appends a copy of a kept row as the row of `series`. */
  copyKept(rows: KeptRows, from: number, series: number): void {
    this.#copy(rows.values, rows.present, rows.histograms, from, series);
  }

  #copy(
    values: Float64Array,
    present: Uint8Array,
    histograms: readonly (FloatHistogram | null)[] | null,
    from: number,
    series: number,
  ): void {
    const { stepCount } = this;
    const source = from * stepCount;
    const at = this.rows * stepCount;
    for (let i = 0; i < stepCount; i++) {
      const kind = present[source + i]!;
      this.present[at + i] = kind;
      this.values[at + i] = values[source + i]!;
      if (kind === HISTOGRAM) this.ensureHistograms()[at + i] = histograms![source + i]!;
    }
    this.series[this.rows++] = series;
  }
}

/** Rows that someone keeps, in the layout of a batch. */
interface KeptRows {
  readonly values: Float64Array;
  readonly present: Uint8Array;
  readonly histograms: readonly (FloatHistogram | null)[] | null;
}
