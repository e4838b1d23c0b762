import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dumpWal, sampleRecord, withFolder, writeScrapes } from './_wal-fixtures.ts';
import { writeCheckpoint } from './checkpoint.ts';
import { repairWal } from './repair.ts';
import { PAGE_BYTES } from './wal-format.ts';
import { readWal } from './wal-reader.ts';
import { WalWriter } from './wal-writer.ts';

const REFS = Array.from({ length: 20 }, (_, i) => i + 1);

/** One segment of a bit more than two pages. */
function twoPages(folder: string): Buffer {
  const writer = new WalWriter(folder, { compression: 'none' });
  writeScrapes(writer, REFS, 300);
  writer.close();
  const bytes = readFileSync(join(folder, '00000000'));
  assert.ok(bytes.length > 2 * PAGE_BYTES);
  return bytes;
}

test('cut at every byte around page borders and at the end, a log gives a prefix and says where it is torn', () => {
  withFolder((folder) => {
    const bytes = twoPages(folder);
    const all: string[] = [];
    readWal(folder, { record: (record) => void all.push(Buffer.from(record).toString('latin1')) });
    const cuts = new Set<number>();
    for (const [from, to] of [[0, 300], [PAGE_BYTES - 400, PAGE_BYTES + 400], [2 * PAGE_BYTES - 400, 2 * PAGE_BYTES + 400], [bytes.length - 1500, bytes.length]] as const) {
      for (let cut = from; cut < to; cut++) cuts.add(cut);
    }
    // From the end, so that each cut only shortens the file.
    for (const cut of [...cuts].sort((a, b) => b - a)) {
      truncateSync(join(folder, '00000000'), cut);
      let count = 0;
      const faults = readWal(folder, {
        record: (record) => {
          assert.equal(Buffer.from(record).toString('latin1'), all[count], `cut at ${cut}`);
          count++;
        },
      });
      assert.ok(count < all.length);
      assert.ok(faults.length === 0 || (faults.length === 1 && faults[0]!.isTornTail && faults[0]!.offset <= cut), `cut at ${cut}`);
    }
  });
});

test('a torn tail is cut and leaves nothing behind; damage is kept beside the log', () => {
  withFolder((folder) => {
    const bytes = twoPages(folder);
    const file = join(folder, '00000000');
    truncateSync(file, bytes.length - 3);
    const torn = dumpWal(folder);
    assert.equal(torn.faults[0]!.isTornTail, true);
    assert.deepEqual(repairWal(torn.faults[0]!), []);
    assert.deepEqual(dumpWal(folder).faults, []);

    for (const name of ['00000000.corrupt', '00000000.1.corrupt']) {
      bytes[40_000]! ^= 1;
      writeFileSync(file, bytes);
      const damaged = dumpWal(folder);
      const [fault] = damaged.faults;
      assert.equal(fault!.isTornTail, false);
      assert.ok(fault!.offset < 40_000 && fault!.offset > 39_000);
      assert.deepEqual(repairWal(fault!), [join(folder, name)]);
      assert.deepEqual(Buffer.concat([readFileSync(file), readFileSync(join(folder, name))]), bytes);
      assert.deepEqual(dumpWal(folder), { ...damaged, faults: [] });
      bytes[40_000]! ^= 1;
    }
  });
});

test('with damage in the first byte the whole segment goes, and its number is used again', () => {
  withFolder((folder) => {
    const writer = new WalWriter(folder, { compression: 'none' });
    for (let segment = 0; segment < 3; segment++) {
      writeScrapes(writer, REFS, 3, 1000 + segment * 10_000);
      writer.startSegment();
    }
    writer.close();
    const file = join(folder, '00000001');
    writeFileSync(file, readFileSync(file).fill(0xff, 0, 1));
    const { faults, lines } = dumpWal(folder);
    repairWal(faults[0]!);
    assert.deepEqual(readdirSync(folder).sort(), ['00000000', '00000001.corrupt', '00000002.corrupt', '00000003.corrupt']);
    const next = new WalWriter(folder, { compression: 'none' });
    assert.equal(next.segment, 1);
    next.close();
    assert.deepEqual(dumpWal(folder).lines, lines);
    assert.deepEqual(dumpWal(folder).faults, []);
  });
});

test('a damaged checkpoint costs its rest, not the segments behind it', () => {
  withFolder((folder) => {
    const writer = new WalWriter(folder, { compression: 'none' });
    writeScrapes(writer, REFS, 10);
    writer.startSegment();
    for (let i = 0; i < 5; i++) writer.log([sampleRecord(50_000 + i * 1000, ...REFS)]);
    writer.close();
    writeCheckpoint(folder, { lastSegment: 0, keepSeries: () => true, minTimeMs: 0, compression: 'none' });
    const file = join(folder, 'checkpoint.00000000', '00000000');
    const bytes = readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(file, bytes);
    const { faults, lines } = dumpWal(folder);
    assert.deepEqual(faults.map((fault) => [fault.folder, fault.segment, fault.isTornTail]), [[join(folder, 'checkpoint.00000000'), 0, false]]);
    assert.equal(lines.length, 9 * 20 + 5 * 20);
    assert.equal(faults.flatMap(repairWal).length, 1);
    assert.deepEqual(dumpWal(folder), { ...dumpWal(folder), lines, faults: [] });
    assert.ok(existsSync(`${file}.corrupt`));
  });
});

test('an error of the reader is no damage: it is thrown, and the log stays', () => {
  withFolder((folder) => {
    const bytes = twoPages(folder);
    const full = new RangeError('memory is full');
    assert.throws(
      () =>
        readWal(folder, {
          record: () => {
            throw full;
          },
        }),
      full,
    );
    assert.deepEqual(readFileSync(join(folder, '00000000')), bytes);
  });
});

// What stands behind two whole records, and what is said of it.
const tails: [string, Uint8Array, RegExp | null][] = [
  ['zeros up to the end of the page', new Uint8Array(100), null],
  ['a byte among zeros', new Uint8Array(100).fill(1, 50, 51), /unused rest of a page is not zero/],
  ['a fragment of no type', Uint8Array.of(5, 0, 0, 0, 0, 0, 0), /fragment of type 5 is out of place/],
  ['the middle of no record', Uint8Array.of(3, 0, 0, 0, 0, 0, 0), /fragment of type 3 is out of place/],
  ['a first fragment alone', Uint8Array.of(2, 0, 0, 0, 0, 0, 0), /last record is cut off/],
  ['a record within a record', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0), /fragment of type 1 is out of place/],
  ['a length past its page', Uint8Array.of(1, 0xff, 0xff, 0, 0, 0, 0), /longer than its page/],
  ['half a header', Uint8Array.of(1, 0, 0), /cut off in its header/],
  ['bad snappy', Uint8Array.of(1 | 8, 0, 1, 0x52, 0x7d, 0x53, 0x51), /cut off/],
  ['an empty record in zstd', Uint8Array.of(1 | 16, 0, 0, 0, 0, 0, 0), /zstd/],
  ['an empty record in snappy', Uint8Array.of(1 | 8, 0, 0, 0, 0, 0, 0), /snappy: corrupt input/],
];
for (const [claim, tail, want] of tails) {
  test(`behind the last record: ${claim}`, () => {
    withFolder((folder) => {
      const writer = new WalWriter(folder, { compression: 'none' });
      writeScrapes(writer, [1], 1);
      writer.close();
      appendFileSync(join(folder, '00000000'), tail);
      const { faults, lines } = dumpWal(folder);
      assert.equal(lines.length, 1);
      if (want === null) assert.deepEqual(faults, []);
      else assert.match(faults[0]!.what, want);
    });
  });
}

test('progress goes from nothing to all segments', () => {
  withFolder((folder) => {
    const writer = new WalWriter(folder, { compression: 'none' });
    for (let i = 0; i < 3; i++) {
      writer.log([sampleRecord(1, 1)]);
      writer.startSegment();
    }
    writer.close();
    const seen: string[] = [];
    readWal(folder, { record: () => {}, progress: (done, total) => void seen.push(`${done}/${total}`) });
    assert.deepEqual(seen, ['0/4', '1/4', '2/4', '3/4', '4/4']);
  });
});
