/**
 * Samples in order of time into chunks, as the head would have cut them: floats and histograms each in their own.
 */
import { ENCODING } from '../../core/chunk/chunk.ts';
import { HistogramRun } from '../../core/chunk/histogram-chunk.ts';
import { XorEncoder } from '../../core/chunk/xor.ts';
import type { MixedSamples } from '../../core/model/mixed-samples.ts';
import type { EncodedChunk } from '../../core/storage/chunk-source.ts';

/** What a chunk of floats holds. */
export const FLOAT_CHUNK_SAMPLES = 120;

/** One instance cuts one series after the other into the same memory. */
export class ChunkCutter {
  readonly #encoder = new XorEncoder();
  readonly #run = new HistogramRun();
  #minTimeMs = 0;
  #maxTimeMs = 0;
  /** The chunk was given out, and its memory may still be looked at. */
  #isTaken = false;
  /** The sample that comes next does not go into the chunk. */
  #isFull = false;

  /**
   * Takes samples `[from, to)` until a chunk is full, which is then to be taken.
   * @returns the first that was not taken
   */
  add(samples: MixedSamples, from: number, to: number): number {
    if (this.#isTaken) this.#clear();
    let at = from;
    while (at < to && !this.#isFull) if (this.#addOne(samples, at)) at++;
    return at;
  }

  /** The chunk, if it is full: good until the next call of `add`. */
  takeFull(): EncodedChunk | null {
    return this.#isFull ? this.takeRest() : null;
  }

  /** Whatever there is: good until the next call of `add`. */
  takeRest(): EncodedChunk | null {
    if (this.#isTaken) return null;
    this.#isTaken = true;
    if (this.#run.length > 0) {
      const { kind, ...chunk } = this.#run.encode();
      return { encoding: kind === 'integer' ? ENCODING.HISTOGRAM : ENCODING.FLOAT_HISTOGRAM, ...chunk };
    }
    if (this.#encoder.count === 0) return null;
    return { encoding: ENCODING.XOR, minTimeMs: this.#minTimeMs, maxTimeMs: this.#maxTimeMs, bytes: this.#encoder.bytes() };
  }

  #clear(): void {
    this.#encoder.clear();
    this.#run.clear();
    this.#isTaken = false;
    this.#isFull = false;
  }

  /** @returns whether it was taken; if not, the chunk is full */
  #addOne(samples: MixedSamples, i: number): boolean {
    const encoder = this.#encoder;
    const isHistogram = samples.histogramAt(i) !== undefined;
    if (this.#run.length > 0 || (isHistogram && encoder.count === 0)) this.#isFull = !this.#run.add(samples, i);
    else if (isHistogram) this.#isFull = true;
    else {
      const timeMs = samples.times[i]!;
      if (encoder.count === 0) this.#minTimeMs = timeMs;
      encoder.append(timeMs, samples.valueBits[2 * i]!, samples.valueBits[2 * i + 1]!);
      this.#maxTimeMs = timeMs;
      this.#isFull = encoder.count === FLOAT_CHUNK_SAMPLES;
      return true;
    }
    return !this.#isFull;
  }
}
