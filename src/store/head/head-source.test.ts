import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HEAD_KERNELS, seededRandom } from '../../../test/kernels.ts';
import { CorruptError } from '../../core/base/errors.ts';
import { compareLabels, compareStrings, formatLabels, labelsFromObject, type Labels } from '../../core/model/labels.ts';
import { appendSamples, readSource, withHead, type TestHead } from './_head-fixtures.ts';
import { headSource } from './head-source.ts';
import { ChunkFileGoneError } from './series-chunks.ts';

const SEED = 20261202;
const START_MS = 1_699_999_200_000; // Begins a two-hour range.
const STEP_MS = 15_000;

type Model = Map<string, { labels: Labels; samples: [number, number][] }>;

/** Series of odd label sets with up to 600 samples each; some of their chunks are in files. */
function fill({ head, writer }: TestHead, random: () => number): Model {
  const model: Model = new Map();
  for (let i = 0; i < 60; i++) {
    const labels = labelsFromObject({
      __name__: `m${i % 7}`,
      job: ['api', 'db', 'ünï😀', '\uffff'][i % 4]!,
      ...(i % 3 === 0 ? { pod: 'pod-'.repeat(1 + (i % 5)) + i } : {}),
      ...(i % 5 === 0 ? { Zone: String(i) } : {}),
      id: String(i),
    });
    const samples: [number, number][] = [];
    let timeMs = START_MS + Math.floor(random() * 100) * STEP_MS;
    for (let left = Math.floor(random() * 600); left > 0; left--) {
      samples.push([timeMs, Math.floor(random() * 1e6) / 8]);
      timeMs += STEP_MS + Math.floor(random() * 3);
    }
    const ref = head.series(labels);
    head.appendReplayed({
      refs: new Uint32Array(samples.length).fill(ref),
      times: Float64Array.from(samples, ([time]) => time),
      values: Float64Array.from(samples, ([, value]) => value),
      count: samples.length,
    });
    model.set(formatLabels(labels), { labels, samples });
    if (i % 10 === 0) head.flushChunks(writer, 1000);
  }
  return model;
}

function wanted(model: Model, from: number, to: number): { symbols: string[]; series: [string, [number, number][]][] } {
  const inside = [...model.values()]
    .map(({ labels, samples }) => ({ labels, samples: samples.filter(([time]) => time >= from && time < to) }))
    .filter(({ samples }) => samples.length > 0)
    .sort((a, b) => compareLabels(a.labels, b.labels));
  const symbols = [...new Set(inside.flatMap(({ labels }) => labels))].sort(compareStrings);
  return { symbols, series: inside.map(({ labels, samples }) => [formatLabels(labels), samples]) };
}

for (const [name, makeKernel] of HEAD_KERNELS) {
  test(`${name}: ranges of a head come sorted and whole (seed ${SEED})`, () =>
    withHead((under) => {
      const random = seededRandom(SEED);
      const model = fill(under, random);
      const ranges = [[START_MS, START_MS + 7_200_000], [START_MS + 7_200_000, START_MS + 14_400_000], [0, 1e15], [START_MS - 10, START_MS - 5]];
      for (let i = 0; i < 20; i++) {
        const from = START_MS + Math.floor(random() * 600) * STEP_MS;
        ranges.push([from, from + Math.floor(random() * 300 * STEP_MS)]);
      }
      for (const [from, to] of ranges) {
        const got = readSource(headSource(under.view, { minTimeMs: from!, maxTimeMs: to! }));
        const want = wanted(model, from!, to!);
        assert.deepEqual(got.series, want.series, `${from} to ${to}`);
        // A series around the range counts until its chunks are looked at.
        assert.deepEqual(got.symbols, [...got.symbols].sort(compareStrings));
        const symbols = new Set(got.symbols);
        assert.equal(symbols.size, got.symbols.length);
        assert.ok(want.symbols.every((each) => symbols.has(each)));
      }
    }, makeKernel));
}

test('chunks that lie inside come as they are, those over an end encoded anew', () =>
  withHead(({ head, view, writer }) => {
    const samples = Array.from({ length: 600 }, (_, i): [number, number] => [START_MS + i * STEP_MS, i]);
    appendSamples(head, head.series(['a', 'b']), samples);
    head.flushChunks(writer, 2);
    const times = (from: number, to: number): [number, number][] =>
      [...headSource(view, { minTimeMs: from, maxTimeMs: to }).series()].flatMap(({ chunks }) =>
        Array.from(chunks, ({ minTimeMs, maxTimeMs }): [number, number] => [(minTimeMs - START_MS) / STEP_MS, (maxTimeMs - START_MS) / STEP_MS]),
      );
    assert.deepEqual(times(START_MS, START_MS + 480 * STEP_MS), [[0, 119], [120, 239], [240, 359], [360, 479]]);
    assert.deepEqual(times(START_MS + STEP_MS, START_MS + 130 * STEP_MS), [[1, 119], [120, 129]]);
    assert.deepEqual(times(START_MS + 599 * STEP_MS, START_MS + 600 * STEP_MS), [[599, 599]]);
    assert.deepEqual(times(START_MS + 600 * STEP_MS, START_MS + 700 * STEP_MS), []);
  }));

test('more chunks than the staging area holds come in halves, each once', () =>
  withHead(({ head, view }) => {
    const random = seededRandom(SEED);
    const values = new Float64Array(1);
    const bits = new Uint32Array(values.buffer);
    const samples = Array.from({ length: 90_000 }, (_, i): [number, number] => {
      bits[0] = Math.floor(random() * 2 ** 32);
      bits[1] = Math.floor(random() * 0x7ff) * 2 ** 20;
      return [START_MS + i * 1000 + Math.floor(random() * 900), values[0]!];
    });
    const ref = head.series(['a', 'b']);
    head.appendReplayed({
      refs: new Uint32Array(samples.length).fill(ref),
      times: Float64Array.from(samples, ([time]) => time),
      values: Float64Array.from(samples, ([, value]) => value),
      count: samples.length,
    });
    for (const [from, to] of [[0, 1e15], [START_MS + 50_000, START_MS + 80_000_000]]) {
      const { series } = readSource(headSource(view, { minTimeMs: from!, maxTimeMs: to! }));
      assert.deepEqual(series, [['{a="b"}', samples.filter(([time]) => time >= from! && time < to!)]]);
    }
  }));

test('a file that vanished makes the source look again, and a lost one is told', () =>
  withHead(({ head, view, writer }) => {
    const samples = Array.from({ length: 500 }, (_, i): [number, number] => [START_MS + i * STEP_MS, i]);
    appendSamples(head, head.series(['a', 'b']), samples);
    head.flushChunks(writer, 100);
    let failures = 2;
    let reads = 0;
    const files = {
      read: (file: number, offset: number, out: Uint8Array, at: number, room: number) => {
        if (++reads > 2 && failures-- > 0) throw new ChunkFileGoneError('gone');
        return view.files.read(file, offset, out, at, room);
      },
      forgetBefore: () => {},
    };
    assert.deepEqual(readSource(headSource({ ...view, files }, { minTimeMs: 0, maxTimeMs: 1e15 })).series, [['{a="b"}', samples]]);
    failures = 3;
    assert.throws(() => readSource(headSource({ ...view, files }, { minTimeMs: 0, maxTimeMs: 1e15 })), ChunkFileGoneError);
  }));

test('a flipped bit in a file is a CorruptError that says where', () =>
  withHead(({ folder, head, view, writer }) => {
    appendSamples(head, head.series(['a', 'b']), Array.from({ length: 500 }, (_, i) => [START_MS + i * STEP_MS, i]));
    head.flushChunks(writer, 100);
    const path = join(folder, 'chunks_head', '000001');
    const bytes = readFileSync(path);
    bytes[60]! ^= 1;
    writeFileSync(path, bytes);
    assert.throws(() => readSource(headSource(view, { minTimeMs: 0, maxTimeMs: 1e15 })), (error: unknown) => error instanceof CorruptError && error.file === path && error.offset === 8);
  }));

test('series and samples that come while a source is read do not disturb it', () =>
  withHead(({ head, view }) => {
    const add = (i: number, from: number, count: number): void => {
      appendSamples(head, head.series(['id', String(i).padStart(4, '0')]), Array.from({ length: count }, (_, k) => [START_MS + (from + k) * STEP_MS, k]));
    };
    for (let i = 0; i < 500; i++) add(i * 2, 0, 100);
    const range = { minTimeMs: START_MS, maxTimeMs: START_MS + 100 * STEP_MS };
    const source = headSource(view, range);
    let next = 0;
    for (const { labels, chunks } of source.series()) {
      assert.deepEqual(labels, ['id', String(next * 2).padStart(4, '0')]);
      assert.deepEqual([...chunks].map(({ maxTimeMs }) => maxTimeMs), [START_MS + 99 * STEP_MS]);
      add(next * 2 + 1, 0, 3);
      add(Math.floor(next / 2) * 2, 100 + next, 1);
      next++;
    }
    assert.equal(next, 500);
  }));
