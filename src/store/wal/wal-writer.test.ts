import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../../../test/kernels.ts';
import { withFolder } from './_wal-fixtures.ts';
import { FRAGMENT_HEADER_BYTES, PAGE_BYTES } from './wal-format.ts';
import { readWal } from './wal-reader.ts';
import { WalWriteError, WalWriter } from './wal-writer.ts';

function records(folder: string): Uint8Array[] {
  const found: Uint8Array[] = [];
  assert.deepEqual(readWal(folder, { record: (record) => void found.push(record.slice()) }), []);
  return found;
}

/** A record of `length` bytes, all `byte`. */
const record = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte);

const ROOM = PAGE_BYTES - FRAGMENT_HEADER_BYTES;
// Lengths of records that end near the borders of pages.
for (const lengths of [[ROOM, 1], [ROOM - 1, 1], [ROOM - 7, 5], [ROOM - 8, 5], [ROOM - 6, 5], [ROOM + 1, 5], [2 * ROOM, 0, 3], [3 * ROOM + 1, 1], [0, 0, ROOM - 14, 0, 9]]) {
  for (const atOnce of [true, false]) {
    test(`records of ${lengths.join(', ')} bytes, ${atOnce ? 'at once' : 'one by one'}`, () => {
      withFolder((folder) => {
        const want = lengths.map((length, i) => record(i + 1, length));
        const writer = new WalWriter(folder, { compression: 'none' });
        if (atOnce) writer.log(want);
        else for (const each of want) writer.log([each]);
        assert.deepEqual(records(folder), want, 'before it is closed');
        writer.close();
        assert.deepEqual(records(folder), want);
      });
    });
  }
}

test('a fragment as bytes', () => {
  withFolder((folder) => {
    const writer = new WalWriter(folder, { compression: 'snappy' });
    writer.log([new TextEncoder().encode('123456789'), new Uint8Array(100)]);
    writer.close();
    // Type, length, CRC-32C, data. Nine different bytes don't shrink; a hundred zeros do: length, one zero, copies of 64 and 35.
    const want = '01 0009 e3069283 313233343536373839 09 0009 d7de1dd6 64 0000 fe0100 8a0100';
    assert.equal(readFileSync(join(folder, '00000000')).toString('hex'), want.replaceAll(' ', ''));
  });
});

test('a record never lies in two segments', () => {
  withFolder((folder) => {
    const random = seededRandom(21);
    const want = Array.from({ length: 40 }, (_, i) => record(i, Math.floor(random() * 60_000)));
    const writer = new WalWriter(folder, { compression: 'none', segmentBytes: 128 * 1024 });
    writer.log(want);
    writer.close();
    const segments = readdirSync(folder);
    assert.ok(segments.length > 5);
    const each = segments.flatMap((name) => {
      const alone = join(folder, 'alone', name);
      mkdirSync(alone, { recursive: true });
      execFileSync('cp', [join(folder, name), join(alone, '00000000')]);
      return records(alone);
    });
    assert.deepEqual(each, want);
    for (const name of segments) assert.ok(readFileSync(join(folder, name)).length <= 128 * 1024);
  });
});

test('a record longer than a segment gets its own', () => {
  withFolder((folder) => {
    const writer = new WalWriter(folder, { compression: 'none', segmentBytes: 64 * 1024 });
    const want = [record(1, 10), record(2, 200_000), record(3, 10)];
    writer.log(want);
    writer.close();
    assert.deepEqual(records(folder), want);
    assert.deepEqual(readdirSync(folder), ['00000000', '00000001', '00000002']);
  });
});

test('a folder that can not be written to is told', () => {
  withFolder((folder) => {
    mkdirSync(join(folder, 'wal', '00000000'), { recursive: true });
    const writer = new WalWriter(join(folder, 'wal'), { compression: 'none' });
    assert.equal(writer.segment, 1, 'what bears the name of a segment is one');
    mkdirSync(join(folder, 'wal', '00000002'));
    writer.log([record(1, 1)]);
    assert.throws(() => writer.startSegment(), (error) => error instanceof WalWriteError && /cannot create WAL segment 00000002/.test(error.message));
    writer.log([record(2, 1)]);
    writer.close();
    assert.equal(writer.segment, 1);
  });
});

const noLimits = spawnSync('prlimit', ['--version']).status === 0 ? false : 'prlimit is not installed';

test('a disk that fills up inside a write costs that call; with room again the log goes on', { skip: noLimits }, () => {
  withFolder((folder) => {
    // The limit on the size of files stops a write half way, as a full disk does.
    const program = `
      import { execFileSync } from 'node:child_process';
      import { WalWriter, WalWriteError } from ${JSON.stringify(new URL('./wal-writer.ts', import.meta.url).href)};
      const writer = new WalWriter(${JSON.stringify(folder)}, { compression: 'none' });
      const failed = [];
      for (let i = 1; i <= 5; i++) {
        try {
          writer.log([new Uint8Array(20_000).fill(i), new Uint8Array(20_000).fill(i)]);
        } catch (error) {
          if (!(error instanceof WalWriteError)) throw error;
          failed.push(i);
        }
      }
      execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited:']);
      writer.log([new Uint8Array(9).fill(9)]);
      writer.close();
      process.stdout.write(failed.join(' '));`;
    const failed = execFileSync('prlimit', ['--fsize=100000:', process.execPath, '--input-type=module', '--eval', program], { encoding: 'utf8' });
    assert.equal(failed, '3 4 5');
    assert.deepEqual(records(folder), [record(1, 20_000), record(1, 20_000), record(2, 20_000), record(2, 20_000), record(9, 9)]);
  });
});
