import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Labels } from '../../core/model/labels.ts';
import type { Matcher } from '../../core/model/matcher.ts';
import { SampleBuffer } from '../../core/model/samples.ts';
import type { ChunkSource, EncodedChunk } from '../../core/storage/chunk-source.ts';
import type { BinaryWriter } from '../../core/bytes/binary-writer.ts';
import { FileSource, OpenFiles } from '../index/byte-source.ts';
import { IndexWriter } from '../index/index-writer.ts';
import { SeriesEntry } from '../index/series-entry.ts';
import { chunkOf, dumpBlock, noPromtool, openBlock, promtoolDump, sourceOf, testUlid, withFolder } from './_block-fixtures.ts';
import type { Block } from './block.ts';
import { writeBlockMeta } from './block-meta.ts';
import { ChunkSegmentsWriter } from './chunk-segments.ts';
import { BlockQuerier } from './block-querier.ts';
import { blockSource } from './block-source.ts';
import { BlockWriter, writeBlock, type WriteProgress } from './block-writer.ts';
import { deleteSamples } from './delete-samples.ts';

/** `10=1 20=2, 30=3` are two chunks; `=stale` is a stale marker. */
function chunks(text: string): EncodedChunk[] {
  return text.split(',').map((chunk) => chunkOf(chunk.trim().split(/\s+/).map((sample) => sample.split('=').map(Number) as [number, number])));
}

/** One line a series: labels in any order, a colon, chunks. */
const blockText = (lines: readonly string[]): ChunkSource =>
  sourceOf(lines.map((line) => {
    const [labels, samples] = line.split(': ');
    return [labels!.split(' ').flatMap((pair) => pair.split('=')).map((word) => word.replace('name', '__name__')) as Labels, chunks(samples!)] as const;
  }));

const LINES = ['name=a pod=x: 10=1 20=2, 30=3 40=4, 50=5', 'name=a pod=y: 12=1 22=2', 'name=b zone=w: 45=7, 99=8'];
const options = (dataFolder: string) => ({ dataFolder, ulid: testUlid(1), minTimeMs: 0, maxTimeMs: 100 });

const withBlock = (body: (block: Block, folder: string) => void | Promise<void>, lines = LINES): Promise<void> =>
  withFolder(async (folder) => {
    const meta = writeBlock(blockText(lines), options(folder));
    await body(openBlock(join(folder, meta!.ulid)), folder);
  });

const sourceText = (source: ChunkSource): string[] =>
  Array.from(source.series(), ({ labels, chunks: each }) => {
    const texts: string[] = [];
    for (const { minTimeMs, maxTimeMs } of each) texts.push(`${minTimeMs}-${maxTimeMs}`);
    return `${labels.join(' ')}: ${texts.join(' ')}`;
  });

const all = { matchers: [], startMs: 0, endMs: 100 };
const matching = (name: string, op: Matcher['op'], value: string): Matcher[] => [{ name, op, value }];

test('a block says what is in it', () =>
  withBlock(({ meta, byteLength, folder }) => {
    assert.deepEqual(meta.stats, { sampleCount: 9, floatSampleCount: 9, histogramSampleCount: 0, seriesCount: 3, chunkCount: 6, tombstoneCount: 0 });
    assert.deepEqual([meta.compaction.level, meta.compaction.sources], [1, [meta.ulid]]);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => statSync(join(folder, name)));
    assert.equal(byteLength, files.filter((each) => each.isFile()).reduce((sum, { size }) => sum + size, 0));
  }));

test('a block is written in its place as a whole, over what an earlier attempt left', () =>
  withFolder((folder) => {
    mkdirSync(join(folder, `${testUlid(1)}.tmp-for-creation`));
    writeFileSync(join(folder, `${testUlid(1)}.tmp-for-creation/index`), 'half of it');
    writeBlock(blockText(LINES), options(folder));
    assert.deepEqual(readdirSync(folder), [testUlid(1)]);
    assert.deepEqual(readdirSync(join(folder, testUlid(1))).sort(), ['chunks', 'index', 'meta.json', 'tombstones']);
  }));

test('without samples there is no block', () =>
  withFolder((folder) => {
    assert.equal(writeBlock(sourceOf([[['a', 'b'], []]]), options(folder)), null);
    assert.deepEqual(readdirSync(folder), []);
  }));

test('a source that fails leaves nothing', () =>
  withFolder((folder) => {
    const source = blockText(LINES);
    const failing: ChunkSource = {
      symbols: () => source.symbols(),
      *series() {
        yield* source.series();
        throw new Error('the disk is gone');
      },
    };
    assert.throws(() => writeBlock(failing, options(folder)), /the disk is gone/);
    assert.deepEqual(readdirSync(folder), []);
  }));

test('a write can be stopped and watched', () =>
  withFolder((folder) => {
    const source = sourceOf(Array.from({ length: 2500 }, (_, i) => [['n', String(i)], chunks('1=1 2=2')] as const));
    const seen: WriteProgress[] = [];
    const watched = { ...options(folder), onProgress: (progress: WriteProgress) => void seen.push(progress) };
    assert.throws(() => writeBlock(source, { ...watched, shouldStop: () => seen.length === 1 }), { name: 'BlockWriteCanceledError' });
    assert.deepEqual(readdirSync(folder), []);
    writeBlock(source, watched);
    assert.deepEqual(seen.map(({ seriesCount, sampleCount }) => [seriesCount, sampleCount]), [[1000, 2000], [1000, 2000], [2000, 4000], [2500, 5000]]);
  }));

test('chunks outside the block are a fault of the source', () =>
  withFolder((folder) => {
    assert.throws(() => writeBlock(blockText(['name=a: 99=1 100=1']), options(folder)), { name: 'AssertionError' });
    const writer = new BlockWriter(options(folder));
    writer.addSymbols(['__name__', 'a']);
    assert.throws(() => writer.addSeries({ labels: ['__name__', 'a'], chunks: chunks('10=1 20=2, 20=3') }), /chunks of a series follow each other/);
    writer.abandon();
    assert.ok(!existsSync(join(folder, `${testUlid(1)}.tmp-for-creation`)));
  }));

test('segments end before their bound', () =>
  withFolder(async (folder) => {
    const source = sourceOf(Array.from({ length: 100 }, (_, i) => [['n', String(i)], chunks('1=1 2=2, 3=3')] as const));
    writeBlock(source, { ...options(folder), segmentBytes: 200 });
    const files = new OpenFiles();
    const sizes = readdirSync(join(folder, testUlid(1), 'chunks')).map((name) => new FileSource(files, join(folder, testUlid(1), 'chunks', name)).size);
    assert.ok(sizes.length === 20 && sizes.every((size) => size <= 200), String(sizes));
    assert.equal((await dumpBlock(openBlock(join(folder, testUlid(1))))).length, 300);
  }));

test('Prometheus lists, analyzes and dumps it', { skip: noPromtool }, () =>
  withBlock(async (block, folder) => {
    assert.deepEqual((await dumpBlock(block)).sort(), promtoolDump(folder));
    const run = (...args: string[]): string => execFileSync('promtool', ['tsdb', ...args, folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    assert.match(run('list'), /0 +100 +100ms +9 +6 +3/);
    assert.match(run('analyze'), /Series: 3\nLabel names: 3\nPostings \(unique label pairs\): 5\nPostings entries \(total label pairs\): 6/);
  }));

const ranges: [string, number, number, string][] = [
  ['everything', 0, 100, 'a/x 10 20 30 40 50; a/y 12 22; b/ 45 99'],
  ['a part of a chunk', 15, 35, 'a/x 20 30; a/y 22'],
  ['between two samples of a chunk', 13, 19, 'a/x; a/y'],
  ['between chunks', 46, 49, ''],
  ['both ends are in', 20, 45, 'a/x 20 30 40; a/y 22; b/ 45'],
  ['behind the block', 100, 200, ''],
  ['before the block', -10, -1, ''],
];
for (const [claim, startMs, endMs, want] of ranges) {
  test(`a select of ${claim}`, () =>
    withBlock(async (block) => {
      const set = await new BlockQuerier(block).select({ matchers: [], startMs, endMs });
      const lines = Array.from({ length: set.seriesCount }, (_, i) => {
        const out = new SampleBuffer();
        out.push(-1, -1);
        set.read(i, out);
        const labels = set.labels(i);
        return [`${labels[1]!}/${labels[2] === 'pod' ? labels[3]! : ''}`, ...out.times.subarray(1, out.length)].join(' ');
      });
      set.close();
      assert.equal(lines.join('; '), want);
    }));
}

/** Writes chunks that overlap, as some of Thanos' blocks have them: the time between two is then a negative number of 64 bits. */
class OverlappingEntry extends SeriesEntry {
  override encode(out: BinaryWriter): void {
    assert.equal(this.chunkCount, 2);
    out.uvarint(this.labelCount);
    for (let i = 0; i < 2 * this.labelCount; i++) out.uvarint(this.symbols[i]!);
    out.uvarint(2);
    out.varint(this.minTimes[0]!);
    out.uvarint(this.maxTimes[0]! - this.minTimes[0]!);
    out.uvarint(this.chunkRefs[0]!);
    let between = BigInt.asUintN(64, BigInt(this.minTimes[1]! - this.maxTimes[0]!));
    for (; between > 0x7fn; between >>= 7n) out.u8(Number(between & 0x7fn) | 0x80);
    out.u8(Number(between));
    out.uvarint(this.maxTimes[1]! - this.minTimes[1]!);
    out.varint(this.chunkRefs[1]! - this.chunkRefs[0]!);
  }
}

const overlaps: [string, string, number, number, string][] = [
  ['one in the other', '10=1 40=1, 20=2 30=2', 0, 100, '10=1 20=2 30=2 40=1'],
  ['of two at one time the first stays', '10=1 20=1 30=1, 20=2 30=2 40=2', 0, 100, '10=1 20=1 30=1 40=2'],
  ['in a range', '10=1 20=1 30=1, 15=2 25=2 35=2', 15, 25, '15=2 20=1 25=2'],
];
for (const [claim, text, startMs, endMs, want] of overlaps) {
  test(`chunks that overlap: ${claim}`, () =>
    withFolder(async (folder) => {
      const segments = new ChunkSegmentsWriter(join(folder, 'chunks'));
      const index = new IndexWriter(join(folder, 'index'));
      const entry = new OverlappingEntry();
      for (const { minTimeMs, maxTimeMs, encoding, bytes } of chunks(text)) entry.addChunk(minTimeMs, maxTimeMs, segments.add(encoding, bytes));
      index.addSymbols(['a', 'b']);
      index.addSeries(['a', 'b'], entry);
      segments.finish();
      index.finish();
      const stats = { sampleCount: 0, floatSampleCount: 0, histogramSampleCount: 0, seriesCount: 1, chunkCount: 2, tombstoneCount: 0 };
      const compaction = { level: 1, sources: [], parents: [], isDeletable: false, hasFailed: false, hints: [] };
      writeBlockMeta(folder, { ulid: testUlid(1), minTimeMs: 0, maxTimeMs: 100, stats, compaction, extra: {} });
      const lines = await dumpBlock(openBlock(folder), { startMs, endMs });
      assert.equal(lines.map((line) => line.replace(/^.*\} (\S+) (\S+)$/, '$2=$1')).join(' '), want);
    }));
}

test('labels of a select, and of all', () =>
  withBlock(async (block) => {
    const querier = new BlockQuerier(block);
    const a = { ...all, matchers: matching('__name__', '=', 'a') };
    assert.deepEqual(await querier.labelNames(all), ['__name__', 'pod', 'zone']);
    assert.deepEqual(await querier.labelNames(a), ['__name__', 'pod']);
    assert.deepEqual(await querier.labelValues('pod', all), ['x', 'y']);
    assert.deepEqual(await querier.labelValues('pod', { ...all, matchers: matching('pod', '!=', 'x') }), ['y']);
    assert.deepEqual(await querier.labelValues('__name__', a), ['a']);
    assert.deepEqual(await querier.labelValues('zone', a), []);
    assert.deepEqual(await querier.labelValues('none', a), []);
    assert.deepEqual(await querier.series({ ...all, startMs: 60 }), [['__name__', 'b', 'zone', 'w']]);
    const outside = { matchers: [], startMs: 100, endMs: 200 };
    assert.deepEqual([await querier.labelNames(outside), await querier.labelValues('pod', outside), await querier.series(outside)], [[], [], []]);
    await assert.rejects(querier.select({ ...all, matchers: matching('pod', '=~', '(') }), { name: 'RegexError' });
  }));

test('what is deleted is gone: from queries, from the source, for Prometheus', { skip: noPromtool }, () =>
  withBlock(async (block, folder) => {
    const path = block.folder;
    assert.equal(deleteSamples(block, { matchers: matching('pod', '=', 'x'), startMs: 15, endMs: 45 }), 1);
    assert.equal(deleteSamples(openBlock(path), { matchers: matching('__name__', '=', 'b'), startMs: 0, endMs: 50 }), 1);
    assert.equal(deleteSamples(openBlock(path), { matchers: matching('pod', '=', 'y'), startMs: 23, endMs: 50 }), 0);
    const left = openBlock(path);
    assert.equal(left.meta.stats.tombstoneCount, 2);
    const lines = await dumpBlock(left);
    assert.deepEqual(lines, [
      '{__name__="a", pod="x"} 1 10', '{__name__="a", pod="x"} 5 50', '{__name__="a", pod="y"} 1 12', '{__name__="a", pod="y"} 2 22', '{__name__="b", zone="w"} 8 99',
    ]);
    assert.deepEqual(promtoolDump(folder), lines.toSorted());
    assert.deepEqual(sourceText(blockSource(left)), ['__name__ a pod x: 10-10 50-50', '__name__ a pod y: 12-22', '__name__ b zone w: 99-99']);
    assert.deepEqual(await new BlockQuerier(left).series({ ...all, startMs: 20, endMs: 50 }), [['__name__', 'a', 'pod', 'x'], ['__name__', 'a', 'pod', 'y']]);
    const other = join(folder, 'other');
    const meta = writeBlock(blockSource(left), { ...options(other), ulid: testUlid(2) });
    assert.deepEqual([meta?.stats.sampleCount, meta?.stats.chunkCount, meta?.stats.tombstoneCount], [5, 4, 0]);
    assert.deepEqual(await dumpBlock(openBlock(join(other, testUlid(2)))), lines);
  }));

test('a series of which everything is deleted is not there', () =>
  withBlock(async (block) => {
    deleteSamples(block, { matchers: matching('__name__', '=', 'a'), startMs: -1000, endMs: 1000 });
    const left = openBlock(block.folder);
    assert.deepEqual(await new BlockQuerier(left).series(all), [['__name__', 'b', 'zone', 'w']]);
    assert.deepEqual(sourceText(blockSource(left)), ['__name__ b zone w: 45-45 99-99']);
  }));

test('a part of a chunk that we can not encode is refused, not dropped', () =>
  withFolder((folder) => {
    const source: ChunkSource = { symbols: () => ['a', 'b'], series: () => [{ labels: ['a', 'b'], chunks: [{ ...chunks('10=1 20=2')[0]!, encoding: 77 }] }] };
    writeBlock(source, options(folder));
    const block = openBlock(join(folder, testUlid(1)));
    assert.deepEqual(sourceText(blockSource(block)), ['a b: 10-20']);
    assert.throws(() => sourceText(blockSource(block, { minTimeMs: 0, maxTimeMs: 15 })), { name: 'CorruptError', offset: 8 });
  }));

const parts: [number, number, string[]][] = [
  [0, 100, ['__name__ a pod x: 10-20 30-40 50-50', '__name__ a pod y: 12-22', '__name__ b zone w: 45-45 99-99']],
  [0, 20, ['__name__ a pod x: 10-10', '__name__ a pod y: 12-12']],
  [20, 46, ['__name__ a pod x: 20-20 30-40', '__name__ a pod y: 22-22', '__name__ b zone w: 45-45']],
  [60, 90, []],
];
for (const [minTimeMs, maxTimeMs, want] of parts) {
  test(`the source of ${minTimeMs} to before ${maxTimeMs}`, () => withBlock((block) => assert.deepEqual(sourceText(blockSource(block, { minTimeMs, maxTimeMs })), want)));
}
