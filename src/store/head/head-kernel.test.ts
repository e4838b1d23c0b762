import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HEAD_KERNELS, seededRandom } from '../../../test/kernels.ts';
import { NO_SAMPLES } from './_head-fixtures.ts';
import { Head } from './head.ts';
import { STALE_HIGH, STALE_LOW } from '../../core/model/samples.ts';
import { META, RECORD, ROOT } from '../../core/kernels/head-layout.ts';
import { entryAddress, HEAD_ROOT } from './head-memory.ts';
import type { HeadKernel } from '../../core/kernels/head-kernel.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';

interface Bench {
  head: Head;
  kernel: HeadKernel;
  memory: LinearMemory;
}

function open(make: (memory: LinearMemory) => HeadKernel): Bench {
  const memory = Head.createMemory(2048);
  const kernel = make(memory);
  return { head: new Head({ memory, kernel, log: { log: () => {} } }), kernel, memory };
}

/** Shapes that reach every branch of the encoding. */
function sequences(seed: number): { name: string; times: number[]; values: number[] }[] {
  const random = seededRandom(seed);
  const steps = (n: number, next: (t: number) => number): number[] => {
    const times = [1_700_000_000_000];
    while (times.length < n) times.push(times[times.length - 1]! + next(times[times.length - 1]!));
    return times;
  };
  const regular = steps(120, () => 15_000);
  const jitter = steps(120, () => 15_000 + Math.floor(random() * 21) - 10);
  const wild = steps(100, () => Math.floor(1 + random() * 2 ** Math.floor(random() * 22)));
  const far = [-5_000_000_000_000, 0, 1, 9_000_000_000_000, 9_000_000_000_001];
  const floats = new Float64Array(1);
  const words = new Uint32Array(floats.buffer);
  const anyFloat = (): number => {
    words[0] = random() * 4294967296;
    words[1] = random() * 4294967296;
    return Number.isNaN(floats[0]!) ? 0 : floats[0]!;
  };
  return [
    { name: 'constant', times: regular, values: regular.map(() => 42) },
    { name: 'counter', times: regular, values: regular.map((_, i) => i * 7) },
    { name: 'jittered counter', times: jitter, values: jitter.map((_, i) => i * i) },
    { name: 'decimals', times: regular, values: regular.map(() => Math.round(random() * 10_000) / 100) },
    { name: 'any bits', times: wild, values: wild.map(anyFloat) },
    { name: 'extremes', times: far, values: [0, -0, Number.POSITIVE_INFINITY, Number.MIN_VALUE, -Number.MAX_VALUE] },
  ];
}

function appendAll(bench: Bench, ref: number, times: readonly number[], values: readonly number[]): void {
  bench.head.appendReplayed({
    refs: new Uint32Array(times.length).fill(ref),
    times: Float64Array.from(times),
    values: Float64Array.from(values),
    count: times.length,
  });
}

function chunkBytes(bench: Bench, ref: number): Uint8Array {
  const record = entryAddress(bench.memory, ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES);
  const { u32, u8 } = bench.memory;
  let bits = u8[record + RECORD.BIT]! | (u8[record + RECORD.BIT + 1]! << 8);
  const last = u32[(record + RECORD.LAST_BLOCK) >>> 2]!;
  const first = u32[last >>> 2]!;
  for (let at = first; at !== last; at = u32[at >>> 2]!) bits += 448;
  const out = bench.memory.allocate(4096);
  const count = u8[record + RECORD.COUNT]!;
  const length = bench.kernel.copyChunk(first, bits, count, out, 4096);
  return bench.memory.u8.slice(out, out + length);
}

function read(bench: Bench, ref: number, startMs: number, endMs: number): { times: number[]; bits: number[] } | number {
  const at = bench.memory.allocate(64 + 65_536) + 64;
  const times = bench.memory.allocate(8192 * 8);
  const values = bench.memory.allocate(8192 * 8);
  const n = bench.kernel.readSeries(HEAD_ROOT, ref, startMs, endMs, at, 65_536, times, values, 8192);
  if (n < 0) return n;
  return {
    times: Array.from(bench.memory.f64.subarray(times >>> 3, (times >>> 3) + n)),
    bits: Array.from(bench.memory.u32.subarray(values >>> 2, (values >>> 2) + 2 * n)),
  };
}

const bitsOf = (values: readonly number[]): number[] => Array.from(new Uint32Array(Float64Array.from(values).buffer));

for (const [kernelName, make] of HEAD_KERNELS) {
  for (const { name, times, values } of sequences(7)) {
    test(`${kernelName}: ${name} reads back bit for bit`, () => {
      const bench = open(make);
      const ref = bench.head.series(['__name__', name]);
      appendAll(bench, ref, times, values);
      assert.deepEqual(read(bench, ref, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY), { times, bits: bitsOf(values) });
      const from = times[2]!;
      const to = times[times.length - 2]!;
      const inside = times.flatMap((t, i) => (t >= from && t <= to ? [i] : []));
      assert.deepEqual(read(bench, ref, from, to), { times: inside.map((i) => times[i]), bits: bitsOf(inside.map((i) => values[i]!)) });
    });
  }

  test(`${kernelName}: a stale marker keeps its bits`, () => {
    const bench = open(make);
    const ref = bench.head.series(['__name__', 'x']);
    const values = new Float64Array(2);
    new Uint32Array(values.buffer).set([STALE_LOW, STALE_HIGH], 2);
    bench.head.append({ refs: Uint32Array.of(ref, ref), times: Float64Array.of(1000, 2000), values, count: 2 });
    bench.head.commit();
    assert.deepEqual(read(bench, ref, 0, 3000), { times: [1000, 2000], bits: [0, 0, STALE_LOW, STALE_HIGH] });
  });

  test(`${kernelName}: samples that can't be taken are told apart`, () => {
    const bench = open(make);
    const ref = bench.head.series(['__name__', 'x']);
    const hour = 3_600_000;
    const append = (times: number[], values: number[]): unknown =>
      bench.head.append({ refs: new Uint32Array(times.length).fill(ref), times: Float64Array.from(times), values: Float64Array.from(values), count: times.length });
    assert.deepEqual(append([10 * hour], [1]), { ...NO_SAMPLES, appended: 1 });
    assert.deepEqual(append([10 * hour, 10 * hour, 10 * hour - 1, 8 * hour], [1, 2, 3, 4]), {
      ...NO_SAMPLES,
      identical: 1,
      duplicate: 1,
      outOfOrder: 1,
      outOfBounds: 1,
    });
  });

  test(`${kernelName}: chunks close at 120 samples and at the range's end, and flushed ones leave memory`, () => {
    const bench = open(make);
    const ref = bench.head.series(['__name__', 'x']);
    const start = 1_699_999_200_000; // Begins a two-hour range.
    const times = Array.from({ length: 500 }, (_, i) => start + i * 15_000);
    appendAll(bench, ref, times, times.map((_, i) => i));
    assert.equal(bench.head.pendingChunks, 4);
    const flushed: { min: number; max: number; bytes: Uint8Array }[] = [];
    const sink = {
      write: (chunk: { minTimeMs: number; maxTimeMs: number; bytes: Uint8Array }) => {
        flushed.push({ min: chunk.minTimeMs, max: chunk.maxTimeMs, bytes: chunk.bytes.slice() });
        return { file: 1, offset: flushed.length };
      },
      flush: () => {},
    };
    assert.equal(bench.head.flushChunks(sink, 3), 3);
    assert.equal(bench.head.flushChunks(sink, 3), 1);
    assert.deepEqual(flushed.map(({ min, max }) => [(min - start) / 15_000, (max - start) / 15_000]), [[0, 119], [120, 239], [240, 359], [360, 479]]);
    assert.equal(read(bench, ref, start, start + 1e9), -2, 'older chunks are in files now');
    assert.deepEqual(read(bench, ref, start + 480 * 15_000, start + 1e9), {
      times: times.slice(480),
      bits: bitsOf(times.slice(480).map((_, i) => 480 + i)),
    });
    const place = bench.memory.allocate(4096);
    bench.memory.u8.set(flushed[1]!.bytes, place);
    const out = bench.memory.allocate(4096);
    assert.equal(bench.kernel.decodeXor(place, flushed[1]!.bytes.length, 0, 1e15, out, out + 2048), 120);
    assert.equal(bench.memory.f64[out >>> 3], start + 120 * 15_000);
  });

  test(`${kernelName}: no cut or flipped chunk is read outside its bytes`, () => {
    const bench = open(make);
    const ref = bench.head.series(['__name__', 'x']);
    const [, , , , any] = sequences(11);
    appendAll(bench, ref, any!.times, any!.values);
    const bytes = chunkBytes(bench, ref);
    const at = bench.memory.allocate(bytes.length + 64);
    const out = bench.memory.allocate(65_536 * 16);
    const random = seededRandom(3);
    for (let length = 0; length < bytes.length; length++) {
      bench.memory.u8.fill(0xff, at, at + bytes.length + 64);
      bench.memory.u8.set(bytes.subarray(0, length), at);
      assert.equal(bench.kernel.decodeXor(at, length, 0, 1e15, out, out + 65_536 * 8), -1, `cut to ${length}`);
    }
    for (let i = 0; i < 500; i++) {
      bench.memory.u8.set(bytes, at);
      bench.memory.u8[at + Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
      const n = bench.kernel.decodeXor(at, bytes.length, -1e300, 1e300, out, out + 65_536 * 8);
      assert.ok(n >= -1 && n <= 65_535);
    }
  });
}

test('both kernels write the same bytes: chunks and WAL records', () => {
  for (const { name, times, values } of sequences(23)) {
    const results = HEAD_KERNELS.map(([, make]) => {
      const memory = Head.createMemory(2048);
      const kernel = make(memory);
      const records: Uint8Array[] = [];
      const head = new Head({ memory, kernel, log: { log: (_, samples) => records.push(...samples.map((record) => record.slice())) } });
      const bench = { head, kernel, memory };
      head.series(['__name__', 'other']);
      const ref = head.series(['__name__', name]);
      head.append({ refs: new Uint32Array(times.length).fill(ref), times: Float64Array.from(times), values: Float64Array.from(values), count: times.length });
      head.commit();
      return { chunk: chunkBytes(bench, ref), records };
    });
    assert.deepEqual(results[0]!.chunk, results[1]!.chunk, name);
    assert.deepEqual(results[0]!.records, results[1]!.records, name);
    assert.ok(results[0]!.records.length > 0);
  }
});

test('the layout of closed chunks keeps floats aligned', () => {
  assert.equal(META.BYTES % 8, 0);
});
