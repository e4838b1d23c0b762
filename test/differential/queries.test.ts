/**
 * The queries of queries.txt beside Debian's Prometheus, over the same samples, as instant and as range queries.
 *
 * Both servers get the samples by remote write. 2.42 counts a sample at the very start of a window in, 3.x does not. So samples, queries
 * and the steps of subqueries, which are whole seconds, never share an instant.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sendWrite, type WrittenSeries } from '../integration/_remote-write.ts';
import {
  eventually,
  hasPrometheus,
  startCoeus,
  startPrometheus,
  withFolder,
  type RunningServer,
} from '../support/servers.ts';
import { seededRandom } from '../kernels.ts';

const SEED = Number(process.env['SEED'] ?? 4711);
const SCRAPES = 480;
const INTERVAL_MS = 15_000;
/** Sample times are this far past whole seconds. */
const OFFSET_MS = 217;
/** And queries this far. */
const QUERY_OFFSET_S = 0.009;
/** Values may differ by this, relative to the larger. */
const TOLERANCE = 1e-12;
/** Below this a value is what is left of a difference that is exactly zero. */
const NOTHING = 1e-12;

interface Case {
  readonly query: string;
  /** Why the answers differ; undefined where they must be equal. */
  readonly reason: string | undefined;
}

const CASES: readonly Case[] = readFileSync(new URL('queries.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('# '))
  .map((line) => {
    const [, reason, query] = /^differs ([^:]+): (.+)$/.exec(line) ?? [];
    return { query: query ?? line, reason };
  });

/** Two hours of series that end, come back, overflow and break their own rules. */
function series(endMs: number): WrittenSeries[] {
  const random = seededRandom(SEED);
  const times = Array.from({ length: SCRAPES }, (_, i) => endMs - (SCRAPES - i) * INTERVAL_MS + OFFSET_MS);
  const out: WrittenSeries[] = [];
  const add = (name: string, labels: Readonly<Record<string, string>>, samples: WrittenSeries['samples']): void => {
    const pairs = Object.entries({ __name__: name, ...labels }).sort(([a], [b]) => (a < b ? -1 : 1));
    out.push({ labels: pairs, samples });
  };
  for (const [h, host] of ['a', 'b', 'c', 'd', 'e'].entries()) {
    const labels = { host, zone: ['z"1\\', 'ünï zone'][h % 2]! };
    // Distinct values: among equals topk may choose as it likes.
    add(
      'gauge',
      labels,
      times.map((time) => [time, Math.round(random() * 1e8) / 1e6]),
    );
    let count = 0;
    add(
      'count',
      labels,
      times.map((time) => [time, (count = random() < 0.02 ? 0 : count + Math.floor(random() * 50))]),
    );
    if (host < 'd')
      add(
        'info',
        { host, version: `1.${h}` },
        times.map((time) => [time, 1]),
      );
  }
  add(
    'gauge',
    { zone: 'no host' },
    times.map((time) => [time, random() * 100]),
  );
  // Three scrapes in four, then a marker, then nothing for a while.
  for (const i of [0, 1, 2]) {
    let value = i * 100;
    const cycle = 23 + i * 10;
    const samples = times.flatMap((time, t): [number, number | 'stale'][] => {
      const phase = (t + i) % cycle;
      if (phase > cycle * 0.75 + 1) return [];
      if (phase > cycle * 0.75) return [[time, 'stale']];
      value += Math.floor(random() * 10);
      return [[time, value]];
    });
    add('flappy', { i: String(i) }, samples);
  }
  const SPECIAL = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    0,
    -0,
    5e-324,
    1.7e308,
    -1.7e308,
    0.1,
    -2.5,
  ];
  for (const [i] of SPECIAL.entries())
    add(
      'special',
      { v: String(i) },
      times.map((time, t) => [time, SPECIAL[(i + (t % 50 === 0 ? 1 : 0)) % SPECIAL.length]!]),
    );
  for (const host of ['a', 'b']) {
    const bounds = ['0.1', '1', '10', '+Inf'];
    const perBucket = bounds.map(() => 0);
    const rows = times.map(() => {
      let sum = 0;
      return bounds.map((_, b) => (sum += perBucket[b]! += Math.floor(random() * 5)));
    });
    for (const [b, le] of bounds.entries())
      add(
        'hist_bucket',
        { host, le },
        times.map((time, t) => [time, rows[t]![b]!]),
      );
  }
  for (const [le, count] of Object.entries({ '-10': 2, '-1': 5, '0': 6, '+Inf': 9 }))
    add(
      'negative_bucket',
      { le },
      times.map((time) => [time, count]),
    );
  return out;
}

function sameValue(a: string, b: string): boolean {
  const [x, y] = [Number(a), Number(b)];
  if (a === b || (Number.isNaN(x) && Number.isNaN(y))) return true;
  return (
    Math.abs(x - y) <= TOLERANCE * Math.max(Math.abs(x), Math.abs(y)) || Math.max(Math.abs(x), Math.abs(y)) < NOTHING
  );
}

type Point = readonly [timeS: number, value: string];

interface Row {
  readonly labels: string;
  readonly points: readonly Point[];
}

interface Outcome {
  /** All but rows and points, in one line. */
  readonly head: string;
  readonly rows: readonly Row[];
  readonly text: string;
}

/** @param keepsOrder whether the order of rows means something */
async function ask(
  server: RunningServer,
  path: string,
  params: Readonly<Record<string, string>>,
  keepsOrder: boolean,
): Promise<Outcome> {
  const { status, text } = await server.get(path, params);
  const answer = JSON.parse(text) as {
    status: string;
    errorType?: string;
    data?: {
      resultType: string;
      result: readonly { metric: Record<string, string>; value?: Point; values?: readonly Point[] }[] | Point;
    };
  };
  const head = `${status} ${answer.status} ${answer.errorType ?? ''} ${answer.data?.resultType ?? ''}`;
  if (answer.data === undefined) return { head, rows: [], text };
  const { resultType, result } = answer.data;
  if (resultType === 'scalar' || resultType === 'string')
    return { head, rows: [{ labels: resultType, points: [result as Point] }], text };
  const rows = (result as readonly { metric: Record<string, string>; value?: Point; values?: readonly Point[] }[]).map(
    ({ metric, value, values }) => ({
      labels: JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1))),
      points: values ?? [value!],
    }),
  );
  if (!keepsOrder) rows.sort((a, b) => (a.labels < b.labels ? -1 : 1));
  return { head, rows, text };
}

/** The first difference, or undefined. */
function difference(want: Outcome, got: Outcome): string | undefined {
  if (want.head !== got.head)
    return `${want.head} there, ${got.head} here: ${want.text.slice(0, 200)} / ${got.text.slice(0, 200)}`;
  const [theirs, ours] = [want.rows.map(({ labels }) => labels), got.rows.map(({ labels }) => labels)];
  if (theirs.join() !== ours.join()) return `series ${theirs.join(' ')} there, ${ours.join(' ')} here`;
  for (const [i, { labels, points }] of want.rows.entries()) {
    const own = got.rows[i]!.points;
    if (points.length !== own.length) return `${labels}: ${points.length} samples there, ${own.length} here`;
    const at = points.findIndex(
      ([time, value], p) => time !== own[p]![0] || (value !== own[p]![1] && !sameValue(value, own[p]![1])),
    );
    if (at >= 0) return `${labels}: ${points[at]!.join(' ')} there, ${own[at]!.join(' ')} here`;
  }
  return undefined;
}

test(
  'the queries of queries.txt give what Prometheus 2.42 gives',
  { skip: hasPrometheus ? false : 'prometheus is not installed' },
  async (t) => {
    t.diagnostic(`seed ${SEED}, ${CASES.length} queries`);
    await withFolder(async (folder) => {
      const [a, b] = [join(folder, 'a'), join(folder, 'b')];
      mkdirSync(a);
      mkdirSync(b);
      const options = { config: 'scrape_configs: []\n', flags: ['--web.enable-remote-write-receiver'] };
      const theirs = await (await startPrometheus({ folder: a, ...options })).untilReady();
      const ours = await (await startCoeus({ folder: b, ...options })).untilReady();
      const endOfSamples = Math.floor(Date.now() / 60_000) * 60 - 113;
      const end = endOfSamples + QUERY_OFFSET_S;
      const written = series(endOfSamples * 1000);
      for (const server of [theirs, ours]) assert.equal((await sendWrite(server.url, written)).status, 204);
      const dump = (server: RunningServer): Promise<Outcome> =>
        ask(server, '/api/v1/query', { query: '{__name__=~".+"}[3h]', time: String(end) }, false);
      const stored = written.filter(({ samples }) => samples.length > 0).length;
      await eventually('both have the samples', async () => {
        const [want, got] = [await dump(theirs), await dump(ours)];
        return want.rows.length === stored && difference(want, got) === undefined ? true : undefined;
      });
      // -2 m and a bit: some of the flappy series have just ended.
      const times = [end, end - 131, end - 1817, end - 4211, end - 36_000].map(String);
      const ranges = [
        { start: end - 3600, end, step: 61 },
        { start: end - 600, end, step: 7 },
        { start: end - 600, end: end + 600, step: 97 },
        { start: end - 1817, end: end - 1817, step: 60 },
      ].map((range) => Object.fromEntries(Object.entries(range).map(([name, value]) => [name, String(value)])));
      for (const { query, reason } of CASES) {
        await t.test(query, async () => {
          const found: string[] = [];
          const keepsOrder =
            /^(sort|topk|bottomk)/.test(query) && !query.includes(' by ') && !query.includes('without');
          for (const time of times) {
            const [want, got] = await Promise.all(
              [theirs, ours].map((server) => ask(server, '/api/v1/query', { query, time }, keepsOrder)),
            );
            const text = difference(want!, got!);
            if (text !== undefined) found.push(`at ${time}: ${text}`);
          }
          for (const range of ranges) {
            const [want, got] = await Promise.all(
              [theirs, ours].map((server) => ask(server, '/api/v1/query_range', { query, ...range }, true)),
            );
            const text = difference(want!, got!);
            if (text !== undefined) found.push(`${range['start']} to ${range['end']} by ${range['step']}: ${text}`);
          }
          if (reason === undefined) assert.deepEqual(found, []);
          else assert.notDeepEqual(found, [], `equal by now, though listed: ${reason}`);
        });
      }
      await theirs.stop();
      assert.equal(await ours.stop(), 0);
    });
  },
);
