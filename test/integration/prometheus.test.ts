/**
 * Beside Debian's Prometheus: its data here, our data there, and the same queries on the same samples.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { seededRandom } from '../kernels.ts';
import { sendWrite, type WrittenSeries } from './_remote-write.ts';
import { eventually, hasPrometheus, startCoeus, startPrometheus, withFolder, type ApiAnswer, type RunningServer } from '../support/servers.ts';
import { INSTANT_QUERIES, RANGE_QUERIES } from './_queries.ts';

const blocks = fileURLToPath(new URL('../../../shared/conformance/blocks', import.meta.url));
const noPeer = hasPrometheus ? false : 'prometheus is not installed';
const noData = existsSync(blocks) ? noPeer : 'the conformance data is not here';
const NO_SCRAPES = 'scrape_configs: []\n';
const WRITE = ['--web.enable-remote-write-receiver'];
const SEED = Number(process.env['SEED'] ?? 4711);

interface Series {
  readonly metric: Record<string, string>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}

interface QueryData {
  readonly resultType: string;
  readonly result: readonly Series[] | readonly [number, string];
}

async function dump(server: RunningServer, end: number): Promise<Set<string>> {
  const { data } = await server.api('query', { query: '{__name__=~".+"}[10000d]', time: String(end) });
  const lines = new Set<string>();
  for (const { metric, values } of (data as { result: readonly Series[] }).result) {
    const labels = JSON.stringify(Object.entries(metric).sort());
    for (const [time, value] of values!) lines.add(`${labels} ${Math.round(time * 1000)} ${Number(value)}`);
  }
  return lines;
}

/** Lines of `promtool tsdb dump`, stale markers left out as a query leaves them out. */
function expectedDump(file: string): Set<string> {
  const lines = new Set<string>();
  for (const line of gunzipSync(readFileSync(file)).toString().trim().split('\n')) {
    const [, labels, value, time] = /^\{(.*)\} (\S+) (-?\d+)$/.exec(line)!;
    if (value === 'NaN') continue;
    const pairs = [...labels!.matchAll(/([^=, ]+)=("(?:[^"\\]|\\.)*")/g)].map(([, name, text]) => [name!, JSON.parse(text!) as string]);
    lines.add(`${JSON.stringify(pairs.sort())} ${time} ${Number(value)}`);
  }
  return lines;
}

test('the folder of a killed Prometheus opens here, goes on there, and comes back', { skip: noData }, async () => {
  await withFolder(async (folder) => {
    const data = join(folder, 'data');
    mkdirSync(data);
    execFileSync('tar', ['xzf', join(blocks, 'killed-server.data.tar.gz'), '-C', data]);
    const want = expectedDump(join(blocks, 'killed-server.dump.txt.gz'));
    const end = Math.max(...[...want].map((line) => Number(line.split(' ').at(-2)))) / 1000 + 1;
    const options = { folder, config: NO_SCRAPES, flags: WRITE };
    const real = (lines: Set<string>): string[] => [...lines].filter((line) => !line.endsWith(' NaN')).sort();

    const ours = await (await startCoeus(options)).untilReady();
    assert.deepEqual(real(await dump(ours, end)), [...want].sort(), 'nothing is lost here');
    const extra: WrittenSeries[] = [{ labels: [['__name__', 'written_here']], samples: Array.from({ length: 300 }, (_, i) => [end * 1000 + i * 1000, i / 7] as const) }];
    assert.equal((await sendWrite(ours.url, extra)).status, 204);
    assert.equal(await ours.stop(), 0);

    const theirs = await (await startPrometheus(options)).untilReady();
    const all = await dump(theirs, end + 1000);
    assert.equal(real(all).filter((line) => !line.includes('written_here')).length, want.size, 'Prometheus has all of its own samples');
    assert.equal([...all].filter((line) => line.includes('written_here')).length, 300, 'and those that were written here');
    await theirs.stop('SIGKILL');

    const again = await (await startCoeus(options)).untilReady();
    assert.deepEqual(real(await dump(again, end + 1000)), real(all), 'and back');
    assert.equal(await again.stop(), 0);
  });
});

/** Counters with resets, gauges with gaps, classic histograms; no sample on a multiple of a second, so that no window's edge meets one. */
function world(endMs: number): WrittenSeries[] {
  const random = seededRandom(SEED);
  const series: WrittenSeries[] = [];
  const times = Array.from({ length: 480 }, (_, i) => Math.floor(endMs / 1000) * 1000 - (480 - i) * 15_000 + 217);
  for (const job of ['api', 'web', 'db ünï']) {
    for (const instance of ['a:1', 'b:1', 'c:1']) {
      const labels = [['instance', instance], ['job', job]] as const;
      let count = 0;
      series.push({
        labels: [['__name__', 'requests_total'], ...labels],
        samples: times.map((time) => {
          count = random() < 0.01 ? 0 : count + Math.floor(random() * 20);
          return [time, count] as const;
        }),
      });
      series.push({
        labels: [['__name__', 'temperature'], ...labels],
        samples: times.filter((_, i) => i % 100 < 80 || instance !== 'b:1').map((time) => [time, Math.round((20 + random() * 10) * 100) / 100] as const),
      });
      const buckets = [0.1, 0.5, 1, 5, Number.POSITIVE_INFINITY];
      const totals = buckets.map(() => 0);
      const rows = times.map(() => {
        for (const [i] of buckets.entries()) totals[i]! += Math.floor(random() * 3) + (i > 0 ? 0 : 0);
        let sum = 0;
        return totals.map((total) => (sum += total));
      });
      for (const [i, bound] of buckets.entries()) {
        const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound);
        series.push({ labels: [['__name__', 'latency_seconds_bucket'], ['instance', instance], ['job', job], ['le', le]], samples: times.map((time, t) => [time, rows[t]![i]!] as const) });
      }
    }
  }
  series.push({ labels: [['__name__', 'version_info'], ['job', 'api'], ['version', '1.2.3']], samples: times.map((time) => [time, 1] as const) });
  series.push({ labels: [['__name__', 'version_info'], ['job', 'web'], ['version', '2.0.0']], samples: times.map((time) => [time, 1] as const) });
  series.push({ labels: [['__name__', 'odd']], samples: times.map((time, i) => [time, [Number.NaN, Number.POSITIVE_INFINITY, -5, 0, 1e300][i % 5]!] as const) });
  return series;
}

const close = (a: string, b: string): boolean => {
  const [x, y] = [Number(a), Number(b)];
  if (a === b || (Number.isNaN(x) && Number.isNaN(y))) return true;
  return Math.abs(x - y) <= 1e-12 * Math.max(Math.abs(x), Math.abs(y)) || (Math.abs(x) < 1e-12 && Math.abs(y) < 1e-12);
};

/** The first difference, or null. */
function difference(want: ApiAnswer, got: ApiAnswer): string | null {
  if (want.status !== got.status) return `status ${want.status} ${want.error ?? ''} here ${got.status} ${got.error ?? ''}`;
  if (want.status !== 'success') return want.errorType === got.errorType ? null : `error type ${want.errorType} here ${got.errorType}: ${want.error} / ${got.error}`;
  const [a, b] = [want.data as QueryData, got.data as QueryData];
  if (a.resultType !== b.resultType) return `type ${a.resultType} here ${b.resultType}`;
  if (a.resultType === 'scalar' || a.resultType === 'string') return close((a.result as [number, string])[1], (b.result as [number, string])[1]) ? null : `${a.result[1]} here ${b.result[1]}`;
  const key = ({ metric }: Series): string => JSON.stringify(Object.entries(metric).sort());
  const theirs = a.result as readonly Series[];
  const ours = new Map((b.result as readonly Series[]).map((series) => [key(series), series]));
  if (theirs.length !== ours.size) return `${theirs.length} series here ${ours.size}`;
  if (a.resultType === 'matrix' && JSON.stringify(theirs.map(key)) !== JSON.stringify([...ours.keys()])) return 'the order of series';
  for (const series of theirs) {
    const own = ours.get(key(series));
    if (own === undefined) return `${key(series)} is missing here`;
    const x = series.values ?? [series.value!];
    const y = own.values ?? [own.value!];
    if (x.length !== y.length) return `${key(series)}: ${x.length} samples here ${y.length}`;
    for (const [i, [time, value]] of x.entries()) {
      if (time !== y[i]![0] || !close(value, y[i]![1])) return `${key(series)}: ${time} ${value} here ${y[i]![0]} ${y[i]![1]}`;
    }
  }
  return null;
}

test('queries give what Prometheus 2.42 gives on the same samples', { skip: noPeer }, async () => {
  process.stderr.write(`# differential test: seed ${SEED}, ${INSTANT_QUERIES.length} instant and ${RANGE_QUERIES.length} range queries\n`);
  await withFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    mkdirSync(a);
    mkdirSync(b);
    const theirs = await (await startPrometheus({ folder: a, config: NO_SCRAPES, flags: WRITE })).untilReady();
    const ours = await (await startCoeus({ folder: b, config: NO_SCRAPES, flags: WRITE })).untilReady();
    // Seven seconds past a minute, and steps of six: a subquery's own steps, multiples of 30 s or 1 m, never meet a window's open start, which
    // 2.42 counts in. Ranges end well inside the data: before its start 3.14 extrapolates counters in another way.
    const end = Math.floor(Date.now() / 60_000) * 60 - 113;
    const series = world(end * 1000);
    for (const server of [theirs, ours]) assert.equal((await sendWrite(server.url, series)).status, 204);
    await eventually('both have the samples', async () => {
      const counts = await Promise.all([theirs, ours].map(async (server) => ((await server.api('query', { query: 'count({__name__=~".+"})', time: String(end) })).data as QueryData).result));
      return JSON.stringify(counts[0]) === JSON.stringify(counts[1]) && counts[0]!.length > 0 ? true : undefined;
    });
    const differences: string[] = [];
    const compare = async (path: string, params: Record<string, string>): Promise<void> => {
      const [want, got] = await Promise.all([theirs.api(path, params), ours.api(path, params)]);
      const found = difference(want, got);
      if (found !== null) differences.push(`${params['query']} ${params['step'] ?? ''}: ${found}`);
    };
    for (const query of INSTANT_QUERIES) for (const time of [end, end - 1800, end - 4200]) await compare('query', { query, time: String(time) });
    for (const query of RANGE_QUERIES) {
      for (const [from, step] of [[3600, 60], [4800, 300], [600, 6]] as const) await compare('query_range', { query, start: String(end - from), end: String(end), step: String(step) });
    }
    await theirs.stop();
    assert.equal(await ours.stop(), 0);
    assert.deepEqual(differences, []);
  });
});
