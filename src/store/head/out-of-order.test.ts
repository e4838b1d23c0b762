import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasPrometheus, startPrometheus, withFolder as withServerFolder } from '../../../test/support/servers.ts';
import { HEAD_KERNELS } from '../../../test/kernels.ts';
import { ROOT } from '../../core/kernels/head-layout.ts';
import { formatLabels } from '../../core/model/labels.ts';
import { SampleBuffer } from '../../core/model/samples.ts';
import { readWal } from '../wal/wal-reader.ts';
import { decodeMmapMarkers, RECORD_TYPE, SampleRecord, SeriesEncoder } from '../wal/wal-records.ts';
import { WalWriter } from '../wal/wal-writer.ts';
import { appendSamples, NO_SAMPLES, readSource, wasmKernel, withFolder, withHead } from './_head-fixtures.ts';
import { HeadChunkPages } from './head-chunk-pages.ts';
import { HeadChunkWriter } from './head-chunk-files.ts';
import { scanHeadChunks } from './head-chunk-scan.ts';
import { Head } from './head.ts';
import { HeadQuerier } from './head-querier.ts';
import { headSource } from './head-source.ts';
import { OUT_OF_ORDER_LOG_FOLDER } from './out-of-order.ts';
import { outOfOrderSource } from './out-of-order-source.ts';
import { replayHead } from './replay.ts';
import { READER_STAGING_BYTES, type HeadView } from './series-chunks.ts';

const START_MS = 1_699_999_200_000; // Begins a two-hour range.
const STEP_MS = 1000;
const MINUTE_MS = 60_000;
const ALWAYS = { startMs: Number.NEGATIVE_INFINITY, endMs: Number.POSITIVE_INFINITY };
const at = (step: number): number => START_MS + step * STEP_MS;

type Samples = [number, number][];

async function read(querier: HeadQuerier, startMs = ALWAYS.startMs, endMs = ALWAYS.endMs): Promise<Record<string, Samples>> {
  const set = await querier.select({ matchers: [], startMs, endMs });
  const all: [string, Samples][] = [];
  for (let i = 0; i < set.seriesCount; i++) {
    const out = new SampleBuffer();
    set.read(i, out);
    if (out.length > 0) all.push([formatLabels(set.labels(i)), Array.from({ length: out.length }, (_, k) => [(out.times[k]! - START_MS) / STEP_MS, out.values[k]!])]);
  }
  return Object.fromEntries(all);
}

/** By step: a sample of that value. */
const steps = (...list: number[]): Samples => list.map((step) => [step, step]);
const range = (from: number, to: number, by = 1): number[] => Array.from({ length: Math.ceil((to - from) / by) }, (_, i) => from + i * by);
const samplesAt = (list: readonly number[]): Samples => list.map((step) => [at(step), step]);

function lastOf<T>(generator: Generator<undefined, T>): T {
  for (;;) {
    const step = generator.next();
    if (step.done === true) return step.value;
  }
}

/** A head that logs to `folder`, with a window of ten minutes. */
function openLogged(folder: string): { head: Head; view: HeadView; querier: HeadQuerier; writer: HeadChunkWriter; wbl: WalWriter; close: () => void } {
  const memory = Head.createMemory(8192);
  const kernel = wasmKernel(memory);
  const head = new Head({ memory, kernel, log: { log: () => {} } });
  const report = replayHead(head, { dataFolder: folder, walFolder: join(folder, 'wal') });
  assert.deepEqual([report.walFault, report.chunkFault, report.unknownRefSamples], [null, null, 0]);
  const encoder = new SeriesEncoder();
  const wal = new WalWriter(join(folder, 'wal'), { compression: 'none' });
  const wbl = new WalWriter(join(folder, OUT_OF_ORDER_LOG_FOLDER), { compression: 'none' });
  head.setLog({ log: (series, records) => wal.log(series.length > 0 ? [encoder.encode(series), ...records] : records) });
  head.outOfOrder.setWindow(10 * MINUTE_MS, (records) => wbl.log(records));
  const view = { linear: memory, kernel, stagingAt: memory.allocate(READER_STAGING_BYTES), files: new HeadChunkPages(folder) };
  const writer = new HeadChunkWriter(folder, report.chunkFileTimes);
  const close = (): void => {
    for (const each of [wal, wbl, writer]) each.close();
  };
  return { head, view, querier: new HeadQuerier(view), writer, wbl, close };
}

for (const [name, makeKernel] of HEAD_KERNELS) {
  test(`${name}: samples inside the window find their place, older ones are told apart`, () =>
    withHead(async ({ head, querier, view }) => {
      const a = head.series(['__name__', 'a']);
      const b = head.series(['__name__', 'b']);
      appendSamples(head, a, samplesAt([1000, 1010, 1020]));
      assert.deepEqual(appendSamples(head, a, samplesAt([1005])), { ...NO_SAMPLES, outOfOrder: 1 }, 'without a window');
      head.outOfOrder.setWindow(10 * MINUTE_MS, () => {});
      assert.deepEqual(appendSamples(head, a, samplesAt([1015, 1005, 421, 420, 419, 1005, 1030])), { ...NO_SAMPLES, appended: 5, appendedOutOfOrder: 4, identical: 1, tooOld: 1 });
      assert.deepEqual(appendSamples(head, a, [[at(1030), 7]]), { ...NO_SAMPLES, duplicate: 1 });
      assert.deepEqual(appendSamples(head, b, samplesAt([500])), { ...NO_SAMPLES, appended: 1 }, 'its first sample is in order');
      assert.deepEqual(await read(querier), { a: steps(420, 421, 1000, 1005, 1010, 1015, 1020, 1030), b: steps(500) });
      assert.deepEqual(await read(querier, at(421), at(1005)), { a: steps(421, 1000, 1005), b: steps(500) });
      assert.deepEqual(await querier.labelNames({ matchers: [], startMs: at(420), endMs: at(421) }), ['__name__']);
      assert.deepEqual(readSource(headSource(view, { minTimeMs: 0, maxTimeMs: 1e15 })).series, [['a', samplesAt([1000, 1010, 1020, 1030])], ['b', samplesAt([500])]]);
      assert.deepEqual(readSource(outOfOrderSource(view, { minTimeMs: at(421), maxTimeMs: at(1015) })).series, [['a', samplesAt([421, 1005])]]);
    }, makeKernel));

  test(`${name}: many samples in any order are read and cut as in order`, () =>
    withHead(async ({ head, querier, view, writer }) => {
      head.outOfOrder.setWindow(60 * MINUTE_MS, () => {});
      const a = head.series(['__name__', 'a']);
      appendSamples(head, a, samplesAt([3600]));
      const shuffled = range(0, 997).map((i) => 1 + ((i * 331) % 997));
      for (const step of shuffled) appendSamples(head, a, samplesAt([step]));
      assert.deepEqual((await read(querier))['a'], steps(...range(1, 998), 3600));
      assert.equal(head.flushChunks(writer, 10), 10);
      assert.deepEqual((await read(querier, at(100), at(500)))['a'], steps(...range(100, 501)), 'from files and memory');
      const chunks = [...outOfOrderSource(view, { minTimeMs: 0, maxTimeMs: 1e15 }).series()].flatMap(({ chunks: each }) => Array.from(each, ({ minTimeMs, maxTimeMs }) => [(minTimeMs - START_MS) / STEP_MS, (maxTimeMs - START_MS) / STEP_MS]));
      assert.deepEqual(chunks.slice(0, 3), [[1, 120], [121, 240], [241, 360]]);
    }, makeKernel));
}

test('a series older than the lower bound begins out of order', () =>
  withHead(async ({ head, querier }) => {
    head.outOfOrder.setWindow(120 * MINUTE_MS, () => {});
    appendSamples(head, head.series(['__name__', 'a']), samplesAt([7000]));
    assert.deepEqual(appendSamples(head, head.series(['__name__', 'b']), samplesAt([100])), { ...NO_SAMPLES, appended: 1, appendedOutOfOrder: 1 });
    assert.deepEqual(await read(querier), { a: steps(7000), b: steps(100) });
    assert.deepEqual((await querier.series({ matchers: [], startMs: at(0), endMs: at(200) })).map(formatLabels).sort(), ['b'], 'the other has nothing there');
  }));

test('a sample in order hides one out of order at its time, and the first of two stays', () =>
  withHead(async ({ head, querier }) => {
    head.outOfOrder.setWindow(60 * MINUTE_MS, () => {});
    const a = head.series(['__name__', 'a']);
    appendSamples(head, a, samplesAt([10, 20, 30]));
    appendSamples(head, a, [[at(20), 99], [at(15), 1]]);
    for (const step of range(100, 140)) appendSamples(head, head.series(['__name__', 'b']), samplesAt([step]));
    appendSamples(head, a, samplesAt(range(100, 140).map((step) => step - 79.5)));
    appendSamples(head, a, [[at(15), 2]]);
    const got = (await read(querier, at(0), at(20)))['a'];
    assert.deepEqual(got, [[10, 10], [15, 1], [20, 20]]);
  }));

test('markers are refused out of order even inside the window', () =>
  withHead(({ head }) => {
    head.outOfOrder.setWindow(60 * MINUTE_MS, () => {});
    const ref = head.series(['__name__', 'a']);
    appendSamples(head, ref, samplesAt([100]));
    const counts = head.append({ refs: Uint32Array.of(ref), times: Float64Array.of(at(50)), values: Float64Array.of(1), count: 1 }, { inOrderOnly: true });
    assert.deepEqual(counts, { ...NO_SAMPLES, outOfOrder: 1 });
  }));

test('what the log does not take goes with the next commit', () =>
  withHead(({ head }) => {
    const taken: number[] = [];
    let fails = true;
    head.outOfOrder.setWindow(60 * MINUTE_MS, (records) => {
      if (fails) throw new Error('disk full');
      const samples = new SampleRecord();
      for (const record of records) {
        samples.decode(record);
        taken.push(...Array.from(samples.times.subarray(0, samples.count), (timeMs) => (timeMs - START_MS) / STEP_MS));
      }
    });
    const ref = head.series(['__name__', 'a']);
    appendSamples(head, ref, samplesAt([100]));
    assert.throws(() => appendSamples(head, ref, samplesAt([50])), /disk full/);
    assert.equal(head.flushChunks({ write: () => ({ file: 1, offset: 0 }), flush: () => {} }, 10), 0);
    fails = false;
    appendSamples(head, ref, samplesAt([60, 40]));
    head.commit();
    assert.deepEqual(taken, [50, 60, 40]);
  }));

test('a restart has everything back, from files, log and markers', () =>
  withFolder(async (folder) => {
    let open = openLogged(folder);
    const late = range(600, 1000).map((i) => 500 + ((i * 7) % 400) + 0.5);
    const want: Record<string, Samples> = {};
    const add = (name: string, list: readonly number[]): void => {
      appendSamples(open.head, open.head.series(['__name__', name]), samplesAt(list));
      want[name] = [...new Set([...(want[name] ?? []).map(([step]) => step), ...list])].sort((a, b) => a - b).map((step) => [step, step]);
    };
    for (const name of ['a', 'b', 'c']) add(name, [1000]);
    for (let i = 0; i < late.length; i += 5) {
      add('a', late.slice(i, i + 5));
      if (i % 15 === 0) add('b', late.slice(i, i + 2));
      if (i % 50 === 0) open.head.flushChunks(open.writer, 3);
    }
    assert.deepEqual(await read(open.querier), want);
    for (let restart = 0; restart < 3; restart++) {
      open.close();
      open = openLogged(folder);
      assert.deepEqual(await read(open.querier), want);
      add('b', [700.25 + restart]);
      open.head.flushChunks(open.writer, 100);
    }
    let markers = 0;
    readWal(join(folder, OUT_OF_ORDER_LOG_FOLDER), { record: (record) => (record[0] === RECORD_TYPE.MMAP_MARKERS ? decodeMmapMarkers(record, () => markers++) : undefined) });
    assert.ok(markers > 10, `${markers} markers`);
    // With markers a restart does not have samples twice.
    const chunksBefore = open.head.memory.get(ROOT.CHUNK_COUNT);
    open.close();
    open = openLogged(folder);
    assert.ok(open.head.memory.get(ROOT.CHUNK_COUNT) <= chunksBefore, 'no more chunks than before');
    open.close();
  }));

test('files with chunks out of order stay until blocks have them', () =>
  withFolder(async (folder) => {
    const { head, view, querier, writer, wbl, close } = openLogged(folder);
    const ref = head.series(['__name__', 'a']);
    const other = head.series(['__name__', 'b']);
    appendSamples(head, ref, samplesAt([1000]));
    appendSamples(head, ref, samplesAt(range(500, 600)));
    head.flushChunks(writer, 100);
    appendSamples(head, other, samplesAt([20_000]));
    lastOf(head.truncate({ beforeMs: at(10_000), unbind: () => assert.fail('nothing is gone') }, 0));
    assert.equal(writer.truncate(at(10_000), head.outOfOrder.oldestChunkFile), 1);
    assert.deepEqual((await read(querier, at(0), at(999)))['a'], steps(...range(500, 600)));
    wbl.startSegment();
    const cut = lastOf(head.outOfOrder.close())!;
    assert.deepEqual([cut.minTimeMs, cut.maxTimeMs], [at(500), at(599)]);
    assert.deepEqual(readSource(outOfOrderSource(view, { minTimeMs: at(0), maxTimeMs: at(600) })).series, [['a', samplesAt(range(500, 600))]]);
    appendSamples(head, other, samplesAt([19_500]));
    const { epoch } = lastOf(head.truncateOutOfOrder(cut));
    assert.deepEqual(await read(querier), { a: steps(1000), b: steps(19_500, 20_000) });
    assert.deepEqual([head.outOfOrder.seriesCount, head.memory.time(ROOT.OUT_OF_ORDER_MIN_TIME)], [1, at(19_500)]);
    lastOf(head.quiesced(epoch));
    let told = 0;
    lastOf(head.truncate({ beforeMs: at(10_000), unbind: (isGone) => void (told = [ref, other].filter(isGone).length) }, 0));
    assert.equal(told, 1, 'without samples out of order the series goes too');
    assert.equal(writer.truncate(at(10_000), head.outOfOrder.oldestChunkFile), 2);
    assert.deepEqual(readdirSync(join(folder, 'chunks_head')), []);
    close();
  }));

test('late samples again and again do not make the head grow', () =>
  withHead(({ head, writer }) => {
    head.outOfOrder.setWindow(120 * MINUTE_MS, () => {});
    const used: number[] = [];
    for (let round = 0; round < 30; round++) {
      for (let i = 0; i < 50; i++) {
        const ref = head.series(['id', String(i % 2 === 0 ? i : i + round * 100)]);
        appendSamples(head, ref, samplesAt([(round + 1) * 7200]));
        appendSamples(head, ref, samplesAt(range(0, 100).map((k) => round * 7200 + 1 + ((k * 37) % 101))));
      }
      head.flushChunks(writer, 1e6);
      const cut = lastOf(head.outOfOrder.close())!;
      lastOf(head.truncateOutOfOrder(cut));
      const { epoch } = lastOf(head.truncate({ beforeMs: at(round * 7200), unbind: () => {} }, 0));
      writer.truncate(at(round * 7200), head.outOfOrder.oldestChunkFile);
      lastOf(head.quiesced(epoch));
      used.push(head.memory.linear.usedBytes - head.memory.arena.freeBytes);
    }
    assert.ok(used[29]! <= used[10]! + 1024, used.join(' '));
  }));

const noPeer = hasPrometheus ? false : 'prometheus is not installed';
const WINDOW_CONFIG = 'storage:\n  tsdb:\n    out_of_order_time_window: 10m\n';
const peerSteps = async (api: (query: string) => Promise<unknown>, name: string): Promise<number[]> => {
  const answer = (await api(`${name}[20m]`)) as { result: { values: [number, string][] }[] };
  return answer.result.flatMap(({ values }) => values.map(([, value]) => Number(value)));
};

test('Prometheus finds what came out of order to us', { skip: noPeer }, () =>
  withServerFolder(async (folder) => {
    const data = join(folder, 'data');
    mkdirSync(data);
    const { head, writer, close } = openLogged(data);
    const late = range(0, 200).map((i) => 500 + ((i * 7) % 400));
    for (const name of ['a', 'b']) appendSamples(head, head.series(['__name__', name]), samplesAt([1000]));
    for (let i = 0; i < late.length; i += 10) {
      appendSamples(head, head.series(['__name__', 'a']), samplesAt(late.slice(i, i + 10)));
      if (i % 60 === 50) head.flushChunks(writer, 100);
    }
    appendSamples(head, head.series(['__name__', 'b']), samplesAt([700, 600]));
    close();
    const found: boolean[] = [];
    scanHeadChunks(data, ({ isOutOfOrder }) => void found.push(isOutOfOrder));
    assert.ok(found.length > 3 && found.every(Boolean));
    const server = await (await startPrometheus({ folder, config: WINDOW_CONFIG })).untilReady();
    const api = async (query: string): Promise<unknown> => (await server.api('query', { query, time: String(at(1000) / 1000) })).data;
    assert.deepEqual(await peerSteps(api, 'a'), [...late.sort((x, y) => x - y), 1000]);
    assert.deepEqual(await peerSteps(api, 'b'), [600, 700, 1000]);
    await server.stop();
    // And back: what the peer leaves is read here.
    const again = openLogged(data);
    assert.deepEqual(await read(again.querier), { a: steps(...late, 1000), b: steps(600, 700, 1000) });
    again.close();
  }));
