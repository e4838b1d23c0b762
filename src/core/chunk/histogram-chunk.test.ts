import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../test/kernels.ts';
import { CUSTOM_SCHEMA, type FloatHistogram } from '../model/histogram.ts';
import { MixedSamples } from '../model/mixed-samples.ts';
import { decodeChunk, ENCODING } from './chunk.ts';
import { ChunkError } from './chunk-error.ts';
import { decodeHistograms, HistogramRun } from './histogram-chunk.ts';
import { MAX_BUCKETS } from './histogram-layout.ts';

const SEED = Number(process.env['SEED'] ?? 4711);

const histogram = (fields: Partial<FloatHistogram> = {}): FloatHistogram => ({
  schema: 0,
  zeroThreshold: 2 ** -128,
  zeroCount: 1,
  count: 10,
  sum: 12.5,
  positive: { indexes: [0, 1, 4], counts: [2, 3, 1] },
  negative: { indexes: [-2], counts: [3] },
  customBounds: [],
  resetHint: 'not-reset',
  ...fields,
});

function samplesOf(histograms: readonly FloatHistogram[], firstMs = 1_700_000_000_000): MixedSamples {
  const samples = new MixedSamples();
  for (const [i, each] of histograms.entries()) samples.pushHistogram(firstMs + i * 15_000 + (i % 3), each);
  return samples;
}

/** How many of the samples go into the first chunk, and the chunk. */
function firstChunk(samples: MixedSamples): { count: number } & ReturnType<HistogramRun['encode']> {
  const run = new HistogramRun();
  let count = 0;
  while (count < samples.length && run.add(samples, count)) count++;
  return { count, ...run.encode() };
}

/** Buckets without counts do not matter. */
function plain(each: FloatHistogram | undefined): unknown {
  if (each === undefined) return each;
  const filled = ({ indexes, counts }: FloatHistogram['positive']): (readonly [number, number])[] => indexes.map((index, i) => [index, counts[i]!] as const).filter(([, count]) => count !== 0);
  const { resetHint: _, ...rest } = each;
  return { ...rest, positive: filled(each.positive), negative: filled(each.negative) };
}

function roundTrip(samples: MixedSamples): MixedSamples {
  const { kind, bytes, count } = firstChunk(samples);
  assert.equal(count, samples.length, 'all go into one chunk');
  const framed = Uint8Array.of(9, 9, ...bytes, 9);
  const out = new MixedSamples();
  assert.equal(decodeChunk(kind === 'integer' ? ENCODING.HISTOGRAM : ENCODING.FLOAT_HISTOGRAM, framed, 2, framed.length - 1, out), samples.length);
  assert.deepEqual([...out.times.subarray(0, out.length)], [...samples.times.subarray(0, samples.length)]);
  for (let i = 0; i < samples.length; i++) assert.deepEqual(plain(out.histogramAt(i)), plain(samples.histogramAt(i)), `sample ${i}`);
  return out;
}

test('histograms come back, of whole numbers and of others', () => {
  const growing = Array.from({ length: 40 }, (_, i) => histogram({ count: 10 + i, sum: i * 1.5, positive: { indexes: [0, 1, 4], counts: [2 + i, 3, 1] } }));
  const out = roundTrip(samplesOf(growing));
  assert.equal(out.histogramAt(0)!.resetHint, 'unknown');
  assert.equal(out.histogramAt(1)!.resetHint, 'not-reset');
  roundTrip(samplesOf(growing.map((each) => ({ ...each, count: each.count + 0.5 }))));
});

test('stale markers follow histograms, and nothing else follows them', () => {
  for (const count of [10, 10.5]) {
    const samples = samplesOf([histogram({ count }), histogram({ count })]);
    samples.pushStale(1_700_000_100_000);
    samples.pushStale(1_700_000_200_000);
    samples.pushHistogram(1_700_000_300_000, histogram({ count }));
    const chunk = firstChunk(samples);
    assert.deepEqual([chunk.count, chunk.minTimeMs, chunk.maxTimeMs], [4, 1_700_000_000_000, 1_700_000_200_000]);
    const out = new MixedSamples();
    decodeHistograms(chunk.kind, chunk.bytes, 0, chunk.bytes.length, out);
    assert.deepEqual([0, 1, 2, 3].map((i) => [out.isStale(i), out.histogramAt(i) !== undefined]), [[false, true], [false, true], [true, false], [true, false]]);
  }
});

test('gauges may shrink and stay gauges', () => {
  const out = roundTrip(samplesOf([3, 7, 1].map((count) => histogram({ count, resetHint: 'gauge' }))));
  assert.deepEqual(out.histograms.map((each) => each?.resetHint), ['gauge', 'gauge', 'gauge']);
});

const thresholds = [0, 2 ** -243, 2 ** -128, 0.5, 1, 2 ** 10, 2 ** 11, 0.001, 3];
for (const zeroThreshold of thresholds) test(`a zero threshold of ${zeroThreshold}`, () => void roundTrip(samplesOf([histogram({ zeroThreshold })])));

test('custom bounds, short and long', () => {
  const customBounds = [-1, 0, 0.005, 0.25, 1, 33554.43, 33554.431, 1e9];
  roundTrip(samplesOf([histogram({ schema: CUSTOM_SCHEMA, zeroThreshold: 0, zeroCount: 0, negative: { indexes: [], counts: [] }, customBounds, positive: { indexes: [1, 8], counts: [4, 1] } })]));
});

test(`random histograms come back (seed ${SEED})`, () => {
  const random = seededRandom(SEED);
  for (let round = 0; round < 200; round++) {
    const whole = random() < 0.5;
    const step = (): number => (whole ? Math.floor(random() ** 8 * 1e9) : random() * 10 ** Math.floor(random() * 12));
    const schema = Math.floor(random() * 13) - 4;
    let indexes = Array.from({ length: Math.floor(random() * 30) }, () => Math.floor(random() * 200) - 100);
    indexes = [...new Set(indexes)].sort((a, b) => a - b);
    const counts = indexes.map(() => 0);
    let count = 0;
    const histograms = Array.from({ length: 1 + Math.floor(random() * 10) }, () => {
      for (const i of indexes.keys()) if (random() < 0.3) counts[i]! += step();
      count += step();
      return histogram({ schema, count, sum: (random() - 0.5) * 10 ** Math.floor(random() * 20), positive: { indexes, counts: [...counts] }, negative: { indexes: [], counts: [] } });
    });
    roundTrip(samplesOf(histograms));
  }
});

// Where a run ends: what differs in the second histogram, and how many go into the first chunk.
const ends: [string, Partial<FloatHistogram>, number][] = [
  ['nothing differs', {}, 2],
  ['it grows', { count: 12, positive: { indexes: [0, 1, 4, 9], counts: [2, 4, 1, 1] } }, 2],
  ['the count shrinks', { count: 9 }, 1],
  ['a bucket shrinks', { positive: { indexes: [0, 1, 4], counts: [2, 2, 2] } }, 1],
  ['a bucket with counts is gone', { positive: { indexes: [0, 1], counts: [3, 3] } }, 1],
  ['another schema', { schema: 1 }, 1],
  ['another zero threshold', { zeroThreshold: 1 }, 1],
  ['a reset is known', { resetHint: 'reset' }, 1],
  ['a gauge after a counter', { resetHint: 'gauge' }, 1],
];
for (const [claim, change, want] of ends) test(`a chunk ends: ${claim}`, () => assert.equal(firstChunk(samplesOf([histogram(), histogram(change)])).count, want));

test('a chunk has its bounds', () => {
  const wide = histogram({ positive: { indexes: Array.from({ length: 160 }, (_, i) => i), counts: Array.from({ length: 160 }, () => 1) } });
  assert.equal(firstChunk(samplesOf(Array.from({ length: 200 }, () => wide))).count, 10);
  assert.equal(firstChunk(samplesOf(Array.from({ length: 200 }, () => histogram()))).count, 120);
});

test('damaged chunks are refused and leave nothing behind', () => {
  const random = seededRandom(SEED);
  const samples = samplesOf(Array.from({ length: 20 }, (_, i) => histogram({ count: 10 + i * 7, sum: i / 3 })));
  const { bytes } = firstChunk(samples);
  const out = new MixedSamples();
  out.push(1, 1);
  for (let cut = 0; cut < bytes.length; cut++) {
    // An empty chunk has no samples and no fault.
    assert.throws(() => decodeHistograms('integer', bytes, 0, cut, out), ChunkError);
    assert.equal(out.length, 1);
  }
  for (let round = 0; round < 3000; round++) {
    const damaged = bytes.slice();
    for (let flips = 1 + Math.floor(random() * 4); flips > 0; flips--) damaged[Math.floor(random() * damaged.length)]! ^= 1 << Math.floor(random() * 8);
    for (const kind of ['integer', 'float'] as const) {
      try {
        decodeHistograms(kind, damaged, 0, damaged.length, out);
      } catch (error) {
        assert.ok(error instanceof ChunkError, String(error));
      }
      out.truncate(1);
    }
  }
});

test('a layout can not name more buckets than there may be', () => {
  const indexes = Array.from({ length: MAX_BUCKETS + 1 }, (_, i) => i);
  const { bytes } = firstChunk(samplesOf([histogram({ positive: { indexes, counts: indexes.map(() => 1) } })]));
  assert.throws(() => decodeHistograms('integer', bytes, 0, bytes.length, new MixedSamples()), /more than 65536 buckets/);
});
