/**
 * histogram_count, _sum, _avg, _stddev, _stdvar: a number read off each native histogram. Floats have none and go.
 */
import type { FloatHistogram } from '../../../core/model/histogram.ts';
import { histogramVariance } from '../functions/histogram-statistics.ts';
import type { Execution } from './execution.ts';
import type { VectorOperator } from './operator.ts';
import { ValueChange } from './pass-through.ts';
import { ABSENT, FLOAT, HISTOGRAM, type RowBatch } from './row-batch.ts';

type Reading = (histogram: FloatHistogram) => number;

const READINGS: ReadonlyMap<string, Reading> = new Map<string, Reading>([
  ['histogram_count', ({ count }) => count],
  ['histogram_sum', ({ sum }) => sum],
  ['histogram_avg', ({ count, sum }) => sum / count],
  ['histogram_stdvar', histogramVariance],
  ['histogram_stddev', (histogram) => Math.sqrt(histogramVariance(histogram))],
]);

export const histogramReading = (func: string): Reading | undefined => READINGS.get(func);

export class HistogramValues extends ValueChange {
  readonly #read: Reading;

  constructor(execution: Execution, input: VectorOperator, read: Reading) {
    super(execution, input);
    this.#read = read;
  }

  protected override change(batch: RowBatch): void {
    const { values, present, histograms } = batch;
    for (let slot = 0; slot < batch.rows * batch.stepCount; slot++) {
      if (present[slot] !== HISTOGRAM) {
        present[slot] = ABSENT;
        continue;
      }
      values[slot] = this.#read(histograms![slot]!);
      present[slot] = FLOAT;
    }
    batch.histograms = null;
  }
}
