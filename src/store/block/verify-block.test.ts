import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { OpenFiles } from '../index/byte-source.ts';
import { SeriesEntry } from '../index/series-entry.ts';
import { blockFolders, conformance, openBlock, reseal, sealedInIndex, skip, withArchive, withFolder, writeSmallBlock } from './_block-fixtures.ts';
import { readBlockMeta, writeBlockMeta } from './block-meta.ts';
import { Tombstones, writeTombstones } from './tombstones.ts';
import { verifyBlock } from './verify-block.ts';

const verify = (folder: string): string[] => Array.from(verifyBlock(folder, new OpenFiles()), ({ file, what }) => `${relative(folder, file)}: ${what}`);

for (const name of ['scraped-78s', 'backfill-3d']) {
  test(`the blocks of ${name} are sound`, { skip }, () =>
    withArchive(`${name}.blocks.tar.gz`, (folder) => {
      for (const block of blockFolders(folder)) assert.deepEqual(verify(block), []);
    }));
}

test('a block with an index of version 1 is sound', { skip }, () => {
  assert.deepEqual(verify(join(conformance, 'index_format_v1')), []);
});

/** Changes bytes of a file, and the checksum that covers them. */
function change(path: string, file: string, edit: (bytes: Buffer) => void): void {
  const sealed = sealedInIndex(openBlock(path));
  const bytes = readFileSync(join(path, file));
  edit(bytes);
  if (file === 'index') for (const each of sealed) reseal(bytes, each);
  writeFileSync(join(path, file), bytes);
}

/** The number of a series, by its place in the order. */
const refAt = (path: string, i: number): number => openBlock(path).index.postings('', '')[i]!;

/** Where a chunk of the first series stands in the first segment. */
function chunkAt(path: string, chunk: number): number {
  const entry = new SeriesEntry();
  openBlock(path).index.series(refAt(path, 0), entry);
  return entry.chunkRefs[chunk]!;
}

const faults: [string, (path: string) => void, RegExp[]][] = [
  ['nothing', () => undefined, []],
  ['no meta.json', (path) => rmSync(join(path, 'meta.json')), [/^meta.json: it is missing$/]],
  ['no index', (path) => rmSync(join(path, 'index')), [/^index: it is missing$/]],
  ['no segment', (path) => rmSync(join(path, 'chunks/000001')), [/^chunks: segment 000001 is missing$/]],
  ['no segments', (path) => rmSync(join(path, 'chunks'), { recursive: true }), [/^chunks: it is missing$/]],
  ['a count in meta.json', (path) => {
    const meta = readBlockMeta(path);
    writeBlockMeta(path, { ...meta, stats: { ...meta.stats, chunkCount: 7 } });
  }, [/^meta.json: stats.numChunks is 7, the block has 120$/]],
  ['the time range in meta.json', (path) => writeBlockMeta(path, { ...readBlockMeta(path), minTimeMs: 1 }), [/^index: chunk 0 covers 0 to 9000, the block 1 to before 1000000$/]],
  ['tombstones of nobody', (path) => writeTombstones(path, new Tombstones(new Map([[7, [1, 2]]]))), [
    /^tombstones: there is no series 7 to delete from$/, /^meta.json: stats.numTombstones is 5, the block has 1$/,
  ]],
  ['a bit of a chunk', (path) => change(path, 'chunks/000001', (bytes) => bytes[chunkAt(path, 1) + 12]! ^= 1), [/^chunks\/000001: the chunk does not fit its checksum$/]],
  ['chunks of another block', (path) => {
    const sealed = chunkAt(path, 0);
    change(path, 'chunks/000001', (bytes) => {
      // The first chunk's encoding byte, with a checksum that fits.
      bytes[sealed + 1] = 77;
      const length = bytes[sealed]!;
      reseal(bytes, { from: sealed + 1, to: sealed + 2 + length });
    });
  }, [/^chunks\/000001: chunk encoding 77/]],
  ['a list of postings', (path) => {
    const block = openBlock(path);
    let at = 0;
    block.index.forEachValue('instance', (value, postingsAt) => { if (value === 'host-3') at = postingsAt; });
    const other = refAt(path, 0);
    change(path, 'index', (bytes) => bytes.writeUInt32BE(other, at + 8));
  }, [/^index: the postings of instance="host-3" are not the series that have it$/]],
  ['the order of all series', (path) => {
    const { postings } = openBlock(path).index.layout.toc;
    change(path, 'index', (bytes) => {
      const [first, second] = [bytes.readUInt32BE(postings + 8), bytes.readUInt32BE(postings + 12)];
      bytes.writeUInt32BE(second, postings + 8);
      bytes.writeUInt32BE(first, postings + 12);
    });
  }, [/^index: the list of all series has \d+ behind \d+$/, /^index: a series is out of order$/]],
  ['a symbol', (path) => {
    const { symbols } = openBlock(path).index.layout.toc;
    change(path, 'index', (bytes) => bytes.write('z', symbols + 9));
  }, [/^index: symbol .* is behind/]],
];
for (const [claim, damage, want] of faults) {
  test(`verifying finds ${claim}`, () =>
    withFolder((folder) => {
      const path = writeSmallBlock(folder);
      damage(path);
      const got = verify(path);
      assert.deepEqual(got.map((line, i) => want[i]?.test(line) ?? false), want.map(() => true), got.join('\n'));
    }));
}
