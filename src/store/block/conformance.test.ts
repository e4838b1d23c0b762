import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  assertSameLines, blockFolders, conformance, dumpBlock, dumpFolder, noPromtool, openBlock, promtoolDump, skip, sortedDump, testUlid, withArchive, withFolder,
} from './_block-fixtures.ts';
import { blockSource } from './block-source.ts';
import { writeBlock } from './block-writer.ts';

const wantOf = (name: string): string[] =>
  sortedDump(gunzipSync(readFileSync(join(conformance, `${name}.dump.txt.gz`)), { maxOutputLength: 2 ** 28 }).toString());

for (const name of ['scraped-78s', 'backfill-3d']) {
  test(`the blocks of ${name} hold what Prometheus' own tool says`, { skip }, () =>
    withArchive(`${name}.blocks.tar.gz`, async (folder) => assertSameLines(await dumpFolder(folder), wantOf(name))));

  test(`the blocks of ${name}, written anew, hold the same for Prometheus and for us`, { skip: skip || noPromtool }, () =>
    withArchive(`${name}.blocks.tar.gz`, (folder) =>
      withFolder(async (copies) => {
        for (const from of blockFolders(folder)) {
          const block = openBlock(from);
          const { ulid, minTimeMs, maxTimeMs, compaction, stats } = block.meta;
          const meta = writeBlock(blockSource(block), { dataFolder: copies, ulid, minTimeMs, maxTimeMs, compaction });
          // Prometheus 2.42 does not count floats and histograms apart.
          assert.deepEqual({ ...meta?.stats, floatSampleCount: 0 }, { ...stats, floatSampleCount: 0 });
        }
        assertSameLines(await dumpFolder(copies), wantOf(name));
        assertSameLines(promtoolDump(copies), wantOf(name));
        // But for the section of label indices, which is not written any more, nothing of what Prometheus wrote looks different.
        const [theirs, ours] = [blockFolders(folder)[0]!, blockFolders(copies)[0]!];
        assert.deepEqual(readFileSync(join(ours, 'chunks/000001')), readFileSync(join(theirs, 'chunks/000001')));
        const { toc } = openBlock(ours).index.layout;
        const upTo = openBlock(theirs).index.layout.toc.labelIndices;
        assert.equal(toc.labelIndices, upTo);
        assert.deepEqual(readFileSync(join(ours, 'index')).subarray(5, upTo), readFileSync(join(theirs, 'index')).subarray(5, upTo));
      }),
    ));
}

test('a block with an index of version 1 is read as Prometheus reads it', { skip: skip || noPromtool }, () =>
  withFolder(async (folder) => {
    const copy = join(folder, testUlid(1));
    cpSync(join(conformance, 'index_format_v1'), copy, { recursive: true });
    const lines = await dumpBlock(openBlock(copy));
    assert.equal(lines.length, 102);
    assertSameLines(lines.sort(), promtoolDump(folder));
  }));
