import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodeError } from './decode.ts';
import { decodeBlocks, decodeNotifications } from './server-status.ts';
import { poolInterval } from './targets.ts';

test('notifications that hold, with their times', () => {
  const date = '2026-01-02T03:04:05.678Z';
  const notes = [
    { text: 'a', date, active: true },
    { text: 'b', date, active: false },
  ];
  assert.deepEqual(decodeNotifications(notes), [{ text: 'a', dateMs: Date.parse(date) }]);
  assert.deepEqual(decodeNotifications(null), []);
  assert.throws(() => decodeNotifications([{ text: 1, date, active: true }]), DecodeError);
});

test('blocks, with the figures that there are', () => {
  const block = { ulid: 'A', minTime: 1, maxTime: 2, version: 1, compaction: { level: 3 } };
  const stats = { numSeries: 4, numSamples: 5 };
  const common = { ulid: 'A', minTimeMs: 1, maxTimeMs: 2, level: 3 };
  assert.deepEqual(decodeBlocks({ blocks: [{ ...block, stats }, block] }), [
    { ...common, seriesCount: 4, sampleCount: 5 },
    { ...common, seriesCount: null, sampleCount: null },
  ]);
  assert.deepEqual(decodeBlocks({ blocks: null }), []);
  assert.throws(() => decodeBlocks({ blocks: [{ ulid: 'A' }] }), DecodeError);
});

test('a pool’s interval is its own, not that of a part of it', () => {
  assert.equal(poolInterval('job_name: a\nscrape_interval: 1m30s\nscrape_timeout: 10s\n'), 90_000);
  assert.throws(() => poolInterval('job_name: a\nx:\n  scrape_interval: 5s\n'), DecodeError);
});
