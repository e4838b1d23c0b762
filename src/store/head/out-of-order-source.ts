/**
 * The out-of-order samples of the head as what blocks are written from: those of each series merged, and cut into chunks as in order.
 *
 * It runs in a reader's thread, and holds the samples of one series at a time.
 */
import { ROOT } from '../../core/kernels/head-layout.ts';
import { appendLeft } from '../../core/model/intervals.ts';
import { MixedSamples } from '../../core/model/mixed-samples.ts';
import { ChunkCutter } from '../../core/storage/chunk-cutter.ts';
import type { ChunkSource, EncodedChunk, SourceSeries } from '../../core/storage/chunk-source.ts';
import { HEAD_ROOT } from './head-memory.ts';
import type { SourceRange } from './head-source.ts';
import { OutOfOrderReader } from './out-of-order-reader.ts';
import { lookingAgain, SeriesChunks, type HeadView } from './series-chunks.ts';
import { deletedIntervals, outOfOrderRecord } from './series-extra.ts';
import { SortedSeries } from './sorted-series.ts';
import { isSeries } from './visibility.ts';

/**
 * A source over the out-of-order samples in [minTimeMs, maxTimeMs): those of a cut, and perhaps some that came later.
 *
 * Until it has been read the thread counts as a reader that has not finished. `series` throws CorruptError where a chunk contradicts its
 * format or, in a file, its checksum.
 */
export function outOfOrderSource(view: HeadView, { minTimeMs, maxTimeMs }: SourceRange): ChunkSource {
  const sorted = new SortedSeries(view.linear, seriesWithRecords(view));
  const reader = new OutOfOrderReader(view, new SeriesChunks(view));
  const cutter = new ChunkCutter();
  const range = { startMs: minTimeMs, endMs: maxTimeMs - 1 };
  return {
    symbols: () => sorted.symbols(),
    *series(): Iterable<SourceSeries> {
      for (const ref of sorted.refs) {
        const record = outOfOrderRecord(view.linear, ref);
        if (record === 0) continue;
        const all = lookingAgain(() => reader.read({ ref: record, ...range }));
        const left = new MixedSamples(all.length);
        appendLeft(left, all, range, deletedIntervals(view.linear, ref));
        if (left.length > 0) yield { labels: sorted.labels(ref), chunks: cut(left, cutter) };
      }
    },
  };
}

function* cut(samples: MixedSamples, cutter: ChunkCutter): Generator<EncodedChunk, undefined> {
  for (let from = 0; from < samples.length; ) {
    from = cutter.add(samples, from, samples.length);
    const full = cutter.takeFull();
    if (full !== null) yield full;
  }
  const rest = cutter.takeRest();
  if (rest !== null) yield rest;
}

function seriesWithRecords({ linear }: HeadView): Uint32Array {
  const highest = Atomics.load(linear.i32, (HEAD_ROOT + ROOT.HIGHEST_REF) >>> 2);
  linear.refresh();
  const refs: number[] = [];
  for (let ref = 1; ref <= highest; ref++) if (isSeries(linear, ref) && outOfOrderRecord(linear, ref) !== 0) refs.push(ref);
  return Uint32Array.from(refs);
}
