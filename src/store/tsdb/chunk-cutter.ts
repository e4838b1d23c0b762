/**
 * Samples in order of time into chunks, as the head would have cut them.
 */
import { ENCODING } from '../../core/chunk/chunk.ts';
import { XorEncoder } from '../../core/chunk/xor.ts';
import type { MixedSamples } from '../../core/model/mixed-samples.ts';
import type { EncodedChunk } from '../../core/storage/chunk-source.ts';

/** What a chunk of floats holds. */
export const FLOAT_CHUNK_SAMPLES = 120;

/** One instance cuts one series after the other into the same memory. */
export class ChunkCutter {
  readonly #encoder = new XorEncoder();
  #minTimeMs = 0;
  #maxTimeMs = 0;
  /** The chunk was given out, and its memory may still be looked at. */
  #isTaken = false;

  /**
   * Takes samples `[from, to)` until a chunk is full, which is then to be taken.
   * @returns the first that was not taken
   */
  add(samples: MixedSamples, from: number, to: number): number {
    const { times, valueBits } = samples;
    const encoder = this.#encoder;
    if (this.#isTaken) encoder.clear();
    this.#isTaken = false;
    if (encoder.count === 0) this.#minTimeMs = times[from]!;
    const end = Math.min(to, from + FLOAT_CHUNK_SAMPLES - encoder.count);
    for (let i = from; i < end; i++) encoder.append(times[i]!, valueBits[2 * i]!, valueBits[2 * i + 1]!);
    this.#maxTimeMs = times[end - 1]!;
    return end;
  }

  /** The chunk, if it is full: good until the next call of `add`. */
  takeFull(): EncodedChunk | null {
    return this.#encoder.count < FLOAT_CHUNK_SAMPLES ? null : this.takeRest();
  }

  /** Whatever there is: good until the next call of `add`. */
  takeRest(): EncodedChunk | null {
    if (this.#isTaken || this.#encoder.count === 0) return null;
    this.#isTaken = true;
    return { encoding: ENCODING.XOR, minTimeMs: this.#minTimeMs, maxTimeMs: this.#maxTimeMs, bytes: this.#encoder.bytes() };
  }
}
