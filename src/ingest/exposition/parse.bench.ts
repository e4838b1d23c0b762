/**
 * Measures a scrape of a target that is known: copy the body into linear memory, parse it, every value new.
 *
 * Run: node src/ingest/exposition/parse.bench.ts [rounds]
 * Prints nanoseconds a sample (median of the rounds) for the kernel and its twin, the cache's bytes a series beside the
 * series part's own, and a hash of the parsed values.
 */
import { pathToFileURL } from 'node:url';
import { DEFAULT_OPTIONS, IMPLEMENTATIONS, newWorkspace, NumberingResolver, seededRandom, type Implementation } from './_testing.ts';
import { BODY_PADDING_BYTES, ScrapeCache } from './scrape-cache.ts';

const SEED = 42;
const SERIES_PER_FAMILY = 100;
const BODIES = 4;

export interface ParseFigures {
  readonly nanosecondsPerSample: number;
  readonly firstNanosecondsPerSample: number;
  readonly bodyBytesPerSample: number;
  readonly overheadBytesPerSeries: number;
  readonly hash: string;
}

/** Bodies that differ in their values alone: integers, decimals of various lengths, floats of 17 digits. */
function makeBodies(seriesCount: number): { bodies: Buffer[]; seriesBytes: number } {
  const random = seededRandom(SEED);
  const parts: string[][] = Array.from({ length: BODIES }, () => []);
  let seriesBytes = 0;
  for (let i = 0; i < seriesCount; i++) {
    const family = Math.floor(i / SERIES_PER_FAMILY);
    if (i % SERIES_PER_FAMILY === 0) {
      const comments = `# HELP http_request_duration_${family}_total Time of requests.\n# TYPE http_request_duration_${family}_total counter\n`;
      for (const lines of parts) lines.push(comments);
    }
    const series =
      `http_request_duration_${family}_total{namespace="production-eu-west",pod="checkout-7d9f8b6c5d-${i % SERIES_PER_FAMILY}x2k",` +
      `container="server",method="GET",path="/api/v1/orders/${i % 10}",code="${200 + (i % 5)}",region="eu-west-1"}`;
    seriesBytes += series.length;
    for (const lines of parts) lines.push(`${series} ${makeValue(i, random)}\n`);
  }
  return { bodies: parts.map((lines) => Buffer.from(lines.join(''))), seriesBytes };
}

function makeValue(i: number, random: () => number): string {
  if (i % 3 === 0) return String(Math.floor(random() * 1e7));
  if (i % 3 === 1) return (random() * 1000).toFixed(3);
  return String(random() * 1e4);
}

/** Parses `rounds` bodies after a first one. */
export function measureParse(implementation: Implementation, seriesCount: number, rounds: number): ParseFigures {
  const { bodies, seriesBytes } = makeBodies(seriesCount);
  const workspace = newWorkspace(implementation);
  const cache = new ScrapeCache(workspace);
  const resolver = new NumberingResolver();
  const room = Math.max(...bodies.map((body) => body.length)) + BODY_PADDING_BYTES;
  const address = workspace.pool.take(room);
  const took: number[] = [];
  let hash = 0;
  for (let round = 0; round <= rounds; round++) {
    const body = bodies[round % BODIES]!;
    const options = { ...DEFAULT_OPTIONS, timeMs: round };
    const began = performance.now();
    workspace.memory.u8.set(body, address);
    const parsed = cache.parse({ address, length: body.length }, 'text', options, resolver);
    took.push(((performance.now() - began) * 1e6) / seriesCount);
    if (parsed.columns.count !== seriesCount) throw new Error('a sample is missing');
    const bits = new Uint32Array(parsed.columns.values.slice().buffer);
    for (const word of bits) hash = Math.imul(hash ^ word, 0x01000193) >>> 0;
  }
  const [first, ...later] = took;
  later.sort((a, b) => a - b);
  return {
    nanosecondsPerSample: later[later.length >>> 1]!,
    firstNanosecondsPerSample: first!,
    bodyBytesPerSample: bodies[0]!.length / seriesCount,
    overheadBytesPerSeries: (cache.memoryBytes() - seriesBytes) / seriesCount,
    hash: hash.toString(16),
  };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const rounds = Number(process.argv[2] ?? 200);
  for (const implementation of IMPLEMENTATIONS) {
    const figures = measureParse(implementation, 5000, rounds);
    console.log(
      `${implementation}: ${figures.nanosecondsPerSample.toFixed(1)} ns/sample, first ${figures.firstNanosecondsPerSample.toFixed(0)}, ` +
        `${figures.bodyBytesPerSample.toFixed(0)} B/line, ${figures.overheadBytesPerSeries.toFixed(1)} B/series over its bytes, hash ${figures.hash}`,
    );
  }
}
