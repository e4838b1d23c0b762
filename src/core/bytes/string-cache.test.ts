import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StringCache } from './string-cache.ts';

const text = new TextEncoder();

test('gives what a decoder gives, whatever was asked before', () => {
  const cache = new StringCache();
  const words = Array.from({ length: 9000 }, (_, i) => `label_${i % 5000}`);
  for (const word of [...words, '', 'é', 'x'.repeat(1000), ' ']) {
    const bytes = text.encode(`[${word}]`);
    assert.equal(cache.decode(bytes, 1, bytes.length - 1), word);
  }
});

test('a byte order mark stays, invalid UTF-8 is replaced', () => {
  const cache = new StringCache();
  assert.equal(cache.decode(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61), 0, 4), '\ufeffa');
  assert.equal(cache.decode(Uint8Array.of(0x61, 0xff), 0, 2), 'a\ufffd');
});
