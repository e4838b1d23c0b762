import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from './crc32c.ts';

const text = new TextEncoder();
const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);

// RFC 3720, B.4, and the check value of the polynomial's catalogue entry.
const cases: [string, Uint8Array, number][] = [
  ['nothing', new Uint8Array(0), 0],
  ['the digits', text.encode('123456789'), 0xe3069283],
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['32 ascending', ascending, 0x46dd794e],
  ['32 descending', ascending.toReversed(), 0x113fdb5c],
];
for (const [claim, input, want] of cases) test(`of ${claim}`, () => assert.equal(crc32c(input), want));

test('in any two pieces it is the same sum', () => {
  const input = text.encode('The quick brown fox jumps over the lazy dog');
  for (let cut = 0; cut <= input.length; cut++) assert.equal(crc32c(input, cut, input.length, crc32c(input, 0, cut)), 0x22620404);
});
