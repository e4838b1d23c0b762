import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUlid, makeUlid, ulidTimeMs } from './ulid.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from({ length: 10 }, (_, i) => values[i % values.length]!);

const made: [number, Uint8Array, string][] = [
  [0, bytes(0), '00000000000000000000000000'],
  [2 ** 48 - 1, bytes(0xff), '7ZZZZZZZZZZZZZZZZZZZZZZZZZ'],
  // Five bytes of 00001 00010 00011 … 01000, twice.
  [32, bytes(0x08, 0x86, 0x42, 0x98, 0xe8), '00000000101234567812345678'],
  // The time of the specification's example.
  [1_469_918_176_385, bytes(0), '01ARYZ6S410000000000000000'],
];
for (const [timeMs, random, want] of made) {
  test(`${want} is of ${timeMs}`, () => {
    assert.equal(makeUlid(timeMs, random), want);
    assert.ok(isUlid(want));
    assert.equal(ulidTimeMs(want), timeMs);
  });
}

const others = ['', '01ARYZ6S41', '01ARYZ6S4100000000000000000', '81ARYZ6S410000000000000000', '01ARYZ6S41000000000000000I', '01aryz6s410000000000000000', 'chunks_head'];
for (const text of others) test(`${JSON.stringify(text)} is no ULID`, () => assert.ok(!isUlid(text)));
