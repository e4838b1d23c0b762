/**
 * What the tests of blocks share: folders that go away, blocks made of a few words, and dumps that print well.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeXor } from '../../core/chunk/xor.ts';
import { ENCODING } from '../../core/chunk/chunk.ts';
import { formatFloat } from '../../core/model/float.ts';
import { compareLabels, compareStrings, type Labels } from '../../core/model/labels.ts';
import { MixedSamples } from '../../core/model/mixed-samples.ts';
import { SampleBuffer } from '../../core/model/samples.ts';
import type { ChunkSource, EncodedChunk } from '../../core/storage/chunk-source.ts';
import { OpenFiles } from '../index/byte-source.ts';
import { Block } from './block.ts';
import { BlockQuerier } from './block-querier.ts';
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

export const openBlock = (folder: string, files = new OpenFiles()): Block => Block.open(folder, { files });

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
