import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../../../test/kernels.ts';
import { withFolder } from './_wal-fixtures.ts';
import { repairWal } from './repair.ts';
import { readWal, type WalFault } from './wal-reader.ts';
import { WalWriter } from './wal-writer.ts';

function readAll(folder: string): { records: string[]; fault: WalFault | null } {
  const records: string[] = [];
  const [fault = null, ...others] = readWal(folder, { record: (record) => void records.push(Buffer.from(record).toString('base64')) });
  assert.deepEqual(others, []);
  return { records, fault };
}

/** Records of many sizes; some longer than a page, some that snappy shrinks. */
function someRecords(seed: number, count: number): Uint8Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    const length = 1 + Math.floor(random() ** 4 * 90_000);
    const record = new Uint8Array(length);
    for (let j = 0; j < length; j++) record[j] = i % 3 === 0 ? j % 7 : random() * 256;
    return record;
  });
}

const text = (records: readonly Uint8Array[]): string[] => records.map((record) => Buffer.from(record).toString('base64'));

for (const compression of ['none', 'snappy'] as const) {
  test(`records of any size come back over several segments (${compression})`, () => {
    withFolder((folder) => {
      const records = someRecords(1, 60);
      const writer = new WalWriter(folder, { compression, segmentBytes: 256 * 1024 });
      for (let i = 0; i < records.length; i += 3) writer.log(records.slice(i, i + 3));
      writer.close();
      assert.ok(readdirSync(folder).length > 2, 'more than one segment');
      assert.deepEqual(readAll(folder), { records: text(records), fault: null });
      const again = new WalWriter(folder, { compression });
      again.log([Uint8Array.of(9, 9)]);
      again.close();
      assert.equal(readAll(folder).records.length, records.length + 1);
    });
  });
}

test('a log cut anywhere gives a prefix, and after repair takes new records', () => {
  withFolder((folder) => {
    const records = someRecords(2, 12).map((record) => record.subarray(0, 5000));
    const writer = new WalWriter(folder, { compression: 'snappy' });
    for (const record of records) writer.log([record]);
    writer.close();
    const file = join(folder, '00000000');
    const bytes = readFileSync(file);
    const want = text(records);
    const random = seededRandom(3);
    const cuts = [...Array.from({ length: 40 }, (_, i) => bytes.length - 1 - i), ...Array.from({ length: 60 }, () => Math.floor(random() * bytes.length))];
    for (const cut of cuts) {
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
      writeFileSync(file, bytes.subarray(0, cut));
      const { records: got, fault } = readAll(folder);
      assert.deepEqual(got, want.slice(0, got.length), `cut at ${cut}`);
      if (fault) {
        assert.ok(fault.offset <= cut);
        repairWal(fault);
      }
      const next = new WalWriter(folder, { compression: 'none' });
      next.log([Uint8Array.of(7)]);
      next.close();
      assert.deepEqual(readAll(folder), { records: [...want.slice(0, got.length), text([Uint8Array.of(7)])[0]], fault: null }, `after repair of a cut at ${cut}`);
    }
  });
});

test('a flipped bit is found, located and cut; nothing behind it is taken, nothing is destroyed', () => {
  withFolder((folder) => {
    const records = someRecords(4, 20).map((record) => record.subarray(0, 3000));
    const writer = new WalWriter(folder, { compression: 'none', segmentBytes: 64 * 1024 });
    for (const record of records) writer.log([record]);
    writer.close();
    const files = readdirSync(folder).sort();
    const originals = files.map((name) => readFileSync(join(folder, name)));
    const want = text(records);
    const random = seededRandom(5);
    for (let round = 0; round < 200; round++) {
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
      files.forEach((name, i) => writeFileSync(join(folder, name), originals[i]!));
      const victim = Math.floor(random() * files.length);
      const changed = Buffer.from(originals[victim]!);
      const at = Math.floor(random() * changed.length);
      changed[at]! ^= 1 << Math.floor(random() * 8);
      writeFileSync(join(folder, files[victim]!), changed);
      const { records: got, fault } = readAll(folder);
      assert.deepEqual(got, want.slice(0, got.length), `seed 5 round ${round}: a prefix`);
      // Only the spare bits of a type byte are not covered by the checksum and mean nothing.
      if (fault === null) {
        assert.equal((changed[at]! ^ originals[victim]![at]!) & 0x1f, 0, 'a spare bit');
        continue;
      }
      assert.equal(fault.segment, victim);
      assert.ok(fault.offset <= at, 'located at or before the flip');
      const kept = repairWal(fault);
      assert.ok(kept.length > 0);
      assert.equal(readAll(folder).fault, null);
    }
  });
});

test('a missing segment ends the log there', () => {
  withFolder((folder) => {
    const writer = new WalWriter(folder, { compression: 'none', segmentBytes: 64 * 1024 });
    for (const record of someRecords(6, 12)) writer.log([record.subarray(0, 30_000)]);
    writer.close();
    rmSync(join(folder, '00000001'));
    const { fault } = readAll(folder);
    assert.match(fault!.what, /00000001 is missing/);
  });
});
