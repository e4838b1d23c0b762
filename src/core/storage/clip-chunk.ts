/**
 * The part of a chunk that stays when samples are deleted or lie outside a range: encoded anew.
 */
import { decodeChunk, ENCODING } from '../chunk/chunk.ts';
import { ChunkError } from '../chunk/chunk-error.ts';
import { HistogramRun } from '../chunk/histogram-chunk.ts';
import { XorEncoder } from '../chunk/xor.ts';
import type { Intervals } from '../model/intervals.ts';
import { MixedSamples } from '../model/mixed-samples.ts';
import type { EncodedChunk } from './chunk-source.ts';

/** One instance encodes one chunk after the other into the same memory. */
export class ChunkClipper {
  readonly #samples = new MixedSamples();
  readonly #encoder = new XorEncoder();
  readonly #run = new HistogramRun(false);
  #minTimeMs = 0;
  #maxTimeMs = 0;

  #add(samples: MixedSamples, i: number): void {
    const timeMs = samples.times[i]!;
    if (this.#run.length > 0 || samples.histogramAt(i) !== undefined) {
      // They were in one chunk before.
      if (!this.#run.add(samples, i)) throw new ChunkError(`histograms that can't be in one chunk are, at ${timeMs}`, 0);
      return;
    }
    const encoder = this.#encoder;
    if (encoder.count === 0) this.#minTimeMs = timeMs;
    this.#maxTimeMs = timeMs;
    encoder.append(timeMs, samples.valueBits[2 * i]!, samples.valueBits[2 * i + 1]!);
  }

  #taken(): EncodedChunk | null {
    if (this.#run.length > 0) {
      const { kind, ...chunk } = this.#run.encode();
      return { encoding: kind === 'integer' ? ENCODING.HISTOGRAM : ENCODING.FLOAT_HISTOGRAM, ...chunk };
    }
    const encoder = this.#encoder;
    if (encoder.count === 0) return null;
    return { encoding: ENCODING.XOR, minTimeMs: this.#minTimeMs, maxTimeMs: this.#maxTimeMs, bytes: encoder.bytes() };
  }

  /**
   * @param startMs, endMs both are in
   * @returns null where no sample stays; else its bytes are good until the next call
   * @throws ChunkError, also where the encoding is none that is read here
   */
  clip(chunk: Pick<EncodedChunk, 'encoding' | 'bytes'>, startMs: number, endMs: number, deleted: Intervals): EncodedChunk | null {
    const samples = this.#samples;
    samples.clear();
    decodeChunk(chunk.encoding, chunk.bytes, 0, chunk.bytes.length, samples);
    this.#encoder.clear();
    this.#run.clear();
    this.#maxTimeMs = 0;
    let next = 0;
    for (let i = 0; i < samples.length; i++) {
      const timeMs = samples.times[i]!;
      if (timeMs < startMs || timeMs > endMs) continue;
      while (next < deleted.length && deleted[next + 1]! < timeMs) next += 2;
      if (next < deleted.length && deleted[next]! <= timeMs) continue;
      this.#add(samples, i);
    }
    return this.#taken();
  }
}
