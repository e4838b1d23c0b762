/**
 * `metric smoothed`: the value between two samples, on the line through both.
 *
 * A step takes the newest sample not after it and the oldest one after it, each no further away than the lookback. With both
 * it interpolates, with one alone it takes that one. Stale markers do not count as samples.
 * Source: Prometheus, querying basics, "Extended range selectors".
 */
import type { MixedSamples } from '../../../core/model/mixed-samples.ts';
import type { StepGrid } from '../plan/grid.ts';
import { interpolateHistograms } from '../functions/histogram-interpolation.ts';
import { FLOAT, HISTOGRAM, type RowBatch } from './row-batch.ts';

/**
 * Writes one row at `at`.
 * @param report called for steps that have no value since their neighbours do not go together
 * @returns how many steps have a value
 */
export function selectSmoothed(
  samples: MixedSamples,
  timeGrid: StepGrid,
  lookbackMs: number,
  batch: RowBatch,
  at: number,
  report: (fault: 'mixed-kinds' | 'mixed-layouts') => void,
): number {
  samples.removeStale();
  const { times, values, length } = samples;
  let next = 0;
  let seen = 0;
  for (let step = 0; step < timeGrid.stepCount; step++) {
    const atMs = timeGrid.startMs + step * timeGrid.stepMs;
    while (next < length && times[next]! <= atMs) next++;
    const slot = at + step;
    batch.present[slot] = 0;
    const before = next > 0 && atMs - times[next - 1]! < lookbackMs ? next - 1 : -1;
    if (before < 0) continue;
    const after = next < length && times[next]! - atMs <= lookbackMs ? next : -1;
    const low = samples.histogramAt(before);
    const high = after < 0 ? undefined : samples.histogramAt(after);
    const isExact = after < 0 || times[before] === atMs;
    if (!isExact && (low === undefined) !== (high === undefined)) {
      report('mixed-kinds');
      continue;
    }
    const fraction = isExact ? 0 : (atMs - times[before]!) / (times[after]! - times[before]!);
    if (low !== undefined) {
      const histogram = isExact ? low : interpolateHistograms(low, high!, fraction, low.resetHint !== 'gauge');
      if (histogram === null) {
        report('mixed-layouts');
        continue;
      }
      batch.ensureHistograms()[slot] = histogram;
      batch.present[slot] = HISTOGRAM;
    } else {
      batch.values[slot] = isExact ? values[before]! : values[before]! + (values[after]! - values[before]!) * fraction;
      batch.present[slot] = FLOAT;
    }
    seen++;
  }
  return seen;
}
