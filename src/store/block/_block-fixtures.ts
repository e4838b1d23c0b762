/**
 * What the tests of blocks share: folders that go away, blocks made of a few words, and dumps that print well.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32c } from '../../core/bytes/crc32c.ts';
import { encodeXor } from '../../core/chunk/xor.ts';
import { ENCODING } from '../../core/chunk/chunk.ts';
import { formatFloat } from '../../core/model/float.ts';
import { compareLabels, compareStrings, labelsFromObject, type Labels } from '../../core/model/labels.ts';
import { MixedSamples } from '../../core/model/mixed-samples.ts';
import { SampleBuffer } from '../../core/model/samples.ts';
import type { ChunkSource, EncodedChunk } from '../../core/storage/chunk-source.ts';
import { OpenFiles } from '../index/byte-source.ts';
import { SymbolCache } from '../index/symbol-cache.ts';
import { Block } from './block.ts';
import { BlockQuerier } from './block-querier.ts';
import { writeBlock } from './block-writer.ts';
import { deleteSamples } from './delete-samples.ts';
import { isUlid, makeUlid, ULID_RANDOM_BYTES } from './ulid.ts';

export const conformance = join(import.meta.dirname, '../../../../shared/conformance/blocks');
export const skip = existsSync(conformance) ? false : 'the conformance data is not here';
/** False, or why tests with promtool are skipped. */
export const noPromtool = spawnSync('promtool', ['--version']).status === 0 ? false : 'promtool is not installed';

export async function withFolder(body: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'coeus-block-'));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs `body` with the blocks of an archive of the conformance data. */
export const withArchive = (name: string, body: (folder: string) => void | Promise<void>): Promise<void> =>
  withFolder(async (folder) => {
    execFileSync('tar', ['xzf', join(conformance, name), '-C', folder]);
    await body(folder);
  });

export const blockFolders = (dataFolder: string): string[] => readdirSync(dataFolder).filter(isUlid).sort().map((name) => join(dataFolder, name));

export const openBlock = (folder: string, files = new OpenFiles()): Block => Block.open(folder, { files, symbols: new SymbolCache(64) });

/** A name that says which it is. */
export const testUlid = (number: number): string => makeUlid(number, new Uint8Array(ULID_RANDOM_BYTES));

/** A chunk of `[time, value]` pairs. */
export function chunkOf(samples: readonly (readonly [number, number])[]): EncodedChunk {
  const buffer = new SampleBuffer();
  for (const [timeMs, value] of samples) buffer.push(timeMs, value);
  return { encoding: ENCODING.XOR, minTimeMs: samples[0]![0], maxTimeMs: samples.at(-1)![0], bytes: encodeXor(buffer, 0, buffer.length) };
}

/** Series by their labels, each with its chunks. */
export function sourceOf(series: readonly (readonly [Labels, readonly EncodedChunk[]])[]): ChunkSource {
  const sorted = series.toSorted(([a], [b]) => compareLabels(a, b));
  return {
    symbols: () => [...new Set(sorted.flatMap(([labels]) => labels))].sort(compareStrings),
    series: () => sorted.map(([labels, chunks]) => ({ labels, chunks })),
  };
}

/** Forty series of three chunks in two segments, some deleted in part. */
export function writeSmallBlock(folder: string): string {
  const series: [Labels, EncodedChunk[]][] = Array.from({ length: 40 }, (_, i) => [
    labelsFromObject({ __name__: `m${i % 3}`, instance: `host-${i}`, ä: i % 2 === 0 ? 'ü' : '' }),
    [0, 1, 2].map((c) => chunkOf(Array.from({ length: 10 }, (_, s) => [c * 100_000 + s * 1000 + i, i * c + s / 8] as const))),
  ]);
  const meta = writeBlock(sourceOf(series), { dataFolder: folder, ulid: testUlid(1), minTimeMs: 0, maxTimeMs: 1_000_000, segmentBytes: 4000 });
  const path = join(folder, meta!.ulid);
  const block = openBlock(path);
  deleteSamples(block, { matchers: [{ name: '__name__', op: '=', value: 'm1' }, { name: 'instance', op: '=~', value: 'host-1.*' }], startMs: 3000, endMs: 104_000 });
  block.close();
  return path;
}

/** Bytes that one checksum covers, which stands behind them. */
export interface Sealed {
  readonly from: number;
  readonly to: number;
}

/** What is sealed in the index of a good block. */
export function sealedInIndex(block: Block): Sealed[] {
  const bytes = readFileSync(block.index.file);
  const { toc } = block.index.layout;
  const section = (at: number): Sealed => ({ from: at + 4, to: at + 4 + bytes.readUInt32BE(at) });
  const sealed = [section(toc.symbols), section(toc.postings), section(toc.postingsTable), { from: bytes.length - 52, to: bytes.length - 4 }];
  for (const name of block.index.labelNames()) block.index.forEachValue(name, (_, at) => sealed.push(section(at)));
  // Entries of these tests are longer than 127 bytes at most once in a while: the length is one or two bytes.
  for (const ref of block.index.postings('', '')) {
    const at = ref * 16;
    const [length, from] = bytes[at]! < 0x80 ? [bytes[at]!, at + 1] : [(bytes[at]! & 0x7f) + bytes[at + 1]! * 128, at + 2];
    sealed.push({ from, to: from + length });
  }
  return sealed;
}

/** Gives changed bytes the checksum that fits them. */
export const reseal = (bytes: Buffer, { from, to }: Sealed): number => bytes.writeUInt32BE(crc32c(bytes, from, to), to);

/** Every label set in braces, then value and time. */
export function dumpLine(labels: Labels, value: number | string, timeMs: number): string {
  const pairs: string[] = [];
  for (let i = 0; i < labels.length; i += 2) pairs.push(`${labels[i]!}=${JSON.stringify(labels[i + 1]!)}`);
  return `{${pairs.join(', ')}} ${typeof value === 'string' ? value : formatFloat(value)} ${timeMs}`;
}

/** All samples of a block as lines, as its querier gives them. */
export async function dumpBlock(block: Block, range = { startMs: -1e15, endMs: 1e15 }): Promise<string[]> {
  const set = await new BlockQuerier(block).select({ matchers: [], ...range });
  const lines: string[] = [];
  const out = new MixedSamples();
  for (let i = 0; i < set.seriesCount; i++) {
    const labels = set.labels(i);
    out.clear();
    set.read(i, out);
    for (let j = 0; j < out.length; j++) {
      const histogram = out.histogramAt(j);
      lines.push(dumpLine(labels, histogram === undefined ? out.values[j]! : JSON.stringify(histogram), out.times[j]!));
    }
  }
  set.close();
  return lines;
}

/** All samples of all blocks of a folder as sorted lines. */
export async function dumpFolder(dataFolder: string): Promise<string[]> {
  const lines: string[] = [];
  for (const folder of blockFolders(dataFolder)) {
    const block = openBlock(folder);
    lines.push(...(await dumpBlock(block)));
    block.close();
  }
  return lines.sort();
}

/** What Prometheus reads from a data folder, as sorted lines. */
export function promtoolDump(dataFolder: string): string[] {
  // It wants a log, be it empty.
  mkdirSync(join(dataFolder, 'wal'), { recursive: true });
  return sortedDump(execFileSync('promtool', ['tsdb', 'dump', dataFolder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 2 ** 28 }));
}

/** The lines of a dump, sorted, with values in our form: promtool writes large ones with an exponent. */
export const sortedDump = (text: string): string[] =>
  text.trim().split('\n').map((line) => line.replace(/ (\S+) (\S+)$/, (_, value: string, time: string) => ` ${formatFloat(parseFloatText(value))} ${time}`)).sort();

const parseFloatText = (text: string): number => (text.endsWith('Inf') ? Number(text.replace('Inf', 'Infinity')) : Number(text));

/** Fails with the first line that differs; a diff of a whole dump takes minutes. */
export function assertSameLines(got: readonly string[], want: readonly string[]): void {
  const at = want.findIndex((line, i) => line !== got[i]);
  if (at >= 0) assert.equal(got[at], want[at], `line ${at}`);
  assert.equal(got.length, want.length);
}
