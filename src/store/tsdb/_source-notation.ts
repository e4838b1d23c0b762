/**
 * Sources of series as text, for tests: `a: 0 10, 20; b: 5` is a series {n="a"} of two chunks and a series {n="b"} of one. A number is
 * the time of a sample, whose value is the source's number; `10=7` has the value 7, `10=stale` is a stale marker, `10=h7` a histogram of
 * seven observations in one bucket.
 */
import { assert } from '../../core/base/assert.ts';
import { decodeChunk, ENCODING } from '../../core/chunk/chunk.ts';
import { HistogramRun } from '../../core/chunk/histogram-chunk.ts';
import { encodeXor } from '../../core/chunk/xor.ts';
import type { FloatHistogram } from '../../core/model/histogram.ts';
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
    const [timeText, own] = sample.split('=');
    const time = Number(timeText);
    if (own === 'stale') samples.pushStale(time);
    else if (own?.startsWith('h') === true) samples.pushHistogram(time, histogramOf(Number(own.slice(1))));
    else samples.push(time, own === undefined ? value : Number(own));
  }
  const { times, length } = samples;
  if (!samples.hasHistograms) return { encoding: ENCODING.XOR, minTimeMs: times[0]!, maxTimeMs: times[length - 1]!, bytes: encodeXor(samples, 0, length) };
  const run = new HistogramRun();
  for (let i = 0; i < length; i++) assert(run.add(samples, i), 'the histograms go into one chunk');
  const { kind, ...chunk } = run.encode();
  return { encoding: kind === 'integer' ? ENCODING.HISTOGRAM : ENCODING.FLOAT_HISTOGRAM, ...chunk };
}

const histogramOf = (count: number): FloatHistogram => ({
  schema: 0,
  zeroThreshold: 0,
  zeroCount: 0,
  count,
  sum: count * 3,
  positive: { indexes: [2], counts: [count] },
  negative: { indexes: [], counts: [] },
  customBounds: [],
  resetHint: 'unknown',
});

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
  return Array.from({ length: samples.length }, (_, i) => `${samples.times[i]!}=${valueText(samples, i)}`).join(' ');
}

function valueText(samples: MixedSamples, i: number): string {
  if (samples.isStale(i)) return 'stale';
  const histogram = samples.histogramAt(i);
  return histogram === undefined ? String(samples.values[i]) : `h${histogram.count}`;
}
