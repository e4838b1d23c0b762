import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BinaryWriter } from '../../core/bytes/binary-writer.ts';
import { formatLabels } from '../../core/model/labels.ts';
import { SampleBuffer } from '../../core/model/samples.ts';
import { writeCheckpoint } from '../wal/checkpoint.ts';
import { encodeSamples, SeriesEncoder } from '../wal/wal-records.ts';
import { WalWriter } from '../wal/wal-writer.ts';
import { appendSamples, NO_SAMPLES, wasmKernel, withFolder } from './_head-fixtures.ts';
import { HeadChunkPages } from './head-chunk-pages.ts';
import { HeadChunkWriter } from './head-chunk-files.ts';
import { Head } from './head.ts';
import { HeadQuerier } from './head-querier.ts';
import { neededWalRefs } from './needed-wal-refs.ts';
import { replayHead, type ReplayReport } from './replay.ts';
import { READER_STAGING_BYTES, type HeadView } from './series-chunks.ts';

const START_MS = 1_699_999_200_000; // Begins a two-hour range.

interface Replayed {
  readonly head: Head;
  readonly report: ReplayReport;
  readonly view: HeadView;
  /** By series: times and values. */
  readonly samples: () => Promise<Record<string, [number, number][]>>;
}

function replay(folder: string, minValidTimeMs?: number): Replayed {
  const memory = Head.createMemory(8192);
  const kernel = wasmKernel(memory);
  const head = new Head({ memory, kernel, log: { log: () => {} } });
  const report = replayHead(head, { dataFolder: folder, walFolder: join(folder, 'wal'), ...(minValidTimeMs === undefined ? {} : { minValidTimeMs }) });
  const view = { linear: memory, kernel, stagingAt: memory.allocate(READER_STAGING_BYTES), files: new HeadChunkPages(folder) };
  const querier = new HeadQuerier(view);
  const samples = async (): Promise<Record<string, [number, number][]>> => {
    const set = await querier.select({ matchers: [], startMs: Number.NEGATIVE_INFINITY, endMs: Number.POSITIVE_INFINITY });
    const all: [string, [number, number][]][] = [];
    for (let i = 0; i < set.seriesCount; i++) {
      const out = new SampleBuffer();
      set.read(i, out);
      all.push([formatLabels(set.labels(i)), Array.from({ length: out.length }, (_, k) => [out.times[k]!, out.values[k]!])]);
    }
    return Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  return { head, report, view, samples };
}

/** What a test logs: series by number, then samples by number. */
function log(folder: string, series: readonly (readonly [number, string])[], samples: readonly (readonly [number, number, number])[]): void {
  const writer = new WalWriter(join(folder, 'wal'), { compression: 'none' });
  const out = new BinaryWriter();
  encodeSamples(samples.map(([walRef]) => walRef), Float64Array.from(samples, ([, time]) => time), Float64Array.from(samples, ([, , value]) => value), 0, samples.length, out);
  writer.log([new SeriesEncoder().encode(series.map(([walRef, name]) => ({ walRef, labels: ['__name__', name] }))), out.written]);
  writer.close();
}

/** Writes through a head, so that closed chunks get into files. */
function writeThroughHead(folder: string, samples: readonly (readonly [number, number])[]): void {
  const { head, report } = replay(folder);
  const encoder = new SeriesEncoder();
  const writer = new WalWriter(join(folder, 'wal'), { compression: 'none' });
  head.setLog({ log: (series, records) => writer.log(series.length > 0 ? [encoder.encode(series), ...records] : records) });
  appendSamples(head, head.series(['__name__', 'm']), samples);
  const chunks = new HeadChunkWriter(folder, report.chunkFileTimes);
  head.flushChunks(chunks, 1000);
  chunks.close();
  writer.close();
}

test('a label set that was logged under two numbers is one series, and both numbers stay known', () =>
  withFolder(async (folder) => {
    log(folder, [[1, 'a'], [7, 'b']], [[1, START_MS, 1], [7, START_MS, 7]]);
    log(folder, [[9, 'a']], [[9, START_MS + 1000, 9]]);
    const { head, report, samples, view } = replay(folder);
    assert.equal(report.seriesCount, 2);
    assert.deepEqual(await samples(), { a: [[START_MS, 1], [START_MS + 1000, 9]], b: [[START_MS, 7]] });
    const keeps = (lastSegment: number, minTimeMs: number): boolean[] => {
      const keep = neededWalRefs(view.linear, head.checkpointNeeds({ lastSegment, minTimeMs }));
      return [1, 7, 9, 2].map(keep);
    };
    assert.deepEqual(keeps(0, START_MS), [true, true, true, false], 'segment 1 has samples of 9');
    assert.deepEqual(keeps(1, START_MS + 1000), [true, true, true, false], 'the checkpoint will have samples of 9');
    assert.deepEqual(keeps(1, START_MS + 1001), [true, true, false, false]);
    head.checkpointWritten({ lastSegment: 1, minTimeMs: START_MS + 1001 });
    assert.deepEqual(keeps(0, START_MS), [true, true, false, false]);
  }));

test('the record of a removed series is kept until no segment has its samples', () =>
  withFolder(async (folder) => {
    const walFolder = join(folder, 'wal');
    log(folder, [[1, 'a'], [2, 'b']], [[1, START_MS, 1], [2, START_MS, 2]]);
    log(folder, [[3, 'c']], [[1, START_MS + 1000, 1], [2, START_MS + 900_000, 2]]);
    const { head, view } = replay(folder);
    const writer = new WalWriter(walFolder, { compression: 'none' });
    const beforeMs = START_MS + 10_000;
    const steps = head.truncate({ beforeMs, unbind: () => {} }, writer.segment);
    while (steps.next().done !== true) continue;
    assert.deepEqual([head.seriesCount, head.removedSeries], [1, 2]);
    const checkpoint = (lastSegment: number): number => {
      const bounds = { lastSegment, minTimeMs: beforeMs };
      const report = writeCheckpoint(walFolder, { ...bounds, keepSeries: neededWalRefs(view.linear, head.checkpointNeeds(bounds)), compression: 'none' });
      head.checkpointWritten(bounds);
      return report.keptSeries;
    };
    assert.equal(checkpoint(0), 2, 'segment 1 has a sample of a');
    assert.equal(replay(folder).report.unknownRefSamples, 0);
    writer.startSegment();
    writer.close();
    new WalWriter(walFolder, { compression: 'none' }).close();
    assert.equal(checkpoint(2), 1);
    assert.deepEqual(await replay(folder, beforeMs).samples(), { b: [[START_MS + 900_000, 2]] });
    assert.deepEqual(readdirSync(walFolder), ['00000003', 'checkpoint.00000002']);
  }));

test('what blocks have is not taken', () =>
  withFolder(async (folder) => {
    writeThroughHead(folder, Array.from({ length: 500 }, (_, i) => [START_MS + i * 15_000, i]));
    const all = replay(folder);
    assert.deepEqual([all.report.chunkCount, all.report.sampleCount], [4, 20]);
    const minValidMs = START_MS + 300 * 15_000;
    const some = replay(folder, minValidMs);
    assert.equal(some.report.chunkCount, 2, 'a chunk over the end is taken whole');
    assert.equal((await some.samples())['m']!.length, 260);
    const few = replay(folder, START_MS + 490 * 15_000);
    assert.deepEqual((await few.samples())['m'], Array.from({ length: 10 }, (_, i) => [START_MS + (490 + i) * 15_000, 490 + i]));
    assert.equal(few.head.minTimeMs, START_MS + 490 * 15_000);
  }));

test('the newest sample is known after a restart, though it lies in a file', () =>
  withFolder((folder) => {
    // The sample after the 120th closes the chunk and begins one that is not in a file: it is cut from the log.
    writeThroughHead(folder, Array.from({ length: 121 }, (_, i) => [START_MS + i * 15_000, i]));
    const segment = join(folder, 'wal', '00000000');
    writeFileSync(segment, '');
    log(folder, [[1, 'm']], Array.from({ length: 120 }, (_, i) => [1, START_MS + i * 15_000, i]));
    const { head, report } = replay(folder);
    assert.deepEqual([report.chunkCount, report.sampleCount], [1, 0]);
    const last = START_MS + 119 * 15_000;
    const counts = appendSamples(head, head.series(['__name__', 'm']), [[last, 119], [last, 5]]);
    assert.deepEqual(counts, { ...NO_SAMPLES, identical: 1, duplicate: 1 });
  }));

test('numbers too large to keep are known in the log, and the series gets one of its own', () =>
  withFolder(async (folder) => {
    const large = 2 ** 50;
    log(folder, [[5, 'a'], [large, 'b']], [[5, START_MS, 5], [large, START_MS, 50]]);
    const { head, samples, view } = replay(folder);
    assert.deepEqual(await samples(), { a: [[START_MS, 5]], b: [[START_MS, 50]] });
    const logged: number[] = [];
    head.setLog({ log: (series) => void logged.push(...series.map(({ walRef }) => walRef)) });
    head.series(['__name__', 'c']);
    head.commit();
    assert.deepEqual(logged, [6, 7]);
    assert.ok(neededWalRefs(view.linear, head.checkpointNeeds({ lastSegment: 0, minTimeMs: START_MS }))(large));
  }));

test('a number above 32 bits is logged whole', () =>
  withFolder(async (folder) => {
    const walRef = 2 ** 40 + 3;
    log(folder, [[walRef, 'a']], [[walRef, START_MS, 1]]);
    const { head } = replay(folder);
    const writer = new WalWriter(join(folder, 'wal'), { compression: 'none' });
    head.setLog({ log: (_, records) => writer.log(records) });
    appendSamples(head, head.series(['__name__', 'a']), [[START_MS + 1000, 2]]);
    writer.close();
    const again = replay(folder);
    assert.equal(again.report.unknownRefSamples, 0);
    assert.deepEqual(await again.samples(), { a: [[START_MS, 1], [START_MS + 1000, 2]] });
  }));
