import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { RegexError } from '../../core/model/matcher.ts';
import { readBlockMeta } from '../block/block-meta.ts';
import { listBlocks } from './block-folders.ts';
import { BLOCK_HINT } from './compaction-plan.ts';
import { StoreClosedError } from './store-errors.ts';
import { dumpBlocks, HOUR_MS, ManualClock, MapHead, metricOf, openStore, SampleMap, withFolder, type TestStore } from './_store-fixtures.ts';

const A = ['n', 'a'];
const B = ['n', 'b'];

/** Samples of both series each half hour of [from, to), in hours. */
function hours(from: number, to: number, into = new SampleMap()): SampleMap {
  for (let at = from; at < to; at += 0.5) {
    into.add(A, at * HOUR_MS, at);
    into.add(B, at * HOUR_MS, -at);
  }
  return into;
}

const rangeOf = (from: number, to: number): { minTimeMs: number; maxTimeMs: number } => ({ minTimeMs: from * HOUR_MS, maxTimeMs: to * HOUR_MS });

/** Adds a block; tests name them by their hours. */
const addHours = ({ store }: TestStore, from: number, to: number, hints: readonly string[] = []): Promise<unknown> =>
  store.addBlock(hours(from, to).source(rangeOf(from, to)), rangeOf(from, to), hints);

const ranges = ({ store }: TestStore): string => store.blocks().map(({ meta }) => `${meta.minTimeMs / HOUR_MS}-${meta.maxTimeMs / HOUR_MS}`).join(' ');

test('the head is written in aligned blocks and lets go of them, once readers see them', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder);
    const { store, head, readers } = all;
    hours(1, 3.5, head.samples);
    await store.tick();
    assert.equal(ranges(all), '');
    const truncations: string[] = [];
    const truncate = head.truncate.bind(head);
    head.truncate = (beforeMs) => {
      truncations.push(`${beforeMs / HOUR_MS} after ${readers.notes.join()}`);
      return truncate(beforeMs);
    };
    hours(3.5, 9, head.samples);
    const want = head.samples.lines();
    await store.tick();
    assert.equal(ranges(all), '0-2 2-4 4-6');
    assert.deepEqual(truncations, ['2 after +0-2', '4 after +0-2,+2-4', '6 after +0-2,+2-4,+4-6']);
    assert.equal(head.timeRange()?.minTimeMs, 6 * HOUR_MS);
    assert.equal(store.writtenUntilMs, 6 * HOUR_MS);
    assert.deepEqual([...(await dumpBlocks(folder)), ...head.samples.lines()].sort(), want);
    await store.close();
  }));

test('a gap in the head makes no empty blocks', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder);
    hours(0, 1, all.head.samples);
    hours(100, 101, all.head.samples);
    await all.store.tick();
    assert.equal(ranges(all), '0-2');
    await all.store.close();
  }));

test('blocks are compacted, and their parents go', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder);
    for (let from = 0; from < 20; from += 2) await addHours(all, from, from + 2);
    const want = await dumpBlocks(folder);
    await all.store.tick();
    assert.equal(ranges(all), '0-18 18-20');
    await all.store.close();
    assert.equal(listBlocks(folder).length, 2);
    assert.deepEqual(await dumpBlocks(folder), want);
  }));

test('what a compacted block says of itself', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder);
    for (let from = 0; from < 8; from += 2) await addHours(all, from, from + 2);
    const sources = all.store.blocks().slice(0, 3).map(({ meta }) => meta);
    await all.store.tick();
    const { meta } = all.store.blocks()[0]!;
    assert.deepEqual(meta.compaction, {
      level: 2,
      sources: sources.map(({ ulid }) => ulid).sort(),
      parents: sources.map(({ ulid, minTimeMs, maxTimeMs }) => ({ ulid, minTimeMs, maxTimeMs })),
      isDeletable: false,
      hasFailed: false,
      hints: [],
    });
    assert.deepEqual(meta.stats, { sampleCount: 24, floatSampleCount: 24, histogramSampleCount: 0, seriesCount: 2, chunkCount: 6, tombstoneCount: 0 });
    await all.store.close();
  }));

test('overlapping blocks become one; hints stay where all have them', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder);
    const outOfOrder = [BLOCK_HINT.OUT_OF_ORDER];
    await addHours(all, 0, 2);
    await addHours(all, 4, 6, outOfOrder);
    await addHours(all, 5, 7, outOfOrder);
    await addHours(all, 10, 12);
    await addHours(all, 11, 12, outOfOrder);
    const want = await dumpBlocks(folder);
    await all.store.tick();
    assert.deepEqual(all.store.blocks().map(({ meta }) => `${meta.minTimeMs / HOUR_MS}-${meta.maxTimeMs / HOUR_MS} ${meta.compaction.hints.join()}`), ['0-2 ', '4-7 from-out-of-order', '10-12 ']);
    assert.deepEqual(await dumpBlocks(folder), want);
    assert.equal(metricOf(all.registry, 'prometheus_tsdb_vertical_compactions_total'), 2);
    assert.equal(all.store.writtenUntilMs, 12 * HOUR_MS);
    await all.store.close();
  }));

test('blocks of out-of-order and stale series do not say how far the head was written', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder);
    await addHours(all, 0, 2);
    await addHours(all, 2, 4, [BLOCK_HINT.OUT_OF_ORDER]);
    await addHours(all, 4, 6, [BLOCK_HINT.STALE_SERIES]);
    assert.equal(all.store.writtenUntilMs, 2 * HOUR_MS);
    await all.store.close();
  }));

test('deleted samples are gone from blocks and head at once, and from the disk when cleaned', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder);
    const { store, head, readers } = all;
    for (let from = 0; from < 6; from += 2) await addHours(all, from, from + 2);
    hours(6, 7, head.samples);
    readers.notes.length = 0;
    const deletion = { matcherSets: [[{ name: 'n', op: '=', value: 'a' }] as const], startMs: HOUR_MS, endMs: 6 * HOUR_MS };
    assert.equal(await store.deleteSeries(deletion), 4);
    const want = hours(0, 7);
    want.delete(deletion);
    assert.deepEqual([...(await dumpBlocks(folder)), ...head.samples.lines()].sort(), want.lines());
    assert.deepEqual(readers.notes, ['~0-2', '~2-4', '~4-6']);
    assert.deepEqual(store.blocks().map(({ meta }) => meta.stats.tombstoneCount), [1, 1, 1]);
    await store.cleanTombstones();
    assert.deepEqual(store.blocks().map(({ meta }) => [meta.stats.tombstoneCount, meta.stats.seriesCount, meta.compaction.level]), [[0, 2, 2], [0, 1, 2], [0, 1, 2]]);
    assert.deepEqual([...(await dumpBlocks(folder)), ...head.samples.lines()].sort(), want.lines());
    await store.deleteSeries({ matcherSets: [[]], startMs: 0, endMs: 5 * HOUR_MS });
    await store.cleanTombstones();
    assert.equal(ranges(all), '4-6');
    await store.close();
    assert.equal(listBlocks(folder).length, 1);
  }));

test('deleting nothing changes nothing', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder);
    await addHours(all, 0, 2);
    const before = readdirSync(join(folder, listBlocks(folder)[0]!)).sort();
    all.readers.notes.length = 0;
    assert.equal(await all.store.deleteSeries({ matcherSets: [[{ name: 'n', op: '=', value: 'c' }]], startMs: 0, endMs: 1e15 }), 0);
    assert.equal(await all.store.deleteSeries({ matcherSets: [[]], startMs: 3 * HOUR_MS, endMs: 1e15 }), 0);
    assert.deepEqual(all.readers.notes, []);
    assert.deepEqual(readdirSync(join(folder, listBlocks(folder)[0]!)).sort(), before);
    await all.store.close();
  }));

test('a selector that is not valid deletes nothing, also not by the others', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder);
    await addHours(all, 0, 2);
    const want = await dumpBlocks(folder);
    await assert.rejects(all.store.deleteSeries({ matcherSets: [[], [{ name: 'n', op: '=~', value: '(' }]], startMs: 0, endMs: 1e15 }), RegexError);
    assert.deepEqual(await dumpBlocks(folder), want);
    await all.store.close();
  }));

test('cleaning goes on where the retention removes a block meanwhile', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder);
    for (let from = 0; from < 6; from += 2) await addHours(all, from, from + 2);
    await all.store.deleteSeries({ matcherSets: [[{ name: 'n', op: '=', value: 'a' }]], startMs: 0, endMs: 1e15 });
    all.store.setLimits({ timeMs: 2 * HOUR_MS, sizeBytes: 0, diskPercentage: 0 });
    await all.store.cleanTombstones();
    assert.deepEqual(all.store.blocks().map(({ meta }) => [meta.minTimeMs, meta.stats.tombstoneCount]), [[4 * HOUR_MS, 0]]);
    await all.store.close();
  }));

test('a snapshot holds blocks and head, and a store starts on it', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder);
    await addHours(all, 0, 2);
    await addHours(all, 2, 4);
    hours(4, 5, all.head.samples);
    await all.store.deleteSeries({ matcherSets: [[]], startMs: 0, endMs: 0 });
    const want = [...(await dumpBlocks(folder)), ...all.head.samples.lines()].sort();
    const name = await all.store.snapshot();
    assert.match(name, /^\d{8}T\d{6}Z-[0-9a-f]{16}$/);
    const withoutHead = await all.store.snapshot(false);
    const snapshots = join(folder, 'snapshots');
    // What happens later does not change it.
    await all.store.deleteSeries({ matcherSets: [[]], startMs: 0, endMs: 1e15 });
    await all.store.cleanTombstones();
    await all.store.close();
    const copy = await openStore(join(snapshots, name));
    assert.equal(ranges(copy), '0-2 2-4 4-4.500000277777778');
    assert.deepEqual(await dumpBlocks(join(snapshots, name)), want);
    await copy.store.close();
    assert.equal(listBlocks(join(snapshots, withoutHead)).length, 2);
    assert.deepEqual(readdirSync(snapshots).sort(), [name, withoutHead].sort());
  }));

test('retention by time removes whole blocks that ended too long ago', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder, { limits: { timeMs: 4 * HOUR_MS, sizeBytes: 0, diskPercentage: 0 } });
    for (let from = 0; from < 10; from += 2) await addHours(all, from, from + 2);
    assert.equal(ranges(all), '6-8 8-10');
    assert.equal(metricOf(all.registry, 'prometheus_tsdb_time_retentions_total'), 3);
    assert.equal(metricOf(all.registry, 'prometheus_tsdb_retention_limit_seconds'), 14_400);
    await all.store.close();
    assert.equal(listBlocks(folder).length, 2);
  }));

test('retention by size counts the log and the chunks of the head, and can be changed', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder);
    for (let from = 0; from < 6; from += 2) await addHours(all, from, from + 2);
    const blockBytes = all.store.blocks().map(({ byteLength }) => byteLength);
    const sizeBytes = blockBytes.reduce((sum, bytes) => sum + bytes, 0);
    all.store.setLimits({ timeMs: 0, sizeBytes, diskPercentage: 0 });
    await all.store.tick();
    assert.equal(ranges(all), '0-2 2-4 4-6');
    mkdirSync(join(folder, 'wal', 'checkpoint.00000001'), { recursive: true });
    mkdirSync(join(folder, 'chunks_head'));
    writeFileSync(join(folder, 'wal', 'checkpoint.00000001', '00000000'), Buffer.alloc(blockBytes[0]!));
    await all.store.tick();
    assert.equal(ranges(all), '2-4 4-6');
    writeFileSync(join(folder, 'chunks_head', '000001'), Buffer.alloc(1));
    await all.store.tick();
    assert.equal(ranges(all), '4-6');
    assert.equal(metricOf(all.registry, 'prometheus_tsdb_size_retentions_total'), 2);
    await all.store.close();
  }));

test('retention by percentage goes before that by size', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder, { disk: () => ({ totalBytes: 10_000, freeBytes: 10_000 }), limits: { timeMs: 0, sizeBytes: 1e12, diskPercentage: 1 } });
    for (let from = 0; from < 6; from += 2) await addHours(all, from, from + 2);
    assert.equal(ranges(all), '');
    assert.equal(metricOf(all.registry, 'prometheus_tsdb_retention_limit_bytes'), 100);
    await all.store.close();
  }));

test('a start removes what is unfinished, and parents whose child is there', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder);
    for (let from = 0; from < 8; from += 2) await addHours(all, from, from + 2);
    cpSync(folder, `${folder}-before`, { recursive: true });
    const want = await dumpBlocks(folder);
    await all.store.tick();
    await all.store.close();
    // As if the parents had not been removed yet.
    for (const ulid of listBlocks(`${folder}-before`)) cpSync(join(`${folder}-before`, ulid), join(folder, ulid), { recursive: true });
    rmSync(`${folder}-before`, { recursive: true });
    const [, parent] = listBlocks(folder);
    for (const suffix of ['.tmp-for-creation', '.tmp-for-deletion', '.tmp']) cpSync(join(folder, parent!), join(folder, parent! + suffix), { recursive: true });
    mkdirSync(join(folder, 'snapshots', 'one.tmp', 'x'), { recursive: true });
    mkdirSync(join(folder, 'wal.tmp'));
    const again = await openStore(folder);
    assert.equal(ranges(again), '0-6 6-8');
    await again.store.close();
    assert.deepEqual(readdirSync(folder).sort(), [...listBlocks(folder), 'snapshots', 'wal.tmp'].sort());
    assert.deepEqual(readdirSync(join(folder, 'snapshots')), []);
    assert.deepEqual(await dumpBlocks(folder), want);
  }));

test('blocks that come and go in the folder are noticed', () =>
  withFolder(async (folder) => {
    const source = await openStore(join(folder, 'source'));
    await addHours(source, 0, 2);
    await source.store.close();
    const [ulid] = listBlocks(join(folder, 'source'));
    const data = join(folder, 'data');
    const all = await openStore(data);
    renameSync(join(folder, 'source', ulid!), join(data, ulid!));
    await all.store.tick();
    rmSync(join(data, ulid!), { recursive: true });
    await all.store.tick();
    assert.deepEqual(all.readers.notes, ['+0-2', '-0-2']);
    await all.store.close();
  }));

const damages: readonly (readonly [string, (block: string) => void])[] = [
  ['no meta', (block) => rmSync(join(block, 'meta.json'))],
  ['a meta that is no JSON', (block) => writeFileSync(join(block, 'meta.json'), '{')],
  ['a meta with another name', (block) => writeFileSync(join(block, 'meta.json'), JSON.stringify({ ...readJson(block), ulid: '01BX5ZZKBKACTAV9WEVGEMMVRZ' }))],
  ['no index', (block) => rmSync(join(block, 'index'))],
  ['a short index', (block) => truncateSync(join(block, 'index'), 100)],
  ['no chunks', (block) => rmSync(join(block, 'chunks'), { recursive: true })],
  ['damaged tombstones', (block) => writeFileSync(join(block, 'tombstones'), 'nonsense')],
];
for (const [claim, damage] of damages) {
  test(`${claim}: the block is reported, then set aside`, () =>
    withFolder(async (folder) => {
      const before = await openStore(folder);
      await addHours(before, 0, 2);
      await addHours(before, 2, 4);
      await before.store.close();
      const [first] = listBlocks(folder);
      damage(join(folder, first!));
      const all = await openStore(folder);
      assert.equal(ranges(all), '2-4');
      assert.deepEqual(all.store.status().unreadable.map(({ ulid }) => ulid), [first]);
      assert.equal(metricOf(all.registry, 'coeus_tsdb_blocks_unreadable'), 1);
      assert.equal(metricOf(all.registry, 'prometheus_tsdb_reloads_failures_total'), 1);
      // Somebody may still be copying it.
      writeFileSync(join(folder, first!, 'more'), 'x');
      await all.store.tick();
      assert.deepEqual(all.store.status().quarantined, []);
      await all.store.tick();
      assert.deepEqual(all.store.status(), { unreadable: [], quarantined: [first], headFailure: '', compactionFailure: '' });
      assert.equal(metricOf(all.registry, 'coeus_tsdb_blocks_quarantined_total'), 1);
      assert.equal(metricOf(all.registry, 'coeus_tsdb_blocks_in_quarantine'), 1);
      assert.ok(existsSync(join(folder, 'quarantine', first!, 'more')));
      await all.store.close();
    }));
}

function readJson(block: string): object {
  const { ulid, minTimeMs, maxTimeMs } = readBlockMeta(block);
  return { ulid, minTime: minTimeMs, maxTime: maxTimeMs, version: 1 };
}

test('a copy that is finished between two looks is a block', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder);
    await addHours(all, 0, 2);
    await all.store.close();
    const [ulid] = listBlocks(folder);
    renameSync(join(folder, ulid!, 'index'), join(folder, 'index'));
    const again = await openStore(folder);
    assert.equal(ranges(again), '');
    renameSync(join(folder, 'index'), join(folder, ulid!, 'index'));
    await again.store.tick();
    assert.equal(ranges(again), '0-2');
    assert.deepEqual(again.store.status().unreadable, []);
    await again.store.close();
  }));

test('a block that can not be read when it is compacted stays, marked, and its neighbours stay too', () =>
  withFolder(async (folder) => {
    const before = await openStore(folder);
    for (let from = 0; from < 8; from += 2) await addHours(before, from, from + 2);
    await before.store.close();
    const [, second] = listBlocks(folder);
    truncateSync(join(folder, second!, 'chunks', '000001'), 60);
    const all = await openStore(folder);
    await all.store.tick();
    assert.equal(ranges(all), '0-2 2-4 4-6 6-8');
    assert.deepEqual(all.store.blocks().map(({ meta }) => meta.compaction.hasFailed), [false, true, false, false]);
    assert.match(all.store.status().compactionFailure, /000001: offset \d+/);
    assert.equal(metricOf(all.registry, 'prometheus_tsdb_compactions_failed_total'), 1);
    assert.deepEqual(readdirSync(folder).sort(), listBlocks(folder));
    all.clock.ms += 60_000;
    await all.store.tick();
    assert.equal(all.store.status().compactionFailure, '');
    assert.equal(readBlockMeta(join(folder, second!)).compaction.hasFailed, true);
    await all.store.close();
  }));

test('a block of which a file is gone when it is compacted is marked too', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder);
    for (let from = 0; from < 8; from += 2) await addHours(all, from, from + 2);
    rmSync(join(folder, listBlocks(folder)[2]!, 'chunks', '000001'));
    await all.store.tick();
    assert.deepEqual(all.store.blocks().map(({ meta }) => meta.compaction.hasFailed), [false, false, true, false]);
    assert.match(all.store.status().compactionFailure, /cannot read .*000001: ENOENT/);
    assert.equal(all.readers.notes.at(-1), '~4-6');
    await all.store.close();
  }));

test('compaction that the disk has no room for is not begun, and tried again later', () =>
  withFolder(async (folder) => {
    let freeBytes = 10;
    const all = await openStore(folder, { disk: () => ({ totalBytes: 1e12, freeBytes }) });
    for (let from = 0; from < 8; from += 2) await addHours(all, from, from + 2);
    await all.store.tick();
    assert.match(all.store.status().compactionFailure, /compaction of 3 blocks may take \d+ bytes of disk, 10 are free/);
    freeBytes = 1e9;
    await all.store.tick();
    assert.equal(ranges(all), '0-2 2-4 4-6 6-8');
    all.clock.ms += 60_000;
    await all.store.tick();
    assert.equal(ranges(all), '0-6 6-8');
    assert.equal(all.store.status().compactionFailure, '');
    await all.store.close();
  }));

test('a head that does not let go is no reason to write its samples again', () =>
  withFolder(async (folder) => {
    const head = new MapHead();
    const all = await openStore(folder, { head });
    const truncate = head.truncate.bind(head);
    hours(0, 4, head.samples);
    head.truncate = () => Promise.reject(new Error('the other thread is gone'));
    await all.store.tick();
    assert.equal(all.store.status().headFailure, 'the head could not be truncated: the other thread is gone');
    head.truncate = () => Promise.resolve();
    all.clock.ms += 60_000;
    await all.store.tick();
    assert.match(all.store.status().headFailure, /has samples of 0 after it was truncated to 7200000/);
    head.truncate = truncate;
    all.clock.ms += 120_000;
    await all.store.tick();
    assert.equal(all.store.status().headFailure, '');
    assert.equal(ranges(all), '0-2');
    assert.equal(head.timeRange()?.minTimeMs, 2 * HOUR_MS);
    await all.store.close();
  }));

test('files of a removed block stay until no query reads them', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder);
    for (let from = 0; from < 8; from += 2) await addHours(all, from, from + 2);
    const parents = listBlocks(folder).slice(0, 3);
    // Three parents, one wait each.
    const waits: (() => void)[] = [];
    all.readers.quiesce = () => new Promise((resolve) => waits.push(resolve));
    await all.store.tick();
    await all.store.tick();
    assert.equal(ranges(all), '0-6 6-8');
    assert.deepEqual(parents.map((ulid) => existsSync(join(folder, ulid))), [true, true, true]);
    assert.equal(waits.length, 3);
    for (const done of waits) done();
    await all.store.close();
    assert.deepEqual(parents.map((ulid) => existsSync(join(folder, ulid))), [false, false, false]);
  }));

test('closing stops a compaction between series and leaves nothing of it', () =>
  withFolder(async (folder) => {
    const samples = new SampleMap();
    for (let i = 0; i < 400; i++) samples.add(['n', String(i).padStart(4, '0')], i, i);
    /** Time flies: each look at the clock is a new step. */
    class FastClock extends ManualClock {
      override monotonicMs(): number {
        return (this.ms += 1000);
      }
    }
    const all = await openStore(folder, { clock: new FastClock() });
    await all.store.addBlock(samples.source({ minTimeMs: 0, maxTimeMs: 1000 }), { minTimeMs: 0, maxTimeMs: 1000 }, []);
    await all.store.addBlock(samples.source({ minTimeMs: 0, maxTimeMs: 1000 }), { minTimeMs: 0, maxTimeMs: 1000 }, []);
    const before = readdirSync(folder).sort();
    const tick = all.store.tick();
    const later = all.store.snapshot();
    const refused = assert.rejects(later, StoreClosedError);
    await new Promise((resolve) => setImmediate(resolve));
    await all.store.close();
    await tick;
    await refused;
    await all.store.tick();
    assert.deepEqual(readdirSync(folder).sort(), before);
    await assert.rejects(all.store.cleanTombstones(), StoreClosedError);
  }));

test('two ticks at once are one', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder);
    assert.equal(all.store.tick(), all.store.tick());
    await all.store.tick();
    assert.equal(metricOf(all.registry, 'prometheus_tsdb_compactions_triggered_total'), 1);
    await all.store.close();
  }));

test('chunks are measured on their way from the head', () =>
  withFolder(async (folder) => {
    const all = await openStore(folder);
    hours(0, 4, all.head.samples);
    await all.store.tick();
    const samples = all.registry.snapshot().find(({ name }) => name === 'prometheus_tsdb_compaction_chunk_samples')!.samples;
    assert.deepEqual(samples.filter(({ suffix }) => suffix === '_sum' || suffix === '_count').map(({ value }) => value), [8, 2]);
    await all.store.close();
  }));
