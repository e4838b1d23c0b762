import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HEAD_KERNELS } from '../../../test/kernels.ts';
import { ROOT } from '../../core/kernels/head-layout.ts';
import { formatLabels } from '../../core/model/labels.ts';
import type { Matcher } from '../../core/model/matcher.ts';
import { SampleBuffer } from '../../core/model/samples.ts';
import { appendSamples, NO_SAMPLES, readSource, withHead, type TestHead } from './_head-fixtures.ts';
import { Head, type ChunkSink } from './head.ts';
import { headSource } from './head-source.ts';
import type { TruncateReport } from './head-truncation.ts';
import { HeadQuerier } from './head-querier.ts';
import { READER_STAGING_BYTES } from './series-chunks.ts';

const START_MS = 1_699_999_200_000; // Begins a two-hour range.
const STEP_MS = 15_000;
const ALWAYS = { startMs: Number.NEGATIVE_INFINITY, endMs: Number.POSITIVE_INFINITY };

function truncate(head: Head, beforeMs: number, unbind: (isGone: (ref: number) => boolean) => void = () => {}): TruncateReport {
  const steps = head.truncate({ beforeMs, unbind }, 0);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function quiesced(head: Head, epoch: number): void {
  for (const _ of head.quiesced(epoch)) continue;
}

const scrape = (from: number, count: number): [number, number][] => Array.from({ length: count }, (_, i) => [START_MS + (from + i) * STEP_MS, from + i]);

async function names(querier: HeadQuerier, matchers: readonly Matcher[] = []): Promise<string[]> {
  return (await querier.series({ matchers, ...ALWAYS })).map(formatLabels).sort();
}

for (const [name, makeKernel] of HEAD_KERNELS) {
  test(`${name}: closed chunks before the time go, then series without newer samples, and the refs are told`, () =>
    withHead(async ({ head, querier, view, writer }) => {
      const a = head.series(['__name__', 'a', 'pod', 'p1']);
      const b = head.series(['__name__', 'b', 'pod', 'p2']);
      const neverAppended = head.series(['__name__', 'c', 'zone', 'z']);
      appendSamples(head, b, scrape(0, 300));
      appendSamples(head, a, scrape(0, 1000));
      head.flushChunks(writer, 3);
      const chunks = head.memory.get(ROOT.CHUNK_COUNT);
      let told: boolean[] = [];
      const report = truncate(head, START_MS + 480 * STEP_MS, (isGone) => {
        told = [a, b, neverAppended].map(isGone);
      });
      assert.deepEqual(told, [false, true, true]);
      assert.deepEqual(report, { removedSeries: 2, removedChunks: 4 + 3, epoch: 1 });
      assert.equal(head.memory.get(ROOT.CHUNK_COUNT), chunks - 7);
      assert.deepEqual([head.seriesCount, head.removedSeries, head.createdSeries, head.labelPairCount], [1, 2, 3, 2]);
      assert.equal(head.minTimeMs, START_MS + 480 * STEP_MS);
      assert.deepEqual(await names(querier), ['a{pod="p1"}']);
      assert.deepEqual(await querier.labelNames({ matchers: [], ...ALWAYS }), ['__name__', 'pod']);
      assert.deepEqual(await querier.labelValues('pod', { matchers: [], ...ALWAYS }), ['p1']);
      assert.deepEqual(await querier.labelValues('zone', { matchers: [], ...ALWAYS }), []);
      assert.deepEqual(readSource(headSource(view, { minTimeMs: 0, maxTimeMs: 1e15 })).series, [['a{pod="p1"}', scrape(0, 1000).slice(480)]]);
      assert.deepEqual(appendSamples(head, b, scrape(1000, 1)), { ...NO_SAMPLES, outOfOrder: 1 }, 'a ref that is gone takes nothing');
      assert.deepEqual(appendSamples(head, a, scrape(479, 1)), { ...NO_SAMPLES, outOfBounds: 1 });
      const again = head.series(['__name__', 'b', 'pod', 'p2']);
      assert.ok(again > neverAppended, 'a ref that readers may have is not given out again');
      quiesced(head, report.epoch);
      assert.equal(head.series(['__name__', 'd']), neverAppended);
      assert.equal(head.series(['__name__', 'e']), b);
      assert.deepEqual(await names(querier), ['a{pod="p1"}', 'b{pod="p2"}', 'd', 'e']);
    }, makeKernel));
}

test('what a reader has selected keeps its labels until the owner is told that readers are done', () =>
  withHead(async ({ head, querier }) => {
    const labels = (i: number): string[] => ['__name__', 'm', 'id', `old-${i}`];
    for (let i = 0; i < 100; i++) appendSamples(head, head.series(labels(i)), [[START_MS, i]]);
    const set = await querier.select({ matchers: [{ name: '__name__', op: '=', value: 'm' }], ...ALWAYS });
    const { epoch } = truncate(head, START_MS + 1);
    // A second select of the same request takes up the new generation.
    assert.equal((await querier.select({ matchers: [], ...ALWAYS })).seriesCount, 0);
    for (let i = 0; i < 100; i++) appendSamples(head, head.series(['__name__', 'm', 'id', `new-${i}`]), [[START_MS + 5000, i]]);
    assert.deepEqual(Array.from({ length: 100 }, (_, i) => set.labels(i)), Array.from({ length: 100 }, (_, i) => labels(i)));
    quiesced(head, epoch);
    for (let i = 0; i < 100; i++) appendSamples(head, head.series(['__name__', 'm', 'id', `newer-${i}`]), [[START_MS + 6000, i]]);
    const values = await querier.labelValues('id', { matchers: [], ...ALWAYS });
    assert.equal(values.length, 200);
    assert.ok(values.every((value) => value.startsWith('new')));
    for (const value of values) assert.deepEqual(await names(querier, [{ name: 'id', op: '=', value }]), [`m{id="${value}"}`]);
  }));

test('series that come again while the removal runs are other series', () =>
  withHead(async () => {
    const memory = Head.createMemory(8192);
    const kernel = HEAD_KERNELS[0]![1](memory);
    const head = new Head({ memory, kernel, log: { log: () => {} }, stepSize: 1 });
    const querier = new HeadQuerier({ linear: memory, kernel, stagingAt: memory.allocate(READER_STAGING_BYTES), files: { read: () => 0, forgetBefore: () => {} } });
    const labels = (i: number): string[] => ['id', String(i), 'name', i % 2 === 0 ? 'even' : 'odd'];
    for (let i = 0; i < 30; i++) appendSamples(head, head.series(labels(i)), [[START_MS, i]]);
    const steps = head.truncate({ beforeMs: START_MS + 1, unbind: () => {} }, 0);
    const out = new SampleBuffer();
    for (let step = 0; steps.next().done !== true; step++) {
      if (step % 3 !== 0) continue;
      const i = (step / 3) % 30;
      const timeMs = START_MS + 1000 + step;
      appendSamples(head, head.series(labels(i)), [[timeMs, step]]);
      const set = await querier.select({ matchers: [{ name: 'id', op: '=', value: String(i) }], startMs: START_MS + 1, endMs: 1e15 });
      assert.equal(set.seriesCount, 1, `series ${i} at step ${step}`);
      assert.deepEqual(set.labels(0), labels(i));
      out.clear();
      set.read(0, out);
      assert.equal(out.times[out.length - 1], timeMs);
    }
  }));

test('files go when all their chunks are truncated, and readers close them', { skip: process.platform === 'linux' ? false : 'reads /proc' }, () =>
  withHead(async ({ folder, head, querier, writer }) => {
    const ref = head.series(['a', 'b']);
    const out = new SampleBuffer();
    const read = async (): Promise<number> => {
      const set = await querier.select({ matchers: [], ...ALWAYS });
      out.clear();
      if (set.seriesCount > 0) set.read(0, out);
      return out.length;
    };
    for (let range = 0; range < 5; range++) {
      appendSamples(head, ref, scrape(range * 480, 480));
      head.flushChunks(writer, 100);
      assert.ok((await read()) > 0);
      const beforeMs = START_MS + (range * 480 - 240) * STEP_MS;
      truncate(head, beforeMs);
      head.setFirstChunkFile(writer.truncate(beforeMs));
    }
    assert.equal(await read(), 120 * 6);
    assert.deepEqual(readdirSync(join(folder, 'chunks_head')), ['000004', '000005']);
    assert.deepEqual(openFilesIn(folder), ['000004', '000005']);
  }));

/** Names of the files in `folder` that this process has open, each once. */
function openFilesIn(folder: string): string[] {
  const paths = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // The one that lists.
    }
  });
  return [...new Set(paths.filter((path) => path.startsWith(folder)).map((path) => path.split('/').at(-1)!))].sort();
}

test('a chunk that waits for a file and is truncated is not written', () =>
  withHead(({ head }) => {
    const ref = head.series(['a', 'b']);
    appendSamples(head, ref, scrape(0, 1000));
    const written: number[] = [];
    const sink: ChunkSink = { write: ({ minTimeMs }) => ({ file: 1, offset: written.push((minTimeMs - START_MS) / STEP_MS) }), flush: () => {} };
    assert.equal(head.flushChunks(sink, 1), 1);
    truncate(head, START_MS + 500 * STEP_MS);
    assert.equal(head.pendingChunks, 7);
    assert.equal(head.flushChunks(sink, 100), 4);
    assert.deepEqual(written, [0, 480, 600, 720, 840]);
    assert.equal(head.pendingChunks, 0);
    appendSamples(head, ref, scrape(1000, 200));
    assert.equal(head.flushChunks(sink, 100), 1);
  }));

test('churn does not make the head grow', () =>
  withHead(({ head, writer }: TestHead) => {
    const SERIES = 400;
    const used: number[] = [];
    for (let round = 0; round < 50; round++) {
      const refs = Array.from({ length: SERIES }, (_, i) => {
        const isNew = i % 2 === 0;
        const id = isNew ? `${round}-${i}`.repeat(1 + (i % 4)) : String(i);
        return head.series(['__name__', `m${i % 10}`, ...(i % 8 === 0 ? [`label_${round}_${i % 3}`, 'x'] : []), 'pod', `pod-${id}`, 'zone', `z${i % 3}`]);
      });
      for (let at = 0; at < 480; at += 8) {
        head.append({
          refs: Uint32Array.from(refs),
          times: new Float64Array(SERIES).fill(START_MS + (round * 480 + at) * STEP_MS),
          values: Float64Array.from({ length: SERIES }, (_, i) => i * at * 0.1),
          count: SERIES,
        });
        head.commit();
      }
      head.flushChunks(writer, 1e6);
      const beforeMs = START_MS + (round - 1) * 480 * STEP_MS;
      const { epoch } = truncate(head, beforeMs);
      head.setFirstChunkFile(writer.truncate(beforeMs));
      quiesced(head, epoch);
      used.push(head.memory.linear.usedBytes);
    }
    assert.equal(used[49], used[20], used.join(' '));
    assert.ok(head.removedSeries > 47 * (SERIES / 2));
    assert.ok(head.memory.get(ROOT.HIGHEST_REF) <= SERIES * 3);
    assert.ok(head.memory.get(ROOT.NAME_COUNT) <= 20);
  }));
