import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BinaryWriter } from './binary-writer.ts';
import { ByteCursor, BytesError } from './cursor.ts';

const MAX = Number.MAX_SAFE_INTEGER;
const bytes = (hex: string): Uint8Array => Uint8Array.from(hex.split(' ').filter(Boolean), (pair) => Number.parseInt(pair, 16));

const written = (write: (out: BinaryWriter) => void): Uint8Array => {
  const out = new BinaryWriter(1);
  write(out);
  return out.written;
};

// One row a number: the varint of Go's encoding/binary, unsigned and zig-zag.
const uvarints: [number, string][] = [
  [0, '00'], [1, '01'], [127, '7f'], [128, '80 01'], [300, 'ac 02'], [16384, '80 80 01'], [0x7fffffff, 'ff ff ff ff 07'],
  [0x80000000, '80 80 80 80 08'], [2 ** 32, '80 80 80 80 10'], [MAX, 'ff ff ff ff ff ff ff 0f'],
];
for (const [value, want] of uvarints) {
  test(`uvarint ${value}`, () => {
    assert.deepEqual(written((out) => out.uvarint(value)), bytes(want));
    const cursor = new ByteCursor(bytes(want));
    assert.equal(cursor.uvarint(), value);
    assert.ok(cursor.isDone);
  });
}
const varints: [number, string][] = [
  [0, '00'], [-1, '01'], [1, '02'], [-64, '7f'], [64, '80 01'], [-65, '81 01'], [8191, 'fe 7f'], [-8193, '81 80 01'],
  [MAX, 'fe ff ff ff ff ff ff 1f'], [-MAX, 'fd ff ff ff ff ff ff 1f'], [2 ** 52, '80 80 80 80 80 80 80 10'],
];
for (const [value, want] of varints) {
  test(`varint ${value}`, () => {
    assert.deepEqual(written((out) => out.varint(value)), bytes(want));
    assert.equal(new ByteCursor(bytes(want)).varint(), value);
    const skipped = new ByteCursor(bytes(want));
    skipped.skipVarint();
    assert.ok(skipped.isDone);
  });
}

test('the earliest time of Go is read rounded', () => {
  const cursor = new ByteCursor(bytes('ff ff ff ff ff ff ff ff ff 01'));
  assert.equal(cursor.roundedVarint(), -(2 ** 63));
});

const fixed: [number, string][] = [
  [0, '00 00 00 00 00 00 00 00'], [1, '00 00 00 00 00 00 00 01'], [-1, 'ff ff ff ff ff ff ff ff'],
  [-4294967296, 'ff ff ff ff 00 00 00 00'], [1700000000123, '00 00 01 8b cf e5 68 7b'], [-MAX, 'ff e0 00 00 00 00 00 01'],
];
for (const [value, want] of fixed) {
  test(`64 bits of ${value}`, () => {
    assert.deepEqual(written((out) => out.i64(value)), bytes(want));
    assert.equal(new ByteCursor(bytes(want)).i64(), value);
  });
}

test('fields of other widths', () => {
  const cursor = new ByteCursor(written((out) => {
    out.u8(200);
    out.u16(0xfffe);
    out.u32(0xfffffffd);
    out.string('é');
    out.string('x'.repeat(126) + 'é');
    out.bytes(bytes('01 02'));
  }));
  assert.deepEqual([cursor.u8(), cursor.u16(), cursor.u32()], [200, 0xfffe, 0xfffffffd]);
  assert.deepEqual([cursor.uvarint(), cursor.skip(2)], [2, 8]);
  assert.equal(cursor.uvarint(), 128);
  cursor.skip(128);
  assert.deepEqual([cursor.u8(), cursor.u8(), cursor.isDone], [1, 2, true]);
});

test('a float keeps its bits, a signalling NaN too', () => {
  const halves = Uint32Array.of(2, 0x7ff00000);
  const back = new Uint32Array(4);
  new ByteCursor(written((out) => out.float(halves, 0))).float(back, 1);
  assert.deepEqual([...back], [0, 0, 2, 0x7ff00000]);
});

// What the bytes are read as, and what is said.
const faults: [string, string, (cursor: ByteCursor) => unknown, RegExp][] = [
  ['no byte', '', (c) => c.u8(), /end inside a field of 1, at byte 0/],
  ['three of four bytes', '01 02 03', (c) => c.u32(), /end inside a field of 4, at byte 0/],
  ['a cut varint', '80 80', (c) => c.uvarint(), /end inside a varint, at byte 0/],
  ['a cut signed varint', '81', (c) => c.varint(), /end inside a varint/],
  ['a cut skipped varint', '81', (c) => c.skipVarint(), /end inside a varint/],
  ['eleven groups', 'ff ff ff ff ff ff ff ff ff ff 01', (c) => c.uvarint(), /varint is too long/],
  ['2^53', '80 80 80 80 80 80 80 10', (c) => c.uvarint(), /number is too large/],
  ['2^63', 'ff ff ff ff ff ff ff ff ff 01', (c) => c.varint(), /number is too large/],
  ['a large u64', 'ff ff ff ff ff ff ff ff', (c) => c.u64(), /number is too large, at byte 0/],
  ['a large i64', '7f ff ff ff ff ff ff ff', (c) => c.i64(), /number is too large/],
  ['a huge skip', '01', (c) => c.skip(Number.MAX_SAFE_INTEGER), /end inside a field/],
];
for (const [claim, input, read, want] of faults) {
  test(`${claim} is refused`, () => {
    assert.throws(() => read(new ByteCursor(bytes(input))), (error) => error instanceof BytesError && want.test(error.message));
  });
}

test('a cursor does not read behind its end', () => {
  const cursor = new ByteCursor(bytes('01 02 03 04 05'), 1, 3);
  assert.equal(cursor.u16(), 0x0203);
  assert.throws(() => cursor.u8(), BytesError);
});
