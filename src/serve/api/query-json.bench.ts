/**
 * What answers cost to write: a matrix of 1,000 series by 1,000 samples for each kind of value. Seedless: values come from
 * formulas. Prints ns a sample, MB/s and a hash. Run by hand: node src/serve/api/query-json.bench.ts [series]
 */
import { createHash } from 'node:crypto';
import type { QueryResult } from '../../query/promql/result.ts';
import { writeQueryJson } from './query-json.ts';

const seriesCount = Number(process.argv[2] ?? 1000);
const SAMPLES = 1000;
const ROUNDS = 5;

const KINDS: readonly (readonly [string, (i: number) => number])[] = [
  ['integers', (i) => (i * 7919) % 100_000],
  ['2 decimals', (i) => ((i * 7919) % 1_000_000) / 100],
  ['17 digits', (i) => Math.sin(i) * 1000],
  ['constant', () => 0.1 + 0.2],
];

for (const [kind, valueAt] of KINDS) {
  const series = Array.from({ length: seriesCount }, (_, s) => ({
    labels: [
      '__name__',
      'http_requests_total',
      'instance',
      `10.0.0.${s % 256}:9090`,
      'job',
      'api',
      'series',
      String(s),
    ],
    times: Float64Array.from({ length: SAMPLES }, (_unused, i) => 1_795_423_207_082 + i * 15_000),
    values: Float64Array.from({ length: SAMPLES }, (_unused, i) => valueAt(i + s)),
  }));
  const stats = { preparationMs: 0, evaluationMs: 0, sortMs: 0, totalQueryableSamples: 0, peakSamples: 0 };
  const result: QueryResult = { value: { type: 'matrix', series }, warnings: [], infos: [], stats };
  let bestMs = Infinity;
  let bytes = 0;
  let hash = '';
  for (let round = 0; round < ROUNDS; round++) {
    const digest = createHash('sha256');
    let writingMs = 0;
    bytes = 0;
    const pieces = writeQueryJson(result, { limit: 0, stats: false, queueMs: 0 });
    for (;;) {
      const began = performance.now();
      const piece = pieces.next();
      writingMs += performance.now() - began;
      if (piece.done) break;
      digest.update(piece.value);
      bytes += piece.value.length;
    }
    bestMs = Math.min(bestMs, writingMs);
    hash = digest.digest('hex').slice(0, 12);
  }
  const nsPerSample = (bestMs * 1e6) / (seriesCount * SAMPLES);
  process.stdout.write(
    `${kind}: ${nsPerSample.toFixed(0)} ns a sample, ${(bytes / 1e3 / bestMs).toFixed(0)} MB/s, hash ${hash}\n`,
  );
}
