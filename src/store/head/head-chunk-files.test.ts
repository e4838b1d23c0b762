import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeXor } from '../../core/chunk/xor.ts';
import { SampleBuffer } from '../../core/model/samples.ts';
import { SeriesEncoder } from '../wal/wal-records.ts';
import { WalWriter } from '../wal/wal-writer.ts';
import { HeadChunkPages } from './head-chunk-pages.ts';
import { HEAD_CHUNK_FILE_BYTES, HeadChunkWriter } from './head-chunk-files.ts';
import type { FullChunk } from './head.ts';
import { scanHeadChunks, type ScannedChunk } from './head-chunk-scan.ts';

function withFolder(body: (dataFolder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'coeus-chunks-'));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const START_MS = 1_700_000_000_000;

/** Chunk `i` of series `walRef`: 120 samples, 10 s apart. */
function chunk(walRef: number, i: number): FullChunk {
  const samples = new SampleBuffer(120);
  for (let k = 0; k < 120; k++) samples.push(START_MS + (i * 120 + k) * 10_000, walRef * 1000 + i * 120 + k / 4);
  return { walRef, minTimeMs: samples.times[0]!, maxTimeMs: samples.times[119]!, isOutOfOrder: i % 5 === 4, bytes: encodeXor(samples, 0, 120) };
}

function scan(folder: string): { chunks: ScannedChunk[]; fault: ReturnType<typeof scanHeadChunks> } {
  const chunks: ScannedChunk[] = [];
  const fault = scanHeadChunks(folder, (each) => void chunks.push(each));
  return { chunks, fault };
}

/** Writes three chunks of each of ten series. */
function writeSome(folder: string): void {
  const writer = new HeadChunkWriter(folder);
  for (let i = 0; i < 3; i++) for (let walRef = 1; walRef <= 10; walRef++) writer.write(chunk(walRef, i));
  writer.flush();
  writer.close();
}

test('chunks are found where they were written, and read there', () => {
  withFolder((folder) => {
    const writer = new HeadChunkWriter(folder);
    const pages = new HeadChunkPages(folder);
    const want = Array.from({ length: 500 }, (_, i) => chunk(1 + (i % 7), Math.floor(i / 7)));
    const places = want.map((each) => writer.write(each));
    writer.flush();
    const { chunks, fault } = scan(folder);
    assert.equal(fault, null);
    const out = new Uint8Array(4096);
    for (const [i, found] of chunks.entries()) {
      const { bytes, ...times } = want[i]!;
      assert.deepEqual(found, { ...times, ...places[i]!, sampleCount: 120, encoding: 1 });
      assert.deepEqual(out.subarray(0, pages.read(found.file, found.offset, out, 0, out.length)), bytes);
    }
    assert.equal(chunks.length, want.length);
    pages.close();
    writer.close();
  });
});

test('a full file is followed by the next, and a restart begins one', () => {
  withFolder((folder) => {
    const writer = new HeadChunkWriter(folder);
    const large = { walRef: 1, minTimeMs: 1, maxTimeMs: 2, isOutOfOrder: false, bytes: new Uint8Array(1_000_000) };
    const files = new Set<number>();
    for (let bytes = 0; bytes < HEAD_CHUNK_FILE_BYTES + 2_000_000; bytes += 1_000_000) files.add(writer.write(large).file);
    writer.flush();
    writer.close();
    assert.deepEqual([...files], [1, 2]);
    assert.ok(statSync(join(folder, 'chunks_head', '000001')).size <= HEAD_CHUNK_FILE_BYTES);
    const again = new HeadChunkWriter(folder);
    assert.equal(again.write(chunk(1, 0)).file, 3);
    again.flush();
    again.close();
    assert.deepEqual(readdirSync(join(folder, 'chunks_head')), ['000001', '000002', '000003']);
  });
});

// What stands behind the last chunk, and what is said of it.
const tails: [string, Uint8Array, RegExp | null][] = [
  ['room set aside', new Uint8Array(5000), null],
  ['a little room', new Uint8Array(3), null],
  ['half a chunk', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 0, 0), /cut off/],
  ['a chunk of no series', new Uint8Array(100).fill(1, 60, 61), /no series/],
  ['a length that does not end', new Uint8Array(100).fill(0xff), /no length/],
];
for (const [claim, tail, want] of tails) {
  test(`behind the last chunk: ${claim}`, () => {
    withFolder((folder) => {
      writeSome(folder);
      appendFileSync(join(folder, 'chunks_head', '000001'), tail);
      const { chunks, fault } = scan(folder);
      assert.equal(chunks.length, 30);
      if (want === null) assert.equal(fault, null);
      else assert.match(fault!.what, want);
      assert.equal(scan(folder).fault, null, 'a fault is cut');
    });
  });
}

test('a flipped bit costs the chunks behind it, which are kept aside', () => {
  withFolder((folder) => {
    writeSome(folder);
    writeSome(folder);
    const path = join(folder, 'chunks_head', '000001');
    const bytes = readFileSync(path);
    const whole = scan(folder).chunks;
    const victim = whole[12]!;
    bytes[victim.offset + 40]! ^= 4;
    writeFileSync(path, bytes);
    const { chunks, fault } = scan(folder);
    assert.deepEqual(chunks, whole.slice(0, 12));
    assert.deepEqual(fault, {
      file: path,
      offset: victim.offset,
      what: 'a chunk does not fit its checksum',
      setAside: [`${path}.corrupt`, join(folder, 'chunks_head', '000002.corrupt')],
    });
    assert.deepEqual(readdirSync(join(folder, 'chunks_head')), ['000001', '000001.corrupt', '000002.corrupt']);
    assert.deepEqual(Buffer.concat([readFileSync(path), readFileSync(`${path}.corrupt`)]), bytes);
    assert.deepEqual(scan(folder), { chunks, fault: null });
  });
});

const skip = spawnSync('promtool', ['--version']).status === 0 ? false : 'promtool is not installed';

test('Prometheus finds the samples of our chunks', { skip }, () => {
  withFolder((folder) => {
    writeSome(folder);
    const writer = new WalWriter(join(folder, 'wal'), { compression: 'snappy' });
    writer.log([new SeriesEncoder().encode(Array.from({ length: 10 }, (_, i) => ({ walRef: i + 1, labels: ['__name__', `m${i + 1}`] })))]);
    writer.close();
    const dump = execFileSync('promtool', ['tsdb', 'dump', folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim().split('\n');
    assert.equal(dump.length, 10 * 360);
    assert.ok(dump.includes(`{__name__="m3"} 3240.25 ${START_MS + 241 * 10_000}`));
  });
});
