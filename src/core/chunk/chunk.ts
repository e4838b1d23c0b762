/**
 * Chunks: up to a few hundred samples of one series, compressed. The first two bytes count the samples; how the rest is read, the
 * encoding says, which stands beside the chunk in whatever file holds it.
 * Source: Prometheus, tsdb/docs/format/chunks.md.
 */
import { MixedSamples } from '../model/mixed-samples.ts';
import type { SampleBuffer } from '../model/samples.ts';
import { decodeXor } from './xor.ts';
import { ChunkError } from './chunk-error.ts';
import { decodeHistograms } from './histogram-chunk.ts';

export const ENCODING = { XOR: 1, HISTOGRAM: 2, FLOAT_HISTOGRAM: 3, XOR2: 4, HISTOGRAM_ST: 5, FLOAT_HISTOGRAM_ST: 6 } as const;

/** Set in the encoding byte of head chunks whose samples came out of order. */
export const OUT_OF_ORDER_BIT = 0x80;

const NAMES = ['none', 'XOR', 'histogram', 'float histogram', 'XOR2', 'histogram with start times', 'float histogram with start times'] as const;

export const encodingName = (encoding: number): string => NAMES[encoding] ?? 'unknown';

/** Samples that the chunk in `bytes[from, to)` says it has. @throws ChunkError */
export function chunkSampleCount(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 2) throw new ChunkError(`a chunk of ${to - from} bytes has no sample count`, from);
  return (bytes[from]! << 8) | bytes[from + 1]!;
}

/**
 * Appends all samples of the chunk in `bytes[from, to)` to `out`.
 *
 * @returns how many
 * @throws ChunkError where the bytes contradict the encoding (`out` is then as before) or the encoding holds no floats
 *   and `out` nothing else
 */
export function decodeChunk(encoding: number, bytes: Uint8Array, from: number, to: number, out: SampleBuffer): number {
  if (encoding === ENCODING.XOR) return decodeXor(bytes, from, to, out);
  if (encoding !== ENCODING.HISTOGRAM && encoding !== ENCODING.FLOAT_HISTOGRAM) throw new ChunkError(`chunk encoding ${encoding} (${encodingName(encoding)}) is not read here`, from);
  if (!(out instanceof MixedSamples)) throw new ChunkError(`chunk encoding ${encoding} (${encodingName(encoding)}) can't be read as float samples`, from);
  return decodeHistograms(encoding === ENCODING.HISTOGRAM ? 'integer' : 'float', bytes, from, to, out);
}
