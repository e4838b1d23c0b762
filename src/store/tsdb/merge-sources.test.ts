import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../test/kernels.ts';
import { CorruptError } from '../../core/base/errors.ts';
import { decodeXor } from '../../core/chunk/xor.ts';
import { SampleBuffer } from '../../core/model/samples.ts';
import type { ChunkSource } from '../../core/storage/chunk-source.ts';
import { FLOAT_CHUNK_SAMPLES } from '../../core/storage/chunk-cutter.ts';
import { mergeSources } from './merge-sources.ts';
import { chunkOf, sourceOf, textOf } from './_source-notation.ts';

const named = (sources: readonly ChunkSource[]): Parameters<typeof mergeSources>[0] => sources.map((source, i) => ({ name: `source ${i}`, source }));
/** The n-th source has the value n. */
const merged = (texts: readonly string[]): string => textOf(mergeSources(named(texts.map((text, i) => sourceOf(text, i)))));

// What it shows, the sources, what comes out.
const cases = [
  ['nothing gives nothing', [], ''],
  ['one source goes through', ['a: 0 10, 20; b: 5'], 'a: 0=0 10=0, 20=0; b: 5=0'],
  ['series in order of labels', ['a: 0; c: 0', 'b: 0; d: 0'], 'a: 0=0; b: 0=1; c: 0=0; d: 0=1'],
  ['chunks that do not overlap stay as they are', ['a: 0 10, 20 30', 'a: 40 50'], 'a: 0=0 10=0, 20=0 30=0, 40=1 50=1'],
  ['in order of time, not of sources', ['a: 40 50', 'a: 0 10, 20 30'], 'a: 0=1 10=1, 20=1 30=1, 40=0 50=0'],
  ['chunks may take turns', ['a: 0 10, 40 50', 'a: 20 30, 60'], 'a: 0=0 10=0, 20=1 30=1, 40=0 50=0, 60=1'],
  ['overlapping chunks become one', ['a: 0 20', 'a: 10 30'], 'a: 0=0 10=1 20=0 30=1'],
  ['the first source wins', ['a: 0 20', 'a: 0 10 20 30'], 'a: 0=0 10=1 20=0 30=1'],
  ['also if it begins later', ['a: 20 30', 'a: 0 10 20 30'], 'a: 0=1 10=1 20=0 30=0'],
  ['one common time is an overlap', ['a: 0 10', 'a: 10 20'], 'a: 0=0 10=0 20=1'],
  ['neighbours of an overlap stay as they are', ['a: 0 5, 10 20, 40 50', 'a: 15 25, 60'], 'a: 0=0 5=0, 10=0 15=1 20=0 25=1, 40=0 50=0, 60=1'],
  ['a chain of overlaps is one', ['a: 0 10, 20 30', 'a: 5 25'], 'a: 0=0 5=1 10=0 20=0 25=1 30=0'],
  ['a chunk that lies in a gap of another', ['a: 0 100', 'a: 10 20, 30 40'], 'a: 0=0 10=1 20=1 30=1 40=1 100=0'],
  ['equal chunks stay as they are', ['a: 0=5 10=6, 20=7', 'a: 0=5 10=6, 20=7', 'a: 0=5 10=6'], 'a: 0=5 10=6, 20=7'],
  ['equal times and other values do not', ['a: 0=5 10=6', 'a: 0=5 10=7'], 'a: 0=5 10=6'],
  ['three sources', ['a: 0 30', 'a: 10 40', 'a: 0 20 30 40 50'], 'a: 0=0 10=1 20=2 30=0 40=1 50=2'],
  ['chunks of one source that overlap', ['a: 0 20, 10 30, 25 26'], 'a: 0=0 10=0 20=0 25=0 26=0 30=0'],
  ['of which the first wins', ['a: 0=1 20=1, 0=2 10=2'], 'a: 0=1 10=2 20=1'],
  ['stale markers are samples', ['a: 0 20=stale', 'a: 10=stale 20 30'], 'a: 0=0 10=stale 20=stale 30=1'],
  ['histograms that do not overlap', ['a: 0=h1 10=h2, 20=h1', 'a: 12=h5'], 'a: 0=h1 10=h2, 12=h5, 20=h1'],
  ['histograms that overlap', ['a: 0=h1 20=h3', 'a: 10=h2 20=h4 30=h4'], 'a: 0=h1 10=h2 20=h3 30=h4'],
  ['histograms that are reset begin a chunk', ['a: 0=h5 20=h6', 'a: 10=h1 30=h2'], 'a: 0=h5, 10=h1 20=h6, 30=h2'],
  ['integers and floats go into one chunk of floats', ['a: 0=h1 20=h3', 'a: 10=h2.5'], 'a: 0=h1 10=h2.5 20=h3'],
  ['floats between histograms begin chunks', ['a: 0=h1 20=h2', 'a: 10=7 15=8'], 'a: 0=h1, 10=7 15=8, 20=h2'],
  ['a stale marker stays with the histograms', ['a: 0=h1 20=stale', 'a: 10=h2 30=h3'], 'a: 0=h1 10=h2 20=stale, 30=h3'],
  ['one before them is a float', ['a: 0=stale 20=stale', 'a: 10=h2'], 'a: 0=stale, 10=h2 20=stale'],
  ['three sources of both', ['a: 0=h1 30=h4', 'a: 10=7 40=8', 'a: 0=9, 20=h2 50=h9'], 'a: 0=h1, 10=7, 20=h2 30=h4, 40=8, 50=h9'],
  ['times before the epoch', ['a: -20 0', 'a: -10 10'], 'a: -20=0 -10=1 0=0 10=1'],
] as const;
for (const [claim, sources, want] of cases) {
  test(claim, () => {
    assert.equal(merged(sources), want);
  });
}

test('symbols of all sources, each once', () => {
  const source = mergeSources(named([sourceOf('a: 0; c: 0'), sourceOf('b: 0; c: 0'), sourceOf('a: 0')]));
  assert.deepEqual([...source.symbols()], ['a', 'b', 'c', 'n']);
});

const faults: readonly (readonly [string, ChunkSource, RegExp])[] = [
  ['series out of order', sourceOf('b: 0; a: 0'), /source 1: .* the series \{n="a"\} stands behind the series \{n="b"\}/],
  ['a series twice', sourceOf('a: 0; a: 10'), /the series \{n="a"\} stands behind/],
  ['symbols out of order', { ...sourceOf('a: 0'), symbols: () => ['n', 'a'] }, /the symbol "a" stands behind the symbol "n"/],
  ['chunks out of order', sourceOf('a: 20, 10'), /the chunk of \{n="a"\} from 10 to 10: one that begins at 20 stands before it/],
  ['a chunk that overlaps and is damaged', damaged((bytes) => bytes.subarray(0, 10)), /the chunk of \{n="a"\} from 0 to 20: a chunk is damaged/],
  ['a chunk that overlaps and has other times', damaged(() => chunkOf('0 10').bytes), /its samples are of other times than the index says/],
  ['a chunk that overlaps and is empty', damaged(() => new Uint8Array(2)), /its samples are of other times/],
];
for (const [claim, source, message] of faults) {
  test(`${claim}: an error that names the source`, () => {
    const all = mergeSources(named([sourceOf('a: 10; c: 0'), source]));
    assert.throws(() => [textOf(all), [...all.symbols()]], (error: unknown) => error instanceof CorruptError && error.file === 'source 1' && message.test(error.message));
  });
}

function damaged(damage: (bytes: Uint8Array) => Uint8Array): ChunkSource {
  const chunk = chunkOf('0 20');
  return { symbols: () => [], series: () => [{ labels: ['n', 'a'], chunks: [{ ...chunk, bytes: damage(chunk.bytes) }] }] };
}

test('what overlaps comes out in chunks of the usual size', () => {
  const even = Array.from({ length: 500 }, (_, i) => i * 20).join(' ');
  const odd = Array.from({ length: 500 }, (_, i) => i * 20 + 10).join(' ');
  const [series] = mergeSources(named([sourceOf(`a: ${even}`, 0), sourceOf(`a: ${odd}`, 1)])).series();
  const samples = new SampleBuffer();
  const counts = Array.from(series!.chunks, ({ bytes }) => decodeXor(bytes, 0, bytes.length, samples));
  assert.deepEqual(counts, [...Array.from({ length: 8 }, () => FLOAT_CHUNK_SAMPLES), 40]);
  for (let i = 0; i < samples.length; i++) assert.deepEqual([samples.times[i], samples.values[i]], [i * 10, i % 2]);
});

test('a series of which not all chunks are read does not disturb the next one', () => {
  const source = mergeSources(named([sourceOf('a: 0 20, 30; b: 0 20', 0), sourceOf('a: 10 25; b: 10', 1)]));
  const texts: string[] = [];
  for (const { labels, chunks } of source.series()) {
    if (labels[1] === 'a') for (const _ of chunks) break;
    else texts.push(textOf({ symbols: () => [], series: () => [{ labels, chunks }] }));
  }
  assert.deepEqual(texts, ['b: 0=0 10=1 20=0']);
});

test('random overlaps equal a plain map of samples', () => {
  const seed = Number(process.env['SEED'] ?? 4711);
  const random = seededRandom(seed);
  for (let round = 0; round < 300; round++) {
    const sourceCount = 1 + Math.floor(random() * 4);
    const want = new Map<number, number>();
    const sources: ChunkSource[] = [];
    for (let number = 0; number < sourceCount; number++) {
      const chunks: string[] = [];
      for (let time = Math.floor(random() * 100); time < 2000; time += Math.floor(random() * 200)) {
        const samples: string[] = [];
        const count = 1 + Math.floor(random() * 30);
        for (let i = 0; i < count; i++, time += 1 + Math.floor(random() * 15)) samples.push(`${time}=${number}`);
        chunks.push(samples.join(' '));
        for (const sample of samples) {
          const at = Number(sample.split('=')[0]);
          if (!want.has(at)) want.set(at, number);
        }
      }
      sources.push(sourceOf(`a: ${chunks.join(',')}`));
    }
    const got = textOf(mergeSources(named(sources))).slice(3).split(/,? /);
    const expected = [...want].sort(([a], [b]) => a - b).map(([time, value]) => `${time}=${value}`);
    assert.deepEqual(got, expected, `seed ${seed}, round ${round}`);
  }
});
