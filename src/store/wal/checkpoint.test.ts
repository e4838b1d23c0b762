import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BinaryWriter } from '../../core/bytes/binary-writer.ts';
import { assertSameLines, dumpWal, noPromtool, promtoolDump, sampleRecord, seriesRecord, withFolder, writeScrapes } from './_wal-fixtures.ts';
import { removeTemporary, writeCheckpoint, type CheckpointReport } from './checkpoint.ts';
import { lastCheckpoint, listSegments } from './wal-format.ts';
import { readWal } from './wal-reader.ts';
import { decodeMetadata, encodeExemplars, encodeMetadata, encodeTombstones, RECORD_TYPE } from './wal-records.ts';
import { WalWriter } from './wal-writer.ts';

const record = (write: (out: BinaryWriter) => void): Uint8Array => {
  const out = new BinaryWriter();
  write(out);
  return out.written.slice();
};

const checkpoint = (folder: string, lastSegment: number, minTimeMs: number, keepSeries: (walRef: number) => boolean = () => true): CheckpointReport =>
  writeCheckpoint(folder, { lastSegment, minTimeMs, keepSeries, compression: 'snappy' });

/** Three segments: two series each, scrapes at 1–10 s, 11–20 s, 21–30 s. */
function threeSegments(folder: string): void {
  const writer = new WalWriter(folder, { compression: 'snappy' });
  for (let segment = 0; segment < 3; segment++) {
    writeScrapes(writer, [2 * segment + 1, 2 * segment + 2], 10, 1000 + segment * 10_000);
    writer.startSegment();
  }
  writer.close();
}

test('a checkpoint holds what is still needed, and replaces its segments', () => {
  withFolder((folder) => {
    threeSegments(folder);
    const before = dumpWal(folder);
    const report = checkpoint(folder, 1, 6000, (walRef) => walRef !== 2);
    assert.deepEqual(report, { keptSeries: 3, droppedSeries: 1, keptSamples: 30, droppedSamples: 10, droppedRecords: 0, faults: [] });
    assert.deepEqual(lastCheckpoint(folder), { name: 'checkpoint.00000001', index: 1 });
    assert.deepEqual(listSegments(folder), [2, 3]);
    const isNeeded = (line: string): boolean => Number(line.split(' ').at(-1)) >= 6000;
    const want = before.lines.filter(isNeeded).map((line) => line.replace('m2"', 'unknown"'));
    assert.deepEqual(dumpWal(folder).lines, want.sort());
  });
});

test('a later checkpoint takes up the earlier one', () => {
  withFolder((folder) => {
    threeSegments(folder);
    const before = dumpWal(folder).lines;
    checkpoint(folder, 0, 0);
    checkpoint(folder, 2, 0);
    assert.deepEqual(readdirSync(folder).sort(), ['00000003', 'checkpoint.00000002']);
    assertSameLines(dumpWal(folder).lines, before);
    const writer = new WalWriter(folder, { compression: 'none' });
    assert.equal(writer.segment, 4);
    writer.close();
  });
});

test('a new segment is never covered by a checkpoint', () => {
  withFolder((folder) => {
    threeSegments(folder);
    checkpoint(folder, 3, 0);
    assert.deepEqual(listSegments(folder), []);
    const writer = new WalWriter(folder, { compression: 'none' });
    assert.equal(writer.segment, 4);
    writer.close();
  });
});

test('tombstones, exemplars, histograms and metadata are kept while they are needed', () => {
  withFolder((folder) => {
    const writer = new WalWriter(folder, { compression: 'none' });
    const floats = '00'.repeat(8);
    const histogram = (time: string): Uint8Array =>
      Uint8Array.from(Buffer.from(`07 0000000000000001 00000000000${time} 00 00 00 06 ${floats} 00 00 ${floats} 00 00 00 00`.replaceAll(' ', ''), 'hex'));
    writer.log([
      seriesRecord(1, 2),
      // "Always", which is past what a number holds.
      Uint8Array.from(Buffer.from('03 0000000000000001 ffffffffffffffffff01 feffffffffffffffff01'.replaceAll(' ', ''), 'hex')),
      record((out) => encodeTombstones([{ walRef: 1, minTimeMs: 0, maxTimeMs: 4999 }], out)),
      record((out) => encodeExemplars([{ walRef: 1, timeMs: 4999, value: 1, labels: [] }, { walRef: 1, timeMs: 5000, value: 1, labels: ['a', 'b'] }], out)),
      histogram('01387'),
      histogram('01388'),
      record((out) => encodeMetadata([{ walRef: 1, type: 'gauge', unit: '', help: 'old' }, { walRef: 2, type: 'gauge', unit: '', help: 'gone' }], out)),
      record((out) => encodeMetadata([{ walRef: 1, type: 'gauge', unit: '', help: 'new' }], out)),
      Uint8Array.of(RECORD_TYPE.SAMPLES_V2, 1, 2, 3),
    ]);
    writer.close();
    const report = checkpoint(folder, 0, 5000, (walRef) => walRef === 1);
    assert.equal(report.droppedRecords, 1);
    const seen: [number, number][] = [];
    const helps: string[] = [];
    readWal(folder, {
      record: (each) => {
        seen.push([each[0]!, each.length]);
        if (each[0] === RECORD_TYPE.METADATA) decodeMetadata(each, ({ help }) => void helps.push(help));
      },
    });
    assert.deepEqual(seen.map(([type]) => type), [RECORD_TYPE.SERIES, RECORD_TYPE.TOMBSTONES, RECORD_TYPE.EXEMPLARS, RECORD_TYPE.HISTOGRAMS, RECORD_TYPE.METADATA]);
    assert.equal(seen[1]![1], 1 + 8 + 10 + 10, 'the tombstone as it was');
    assert.deepEqual(helps, ['new']);
  });
});

test('a segment that can not be read to its end is not deleted', () => {
  withFolder((folder) => {
    threeSegments(folder);
    const file = join(folder, '00000001');
    const bytes = readFileSync(file);
    bytes[40]! ^= 1;
    writeFileSync(file, bytes);
    const before = readdirSync(folder);
    const { faults } = checkpoint(folder, 1, 0);
    assert.deepEqual(faults.map(({ segment, what }) => [segment, what]), [[1, 'a record does not fit its checksum']]);
    assert.deepEqual(readdirSync(folder), before);
  });
});

test('a checkpoint that was never completed is not read, and removed', () => {
  withFolder((folder) => {
    threeSegments(folder);
    const before = dumpWal(folder).lines;
    mkdirSync(join(folder, 'checkpoint.00000001.tmp'));
    writeFileSync(join(folder, 'checkpoint.00000001.tmp', '00000000'), 'half');
    assertSameLines(dumpWal(folder).lines, before);
    removeTemporary(folder);
    assert.ok(!existsSync(join(folder, 'checkpoint.00000001.tmp')));
  });
});

test('a checkpoint of many records goes out in batches', () => {
  withFolder((folder) => {
    const refs = Array.from({ length: 3000 }, (_, i) => i + 1);
    const writer = new WalWriter(folder, { compression: 'none' });
    writeScrapes(writer, refs, 60);
    writer.close();
    const before = dumpWal(folder).lines;
    checkpoint(folder, 0, 0);
    assertSameLines(dumpWal(folder).lines, before);
  });
});

test('Prometheus reads checkpoint and segments', { skip: noPromtool }, () => {
  withFolder((folder) => {
    const wal = join(folder, 'wal');
    threeSegments(wal);
    checkpoint(wal, 1, 6000);
    const writer = new WalWriter(wal, { compression: 'none', segmentBytes: 64 * 1024 });
    for (let i = 0; i < 1500; i++) writer.log([sampleRecord(31_000 + i * 1000, 1, 2, 3, 4, 5, 6)]);
    writer.close();
    assert.ok(listSegments(wal).length > 3);
    const want = dumpWal(wal);
    assert.deepEqual(want.faults, []);
    assert.equal(want.lines.length, 9050);
    assertSameLines(promtoolDump(folder), want.lines);
  });
});
