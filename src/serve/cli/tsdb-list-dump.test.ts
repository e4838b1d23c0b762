/**
 * `tsdb list`, `dump` and `dump-openmetrics` over real data folders, beside Debian's promtool.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyFolder, goldenDump, unpack, withoutBlocks } from './_data-folders.ts';
import { coeus, promtool, withoutPromtool } from './_promtool.ts';

const skip = withoutBlocks !== false ? withoutBlocks : withoutPromtool;
const lines = (text: string): string[] => text.split('\n').sort();

for (const name of ['backfill-3d.blocks', 'scraped-78s.blocks', 'killed-server.data'] as const) {
  test(`tsdb list ${name}`, { skip }, async (t) => {
    const folder = unpack(t, name);
    for (const flags of [[], ['-r'], ['--human-readable']]) {
      const words = ['tsdb', 'list', ...flags, folder];
      assert.deepEqual(await coeus(words), promtool(words));
    }
  });

  test(`tsdb dump ${name}: every sample, and no file is changed`, { skip: withoutBlocks }, async (t) => {
    const folder = unpack(t, name);
    const files = (): string[] => globSync(`${folder}/**`).filter((path) => statSync(path).isFile()).sort().map((path) => `${path} ${createHash('md5').update(readFileSync(path)).digest('hex')}`);
    const before = files();
    const { exitCode, stdout, stderr } = await coeus(['tsdb', 'dump', folder]);
    assert.deepEqual([exitCode, stderr], [0, '']);
    assert.ok(stdout === goldenDump(name));
    assert.deepEqual(files(), before);
  });
}

// What to leave out of a dump of three days and of a killed server's log. promtool 2.42 knows one --match.
const selections = [
  "--match={__name__=~'http.*',path!='/p1'}",
  '--match=temp_celsius{room="r1"} --min-time=1760003900000 --max-time=1760025600000',
  '--min-time=1760259000000',
  '--match=up --min-time=1795410966105 --max-time=1795410968105',
  '--max-time=-1',
];
for (const selection of selections) {
  test(`tsdb dump ${selection}`, { skip }, async (t) => {
    for (const name of ['backfill-3d.blocks', 'killed-server.data'] as const) {
      const folder = unpack(t, name);
      mkdirSync(join(folder, 'wal'), { recursive: true });
      const words = ['tsdb', 'dump', ...selection.split(' '), folder];
      const [ours, theirs] = [await coeus(words), promtool(words)];
      // promtool gives the series of a log as they came.
      assert.deepEqual({ ...ours, stdout: lines(ours.stdout) }, { ...theirs, stdout: lines(theirs.stdout) });
    }
  });
}

test('tsdb dump: selectors add up, series come once', { skip: withoutBlocks }, async (t) => {
  const folder = unpack(t, 'backfill-3d.blocks');
  const { stdout } = await coeus(['tsdb', 'dump', '--format=seriesjson', '--match=temp_celsius', '--match={room=~"r[12]"}', '--match=lat_seconds_count', folder]);
  const expected = ['{"__name__":"lat_seconds_count","inst":"a"}', '{"__name__":"lat_seconds_count","inst":"b"}', ...['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9'].map((room) => `{"__name__":"temp_celsius","room":"${room}"}`)];
  const found = stdout.trimEnd().split('\n');
  assert.deepEqual(found.filter((line) => line.includes('temp_celsius')), expected.filter((line) => line.includes('temp_celsius')));
  assert.equal(new Set(found).size, found.length);
  assert.ok(found.some((line) => line.includes('lat_seconds_count')));
});

test('tsdb dump-openmetrics: what promtool reads back is what was there, stale markers left out', { skip }, async (t) => {
  const folder = unpack(t, 'scraped-78s.blocks');
  const { exitCode, stdout } = await coeus(['tsdb', 'dump-openmetrics', folder]);
  assert.equal(exitCode, 0);
  const input = join(emptyFolder(t), 'in.om');
  writeFileSync(input, stdout);
  const out = emptyFolder(t);
  assert.equal(promtool(['tsdb', 'create-blocks-from', 'openmetrics', '-q', input, out]).exitCode, 0);
  mkdirSync(join(out, 'wal'));
  const theirs = promtool(['tsdb', 'dump', out]).stdout;
  const original = goldenDump('scraped-78s.blocks');
  const stale = original.split('\n').length - theirs.split('\n').length;
  assert.ok(stale >= 0 && stale <= original.split('\n').filter((line) => line.includes('} NaN ')).length);
  const left = new Set(theirs.split('\n'));
  for (const line of original.split('\n')) assert.ok(left.has(line) || line.includes('} NaN '), line);
});

test('tsdb list and dump: folders that are none, blocks that are damaged', { skip }, async (t) => {
  for (const command of ['list', 'dump', 'dump-openmetrics']) {
    assert.deepEqual(await coeus(['tsdb', command, '/nowhere']), { exitCode: 1, stdout: '', stderr: 'opening the db dir: stat /nowhere: no such file or directory\n' });
    assert.match((await coeus(['tsdb', command, '/dev/null'])).stderr, /^opening the db dir: "\/dev\/null" is no folder\n$/);
  }
  const folder = unpack(t, 'scraped-78s.blocks');
  const [index] = globSync(`${folder}/*/index`);
  const bytes = readFileSync(index!);
  rmSync(index!);
  const missing = await coeus(['tsdb', 'dump', folder]);
  assert.deepEqual([missing.exitCode, missing.stdout], [1, '']);
  assert.match(missing.stderr, /^unexpected corrupted block \w{26}: .*index/);
  // Inside the series.
  bytes[bytes.length >>> 1]! ^= 0x55;
  writeFileSync(index!, bytes);
  const damaged = await coeus(['tsdb', 'dump', folder]);
  assert.equal(damaged.exitCode, 1);
  assert.match(damaged.stderr, /index: offset \d+: /);
});

test('tsdb dump: a damaged log is read up to the damage, and told', { skip: withoutBlocks }, async (t) => {
  const folder = unpack(t, 'killed-server.data');
  const file = join(folder, 'wal', '00000000');
  const bytes = readFileSync(file);
  bytes[bytes.length >>> 1]! ^= 0x55;
  writeFileSync(file, bytes);
  const { exitCode, stdout, stderr } = await coeus(['tsdb', 'dump', folder]);
  assert.equal(exitCode, 1);
  assert.match(stderr, /^not read: segment 0 offset \d+: /);
  const golden = new Set(goldenDump('killed-server.data').split('\n'));
  assert.ok(stdout.split('\n').every((line) => golden.has(line)));
  assert.ok(stdout.length > 0);
  assert.ok(readFileSync(file).equals(bytes));
});

test('tsdb dump: wrong times and selectors', async () => {
  assert.deepEqual(await coeus(['tsdb', 'dump', '--min-time=x', '/']), { exitCode: 1, stdout: '', stderr: 'error: --min-time: "x" is not a time in milliseconds\n' });
  assert.deepEqual(await coeus(['tsdb', 'dump', '--match={', '/']), { exitCode: 1, stdout: '', stderr: '1:2: parse error: unexpected end of input inside braces\n' });
});
