/**
 * What the store tells of itself, under Prometheus' names where they mean the same.
 */
import type { Histogram, Registry } from '../../core/base/metrics.ts';
import { chunkSampleCount } from '../../core/chunk/chunk.ts';
import type { ChunkSource, EncodedChunk, SourceSeries } from '../../core/storage/chunk-source.ts';

const exponential = (first: number, factor: number, count: number): number[] => Array.from({ length: count }, (_, i) => first * factor ** i);

export type StoreMetrics = ReturnType<typeof createStoreMetrics>;

export function createStoreMetrics(registry: Registry) {
  const metrics = {
    reloads: registry.counter('prometheus_tsdb_reloads_total', 'Looks at the folder for blocks that came or went.'),
    reloadFailures: registry.counter('prometheus_tsdb_reloads_failures_total', 'Such looks that found a block that cannot be opened, or failed as a whole.'),
    triggered: registry.counter('prometheus_tsdb_compactions_triggered_total', 'Times that it was looked for something to compact.'),
    compactions: registry.counter('prometheus_tsdb_compactions_total', 'Blocks that were begun, from the head or from other blocks.'),
    failed: registry.counter('prometheus_tsdb_compactions_failed_total', 'Compactions that failed.'),
    vertical: registry.counter('prometheus_tsdb_vertical_compactions_total', 'Compactions of blocks that overlap in time.'),
    duration: registry.histogram('prometheus_tsdb_compaction_duration_seconds', 'How long a compaction took.', exponential(1, 2, 14)),
    populating: registry.gauge('prometheus_tsdb_compaction_populating_block', '1 while a block is being written.'),
    chunkBytes: registry.histogram('prometheus_tsdb_compaction_chunk_size_bytes', 'Sizes of chunks on their way from the head into a block.', exponential(32, 1.5, 12)),
    chunkSamples: registry.histogram('prometheus_tsdb_compaction_chunk_samples', 'Samples of such chunks.', exponential(4, 1.5, 12)),
    chunkRange: registry.histogram('prometheus_tsdb_compaction_chunk_range_seconds', 'Time ranges of such chunks.', exponential(100, 4, 10)),
    timeRetentions: registry.counter('prometheus_tsdb_time_retentions_total', 'Times that blocks were removed because they were too old.'),
    sizeRetentions: registry.counter('prometheus_tsdb_size_retentions_total', 'Times that blocks were removed because all took too much room.'),
    tombstoneCleanup: registry.histogram('prometheus_tsdb_tombstone_cleanup_seconds', 'How long it took to rewrite blocks without what was deleted.', exponential(0.005, 2, 12)),
    quarantined: registry.counter('coeus_tsdb_blocks_quarantined_total', 'Blocks that could not be opened and were set aside.'),
    removalFailures: registry.counter('coeus_tsdb_block_removals_failed_total', 'Removals of blocks that failed; they are tried again.'),
  };
  for (const counter of Object.values(metrics)) if ('add' in counter) counter.add(0);
  return metrics;
}

/** The same source; the sizes of its chunks are counted as they are read. */
export function measured(source: ChunkSource, metrics: StoreMetrics): ChunkSource {
  return {
    symbols: () => source.symbols(),
    *series(): Generator<SourceSeries, undefined> {
      for (const { labels, chunks } of source.series()) yield { labels, chunks: measuredChunks(chunks, metrics) };
    },
  };
}

function* measuredChunks(chunks: Iterable<EncodedChunk>, { chunkBytes, chunkSamples, chunkRange }: Record<'chunkBytes' | 'chunkSamples' | 'chunkRange', Histogram>): Generator<EncodedChunk, undefined> {
  for (const chunk of chunks) {
    chunkBytes.record(chunk.bytes.length);
    chunkSamples.record(chunkSampleCount(chunk.bytes, 0, chunk.bytes.length));
    chunkRange.record((chunk.maxTimeMs - chunk.minTimeMs) / 1000);
    yield chunk;
  }
}
