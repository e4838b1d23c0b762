import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BitWriter } from './bit-writer.ts';

/** The bits as text, filled up to whole bytes. */
const textOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');

// Values and how many of their bits, then what is written.
const cases = [
  ['nothing', [], ''],
  ['a byte is filled up with zeros', [[0b101, 3]], '10100000'],
  ['fields follow each other', [[0b101, 3], [0, 1], [0b1111, 4], [1, 1]], '1010111110000000'],
  ['no bits are nothing', [[1, 1], [0xff, 0], [1, 1]], '11000000'],
  ['higher bits do not count', [[0xff, 1], [0xffffff00, 8]], '1000000000000000'],
  ['a whole word', [[0x80000001, 32]], `1${'0'.repeat(30)}1`],
  ['a negative number is its bits', [[-1, 4], [-2, 32]], `1111${'1'.repeat(31)}00000`],
  ['a field over the end of a word', [[0, 30], [0b1001, 4], [1, 1]], `${'0'.repeat(30)}1001100000`],
  ['a field up to the end of a word', [[0, 28], [0b1001, 4], [1, 1]], `${'0'.repeat(28)}100110000000`],
] as const;
for (const [claim, fields, want] of cases) {
  test(claim, () => {
    const writer = new BitWriter();
    for (const [value, count] of fields) writer.put(value, count);
    assert.equal(textOf(writer.written), want);
    assert.equal(writer.byteLength, want.length / 8);
  });
}

test('what is written can be looked at in between, and grows', () => {
  const writer = new BitWriter();
  let want = '';
  for (let i = 0; i < 5000; i++) {
    const count = (i * 7) % 33;
    const value = Math.imul(i, 0x9e3779b1);
    writer.put(value, count);
    want += (value >>> 0).toString(2).padStart(32, '0').slice(32 - count);
    if (i % 100 === 0) assert.equal(textOf(writer.written), want.padEnd(Math.ceil(want.length / 8) * 8, '0'));
  }
  writer.clear();
  assert.equal(writer.written.length, 0);
  writer.put(1, 1);
  assert.equal(textOf(writer.written), '10000000');
});
