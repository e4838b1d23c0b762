/**
 * Sources of series as text, for tests: `a: 0 10, 20; b: 5` is a series {n="a"} of two chunks and a series {n="b"} of one. A number is
 * the time of a sample, whose value is the source's number; `10=7` has the value 7, `10=stale` is a stale marker.
 */
import { decodeChunk, ENCODING } from '../../core/chunk/chunk.ts';
import { encodeXor } from '../../core/chunk/xor.ts';
import { MixedSamples } from '../../core/model/mixed-samples.ts';
import type { ChunkSource, EncodedChunk } from '../../core/storage/chunk-source.ts';

/** In the order of the text, which tests may get wrong on purpose. */
export function sourceOf(text: string, value = 0): ChunkSource {
  const series = text.split(';').map((part) => {
    const [name, chunks] = part.split(':');
    return { labels: ['n', name!.trim()], chunks: chunks!.split(',').map((chunk) => chunkOf(chunk, value)) };
  });
  return { symbols: () => ['n', ...series.map(({ labels }) => labels[1]!)].sort(), series: () => series };
}

export function chunkOf(text: string, value = 0): EncodedChunk {
  const samples = new MixedSamples();
  for (const sample of text.trim().split(/\s+/)) {
    const [time, own] = sample.split('=');
    if (own === 'stale') samples.pushStale(Number(time));
    else samples.push(Number(time), own === undefined ? value : Number(own));
  }
  const { times, length } = samples;
  return { encoding: ENCODING.XOR, minTimeMs: times[0]!, maxTimeMs: times[length - 1]!, bytes: encodeXor(samples, 0, length) };
}

/** The same notation, every sample with its value. */
export function textOf(source: ChunkSource): string {
  const series: string[] = [];
  for (const { labels, chunks } of source.series()) series.push(`${labels[1]!}: ${Array.from(chunks, chunkText).join(', ')}`);
  return series.join('; ');
}

/** To be called before the next chunk is taken. */
export function chunkText({ encoding, bytes }: EncodedChunk): string {
  const samples = new MixedSamples();
  decodeChunk(encoding, bytes, 0, bytes.length, samples);
  return Array.from({ length: samples.length }, (_, i) => `${samples.times[i]!}=${samples.isStale(i) ? 'stale' : samples.values[i]!}`).join(' ');
}
