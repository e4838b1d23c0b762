/**
 * A store with a head of plain maps and readers that only take notes, for tests.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../core/base/clock.ts';
import { silentLogger } from '../../core/base/log.ts';
import { Registry } from '../../core/base/metrics.ts';
import { encodeXor } from '../../core/chunk/xor.ts';
import { compareLabels, compareStrings, formatLabels, labelValue, type Labels } from '../../core/model/labels.ts';
import { compileMatcher } from '../../core/model/matcher.ts';
import { MixedSamples } from '../../core/model/mixed-samples.ts';
import { ENCODING } from '../../core/chunk/chunk.ts';
import type { ChunkSource, EncodedChunk } from '../../core/storage/chunk-source.ts';
import { Block } from '../block/block.ts';
import { BlockQuerier } from '../block/block-querier.ts';
import type { SourceRange } from '../block/block-source.ts';
import { OpenFiles } from '../index/byte-source.ts';
import { SymbolCache } from '../index/symbol-cache.ts';
import type { BlockReaders } from './block-keeper.ts';
import { listBlocks } from './block-folders.ts';
import type { BlockSetChange } from './block-set.ts';
import { KEEP_ALL } from './retention.ts';
import { Store, type Deletion, type HeadPort, type StoreOptions } from './store.ts';

export const HOUR_MS = 3_600_000;

export async function withFolder(body: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'coeus-store-'));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Samples by series, by time. */
export class SampleMap {
  readonly series = new Map<string, { labels: Labels; samples: Map<number, number> }>();

  add(labels: Labels, timeMs: number, value: number): void {
    const key = formatLabels(labels);
    let series = this.series.get(key);
    if (series === undefined) this.series.set(key, (series = { labels, samples: new Map() }));
    series.samples.set(timeMs, value);
  }

  /** @returns of how many series */
  delete({ matcherSets, startMs, endMs }: Deletion): number {
    let affected = 0;
    for (const { labels, samples } of this.series.values()) {
      if (!matcherSets.some((matchers) => matchers.every((matcher) => compileMatcher(matcher).matches(labelValue(labels, matcher.name))))) continue;
      const times = [...samples.keys()].filter((time) => startMs <= time && time <= endMs);
      for (const time of times) samples.delete(time);
      if (times.length > 0) affected++;
    }
    return affected;
  }

  times(): number[] {
    return [...this.series.values()].flatMap(({ samples }) => [...samples.keys()]);
  }

  lines(): string[] {
    const lines: string[] = [];
    for (const [key, { samples }] of this.series) for (const [time, value] of samples) lines.push(`${key} ${value} ${time}`);
    return lines.sort();
  }

  /** In chunks of at most `chunkSamples`. */
  source({ minTimeMs, maxTimeMs }: SourceRange, chunkSamples = 120): ChunkSource {
    const inRange = [...this.series.values()]
      .map(({ labels, samples }) => ({ labels, samples: [...samples].filter(([time]) => minTimeMs <= time && time < maxTimeMs).sort(([a], [b]) => a - b) }))
      .filter(({ samples }) => samples.length > 0)
      .sort((a, b) => compareLabels(a.labels, b.labels));
    return {
      symbols: () => [...new Set(inRange.flatMap(({ labels }) => labels))].sort(compareStrings),
      series: () => inRange.map(({ labels, samples }) => ({ labels, chunks: chunksOf(samples, chunkSamples) })),
    };
  }
}

function chunksOf(samples: readonly (readonly [number, number])[], chunkSamples: number): EncodedChunk[] {
  const buffer = new MixedSamples();
  for (const [time, value] of samples) buffer.push(time, value);
  const chunks: EncodedChunk[] = [];
  for (let from = 0; from < buffer.length; from += chunkSamples) {
    const to = Math.min(buffer.length, from + chunkSamples);
    chunks.push({ encoding: ENCODING.XOR, minTimeMs: buffer.times[from]!, maxTimeMs: buffer.times[to - 1]!, bytes: encodeXor(buffer, from, to) });
  }
  return chunks;
}

/** A head whose samples outlive the store, as those in a log do. */
export class MapHead implements HeadPort {
  readonly samples = new SampleMap();

  timeRange(): { minTimeMs: number; maxTimeMs: number } | null {
    const times = this.samples.times();
    return times.length === 0 ? null : { minTimeMs: Math.min(...times), maxTimeMs: Math.max(...times) };
  }

  source(range: SourceRange): ChunkSource {
    return this.samples.source(range);
  }

  truncate(beforeMs: number): Promise<void> {
    this.samples.delete({ matcherSets: [[]], startMs: Number.NEGATIVE_INFINITY, endMs: beforeMs - 1 });
    return Promise.resolve();
  }

  deleteSeries(deletion: Deletion): Promise<number> {
    return Promise.resolve(this.samples.delete(deletion));
  }
}

/** Readers that know what they were told. */
export class NotingReaders implements BlockReaders {
  readonly notes: string[] = [];

  use({ added, changed, removed }: BlockSetChange): Promise<void> {
    const note = (sign: string, infos: BlockSetChange['added']): void => {
      for (const { meta } of infos) this.notes.push(`${sign}${meta.minTimeMs / HOUR_MS}-${meta.maxTimeMs / HOUR_MS}`);
    };
    note('+', added);
    note('~', changed);
    note('-', removed);
    return Promise.resolve();
  }

  quiesce(): Promise<void> {
    return Promise.resolve();
  }
}

export class ManualClock implements Clock {
  ms = 1_000_000;

  /** Later with each look: names of blocks follow the order in which they are made. */
  nowMs(): number {
    return ++this.ms;
  }

  monotonicMs(): number {
    return this.ms;
  }
}

export interface TestStore {
  readonly store: Store;
  readonly head: MapHead;
  readonly readers: NotingReaders;
  readonly clock: ManualClock;
  readonly registry: Registry;
}

export async function openStore(dataFolder: string, options: Partial<StoreOptions> & { head?: MapHead; clock?: ManualClock } = {}): Promise<TestStore> {
  const head = options.head ?? new MapHead();
  const clock = options.clock ?? new ManualClock();
  const readers = new NotingReaders();
  const registry = new Registry();
  const store = await Store.open({ dataFolder, readers, limits: KEEP_ALL, log: silentLogger, registry, ...options, head, clock });
  return { store, head, readers, clock, registry };
}

/** The value of a metric without labels. */
export const metricOf = (registry: Registry, name: string): number | undefined => registry.snapshot().find((family) => family.name === name)?.samples[0]?.value;

/** All samples of all blocks of a folder, as SampleMap has lines. Equal samples of several blocks are one line. */
export async function dumpBlocks(dataFolder: string): Promise<string[]> {
  const files = new OpenFiles();
  const lines = new Set<string>();
  const out = new MixedSamples();
  for (const ulid of listBlocks(dataFolder)) {
    const set = await new BlockQuerier(Block.open(join(dataFolder, ulid), { files, symbols: new SymbolCache() })).select({ matchers: [], startMs: -1e15, endMs: 1e15 });
    for (let i = 0; i < set.seriesCount; i++) {
      const key = formatLabels(set.labels(i));
      out.clear();
      set.read(i, out);
      for (let j = 0; j < out.length; j++) lines.add(`${key} ${out.values[j]!} ${out.times[j]!}`);
    }
    set.close();
  }
  files.closeAll();
  return [...lines].sort();
}
