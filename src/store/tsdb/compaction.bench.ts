/**
 * What compaction costs: three blocks of two hours into one of six, and two blocks that interleave into one.
 *
 * Each block has `series` series of 480 samples, 15 s apart, in four chunks: jittered counters and gauges of 50 metrics. A child process
 * compacts them, so that its memory is that of compaction alone. Prints CPU, wall time, peak memory and the samples that came out.
 *
 * Run: node src/store/tsdb/compaction.bench.ts [series] [folder to keep the blocks in, not compacted]
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../../test/kernels.ts';
import { systemClock } from '../../core/base/clock.ts';
import { silentLogger } from '../../core/base/log.ts';
import { Registry } from '../../core/base/metrics.ts';
import { ENCODING } from '../../core/chunk/chunk.ts';
import { encodeXor } from '../../core/chunk/xor.ts';
import { compareStrings } from '../../core/model/labels.ts';
import { SampleBuffer } from '../../core/model/samples.ts';
import type { ChunkSource, EncodedChunk } from '../../core/storage/chunk-source.ts';
import { writeBlock } from '../block/block-writer.ts';
import { makeUlid, ULID_RANDOM_BYTES } from '../block/ulid.ts';
import { KEEP_ALL } from './retention.ts';
import { Store } from './store.ts';

const SEED = 20261123;
const METRICS = 50;
const CHUNK_SAMPLES = 120;
const STEP_MS = 15_000;
const BLOCK_MS = 7_200_000;
const VARIANTS = 200;
const print = (line: string): boolean => process.stdout.write(`${line}\n`);

/** A few hundred series' chunks, which all series share. */
function makeChunks(startMs: number, offsetMs: number): EncodedChunk[][] {
  const random = seededRandom(SEED);
  return Array.from({ length: VARIANTS }, (_, variant) => {
    let counter = Math.floor(random() * 1e6);
    const chunks: EncodedChunk[] = [];
    for (let fromMs = startMs; fromMs < startMs + BLOCK_MS; fromMs += CHUNK_SAMPLES * STEP_MS) {
      const samples = new SampleBuffer();
      for (let i = 0; i < CHUNK_SAMPLES; i++) {
        counter += Math.floor(random() * 50);
        samples.push(fromMs + i * STEP_MS + offsetMs + Math.floor(random() * 3), variant % 2 === 0 ? counter : Math.round(random() * 10_000) / 100);
      }
      chunks.push({ encoding: ENCODING.XOR, minTimeMs: samples.times[0]!, maxTimeMs: samples.times[CHUNK_SAMPLES - 1]!, bytes: encodeXor(samples, 0, CHUNK_SAMPLES) });
    }
    return chunks;
  });
}

function makeSource(count: number, startMs: number, offsetMs: number): ChunkSource {
  const variants = makeChunks(startMs, offsetMs);
  const names = Array.from({ length: METRICS }, (_, i) => `metric_${i}_total`).sort();
  const pods = Array.from({ length: Math.ceil(count / METRICS) }, (_, i) => `api-server-${i}-x7f9c`).sort();
  const fixed = ['__name__', 'cluster', 'eu-1', 'container', 'app', 'job', 'kubernetes-pods', 'namespace', 'shop', 'pod', 'region', 'west'];
  return {
    symbols: () => [...new Set([...fixed, ...names, ...pods])].sort(compareStrings),
    *series() {
      let made = 0;
      for (const name of names) {
        for (const pod of pods) {
          if (made === count) return;
          const labels = ['__name__', name, 'cluster', 'eu-1', 'container', 'app', 'job', 'kubernetes-pods', 'namespace', 'shop', 'pod', pod, 'region', 'west'];
          yield { labels, chunks: variants[made++ % VARIANTS]! };
        }
      }
    },
  };
}

/** Blocks that fill six hours and one behind; or two of the same time, and one behind. */
function makeBlocks(folder: string, seriesCount: number, kind: 'adjacent' | 'interleaved'): void {
  const places = kind === 'adjacent' ? [[0, 0], [1, 0], [2, 0]] : [[0, 0], [0, 7_000]];
  for (const [i, [block, offsetMs]] of places.entries()) {
    const minTimeMs = block! * BLOCK_MS;
    const ulid = makeUlid(i, new Uint8Array(ULID_RANDOM_BYTES));
    writeBlock(makeSource(seriesCount, minTimeMs, offsetMs!), { dataFolder: folder, ulid, minTimeMs, maxTimeMs: minTimeMs + BLOCK_MS });
  }
  const newest = { dataFolder: folder, ulid: makeUlid(places.length, new Uint8Array(ULID_RANDOM_BYTES)), minTimeMs: 3 * BLOCK_MS, maxTimeMs: 4 * BLOCK_MS };
  writeBlock(makeSource(1, newest.minTimeMs, 0), newest);
}

async function compact(folder: string): Promise<void> {
  const readers = { use: () => Promise.resolve(), quiesce: () => Promise.resolve() };
  const head = { timeRange: () => null, source: () => ({ symbols: () => [], series: () => [] }), truncate: () => Promise.resolve(), deleteSeries: () => Promise.resolve(0) };
  const store = await Store.open({ dataFolder: folder, head, readers, limits: KEEP_ALL, clock: systemClock, log: silentLogger, registry: new Registry() });
  const idle = { cpu: process.cpuUsage(), rss: process.memoryUsage.rss(), at: performance.now() };
  await store.tick();
  const { user, system } = process.cpuUsage(idle.cpu);
  const ms = performance.now() - idle.at;
  const [{ meta, byteLength } = { meta: null, byteLength: 0 }] = store.blocks();
  const { sampleCount = 0, seriesCount = 0 } = meta?.stats ?? {};
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  print(`  ${(user / 1e6).toFixed(2)} s user, ${(system / 1e6).toFixed(2)} s system, ${(ms / 1e3).toFixed(2)} s in all; ${((user + system) / seriesCount).toFixed(1)} µs CPU a series`);
  print(`  memory ${mib(idle.rss)} MiB before, peak ${mib(process.resourceUsage().maxRSS * 1024)} MiB; ${sampleCount} samples in ${mib(byteLength)} MiB`);
  await store.close();
}

if (process.argv[2] === '--compact') await compact(process.argv[3]!);
else {
  const seriesCount = Number(process.argv[2] ?? 2_000);
  for (const kind of ['adjacent', 'interleaved'] as const) {
    const folder = mkdtempSync(join(tmpdir(), 'coeus-compaction-bench-'));
    makeBlocks(folder, seriesCount, kind);
    if (process.argv[3] !== undefined) cpSync(folder, join(process.argv[3], kind), { recursive: true });
    print(`${kind} blocks of ${seriesCount} series`);
    execFileSync(process.execPath, [import.meta.filename, '--compact', folder], { stdio: 'inherit' });
    rmSync(folder, { recursive: true });
  }
}
