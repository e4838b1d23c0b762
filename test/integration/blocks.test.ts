/**
 * Blocks beside Debian's Prometheus: it opens what is written here and answers random selections alike, and what it deletes is
 * deleted for us.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../kernels.ts';
import { ENCODING } from '../../src/core/chunk/chunk.ts';
import { encodeXor } from '../../src/core/chunk/xor.ts';
import { compareLabels, compareStrings, labelsFromObject, labelsToObject, type Labels } from '../../src/core/model/labels.ts';
import { formatMatcher, type Matcher, type MatchOp } from '../../src/core/model/matcher.ts';
import { MixedSamples } from '../../src/core/model/mixed-samples.ts';
import type { ChunkSource, EncodedChunk } from '../../src/core/storage/chunk-source.ts';
import { Block } from '../../src/store/block/block.ts';
import { BlockQuerier } from '../../src/store/block/block-querier.ts';
import { writeBlock } from '../../src/store/block/block-writer.ts';
import { makeUlid, ULID_RANDOM_BYTES } from '../../src/store/block/ulid.ts';
import { OpenFiles } from '../../src/store/index/byte-source.ts';
import { SymbolCache } from '../../src/store/index/symbol-cache.ts';
import { hasPrometheus, startPrometheus, withFolder, type RunningServer } from '../support/servers.ts';

const SEED = Number(process.env['SEED'] ?? 4711);
const SELECTIONS = 150;
const SERIES = 400;
const START_MS = 1_700_006_400_000;
const END_MS = START_MS + 7_200_000;
const CHUNKS = 4;
const CHUNK_SAMPLES = 30;
const STEP_MS = 15_000;
const ULID = makeUlid(END_MS, new Uint8Array(ULID_RANDOM_BYTES));

function randomSource(random: () => number): ChunkSource {
  const series = Array.from({ length: SERIES }, (_, i): [Labels, EncodedChunk[]] => [
    labelsFromObject({ __name__: `metric_${i % 9}`, pod: `pod-${i}`, zone: ['eu', 'us', 'ü', ''][i % 4]!, code: String(200 + (i % 5) * 100), 'utf8.näme': i % 7 === 0 ? 'yes 😀' : '' }),
    Array.from({ length: CHUNKS }, (_, c) => {
      const samples = new MixedSamples();
      for (let s = 0; s < CHUNK_SAMPLES; s++) {
        const timeMs = START_MS + (c * CHUNK_SAMPLES + s) * STEP_MS + Math.floor(random() * 1000);
        if (random() < 0.02) samples.pushStale(timeMs);
        else samples.push(timeMs, random() < 0.5 ? Math.floor(random() * 1000) : random() * 10 ** Math.floor(random() * 40 - 20));
      }
      return { encoding: ENCODING.XOR, minTimeMs: samples.times[0]!, maxTimeMs: samples.times[CHUNK_SAMPLES - 1]!, bytes: encodeXor(samples, 0, CHUNK_SAMPLES) };
    }),
  ]);
  series.sort(([a], [b]) => compareLabels(a, b));
  return {
    symbols: () => [...new Set(series.flatMap(([labels]) => labels))].sort(compareStrings),
    series: () => series.map(([labels, chunks]) => ({ labels, chunks })),
  };
}

function randomMatchers(random: () => number): Matcher[] {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const matchers = Array.from({ length: Math.floor(random() * 3) }, (): Matcher => {
    const op = pick<MatchOp>(['=', '!=', '=~', '!~']);
    const values = op === '=' || op === '!=' ? ['', 'eu', 'ü', '200', '600', 'pod-77', 'metric_3'] : ['', '.*', '.+', 'e.|us', '[2-4]00', 'pod-1.', '.*7', 'metric_(1|2)'];
    return { name: pick(['__name__', 'pod', 'zone', 'code', 'none']), op, value: pick(values) };
  });
  // Prometheus wants one that does not match everything.
  return [{ name: '__name__', op: '=~', value: `metric_[${pick(['0-4', '2', '5-8'])}]` }, ...matchers];
}

const keyOf = (labels: Readonly<Record<string, string>>): string => JSON.stringify(Object.entries(labels).sort());

async function samplesHere(querier: BlockQuerier, matchers: readonly Matcher[]): Promise<string[]> {
  const set = await querier.select({ matchers, startMs: START_MS, endMs: END_MS });
  const lines: string[] = [];
  const out = new MixedSamples();
  for (let i = 0; i < set.seriesCount; i++) {
    const key = keyOf(labelsToObject(set.labels(i)));
    out.clear();
    set.read(i, out);
    for (let j = 0; j < out.length; j++) if (!out.isStale(j)) lines.push(`${key} ${out.times[j]!} ${out.values[j]!}`);
  }
  set.close();
  return lines.sort();
}

async function samplesThere(server: RunningServer, matchers: readonly Matcher[]): Promise<string[]> {
  const { data } = await server.api('query', { query: `{${matchers.map(formatMatcher).join(',')}}[3h]`, time: String(END_MS / 1000) });
  const lines: string[] = [];
  for (const { metric, values } of (data as { result: { metric: Record<string, string>; values: [number, string][] }[] }).result) {
    const key = keyOf(metric);
    for (const [time, value] of values) lines.push(`${key} ${Math.round(time * 1000)} ${Number(value)}`);
  }
  return lines.sort();
}

test(`random selections of a block are Prometheus' (seed ${SEED})`, { skip: hasPrometheus ? false : 'prometheus is not installed' }, async () => {
  await withFolder(async (folder) => {
    const random = seededRandom(SEED);
    const data = join(folder, 'data');
    mkdirSync(data);
    writeBlock(randomSource(random), { dataFolder: data, ulid: ULID, minTimeMs: START_MS, maxTimeMs: END_MS });
    const server = await (await startPrometheus({ folder, config: 'scrape_configs: []\n', flags: ['--web.enable-admin-api'] })).untilReady();
    const files = new OpenFiles();
    const symbols = new SymbolCache();
    const open = (): BlockQuerier => new BlockQuerier(Block.open(join(data, ULID), { files, symbols }));
    const range = { start: String(START_MS / 1000), end: String(END_MS / 1000) };
    let querier = open();
    let found = 0;
    for (let round = 0; round < SELECTIONS; round++) {
      const matchers = randomMatchers(random);
      const selector = `{${matchers.map(formatMatcher).join(',')}}`;
      const request = { matchers, startMs: START_MS, endMs: END_MS };
      const here = await querier.series(request);
      const there = (await server.api('series', { 'match[]': selector, ...range })).data as Record<string, string>[];
      assert.deepEqual(here.map((labels) => keyOf(labelsToObject(labels))).sort(), there.map(keyOf).sort(), selector);
      assert.deepEqual(await querier.labelNames(request), (await server.api('labels', { 'match[]': selector, ...range })).data, selector);
      for (const name of ['pod', 'zone']) {
        assert.deepEqual(await querier.labelValues(name, request), (await server.api(`label/${name}/values`, { 'match[]': selector, ...range })).data, `${name} of ${selector}`);
      }
      if (round % 10 === 0) assert.deepEqual(await samplesHere(querier, matchers), await samplesThere(server, matchers), selector);
      found += here.length;
      if (round % 30 !== 29) continue;
      const deleted = new URLSearchParams({ 'match[]': selector, start: String((START_MS + random() * 3_600_000) / 1000), end: String((END_MS - random() * 3_600_000) / 1000) });
      const response = await fetch(`${server.url}/api/v1/admin/tsdb/delete_series?${deleted}`, { method: 'POST' });
      assert.equal(response.status, 204);
      querier = open();
    }
    assert.ok(found > SELECTIONS, `${found} series were found`);
    await server.stop();
  });
});
