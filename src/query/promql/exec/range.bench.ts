/**
 * Measures what a query costs per series and step, over series in memory: decoding costs a copy here and no more.
 *
 * `node src/query/promql/exec/range.bench.ts [series] [steps]` prints nanoseconds per (series × step) for range queries and
 * milliseconds for instant ones, with a hash of the results; the test suite runs it small. Samples lie 15 s apart with jitter,
 * counters reset now and then.
 */
import { pathToFileURL } from 'node:url';
import { labelsFromObject } from '../../../core/model/labels.ts';
import { Engine } from '../engine.ts';
import type { QueryResult } from '../result.ts';
import { MemoryStorage } from '../testing/memory-storage.ts';

const SEED = 4711;
const SCRAPE_MS = 15_000;
const GROUPS = 10;
const QUERIES = [
  'x_total',
  'sum(x_total)',
  'sum by (g) (x_total)',
  'rate(x_total[5m])',
  'sum(rate(x_total[5m]))',
  'sum by (g) (rate(x_total[5m]))',
  'sum by (g) (sum_over_time(x_total[5m]))',
  'max by (g) (max_over_time(x_total[1h]))',
  'quantile_over_time(0.9, x_total[5m])',
  'x_total / on (i) y_total',
  'topk(5, x_total)',
  'sum by (g) (x_total > 100)',
];

export interface Measurement {
  readonly query: string;
  /** Of the whole range query, divided by series and steps. */
  readonly rangeNs: number;
  readonly instantMs: number;
  readonly hash: string;
}

/** @param repeats the best of so many runs counts */
export async function measure(seriesCount: number, stepCount: number, repeats: number): Promise<Measurement[]> {
  const storage = fill(seriesCount, stepCount + 240);
  const engine = new Engine({ lookbackMs: 300_000, maxSamples: 1e9, defaultStepMs: 60_000, featureFlags: [] });
  const startMs = 240 * SCRAPE_MS;
  const endMs = startMs + (stepCount - 1) * SCRAPE_MS;
  const measurements: Measurement[] = [];
  for (const query of QUERIES) {
    let hash = '';
    let rangeMs = Infinity;
    let instantMs = Infinity;
    for (let i = 0; i < repeats; i++) {
      const began = performance.now();
      const result = await engine.range(storage, { query, startMs, endMs, stepMs: SCRAPE_MS });
      rangeMs = Math.min(rangeMs, performance.now() - began);
      hash = hashOf(result);
      const instantBegan = performance.now();
      await engine.instant(storage, { query, timeMs: endMs });
      instantMs = Math.min(instantMs, performance.now() - instantBegan);
    }
    measurements.push({ query, rangeNs: (rangeMs * 1e6) / (seriesCount * stepCount), instantMs, hash });
  }
  return measurements;
}

function fill(seriesCount: number, sampleCount: number): MemoryStorage {
  const storage = new MemoryStorage();
  const random = generator(SEED);
  for (let i = 0; i < seriesCount; i++) {
    const x = storage.samplesOf(
      labelsFromObject({ __name__: 'x_total', g: String(i % GROUPS), i: String(i), job: 'bench' }),
    );
    const y = storage.samplesOf(
      labelsFromObject({ __name__: 'y_total', g: String(i % GROUPS), i: String(i), job: 'bench' }),
    );
    x.reserve(sampleCount);
    y.reserve(sampleCount);
    const phaseMs = Math.floor(random() * SCRAPE_MS);
    let value = 0;
    for (let k = 0; k < sampleCount; k++) {
      value = random() < 0.001 ? 0 : value + random() * 10;
      x.push(k * SCRAPE_MS + phaseMs, value);
      y.push(k * SCRAPE_MS + phaseMs, value + 1);
    }
  }
  return storage;
}

/** A sum over the bits of all values, so that a changed result shows. */
function hashOf({ value }: QueryResult): string {
  let hash = 0;
  if (value.type !== 'matrix') return value.type;
  for (const { values } of value.series) {
    for (const half of new Uint32Array(values.buffer, values.byteOffset, values.length * 2))
      hash = (Math.imul(hash, 31) + half) | 0;
  }
  return (hash >>> 0).toString(16);
}

/** Mulberry32: small, seeded, good enough. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [seriesCount = 1000, stepCount = 241] = process.argv.slice(2).map(Number);
  console.log(`${seriesCount} series, ${stepCount} steps, seed ${SEED}`);
  for (const { query, rangeNs, instantMs, hash } of await measure(seriesCount, stepCount, 5)) {
    console.log(
      `${query.padEnd(44)} ${rangeNs.toFixed(1).padStart(7)} ns/step ${instantMs.toFixed(2).padStart(8)} ms instant  ${hash}`,
    );
  }
}
