/**
 * Samples of one series that may be floats or histograms, with the start times of counters where the store has them.
 *
 * Floats stay in the columns of SampleBuffer. Histograms stand beside them in a list that is empty for nearly all series, so
 * that whoever works on floats alone pays one test per series. A store that has no histograms fills the base class and need
 * not know of this one.
 */
import type { FloatHistogram } from './histogram.ts';
import { SampleBuffer } from './samples.ts';

export class MixedSamples extends SampleBuffer {
  /** Entry i is the histogram of sample i, where it is one. Empty if there is none. */
  histograms: (FloatHistogram | undefined)[] = [];
  /** Entry i is when the counter of sample i began, in milliseconds; 0 if not known. Empty if no sample says so. */
  startTimes: number[] = [];

  get hasHistograms(): boolean {
    return this.histograms.length > 0;
  }

  get hasStartTimes(): boolean {
    return this.startTimes.length > 0;
  }

  override clear(): void {
    super.clear();
    if (this.histograms.length > 0) this.histograms = [];
    if (this.startTimes.length > 0) this.startTimes = [];
  }

  /** Appends one histogram. It is shared, not copied: nobody may change it. */
  pushHistogram(timeMs: number, histogram: FloatHistogram): void {
    this.push(timeMs, 0);
    while (this.histograms.length < this.length - 1) this.histograms.push(undefined);
    this.histograms[this.length - 1] = histogram;
  }

  /** Gives the sample appended last the time its counter began. */
  setStartTime(startMs: number): void {
    while (this.startTimes.length < this.length - 1) this.startTimes.push(0);
    this.startTimes[this.length - 1] = startMs;
  }

  histogramAt(index: number): FloatHistogram | undefined {
    return this.histograms[index];
  }

  startTimeAt(index: number): number {
    return this.startTimes[index] ?? 0;
  }

  /** Forgets all samples from `length` on. */
  truncate(length: number): void {
    this.length = length;
    if (this.histograms.length > length) this.histograms.length = length;
    if (this.startTimes.length > length) this.startTimes.length = length;
  }

  /** Takes stale markers out, in place: ranges do not see them. */
  removeStale(): void {
    // A stale marker is a NaN, and most series hold none.
    const { values, length } = this;
    let first = 0;
    while (first < length && values[first] === values[first]) first++;
    if (first === length) return;
    let kept = 0;
    for (let i = 0; i < this.length; i++) {
      if (this.isStale(i)) continue;
      if (kept !== i) this.#move(i, kept);
      kept++;
    }
    if (kept === this.length) return;
    this.truncate(kept);
  }

  #move(from: number, to: number): void {
    this.times[to] = this.times[from]!;
    this.values[to] = this.values[from]!;
    if (this.histograms.length > 0) this.histograms[to] = this.histograms[from];
    if (this.startTimes.length > 0) this.startTimes[to] = this.startTimeAt(from);
  }
}
