import assert from 'node:assert/strict';
import { test } from 'node:test';
import { xxhash64 } from './xxhash64.ts';

/** The sanity buffer of the reference implementation. */
function sanityBuffer(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 2654435761n;
  for (let i = 0; i < length; i++) {
    bytes[i] = Number(state >> 56n);
    state = BigInt.asUintN(64, state * 11400714785074694797n);
  }
  return bytes;
}

const cases: readonly (readonly [string, Uint8Array, bigint])[] = [
  ['nothing', new Uint8Array(0), 0xef46db3751d8e999n],
  ['a byte', new TextEncoder().encode('a'), 0xd24ec4f1a98c6e5bn],
  ['three bytes', new TextEncoder().encode('abc'), 0x44bc2cf5ad770999n],
  ['a sentence', new TextEncoder().encode('Nobody inspects the spammish repetition'), 0xfbcea83c8a378bf1n],
  ['one byte of the sanity buffer', sanityBuffer(1), 0xe934a84adb052768n],
  ['four bytes of it', sanityBuffer(4), 0x9136a0dca57457een],
  ['fourteen bytes of it', sanityBuffer(14), 0x8282dcc4994e35c8n],
  ['several stripes of it', sanityBuffer(222), 0xb641ae8cb691c174n],
];
for (const [claim, bytes, want] of cases) test(`XXH64 of ${claim}`, () => assert.equal(xxhash64(bytes).toString(16), want.toString(16)));
