/**
 * The part of a chunk that stays when samples are deleted or lie outside a range: encoded anew.
 */
import type { Intervals } from '../model/intervals.ts';
import { MixedSamples } from '../model/mixed-samples.ts';
import { decodeChunk, ENCODING, encodingName } from './chunk.ts';
import { ChunkError } from './chunk-error.ts';
import { XorEncoder } from './xor.ts';

/** A chunk as files and sources hold it, its sample count first. */
export interface ClippedChunk {
  readonly encoding: number;
  /** Times of the first and the last sample. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly bytes: Uint8Array;
}

/** One instance encodes one chunk after the other into the same memory. */
export class ChunkClipper {
  readonly #samples = new MixedSamples();
  readonly #encoder = new XorEncoder();

  /**
   * @param startMs, endMs both are in
   * @returns null where no sample stays; else its bytes are good until the next call
   * @throws ChunkError, also where the encoding is none that is written here
   */
  clip(chunk: Pick<ClippedChunk, 'encoding' | 'bytes'>, startMs: number, endMs: number, deleted: Intervals): ClippedChunk | null {
    if (chunk.encoding !== ENCODING.XOR) throw new ChunkError(`a chunk of encoding ${chunk.encoding} (${encodingName(chunk.encoding)}) can't be encoded anew`, 0);
    const samples = this.#samples;
    samples.clear();
    decodeChunk(chunk.encoding, chunk.bytes, 0, chunk.bytes.length, samples);
    const encoder = this.#encoder;
    encoder.clear();
    let minTimeMs = 0;
    let maxTimeMs = 0;
    let next = 0;
    for (let i = 0; i < samples.length; i++) {
      const timeMs = samples.times[i]!;
      if (timeMs < startMs || timeMs > endMs) continue;
      while (next < deleted.length && deleted[next + 1]! < timeMs) next += 2;
      if (next < deleted.length && deleted[next]! <= timeMs) continue;
      if (encoder.count === 0) minTimeMs = timeMs;
      maxTimeMs = timeMs;
      encoder.append(timeMs, samples.valueBits[2 * i]!, samples.valueBits[2 * i + 1]!);
    }
    return encoder.count === 0 ? null : { encoding: ENCODING.XOR, minTimeMs, maxTimeMs, bytes: encoder.bytes() };
  }
}
