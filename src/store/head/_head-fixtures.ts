/**
 * A head with its files in a folder of their own, and a reader of it, for tests.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HEAD_KERNELS } from '../../../test/kernels.ts';
import { decodeXor } from '../../core/chunk/xor.ts';
import type { HeadKernel } from '../../core/kernels/head-kernel.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { formatLabels } from '../../core/model/labels.ts';
import { SampleBuffer } from '../../core/model/samples.ts';
import type { AppendCounts } from '../../core/storage/appender.ts';
import type { ChunkSource } from '../../core/storage/chunk-source.ts';
import { HeadChunkPages } from './head-chunk-pages.ts';
import { HeadChunkWriter } from './head-chunk-files.ts';
import { Head } from './head.ts';
import { HeadQuerier } from './head-querier.ts';
import { READER_STAGING_BYTES, type HeadView } from './series-chunks.ts';

export interface TestHead {
  readonly folder: string;
  readonly head: Head;
  readonly view: HeadView;
  readonly querier: HeadQuerier;
  readonly writer: HeadChunkWriter;
}

export type MakeKernel = (memory: LinearMemory) => HeadKernel;
export const [[, wasmKernel]] = HEAD_KERNELS as [readonly [string, MakeKernel]];

export function withHead(body: (test: TestHead) => void | Promise<void>, makeKernel: MakeKernel = wasmKernel): Promise<void> {
  return withFolder((folder) => {
    const memory = Head.createMemory(8192);
    const kernel = makeKernel(memory);
    const head = new Head({ memory, kernel, log: { log: () => {} } });
    const view = { linear: memory, kernel, stagingAt: memory.allocate(READER_STAGING_BYTES), files: new HeadChunkPages(folder) };
    return body({ folder, head, view, querier: new HeadQuerier(view), writer: new HeadChunkWriter(folder) });
  });
}

export async function withFolder(body: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'coeus-head-'));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const NO_SAMPLES: AppendCounts = { appended: 0, appendedOutOfOrder: 0, identical: 0, duplicate: 0, outOfOrder: 0, outOfBounds: 0, tooOld: 0 };

/** Appends and commits. */
export function appendSamples(head: Head, ref: number, samples: readonly (readonly [number, number])[]): AppendCounts {
  const counts = head.append({
    refs: new Uint32Array(samples.length).fill(ref),
    times: Float64Array.from(samples, ([time]) => time),
    values: Float64Array.from(samples, ([, value]) => value),
    count: samples.length,
  });
  head.commit();
  return counts;
}

/** What a source gives: samples of each series by its labels, in the order in which the series came, and all symbols. */
export function readSource(source: ChunkSource): { symbols: string[]; series: [string, [number, number][]][] } {
  const series: [string, [number, number][]][] = [];
  const samples = new SampleBuffer();
  for (const { labels, chunks } of source.series()) {
    const all: [number, number][] = [];
    for (const { bytes, minTimeMs, maxTimeMs } of chunks) {
      samples.clear();
      decodeXor(bytes, 0, bytes.length, samples);
      if (samples.times[0] !== minTimeMs || samples.times[samples.length - 1] !== maxTimeMs) throw new Error('a chunk has other times than it says');
      for (let i = 0; i < samples.length; i++) all.push([samples.times[i]!, samples.values[i]!]);
    }
    series.push([formatLabels(labels), all]);
  }
  return { symbols: [...source.symbols()], series };
}
