import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32c } from '../../core/bytes/crc32c.ts';
import { coversAll, touches } from '../../core/model/intervals.ts';
import { OpenFiles } from '../index/byte-source.ts';
import { blockFolders, skip, withArchive, withFolder } from './_block-fixtures.ts';
import { encodeTombstones, readTombstones, Tombstones, writeTombstones } from './tombstones.ts';

const read = (folder: string): Tombstones => readTombstones(folder, new OpenFiles());

/** Adds each `first-last` to series 1. */
const adding = (text: string): string => {
  let tombstones = new Tombstones();
  for (const interval of text.split(' ')) tombstones = tombstones.with(new Map([[1, interval.split('-').map(Number) as [number, number]]]));
  const joined = tombstones.of(1);
  return Array.from({ length: joined.length / 2 }, (_, i) => `${joined[2 * i]!}-${joined[2 * i + 1]!}`).join(' ');
};
const joins: [string, string, string][] = [
  ['apart', '10-20 40-50', '10-20 40-50'],
  ['the wrong way round', '40-50 10-20', '10-20 40-50'],
  ['side by side', '10-20 21-30', '10-30'],
  ['one apart', '10-20 22-30', '10-20 22-30'],
  ['overlapping', '10-20 15-30', '10-30'],
  ['inside another', '10-50 20-30', '10-50'],
  ['over several', '10-20 30-40 60-70 15-65', '10-70'],
];
for (const [claim, text, want] of joins) test(`intervals ${claim}`, () => assert.equal(adding(text), want));

test('what an interval covers and touches', () => {
  const deleted = [10, 20, 40, 50];
  const cases: [number, number, boolean, boolean][] = [
    [10, 20, true, true], [12, 13, true, true], [9, 20, false, true], [20, 40, false, true], [21, 39, false, false], [0, 9, false, false], [51, 60, false, false], [0, 60, false, true],
  ];
  for (const [first, last, covered, touched] of cases) assert.deepEqual([coversAll(deleted, first, last), touches(deleted, first, last)], [covered, touched], `${first} to ${last}`);
});

test('what is written is read again, in order of series', () =>
  withFolder((folder) => {
    const tombstones = new Tombstones(new Map([[9_000_000_000, [-5, 5]], [3, [1, 2, 7, 9]]]));
    writeTombstones(folder, tombstones);
    const again = read(folder);
    assert.deepEqual([again.refs(), again.of(3), again.of(9_000_000_000), again.of(4), again.count], [[3, 9_000_000_000], [1, 2, 7, 9], [-5, 5], [], 3]);
  }));

test('no file is no tombstones, and an empty one is as Prometheus writes it', { skip }, () =>
  withArchive('scraped-78s.blocks.tar.gz', (folder) => {
    const block = blockFolders(folder)[0]!;
    assert.deepEqual(Buffer.from(encodeTombstones(new Tombstones())), readFileSync(join(block, 'tombstones')));
    assert.ok(read(block).isEmpty);
    rmSync(join(block, 'tombstones'));
    assert.ok(read(block).isEmpty);
  }));

/** A file of these entries, with a checksum that fits. */
function fileOf(...entries: number[]): Buffer {
  const file = Buffer.concat([Buffer.of(0x01, 0x30, 0xba, 0x30, 1), Buffer.from(entries), Buffer.alloc(4)]);
  file.writeUInt32BE(crc32c(file, 5, file.length - 4), file.length - 4);
  return file;
}

const refused: [string, Buffer, RegExp][] = [
  ['too short', Buffer.of(1, 2, 3), /offset 0: a file of 3 bytes/],
  ['another magic', Buffer.alloc(9), /offset 0: the file begins with 0/],
  ['another version', Buffer.of(0x01, 0x30, 0xba, 0x30, 2, 0, 0, 0, 0), /offset 4: tombstones version 2/],
  ['a wrong checksum', Buffer.of(0x01, 0x30, 0xba, 0x30, 1, 0, 0, 0, 1), /offset 5: the tombstones do not fit/],
  ['an entry cut off', fileOf(1, 2), /offset 7: the tombstones are damaged/],
  ['an end before its begin', fileOf(1, 8, 2), /offset 5: a tombstone ends at 1, before it begins at 4/],
];
for (const [claim, bytes, want] of refused) {
  test(`refused: ${claim}`, () =>
    withFolder((folder) => {
      writeFileSync(join(folder, 'tombstones'), bytes);
      assert.throws(() => read(folder), (error: Error) => error.name === 'CorruptError' && want.test(error.message));
    }));
}

test('the least and the greatest times are taken as ends of everything', () =>
  withFolder((folder) => {
    writeFileSync(join(folder, 'tombstones'), fileOf(1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1));
    const everything = read(folder);
    assert.deepEqual(everything.of(1), [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
    writeTombstones(folder, everything);
    assert.deepEqual(read(folder).of(1), everything.of(1));
  }));

test('many intervals of one series in any order are joined in time', () =>
  withFolder((folder) => {
    const count = 200_000;
    const intervals = Array.from({ length: count }, (_, i) => [(count - i) * 10, (count - i) * 10 + 3]).flat();
    writeTombstones(folder, new Tombstones(new Map([[1, intervals]])));
    const joined = read(folder).of(1);
    assert.deepEqual([joined.length, joined[0], joined.at(-1)], [2 * count, 10, count * 10 + 3]);
  }));
