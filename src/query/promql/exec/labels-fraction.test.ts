import assert from 'node:assert/strict';
import { test } from 'node:test';
import { xxhash64 } from './labels-fraction.ts';

// From the reference implementation.
const vectors = [
  ['', 0xef46db3751d8e999n],
  ['a', 0xd24ec4f1a98c6e5bn],
  ['abc', 0x44bc2cf5ad770999n],
  ['The quick brown fox jumps over the lazy dog', 0x0b242d361fda71bcn],
] as const;
for (const [text, want] of vectors) {
  test(`xxHash64 of ${JSON.stringify(text)}`, () => assert.equal(xxhash64(new TextEncoder().encode(text)), want));
}
