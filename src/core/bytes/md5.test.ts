import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { md5 } from './md5.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

// RFC 1321, appendix A.5.
const suite = [
  ['', 'd41d8cd98f00b204e9800998ecf8427e'],
  ['a', '0cc175b9c0f1b6a831c399e269772661'],
  ['abc', '900150983cd24fb0d6963f7d28e17f72'],
  ['message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
  ['abcdefghijklmnopqrstuvwxyz', 'c3fcd3d76192e4007dfb496cca67e13b'],
] as const;
for (const [text, want] of suite) {
  test(`md5 of ${JSON.stringify(text)}`, () => assert.equal(hex(md5(Buffer.from(text))), want));
}

test('md5 agrees with the platform at every length around the block borders', () => {
  for (let length = 0; length <= 200; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255);
    assert.equal(hex(md5(bytes)), createHash('md5').update(bytes).digest('hex'), `length ${length}`);
  }
});
