/**
 * What blocks cost: writing one, opening 365, finding series, reading samples back.
 *
 * The large block has `series` series of one chunk each, 50 metrics on pods that have a label value of their own, on 200 nodes; its
 * samples are jittered counters and gauges a minute apart, two hours of them. Prints times, bytes a sample, and a hash of what was read.
 *
 * Run: node src/store/block/block.bench.ts [series] [folder to keep the block in]
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../../test/kernels.ts';
import { crc32c } from '../../core/bytes/crc32c.ts';
import { encodeXor } from '../../core/chunk/xor.ts';
import { ENCODING } from '../../core/chunk/chunk.ts';
import { compareStrings, type Labels } from '../../core/model/labels.ts';
import type { Matcher } from '../../core/model/matcher.ts';
import { SampleBuffer } from '../../core/model/samples.ts';
import type { ChunkSource, EncodedChunk } from '../../core/storage/chunk-source.ts';
import { OpenFiles } from '../index/byte-source.ts';
import { SymbolCache } from '../index/symbol-cache.ts';
import { Block } from './block.ts';
import { BlockQuerier } from './block-querier.ts';
import { writeBlock } from './block-writer.ts';
import { makeUlid, ULID_RANDOM_BYTES } from './ulid.ts';

const SEED = 20261123;
const METRICS = 50;
const SAMPLES = 120;
const STEP_MS = 60_000;
const BLOCK_MS = SAMPLES * STEP_MS;
const ALL = { startMs: 0, endMs: BLOCK_MS };
const seriesCount = Number(process.argv[2] ?? 20_000);
const keptFolder = process.argv[3];
const print = (line: string): boolean => process.stdout.write(`${line}\n`);

async function measure<T>(what: string, body: () => T | Promise<T>, detail: (result: T, ms: number) => string): Promise<T> {
  const began = performance.now();
  const result = await body();
  const ms = performance.now() - began;
  print(`${what}: ${ms.toFixed(1)} ms, ${detail(result, ms)}`);
  return result;
}

/** A few hundred chunks, which the series share. */
function makeChunks(count: number): EncodedChunk[] {
  const random = seededRandom(SEED);
  return Array.from({ length: count }, (_, i) => {
    const samples = new SampleBuffer();
    let counter = Math.floor(random() * 1e6);
    for (let s = 0; s < SAMPLES; s++) {
      counter += Math.floor(random() * 50);
      samples.push(s * STEP_MS + Math.floor(random() * 3), i % 2 === 0 ? counter : Math.round(random() * 10_000) / 100);
    }
    return { encoding: ENCODING.XOR, minTimeMs: samples.times[0]!, maxTimeMs: samples.times[SAMPLES - 1]!, bytes: encodeXor(samples, 0, SAMPLES) };
  });
}

function makeSource(count: number): ChunkSource {
  const pods = Math.ceil(count / METRICS);
  const names = Array.from({ length: METRICS }, (_, i) => `metric_${i}_total`).sort();
  const podNames = Array.from({ length: pods }, (_, i) => `api-server-${i}-x7f9c`).sort();
  const nodes = Array.from({ length: 200 }, (_, i) => `node-${i}.eu-west-1.example`);
  const fixed = ['__name__', 'cluster', 'eu-1', 'container', 'app', 'job', 'kubernetes-pods', 'namespace', 'shop', 'node', 'pod', 'region', 'west'];
  const chunks = makeChunks(400);
  return {
    symbols: () => [...new Set([...fixed, ...names, ...podNames, ...nodes])].sort(compareStrings),
    *series() {
      let made = 0;
      for (const name of names) {
        for (const [node, nodeName] of nodes.toSorted().entries()) {
          for (let pod = node; pod < pods && made < count; pod += nodes.length) {
            const labels: Labels = [
              '__name__', name, 'cluster', 'eu-1', 'container', 'app', 'job', 'kubernetes-pods', 'namespace', 'shop', 'node', nodeName,
              'pod', podNames[pod]!, 'region', 'west',
            ];
            yield { labels, chunks: [chunks[made++ % chunks.length]!] };
          }
        }
      }
    },
  };
}

const folder = keptFolder ?? mkdtempSync(join(tmpdir(), 'coeus-block-bench-'));
const ulid = (number: number): string => makeUlid(number, new Uint8Array(ULID_RANDOM_BYTES));

const meta = await measure(
  `writing ${seriesCount} series of ${SAMPLES} samples`,
  () => writeBlock(makeSource(seriesCount), { dataFolder: folder, ulid: ulid(1), minTimeMs: 0, maxTimeMs: BLOCK_MS })!,
  ({ stats }, ms) => `${((ms * 1e3) / stats.seriesCount).toFixed(2)} µs a series`,
);
const files = new OpenFiles();
const symbols = new SymbolCache();
const block = await measure('opening it', () => Block.open(join(folder, meta.ulid), { files, symbols }), (each) => {
  const { sampleCount } = meta.stats;
  return `${(each.byteLength / sampleCount).toFixed(3)} bytes a sample: chunks ${(each.chunks.byteLength / sampleCount).toFixed(3)}, index ${(each.index.byteLength / sampleCount).toFixed(3)}`;
});
await measure('making the tables of its index', () => block.index.tables, (tables) => `${tables.symbols.count} symbols, ${tables.postings.offsets.length} places`);
const querier = new BlockQuerier(block);
const length = (list: readonly unknown[]): string => `${list.length} found`;
const matcher = (name: string, op: Matcher['op'], value: string): Matcher => ({ name, op, value });
await measure('label names', () => querier.labelNames({ matchers: [], ...ALL }), length);
await measure('values of pod', () => querier.labelValues('pod', { matchers: [], ...ALL }), length);
await measure('values of pod where node = node-7…', () => querier.labelValues('pod', { matchers: [matcher('node', '=', 'node-7.eu-west-1.example')], ...ALL }), length);
await measure('values of node where job = …', () => querier.labelValues('node', { matchers: [matcher('job', '=', 'kubernetes-pods')], ...ALL }), length);
const found = [
  ['one metric on one node', [matcher('__name__', '=', 'metric_7_total'), matcher('node', '=', 'node-7.eu-west-1.example')]],
  ['one metric, pod by a pattern', [matcher('__name__', '=', 'metric_7_total'), matcher('pod', '=~', 'api-server-.*7-x7f9c')]],
  ['one metric', [matcher('__name__', '=', 'metric_7_total')]],
  ['all but one metric', [matcher('job', '=', 'kubernetes-pods'), matcher('__name__', '!=', 'metric_7_total')]],
] as const;
for (const [what, matchers] of found) {
  await measure(`series of ${what}`, () => querier.series({ matchers, ...ALL }), (list, ms) => `${list.length} found, ${((ms * 1e3) / list.length).toFixed(2)} µs each`);
}
const out = new SampleBuffer(SAMPLES);
let hash = 0;
for (const pass of ['first', 'second'] as const) {
  await measure(
    `reading one metric's samples, ${pass}`,
    async () => {
      const set = await querier.select({ matchers: [matcher('__name__', '=', 'metric_7_total')], ...ALL });
      let samples = 0;
      for (let i = 0; i < set.seriesCount; i++) {
        out.clear();
        set.read(i, out);
        samples += out.length;
        hash = crc32c(new Uint8Array(out.values.buffer, 0, out.length * 8), 0, 64, hash);
      }
      set.close();
      return samples;
    },
    (samples, ms) => `${samples} samples, ${((ms * 1e6) / samples).toFixed(1)} ns a sample`,
  );
}
block.close();

const many = mkdtempSync(join(tmpdir(), 'coeus-block-bench-'));
const small = writeBlock(makeSource(500), { dataFolder: many, ulid: ulid(2), minTimeMs: 0, maxTimeMs: BLOCK_MS })!;
for (let i = 0; i < 365; i++) {
  mkdirSync(join(many, ulid(1000 + i)));
  cpSync(join(many, small.ulid), join(many, ulid(1000 + i)), { recursive: true });
}
const cpuBefore = process.cpuUsage();
const blocks = await measure('opening 365 blocks', () => Array.from({ length: 365 }, (_, i) => Block.open(join(many, ulid(1000 + i)), { files, symbols })), () => {
  const { user, system } = process.cpuUsage(cpuBefore);
  return `${((user + system) / 1000).toFixed(0)} ms CPU`;
});
for (const each of blocks) each.close();
rmSync(many, { recursive: true });
if (keptFolder === undefined) rmSync(folder, { recursive: true });
print(`seed ${SEED}, hash ${hash.toString(16)}`);
