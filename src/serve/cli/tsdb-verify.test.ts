import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyFolder, unpack, withoutBlocks } from './_data-folders.ts';
import { coeus } from './_promtool.ts';

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at]! ^= 0x55;
  writeFileSync(file, bytes);
}

test('tsdb verify: what is whole', { skip: withoutBlocks }, async (t) => {
  const blocks = unpack(t, 'scraped-78s.blocks');
  const [ulid] = readdirSync(blocks).filter((name) => name.length === 26);
  assert.deepEqual(await coeus(['tsdb', 'verify', blocks]), { exitCode: 0, stdout: `Checking ${blocks}/${ulid}\n  SUCCESS: 1245 series\n`, stderr: '' });
  const killed = unpack(t, 'killed-server.data');
  assert.deepEqual(await coeus(['tsdb', 'verify', killed]), { exitCode: 0, stdout: `Checking ${killed}/wal\n  SUCCESS: 1269 series\n`, stderr: '' });
  assert.deepEqual(await coeus(['tsdb', 'verify', emptyFolder(t)]), { exitCode: 0, stdout: '', stderr: '' });
});

test('tsdb verify: damage is told and, when asked for, set aside', { skip: withoutBlocks }, async (t) => {
  const folder = unpack(t, 'backfill-3d.blocks');
  const [first, second] = globSync(`${folder}/*/`).filter((path) => existsSync(join(path, 'index'))).sort();
  flip(join(first!, 'chunks', '000001'), 100);
  flip(join(second!, 'index'), 1000);
  const count = readdirSync(folder).filter((name) => name.length === 26).length;
  const told = await coeus(['tsdb', 'verify', folder]);
  assert.equal(told.exitCode, 1);
  assert.match(told.stderr, /FAILED: \S+chunks\/000001: offset \d+: .*checksum/);
  assert.match(told.stderr, /FAILED: \S+index: offset \d+: /);
  assert.equal(told.stdout.match(/SUCCESS: \d+ series/g)!.length, count - 2);
  assert.ok(!told.stdout.includes('REPAIRED'));
  const repaired = await coeus(['tsdb', 'verify', '--repair', folder]);
  assert.equal(repaired.exitCode, 0);
  assert.equal(repaired.stdout.match(/REPAIRED: set aside as \S+\/quarantine\/\w{26}\n/g)!.length, 2);
  assert.deepEqual(readdirSync(join(folder, 'quarantine')).length, 2);
  assert.equal((await coeus(['tsdb', 'verify', folder])).exitCode, 0);
  assert.equal((await coeus(['tsdb', 'list', folder])).stdout.trim().split('\n').length, count - 2 + 1);
});

test('tsdb verify: a damaged log', { skip: withoutBlocks }, async (t) => {
  const folder = unpack(t, 'killed-server.data');
  const file = join(folder, 'wal', '00000000');
  const middle = readFileSync(file).length >>> 1;
  flip(file, middle);
  const told = await coeus(['tsdb', 'verify', folder]);
  assert.deepEqual([told.exitCode, told.stdout], [1, `Checking ${folder}/wal\n`]);
  assert.match(told.stderr, /^ {2}FAILED: segment 0 offset \d+: /);
  const repaired = await coeus(['tsdb', 'verify', '--repair', folder]);
  assert.equal(repaired.exitCode, 0);
  assert.match(repaired.stdout, /REPAIRED: set aside as \S+00000000\.corrupt\n/);
  assert.equal((await coeus(['tsdb', 'verify', folder])).exitCode, 0);
  assert.ok(!existsSync(join(folder, 'lock')));
});

test('tsdb verify: many faults are not all told', { skip: withoutBlocks }, async (t) => {
  const folder = unpack(t, 'scraped-78s.blocks');
  const [chunks] = globSync(`${folder}/*/chunks/000001`);
  const bytes = readFileSync(chunks!);
  for (let at = 50; at < bytes.length; at += 50) bytes[at]! ^= 0x55;
  writeFileSync(chunks!, bytes);
  const { exitCode, stderr } = await coeus(['tsdb', 'verify', folder]);
  assert.equal(exitCode, 1);
  assert.equal(stderr.trimEnd().split('\n').length, 21);
  assert.match(stderr, / {2}FAILED: and \d+ more\n$/);
});

test('tsdb verify: a folder that somebody uses is not repaired', { skip: withoutBlocks }, async (t) => {
  const folder = unpack(t, 'killed-server.data');
  // By its command line it could be a server.
  const owner = spawn(process.execPath, ['-e', 'process.stdin.resume()', 'main.ts']);
  t.after(() => owner.kill());
  await once(owner, 'spawn');
  writeFileSync(join(folder, 'lock'), String(owner.pid));
  const { exitCode, stderr } = await coeus(['tsdb', 'verify', '--repair', folder]);
  assert.deepEqual([exitCode, stderr], [1, `${folder} is in use by the process ${owner.pid}\n`]);
  assert.equal((await coeus(['tsdb', 'verify', folder])).exitCode, 0);
});

test('tsdb verify: a folder that is none', async () => {
  assert.deepEqual(await coeus(['tsdb', 'verify', '/nowhere']), { exitCode: 1, stdout: '', stderr: 'opening the db dir: stat /nowhere: no such file or directory\n' });
});
