/**
 * Samples in order of time into chunks, as the head would have cut them: floats and histograms apart, of histograms what goes into one.
 */
import { ENCODING } from '../chunk/chunk.ts';
import { HistogramRun } from '../chunk/histogram-chunk.ts';
import { XorEncoder } from '../chunk/xor.ts';
import type { MixedSamples } from '../model/mixed-samples.ts';
import type { EncodedChunk } from './chunk-source.ts';

/** What a chunk of floats holds. */
export const FLOAT_CHUNK_SAMPLES = 120;

/** One instance cuts one series after the other into the same memory. */
export class ChunkCutter {
  /** Of the chunk that is begun, floats are in the one and histograms in the other. */
  readonly #encoder = new XorEncoder();
  readonly #run = new HistogramRun();
  #minTimeMs = 0;
  #maxTimeMs = 0;
  #isFull = false;
  /** The chunk was given out, and its memory may still be looked at. */
  #isTaken = false;

  /**
   * Takes samples `[from, to)` until a chunk is full, which is then to be taken.
   * @returns the first that was not taken
   */
  add(samples: MixedSamples, from: number, to: number): number {
    this.#begin();
    if (samples.hasHistograms || this.#run.length > 0) return this.#addMixed(samples, from, to);
    const end = Math.min(to, from + FLOAT_CHUNK_SAMPLES - this.#encoder.count);
    for (let i = from; i < end; i++) this.#addFloat(samples, i);
    return end;
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

  #begin(): void {
    if (!this.#isTaken) return;
    this.#encoder.clear();
    this.#run.clear();
    this.#isFull = false;
    this.#isTaken = false;
  }

  #addMixed(samples: MixedSamples, from: number, to: number): number {
    for (let i = from; i < to; i++) {
      if (this.#isFull) return i;
      const isHistogram = samples.histogramAt(i) !== undefined;
      if (this.#run.length > 0 || (isHistogram && this.#encoder.count === 0)) {
        if (this.#run.add(samples, i)) continue;
      } else if (!isHistogram) {
        this.#addFloat(samples, i);
        continue;
      }
      // It begins the next chunk.
      this.#isFull = true;
      return i;
    }
    return to;
  }

  #addFloat({ times, valueBits }: MixedSamples, i: number): void {
    const encoder = this.#encoder;
    const timeMs = times[i]!;
    if (encoder.count === 0) this.#minTimeMs = timeMs;
    this.#maxTimeMs = timeMs;
    encoder.append(timeMs, valueBits[2 * i]!, valueBits[2 * i + 1]!);
    if (encoder.count === FLOAT_CHUNK_SAMPLES) this.#isFull = true;
  }
}
