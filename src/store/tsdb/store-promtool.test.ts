/**
 * Blocks that Prometheus' own tools made, compacted, deleted from, snapshotted here: promtool must read from them what it read before.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { readBlockMeta, writeBlockMeta } from '../block/block-meta.ts';
import { makeUlid, ULID_RANDOM_BYTES } from '../block/ulid.ts';
import { listBlocks } from './block-folders.ts';
import { HOUR_MS, openStore, withFolder, type TestStore } from './_store-fixtures.ts';

const conformance = join(import.meta.dirname, '../../../../shared/conformance/blocks');
const noPromtool = spawnSync('promtool', ['--version']).status === 0 ? false : 'promtool is not installed';
const skip = existsSync(conformance) ? noPromtool : 'the conformance data is not here';

/** All lines that promtool reads from a data folder, sorted, each once: it gives those of overlapping blocks once too. */
function promtoolDump(dataFolder: string): string[] {
  // It wants a log, be it empty.
  mkdirSync(join(dataFolder, 'wal'), { recursive: true });
  const text = execFileSync('promtool', ['tsdb', 'dump', dataFolder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 2 ** 28 });
  return text.trim().split('\n').sort();
}

/** Fails with the first line that differs: a diff of a whole dump takes minutes. */
function assertSameLines(got: readonly string[], want: readonly string[]): void {
  const at = want.findIndex((line, i) => line !== got[i]);
  if (at >= 0) assert.equal(got[at], want[at], `line ${at}`);
  assert.equal(got.length, want.length);
}

const untar = (name: string, folder: string): void => {
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['xzf', join(conformance, name), '-C', folder]);
};

/** A copy of each block under another name. */
function doubleBlocks(folder: string): void {
  for (const [i, ulid] of listBlocks(folder).entries()) {
    const copy = makeUlid(i, new Uint8Array(ULID_RANDOM_BYTES));
    cpSync(join(folder, ulid), join(folder, copy), { recursive: true });
    const meta = readBlockMeta(join(folder, copy));
    writeBlockMeta(join(folder, copy), { ...meta, ulid: copy, compaction: { ...meta.compaction, sources: [copy] } });
  }
}

const shape = ({ store }: TestStore): string[] =>
  store.blocks().map(({ meta: { minTimeMs, maxTimeMs, compaction, stats } }) => `${(maxTimeMs - minTimeMs) / HOUR_MS}h level ${compaction.level} ${stats.sampleCount} samples`);

test('three days of two-hour blocks become the same few as with Prometheus, and hold the same', { skip }, () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, 'input'), gunzipSync(readFileSync(join(conformance, 'backfill-3d.openmetrics.gz'))));
    const data = join(folder, 'data');
    execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', join(folder, 'input'), data], { stdio: 'ignore' });
    const want = promtoolDump(data);
    const all = await openStore(data);
    await all.store.tick();
    assert.deepEqual(all.store.blocks().map(({ meta: { minTimeMs, maxTimeMs, stats, compaction } }) =>
      [minTimeMs, maxTimeMs, stats.sampleCount, stats.seriesCount, stats.chunkCount, compaction.level, compaction.sources.length, compaction.parents.length]), PROMETHEUS_MADE);
    await all.store.close();
    assertSameLines(promtoolDump(data), want);
  }));

/** What Prometheus 2.42 compacts the same blocks into: begin, end, samples, series, chunks, level, sources, parents. */
const PROMETHEUS_MADE = [
  [1760000000000, 1760097560001, 70922, 44, 612, 4, 14, 2],
  [1760097620000, 1760162360001, 47520, 44, 396, 3, 9, 3],
  [1760162420000, 1760227160001, 47520, 44, 396, 3, 9, 3],
  [1760227220000, 1760248760001, 15840, 44, 132, 2, 3, 3],
  [1760248820000, 1760255960001, 5280, 44, 44, 1, 1, 0],
  [1760256020000, 1760259140001, 2332, 44, 44, 1, 1, 0],
];

for (const archive of ['backfill-3d.blocks.tar.gz', 'scraped-78s.blocks.tar.gz']) {
  test(`${archive}: the same blocks twice become one each`, { skip }, () =>
    withFolder(async (folder) => {
      untar(archive, folder);
      const before = await openStore(folder);
      const want = { dump: promtoolDump(folder), samples: before.store.blocks().reduce((sum, { meta }) => sum + meta.stats.sampleCount, 0) };
      await before.store.close();
      doubleBlocks(folder);
      const all = await openStore(folder);
      await all.store.tick();
      assert.equal(all.store.blocks().reduce((sum, { meta }) => sum + meta.stats.sampleCount, 0), want.samples, shape(all).join(', '));
      await all.store.close();
      assertSameLines(promtoolDump(folder), want.dump);
    }));
}

test('what is deleted promtool does not find, before blocks are cleaned and after', { skip }, () =>
  withFolder(async (folder) => {
    untar('backfill-3d.blocks.tar.gz', folder);
    const before = promtoolDump(folder);
    const name = /__name__="([^"]+)"/.exec(before[0]!)![1]!;
    const times = before.map((line) => Number(line.slice(line.lastIndexOf(' ') + 1))).sort((a, b) => a - b);
    const [startMs, endMs] = [times[Math.floor(times.length / 4)]!, times[Math.floor(times.length / 2)]!];
    const isDeleted = (line: string): boolean => {
      const timeMs = Number(line.slice(line.lastIndexOf(' ') + 1));
      return line.includes(`__name__="${name}"`) && startMs <= timeMs && timeMs <= endMs;
    };
    const want = before.filter((line) => !isDeleted(line));
    assert.ok(want.length < before.length);
    const all = await openStore(folder);
    await all.store.deleteSeries({ matcherSets: [[{ name: '__name__', op: '=', value: name }]], startMs, endMs });
    assertSameLines(promtoolDump(folder), want);
    const snapshot = await all.store.snapshot();
    assertSameLines(promtoolDump(join(folder, 'snapshots', snapshot)), want);
    await all.store.cleanTombstones();
    await all.store.close();
    assertSameLines(promtoolDump(folder), want);
  }));

test('promtool lists what a compaction made', { skip }, () =>
  withFolder(async (folder) => {
    untar('backfill-3d.blocks.tar.gz', folder);
    doubleBlocks(folder);
    const all = await openStore(folder);
    await all.store.tick();
    const infos = all.store.blocks();
    await all.store.close();
    mkdirSync(join(folder, 'wal'));
    const lines = execFileSync('promtool', ['tsdb', 'list', folder], { encoding: 'utf8' }).trim().split('\n').slice(1);
    assert.deepEqual(
      lines.map((line) => line.split(/\s+/).slice(0, 3).join(' ')).sort(),
      infos.map(({ meta }) => `${meta.ulid} ${meta.minTimeMs} ${meta.maxTimeMs}`).sort(),
    );
  }));
