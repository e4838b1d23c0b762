import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_GENERATION_BYTES, MAX_PROBES, SeriesCache } from './series-cache.ts';

/** Finds or adds `key`; a new one gets `ref`. */
function look(cache: SeriesCache, key: Uint8Array, ref: number, hash?: number): number {
  const view = new DataView(key.buffer, key.byteOffset);
  const expected = cache.expectedLength;
  if (hash === undefined && expected > 0 && expected === key.length) {
    const found = cache.takeExpected(view, 0);
    if (found !== 0) return found;
  }
  const hashed = hash ?? cache.hash(view, 0, key.length);
  const found = cache.find(hashed, key, view, 0, key.length);
  if (found !== 0) return found;
  cache.add(hashed, key, ref);
  return ref;
}

const key = (i: number, length = 20): Uint8Array => {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(length - 4, i);
  return bytes;
};

test('every key keeps its ref, in the same order and in another', () => {
  const cache = new SeriesCache(1);
  const count = 5000;
  for (let round = 0; round < 3; round++) for (let i = 0; i < count; i++) assert.equal(look(cache, key(i, 20 + (i % 5)), i + 1), i + 1);
  for (let i = count; i-- > 0; ) assert.equal(look(cache, key(i, 20 + (i % 5)), 999_999), i + 1);
  assert.equal(cache.entryCount, count);
  cache.clear();
  assert.equal(look(cache, key(3, 23), 77), 77);
});

test('keys with one hash stay apart, and too many of them are only not remembered', () => {
  const cache = new SeriesCache(1);
  for (let i = 0; i < 2 * MAX_PROBES; i++) assert.equal(look(cache, key(i), i + 1, 42), i + 1);
  assert.equal(cache.entryCount, MAX_PROBES);
  for (let i = 0; i < MAX_PROBES; i++) assert.equal(look(cache, key(i), 999, 42), i + 1);
  assert.equal(look(cache, key(MAX_PROBES), 999, 42), 999);
});

test('memory is bounded; what is still asked for outlives a generation', () => {
  const cache = new SeriesCache(1);
  const length = 1024 * 1024;
  const perGeneration = MAX_GENERATION_BYTES / length;
  const warm = key(1_000_000);
  assert.equal(look(cache, warm, 7), 7);
  for (let i = 0; i < 3 * perGeneration; i++) {
    look(cache, key(i, length), i + 1);
    assert.equal(look(cache, warm, 999), 7, `after ${i} others`);
    assert.ok(cache.keyBytes <= 2 * MAX_GENERATION_BYTES);
  }
  assert.equal(look(cache, key(0, length), 555), 555, 'the first has gone');
});
