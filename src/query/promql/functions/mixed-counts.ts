/**
 * changes and resets over floats and histograms: going from one kind to the other is one as well.
 */
import type { MixedSamples } from '../../../core/model/mixed-samples.ts';
import { equalHistograms } from './histogram-arithmetic.ts';

export function countChanges(samples: MixedSamples, from: number, to: number): number {
  const { values } = samples;
  let count = 0;
  for (let i = from + 1; i < to; i++) {
    const before = samples.histogramAt(i - 1);
    const now = samples.histogramAt(i);
    if (before !== undefined && now !== undefined) count += equalHistograms(before, now) ? 0 : 1;
    else if (before !== undefined || now !== undefined) count++;
    else if (values[i] !== values[i - 1] && !(Number.isNaN(values[i]) && Number.isNaN(values[i - 1]))) count++;
  }
  return count;
}

/** @param isReset of two neighbours of one kind */
export function countResets(
  samples: MixedSamples,
  from: number,
  to: number,
  isReset: (index: number) => boolean,
): number {
  let count = 0;
  for (let i = from + 1; i < to; i++) {
    const isSameKind = (samples.histogramAt(i) === undefined) === (samples.histogramAt(i - 1) === undefined);
    if (!isSameKind || isReset(i)) count++;
  }
  return count;
}
