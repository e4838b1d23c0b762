/**
 * Whatever the store is doing when the process is killed or the disk is full: the next start finds every sample that was there, and nothing
 * that was deleted.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isUlid } from '../block/ulid.ts';
import { FileWriteError } from '../index/file-appender.ts';
import { listBlocks } from './block-folders.ts';
import { withFaultyDisk } from './_faulty-disk.ts';
import { dumpBlocks, HOUR_MS, MapHead, openStore, SampleMap, withFolder, type TestStore } from './_store-fixtures.ts';

/** Of the calls at which the process can be killed every so many-th is tried; with CRASH_ROUNDS all. */
const STRIDE = process.env['CRASH_ROUNDS'] === undefined ? 8 : 1;
const SEED = Number(process.env['SEED'] ?? 3);

const SELECTED = { matcherSets: [[{ name: 'n', op: '=', value: 's1' }] as const], startMs: HOUR_MS, endMs: 7 * HOUR_MS };

function fill(into: SampleMap, from: number, to: number): SampleMap {
  for (let at = from; at < to; at += 0.25) for (let i = 0; i < 4; i++) into.add(['n', `s${i}`], at * HOUR_MS, at * 10 + i);
  return into;
}

/** A folder with four blocks, of which the first three are due to be compacted, two that overlap, and samples in the head. */
async function prepare(folder: string): Promise<MapHead> {
  const all = await openStore(folder);
  for (const [from, to] of [[0, 2], [2, 4], [4, 6], [6, 8], [20, 22], [21, 23]] as const) {
    const range = { minTimeMs: from * HOUR_MS, maxTimeMs: to * HOUR_MS };
    await all.store.addBlock(fill(new SampleMap(), from, to).source(range), range, []);
  }
  await all.store.close();
  const head = new MapHead();
  fill(head.samples, 24, 29);
  return head;
}

const everything = async (folder: string, head: MapHead): Promise<string[]> => [...new Set([...(await dumpBlocks(folder)), ...head.samples.lines()])].sort();

function isSelected(line: string): boolean {
  const [, series, time] = /n="(s\d)"\} \S+ (\d+)$/.exec(line)!;
  return series === 's1' && Number(time) >= SELECTED.startMs && Number(time) <= SELECTED.endMs;
}

interface Work {
  readonly name: string;
  readonly run: (all: TestStore) => Promise<unknown>;
  /** Which samples are gone when it is done. */
  readonly removes: (line: string) => boolean;
}

const works: readonly Work[] = [
  { name: 'compaction', run: ({ store }) => store.tick(), removes: () => false },
  { name: 'deletion', run: ({ store }) => store.deleteSeries(SELECTED), removes: isSelected },
  {
    name: 'cleaning',
    run: async ({ store }) => {
      await store.deleteSeries(SELECTED);
      await store.cleanTombstones();
    },
    removes: isSelected,
  },
  { name: 'a snapshot', run: ({ store }) => store.snapshot(), removes: () => false },
];

for (const { name, run, removes } of works) {
  test(`killed at any call during ${name} (seed ${SEED})`, () =>
    withFolder(async (base) => {
      const prepared = join(base, 'prepared');
      const before = await everything(prepared, await prepare(prepared));
      const kept = before.filter((line) => !removes(line));
      let killAt = 1 + (SEED % STRIDE);
      for (let wasKilled = true; wasKilled; killAt += STRIDE) {
        const what = `killed at ${killAt}`;
        const folder = join(base, String(killAt));
        cpSync(prepared, folder, { recursive: true });
        const head = new MapHead();
        fill(head.samples, 24, 29);
        const report = await withFaultyDisk(folder, { killAt }, async () => {
          const all = await openStore(folder, { head });
          await run(all).catch(() => {});
          await all.store.close();
        });
        ({ wasKilled } = report);
        assert.deepEqual(report.unsynced, [], what);

        const again = await openStore(folder, { head });
        const found = await everything(folder, head);
        assert.deepEqual(found.filter((line) => !removes(line)), kept, what);
        assert.deepEqual(found.filter((line) => !before.includes(line)), [], what);
        assert.deepEqual(readdirSync(folder).filter((entry) => !isUlid(entry) && entry !== 'snapshots'), [], what);
        if (existsSync(join(folder, 'snapshots'))) assert.deepEqual(readdirSync(join(folder, 'snapshots')).filter((entry) => entry.endsWith('.tmp')), [], what);
        // What was interrupted can be done now.
        await run(again);
        await again.store.close();
        assert.deepEqual(await everything(folder, head), kept, what);
        rmSync(folder, { recursive: true });
      }
      assert.ok(killAt > 20, `there are ${killAt} calls`);
    }));
}

for (const { name, run, removes } of works) {
  test(`the disk is full during ${name} (seed ${SEED})`, () =>
    withFolder(async (base) => {
      const prepared = join(base, 'prepared');
      const before = await everything(prepared, await prepare(prepared));
      const kept = before.filter((line) => !removes(line));
      let failures = 0;
      let fullFrom = 1 + (SEED % STRIDE);
      for (let wasFull = true; wasFull; fullFrom += STRIDE) {
        const what = `full from call ${fullFrom}`;
        const folder = join(base, String(fullFrom));
        cpSync(prepared, folder, { recursive: true });
        const head = new MapHead();
        fill(head.samples, 24, 29);
        const all = await openStore(folder, { head });
        let problem = '';
        const report = await withFaultyDisk(folder, { fullFrom }, () =>
          run(all).then(
            () => {
              problem = all.store.status().headFailure || all.store.status().compactionFailure;
            },
            (error: unknown) => {
              assert.ok(error instanceof FileWriteError, what);
              problem = error.message;
            },
          ),
        );
        wasFull = report.calls >= fullFrom;
        // Calls that need no room may be all that is left.
        if (problem !== '') {
          failures++;
          assert.ok(problem.includes(folder) && problem.includes('ENOSPC'), `${what}: ${problem}`);
        }
        const found = await everything(folder, head);
        assert.deepEqual(found.filter((line) => !removes(line)), kept, what);
        const names = [...readdirSync(folder), ...(existsSync(join(folder, 'snapshots')) ? readdirSync(join(folder, 'snapshots')) : [])];
        assert.deepEqual(names.filter((entry) => entry.includes('.tmp')), [], what);
        // There is room again.
        all.clock.ms += 10 * 60_000;
        await run(all);
        assert.deepEqual([all.store.status().headFailure, all.store.status().compactionFailure], ['', ''], what);
        await all.store.close();
        assert.deepEqual(await everything(folder, head), kept, what);
        rmSync(folder, { recursive: true });
      }
      assert.ok(failures > 2, `it failed ${failures} times`);
    }));
}

test('the head keeps its samples while the block that was written of them can not be opened', () =>
  withFolder(async (folder) => {
    const head = new MapHead();
    fill(head.samples, 0, 4);
    const before = head.samples.lines();
    const all = await openStore(folder, { head });
    await withFaultyDisk(folder, { noDescriptors: true }, async () => {
      await all.store.tick();
      all.clock.ms += 60_000;
      await all.store.tick();
    });
    assert.equal(listBlocks(folder).length, 1, 'it is not written again and again');
    assert.match(all.store.status().headFailure, /was written and can't be opened: .*EMFILE/);
    assert.deepEqual(head.samples.lines(), before);
    all.clock.ms += 120_000;
    await all.store.tick();
    assert.equal(all.store.status().headFailure, '');
    assert.equal(head.timeRange()?.minTimeMs, 2 * HOUR_MS);
    assert.equal(all.store.blocks().length, 1);
    await all.store.close();
    assert.deepEqual(await everything(folder, head), before);
  }));

test('the head is written again where the block that was written of it turns out to be damaged', () =>
  withFolder(async (folder) => {
    const head = new MapHead();
    fill(head.samples, 0, 4);
    const before = head.samples.lines();
    const all = await openStore(folder, { head });
    await withFaultyDisk(folder, { noDescriptors: true }, () => all.store.tick());
    const [damaged] = listBlocks(folder);
    truncateSync(join(folder, damaged!, 'index'), 20);
    for (let i = 0; i < 3; i++) {
      all.clock.ms += 10 * 60_000;
      await all.store.tick();
    }
    assert.deepEqual(all.store.status(), { unreadable: [], quarantined: [damaged], headFailure: '', compactionFailure: '' });
    assert.equal(head.timeRange()?.minTimeMs, 2 * HOUR_MS);
    await all.store.close();
    assert.deepEqual(await everything(folder, head), before);
  }));

test('without file descriptors blocks are neither damaged nor forgotten', () =>
  withFolder(async (folder) => {
    const head = await prepare(folder);
    await head.truncate(27 * HOUR_MS);
    const before = await everything(folder, head);
    const ulids = listBlocks(folder);
    await withFaultyDisk(folder, { noDescriptors: true }, async () => {
      const all = await openStore(folder, { head });
      for (let i = 0; i < 3; i++) await all.store.tick();
      assert.deepEqual([all.store.blocks().length, all.store.status().unreadable.length, all.store.status().quarantined], [0, ulids.length, []]);
      assert.match(all.store.status().unreadable[0]!.message, /EMFILE/);
      await all.store.close();
    });
    assert.deepEqual(listBlocks(folder), ulids);
    assert.deepEqual(await everything(folder, head), before);
  }));
