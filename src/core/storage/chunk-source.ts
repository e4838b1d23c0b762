/**
 * What a block is written from: series in order of labels with their encoded chunks. The head gives one for a time range, a block for
 * itself, a merge for several.
 *
 * Everything is a plain call: a source belongs to one thread, which reads it once from front to back.
 */
import type { Labels } from '../model/labels.ts';

export interface EncodedChunk {
  /** One of ENCODING in core/chunk/chunk.ts. */
  readonly encoding: number;
  /** Times of the first and the last sample. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** As in a chunk file behind the encoding byte: the sample count comes first. Good until the next chunk is taken. */
  readonly bytes: Uint8Array;
  /** CRC-32C of the encoding byte and `bytes`, where the source has it from a file and has checked it: a writer need not sum again. */
  readonly checksum?: number;
}

export interface SourceSeries {
  readonly labels: Labels;
  /** In order of time; to be read before the next series is taken. */
  readonly chunks: Iterable<EncodedChunk>;
}

export interface ChunkSource {
  /** Every label name and value of the series, and perhaps more: distinct, sorted in byte order. */
  symbols(): Iterable<string>;
  /** Sorted by labels; each label set once. */
  series(): Iterable<SourceSeries>;
}
