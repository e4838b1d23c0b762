import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { blockFolders, conformance, skip, withArchive, withFolder } from './_block-fixtures.ts';
import { formatBlockMeta, parseBlockMeta, readBlockMeta, writeBlockMeta, type BlockMeta } from './block-meta.ts';

const ULID = '01M83DCNH40ZA7QPYB6RW4CSB8';
const OTHER = '01M83DDE724AXBHE62Z3YFK1QM';

const full: BlockMeta = {
  ulid: ULID,
  minTimeMs: -7_200_000,
  maxTimeMs: 0,
  stats: { sampleCount: 7, floatSampleCount: 4, histogramSampleCount: 3, seriesCount: 2, chunkCount: 2, tombstoneCount: 1 },
  compaction: {
    level: 3,
    sources: [ULID, OTHER],
    parents: [{ ulid: OTHER, minTimeMs: -7_200_000, maxTimeMs: -3_600_000 }],
    isDeletable: true,
    hasFailed: true,
    hints: ['from-out-of-order'],
  },
  extra: { thanos: { labels: { replica: 'a' }, downsample: { resolution: 0 }, source: 'sidecar' } },
};

test('what is written is read again, Thanos’ fields too', () =>
  withFolder((folder) => {
    writeBlockMeta(folder, full);
    assert.deepEqual(readBlockMeta(folder), full);
  }));

test('it looks as Prometheus writes it', { skip }, () =>
  withArchive('scraped-78s.blocks.tar.gz', (folder) => {
    const [block] = blockFolders(folder);
    assert.equal(formatBlockMeta(readBlockMeta(block!)), readFileSync(join(block!, 'meta.json'), 'utf8'));
  }));

test('the first version that had an index is read', { skip }, () => {
  const { stats, compaction } = readBlockMeta(join(conformance, 'index_format_v1'));
  assert.deepEqual([stats.sampleCount, stats.floatSampleCount, compaction.level, compaction.parents], [102, 0, 1, []]);
});

const minimal = { ulid: ULID, minTime: 0, maxTime: 1, version: 1 };
const refused: [string, string, RegExp][] = [
  ['nothing', '', /meta.json: offset 0: no JSON/],
  ['half an object', '{"ulid": "', /no JSON/],
  ['a list', '[]', /the file is no object/],
  ['no version', JSON.stringify({ ...minimal, version: undefined }), /version undefined is not known/],
  ['another version', JSON.stringify({ ...minimal, version: 2 }), /version 2 is not known/],
  ['no ULID', JSON.stringify({ ...minimal, ulid: '../../etc' }), /ulid is no ULID: "\.\.\/\.\.\/etc"/],
  ['a time that is text', JSON.stringify({ ...minimal, minTime: '0' }), /minTime is no integer: "0"/],
  ['a time past safe integers', JSON.stringify({ ...minimal, maxTime: 2 ** 60 }), /maxTime is no integer/],
  ['times the wrong way round', JSON.stringify({ ...minimal, minTime: 2 }), /minTime 2 is behind maxTime 1/],
  ['a negative count', JSON.stringify({ ...minimal, stats: { numSeries: -1 } }), /stats.numSeries is negative/],
  ['a fraction', JSON.stringify({ ...minimal, compaction: { level: 1.5 } }), /compaction.level is no integer/],
  ['sources that are none', JSON.stringify({ ...minimal, compaction: { sources: ['x'] } }), /compaction.sources is no ULID/],
  ['parents that are none', JSON.stringify({ ...minimal, compaction: { parents: [null] } }), /compaction.parents is no object/],
  ['a flag that is a number', JSON.stringify({ ...minimal, compaction: { failed: 1 } }), /compaction.failed is neither true nor false/],
];
for (const [claim, text, want] of refused) {
  test(`refused: ${claim}`, () => assert.throws(() => parseBlockMeta(text, 'meta.json'), (error: Error) => error.name === 'CorruptError' && want.test(error.message)));
}

test('null stands for an empty list, as Go writes it', () => {
  assert.deepEqual(parseBlockMeta(JSON.stringify({ ...minimal, compaction: { level: 1, sources: null } }), 'meta.json').compaction.sources, []);
});

test('a file that is too long is not read', () =>
  withFolder((folder) => {
    writeFileSync(join(folder, 'meta.json'), Buffer.alloc(16 * 1024 * 1024 + 1));
    assert.throws(() => readBlockMeta(folder), /16777217 bytes are too many/);
  }));
