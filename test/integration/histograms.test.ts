/**
 * Native histograms that Debian's Prometheus wrote into blocks: read here, rewritten here, and read there again, with the same answers.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import snappyjs from 'snappyjs';
import { test } from 'node:test';
import { seededRandom } from '../kernels.ts';
import { eventually, hasPrometheus, startCoeus, startPrometheus, withFolder, type RunningServer } from '../support/servers.ts';
import { bytesField, doubleField, packedDoubles, packedVarints, varintField, zigzag } from './_protobuf.ts';

const SEED = Number(process.env['SEED'] ?? 4711);
const HOUR_MS = 3_600_000;
const STEP_MS = 60_000;
const THEIRS = { config: 'scrape_configs: []\n', flags: ['--web.enable-remote-write-receiver', '--web.enable-admin-api', '--enable-feature=native-histograms'] };
const OURS = { config: THEIRS.config, flags: ['--web.enable-admin-api'] };

/** Without quantiles and arithmetic: 2.42 interpolates in buckets another way, and does not multiply. */
const QUERIES = ['latency', 'size', 'load', 'histogram_count(latency)', 'histogram_sum(size)', 'sum(latency)', 'rate(latency[10m])', 'histogram_sum(rate(size[30m]))'];

/** Whole counts of a counter that restarts, at buckets that come later; halves of them as floats; a gauge that goes up and down. */
function* histograms(startMs: number, endMs: number): Generator<{ name: string; message: number[] }> {
  const random = seededRandom(SEED);
  const counts = Array.from({ length: 12 }, () => 0);
  let sum = 0;
  for (let timeMs = startMs; timeMs < endMs; timeMs += STEP_MS) {
    const isRestart = random() < 0.01;
    if (isRestart) counts.fill(0);
    const reach = Math.min(12, 3 + Math.floor((timeMs - startMs) / HOUR_MS) * 3);
    for (let i = 0; i < reach; i++) if (random() < 0.5) counts[i]! += Math.floor(random() * 5);
    sum = isRestart ? 0 : sum + random() * 10;
    const total = counts.slice(0, reach).reduce((all, each) => all + each, 0) + 2;
    yield { name: 'latency', message: histogram({ timeMs, sum, total, zeroCount: 2, counts: counts.slice(0, reach), isFloat: false, isGauge: false }) };
    yield { name: 'size', message: histogram({ timeMs, sum: sum / 2, total: total / 2, zeroCount: 1, counts: counts.slice(0, reach).map((each) => each / 2), isFloat: true, isGauge: false }) };
    const gauge = counts.slice(0, 4).map(() => Math.floor(random() * 9));
    yield { name: 'load', message: histogram({ timeMs, sum: -sum, total: gauge.reduce((all, each) => all + each, 0), zeroCount: 0, counts: gauge, isFloat: false, isGauge: true }) };
  }
}

interface Sent {
  readonly timeMs: number;
  readonly sum: number;
  readonly total: number;
  readonly zeroCount: number;
  /** Of buckets −2, −1, … */
  readonly counts: readonly number[];
  readonly isFloat: boolean;
  readonly isGauge: boolean;
}

/** Source: Prometheus, prompb/types.proto. */
function histogram({ timeMs, sum, total, zeroCount, counts, isFloat, isGauge }: Sent): number[] {
  const span = [...varintField(1, zigzag(-2)), ...varintField(2, counts.length)];
  return [
    ...(isFloat ? doubleField(2, total) : varintField(1, total)),
    ...doubleField(3, sum),
    ...varintField(4, zigzag(1)),
    ...doubleField(5, 2 ** -128),
    ...(isFloat ? doubleField(7, zeroCount) : varintField(6, zeroCount)),
    ...bytesField(11, span),
    ...(isFloat ? packedDoubles(13, counts) : packedVarints(12, counts.map((count, i) => zigzag(count - (counts[i - 1] ?? 0))))),
    ...varintField(14, isGauge ? 3 : 0),
    ...varintField(15, timeMs),
  ];
}

async function send(server: RunningServer, startMs: number, endMs: number): Promise<void> {
  const text = (value: string): number[] => [...new TextEncoder().encode(value)];
  const byName = Map.groupBy(histograms(startMs, endMs), ({ name }) => name);
  const request: number[] = [];
  for (const [name, all] of byName) {
    const label = bytesField(1, [...bytesField(1, text('__name__')), ...bytesField(2, text(name))]);
    request.push(...bytesField(1, [...label, ...all.flatMap(({ message }) => bytesField(4, message))]));
  }
  const response = await fetch(`${server.url}/api/v1/write`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': '0.1.0' },
    body: snappyjs.compress(Uint8Array.from(request)) as Uint8Array<ArrayBuffer>,
  });
  assert.equal(response.status, 204, await response.text());
}

/** Answers over the range, numbers as JSON numbers rounded to what both print the same. */
async function answers(server: RunningServer, startMs: number, endMs: number): Promise<Map<string, unknown>> {
  const out = new Map<string, unknown>();
  for (const query of QUERIES) {
    // Off the samples' times, so that no window's edge meets one.
    const { data } = await server.api('query_range', { query, start: String(startMs / 1000 + 7), end: String(endMs / 1000), step: '300' });
    out.set(query, JSON.parse(JSON.stringify((data as { result: unknown }).result, (_, value: unknown) => (typeof value === 'string' && value !== '' && Number.isFinite(Number(value)) ? Number(Number(value).toPrecision(11)) : value))));
  }
  return out;
}

const blocksIn = (folder: string): string[] => readdirSync(join(folder, 'data')).filter((name) => /^[0-9A-Z]{26}$/.test(name)).sort();

test('native histograms of another server are read, rewritten and read there again', { skip: hasPrometheus ? false : 'prometheus is not installed' }, async (t) => {
  t.diagnostic(`seed ${SEED}`);
  await withFolder(async (folder) => {
    const startMs = Math.floor(Date.now() / (2 * HOUR_MS)) * 2 * HOUR_MS - 12 * HOUR_MS;
    const endMs = startMs + 4 * HOUR_MS;
    const theirs = await (await startPrometheus({ folder, ...THEIRS })).untilReady();
    await send(theirs, startMs, startMs + 8 * HOUR_MS);
    await eventually('blocks hold the range', async () => (blocksIn(folder).length >= 2 ? true : undefined));
    const want = await answers(theirs, startMs, endMs);
    assert.ok(JSON.stringify(want.get('latency')).includes('"histograms"'), 'there are histograms');
    await theirs.stop();

    const ours = await (await startCoeus({ folder, ...OURS })).untilReady();
    const got = await answers(ours, startMs, endMs);
    for (const query of QUERIES) assert.deepEqual(got.get(query), want.get(query), `Coeus: ${query}`);
    // One sample of each series goes, so that its chunk is encoded anew.
    const at = String((startMs + 30 * STEP_MS) / 1000);
    for (const action of [`delete_series?match[]={__name__=~"latency|size|load"}&start=${at}&end=${at}`, 'clean_tombstones']) {
      await fetch(`${ours.url}/api/v1/admin/tsdb/${action}`, { method: 'POST' });
    }
    const rewritten = await answers(ours, startMs, endMs);
    assert.equal(await ours.stop(), 0);

    const again = await (await startPrometheus({ folder, ...THEIRS })).untilReady();
    const there = await answers(again, startMs, endMs);
    for (const query of QUERIES) assert.deepEqual(there.get(query), rewritten.get(query), `Prometheus, rewritten: ${query}`);
    const { data } = await again.api('query', { query: 'count_over_time(latency[5m])', time: String(Number(at) + 61) });
    assert.equal((data as { result: { value: [number, string] }[] }).result[0]?.value[1], '4', 'one of five is gone');
    await again.stop();
  });
});
