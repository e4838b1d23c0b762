/**
 * The windows of a range selector over one series: which samples each step looks back on.
 *
 * Windows are left-open, (t − range, t]. Steps ascend and so do samples, so both ends only move forward.
 */
import type { MixedSamples } from '../../../core/model/mixed-samples.ts';
import type { StepGrid } from '../plan/grid.ts';

/** What a range function works on. One object serves all series of a selector. */
export class Windows {
  readonly stepCount: number;
  /** Where windows end. */
  readonly timeGrid: StepGrid;
  /** Evaluation times, which differ from `timeGrid` by the offset or where `@` pins the windows. */
  readonly evalGrid: StepGrid;
  readonly rangeMs: number;
  /** Window of step s: samples first[s] up to and without end[s]. */
  readonly first: Int32Array;
  readonly end: Int32Array;
  /** The series at hand, without stale markers. */
  samples: MixedSamples;
  /** Samples in all windows together. */
  sampleCount = 0;

  constructor(samples: MixedSamples, timeGrid: StepGrid, evalGrid: StepGrid, rangeMs: number) {
    this.samples = samples;
    this.timeGrid = timeGrid;
    this.evalGrid = evalGrid;
    this.rangeMs = rangeMs;
    this.stepCount = timeGrid.stepCount;
    this.first = new Int32Array(this.stepCount);
    this.end = new Int32Array(this.stepCount);
  }

  /** Samples in the window of `step`. */
  size(step: number): number {
    return this.end[step]! - this.first[step]!;
  }

  /** Finds the windows of the samples that `samples` now holds. */
  locate(): void {
    const { first, end, rangeMs, stepCount } = this;
    const { startMs, stepMs } = this.timeGrid;
    const { times, length } = this.samples;
    let from = 0;
    let to = 0;
    let total = 0;
    for (let step = 0; step < stepCount; step++) {
      const endMs = startMs + step * stepMs;
      const beginMs = endMs - rangeMs;
      while (to < length && times[to]! <= endMs) to++;
      while (from < to && times[from]! <= beginMs) from++;
      first[step] = from;
      end[step] = to;
      total += to - from;
    }
    this.sampleCount = total;
  }
}
