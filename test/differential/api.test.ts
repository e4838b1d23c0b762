/**
 * The HTTP API beside Debian's Prometheus: both scrape the same targets, and each request gets the same status and the same JSON.
 *
 * Values that no two servers share (times, folders, versions) are compared by type. Where 3.14, whose API this is, differs from 2.42, the
 * difference is listed with its reason; an entry that no longer makes a difference fails the test.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  eventually,
  FakeExporter,
  hasPrometheus,
  startCoeus,
  startPrometheus,
  withFolder,
  type RunningServer,
} from '../support/servers.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Bounds of classic histograms are written as floats here already, as 3.0 and later rewrite them. */
const PAGE = `# HELP requests_total Requests, by "path"\\nand more.
# TYPE requests_total counter
requests_total{path="/a\\"b"} 3
requests_total{path="/ünï"} 4.5
# TYPE temperature gauge
temperature{room="a b"} -1.5e-7
# HELP latency_seconds Latency.
# TYPE latency_seconds histogram
latency_seconds_bucket{le="1.0"} 1
latency_seconds_bucket{le="+Inf"} 2
latency_seconds_sum 3
latency_seconds_count 2
odd{kind="nan"} NaN
odd{kind="inf"} -Inf
`;

const config = (port: number): string => `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
- job_name: test
  static_configs: [{ targets: ['127.0.0.1:${port}'] }]
- job_name: down
  static_configs: [{ targets: ['127.0.0.1:1'], labels: { zone: b } }]
- job_name: dropped
  static_configs: [{ targets: ['127.0.0.1:2'] }]
  relabel_configs: [{ action: drop }]
`;

/** `NOW` becomes the time of asking. */
const REQUESTS: readonly string[] = [
  '/api/v1/targets',
  '/api/v1/targets?state=active',
  '/api/v1/targets?state=dropped',
  '/api/v1/targets?state=x',
  '/api/v1/targets/metadata',
  '/api/v1/targets/metadata?match_target={job="test"}&metric=latency_seconds',
  '/api/v1/targets/metadata?match_target={job="none"}',
  '/api/v1/targets/metadata?metric=missing',
  '/api/v1/targets/metadata?match_target={',
  '/api/v1/targets/metadata?limit=x',
  '/api/v1/metadata',
  '/api/v1/metadata?metric=latency_seconds',
  '/api/v1/metadata?metric=missing',
  '/api/v1/metadata?limit=0',
  '/api/v1/metadata?limit=x',
  '/api/v1/labels',
  '/api/v1/labels?match[]=temperature',
  '/api/v1/labels?match[]=temperature&match[]=up{job="down"}',
  '/api/v1/labels?match[]=missing',
  '/api/v1/labels?match[]={',
  '/api/v1/labels?match[]={a=~".*"}',
  '/api/v1/labels?start=x',
  '/api/v1/labels?start=1&end=2',
  '/api/v1/labels?start=5&end=3',
  '/api/v1/label/job/values',
  '/api/v1/label/job/values?match[]=temperature',
  '/api/v1/label/path/values?match[]=requests_total{path!~"/a.*"}',
  '/api/v1/label/missing/values',
  '/api/v1/label/job/values?start=1&end=2',
  '/api/v1/label/a-b/values',
  '/api/v1/label/__name__/values?match[]={job="test"}',
  '/api/v1/label/job/values?match[]=up{',
  '/api/v1/label/job/values?end=x',
  '/api/v1/series',
  '/api/v1/series?match[]=temperature',
  '/api/v1/series?match[]=odd&match[]=temperature&match[]=odd{kind="nan"}',
  '/api/v1/series?match[]={__name__=~"latency.*"}',
  '/api/v1/series?match[]=missing',
  '/api/v1/series?match[]={}',
  '/api/v1/series?match[]=temperature&start=1&end=2',
  '/api/v1/series?match[]=temperature&start=x',
  '/api/v1/rules',
  '/api/v1/rules?type=alert',
  '/api/v1/rules?type=x',
  '/api/v1/alerts',
  '/api/v1/alertmanagers',
  '/api/v1/status/runtimeinfo',
  '/api/v1/status/buildinfo',
  '/api/v1/status/tsdb',
  '/api/v1/status/walreplay',
  '/api/v1/query',
  '/api/v1/query?query=1&time=x',
  '/api/v1/query?query=1&timeout=x',
  '/api/v1/query?query=vector(1)&time=1e3',
  '/api/v1/query?query=vector(1)&time=2026-01-02T03:04:05.678%2B02:00',
  '/api/v1/query?query="a"&time=1',
  '/api/v1/query?query=sum(requests_total)&stats=all&time=NOW',
  '/api/v1/query?query=sum(',
  '/api/v1/query?query=requests_total%2Bon(job)temperature%2Bon(job)requests_total',
  '/api/v1/query?query={a="ünïcode"}%2B',
  '/api/v1/query?query={a="日本"}%2B)',
  '/api/v1/query?query={a="ü😀"}%0A%2Bü',
  '/api/v1/query?query=rate(a{a="ü😀"})',
  '/api/v1/query?query=sum("😀",1)',
  '/api/v1/series?match[]={a="ü',
  '/api/v1/query_range?query=1',
  '/api/v1/query_range?query=1&start=0&end=1',
  '/api/v1/query_range?query=1&start=0&end=1&step=0',
  '/api/v1/query_range?query=1&start=0&end=1&step=-1',
  '/api/v1/query_range?query=1&start=2&end=1&step=1',
  '/api/v1/query_range?query=1&start=0&end=100000&step=1',
  '/api/v1/query_range?query=1&start=0&end=60&step=1m',
  '/api/v1/query_range?query="a"&start=0&end=60&step=1m',
  '/api/v1/format_query',
  '/api/v1/format_query?query=sum(rate(a{b="c"}[5m]))by(d)/2',
  '/api/v1/format_query?query=a%2B',
  '/api/v1/query_exemplars?query=requests_total&start=0&end=1',
  '/api/v1/query_exemplars?query=a%2B&start=0&end=1',
  '/api/v1/query_exemplars?query=a&start=2&end=1',
  '/api/v1/scrape_pools',
  '/api/v1/nothing',
  '/federate',
  '/federate?match[]=temperature',
  '/federate?match[]=odd&match[]={__name__=~"latency.*"}&match[]=requests_total',
  '/federate?match[]=missing',
  '/federate?match[]={',
  '/-/healthy',
  '/-/ready',
  '/-/reload',
  '/-/quit',
  '/nothing',
];

/** Forms sent to `/api/v1/query`: a name, the type, the body, the query string. */
const FORMS: readonly (readonly [string, string, string, string])[] = [
  ['urlencoded', 'application/x-www-form-urlencoded', 'query=1&time=7', '?time=5&query=2'],
  ['multipart', 'multipart/form-data; boundary=x', part('query', '1') + part('time', '7'), ''],
  [
    'multipart under a query string',
    'multipart/form-data; boundary=x',
    part('query', '1') + part('time', '7'),
    '?time=5',
  ],
  ['multipart with an escaped name', 'multipart/form-data; boundary=x', part('qu\\ery', '"ü"') + part('time', '7'), ''],
  [
    'multipart with bare line feeds',
    'multipart/form-data; boundary=x',
    (part('query', '1') + part('time', '7')).replaceAll('\r', ''),
    '',
  ],
  ['multipart without an end', 'multipart/form-data; boundary=y', part('query', '1') + part('time', '7'), '?time=5'],
  ['multipart without a boundary', 'multipart/form-data', part('query', '1'), '?time=5'],
  ['another type', 'text/plain', 'query=1', '?time=5'],
];

/** One field of a multipart form with boundary x. */
function part(name: string, value: string): string {
  return `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n${name === 'time' ? '--x--\r\n' : ''}`;
}

/** Requests below `admin/tsdb`, in this order, and what the answer holds. */
const ADMIN: readonly (readonly [string, string])[] = [
  ['POST delete_series', 'no match[] parameter'],
  ['POST delete_series?match[]={', 'parse error'],
  ['POST delete_series?match[]=up&start=x', 'Invalid time value'],
  ['POST delete_series?match[]=odd&match[]={__name__=~"latency.*",le="+Inf"}', ''],
  ['PUT delete_series?match[]=missing&start=5&end=1', ''],
  ['POST delete_series?match[]=temperature&start=0&end=1', ''],
  ['GET delete_series?match[]=odd', ''],
  ['POST clean_tombstones', ''],
  ['PUT clean_tombstones', ''],
  ['POST snapshot', 'NAME'],
  ['PUT snapshot?skip_head=true', 'NAME'],
  ['POST snapshot?skip_head=x', 'skip_head'],
];
const SNAPSHOT_NAME = /\d{8}T\d{6}Z-[\da-f]{16}/;

/** Of the section "As in Prometheus" of docs/self-metrics.md. */
const DOCUMENTED = [
  ...readFileSync(new URL('../../docs/self-metrics.md', import.meta.url), 'utf8')
    .split('## ')
    .find((section) => section.startsWith('As in Prometheus'))!
    .replaceAll(/^[^|].*$/gm, '')
    .matchAll(/`(\w+_\w+)(?:\{([\w,]*)\})?` /g),
].map(([, name, labels]) => ({
  name: name!,
  labels: (labels ?? '')
    .split(',')
    .filter((each) => each !== '')
    .sort(),
}));

/** Type and labels of each family of a server's own metrics, without those that its type brings. */
async function familiesOf(server: RunningServer): Promise<Map<string, { type: string; labels: string[] }>> {
  const { text } = await server.get('/metrics');
  const families = new Map<string, { type: string; labels: string[] }>();
  for (const [, name, type] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm)) {
    const samples = [...text.matchAll(new RegExp(`^${name!}(?:_bucket|_sum|_count)?(?:\\{(.*)\\})? `, 'gm'))];
    const found = samples.flatMap(([, pairs]) => [...(pairs ?? '').matchAll(/(\w+)="/g)].map(([, label]) => label!));
    const labels = [...new Set(found)].filter((label) => label !== 'le' && label !== 'quantile').sort();
    families.set(name!, { type: type!, labels });
  }
  return families;
}

/** Requests whose answers differ as a whole; ours is held to what is given here. */
const OTHER_ANSWERS: Readonly<
  Record<string, { readonly reason: string; readonly status: number; readonly body: Json }>
> = {
  '/api/v1/label/a-b/values': {
    reason: 'since 3.0 every UTF-8 text is a label name',
    status: 200,
    body: { status: 'success', data: [] },
  },
};

/** Fields that only we have. */
const ONLY_HERE: Readonly<Record<string, string>> = {
  droppedTargetCounts: 'since 2.48',
  'droppedTargets.scrapePool': 'since 3.x: dropped targets tell their pool',
  __always_scrape_classic_histograms__: 'since 3.x: options of scraping that relabelling sees',
  __convert_classic_histograms_to_nhcb__: 'since 3.x: options of scraping that relabelling sees',
  __scrape_native_histograms__: 'since 3.x: options of scraping that relabelling sees',
  hostname: 'since 3.0',
  serverTime: 'since 3.0',
  GOMEMLIMIT: 'since 2.46',
};

/** Lists whose order among equals 2.42 leaves to chance. */
const UNORDERED = new Set(['/api/v1/targets/metadata']);

/**
 * Fields compared by type. No two servers share the first; the others are 3.14's: memory counts a label's value for each of its series, and
 * the peak of samples depends on how an engine works.
 */
const VARIES = new Set([
  'lastScrape',
  'lastScrapeDuration',
  'startTime',
  'lastConfigTime',
  'CWD',
  'goroutineCount',
  'GOGC',
  'storageRetention',
  'version',
  'revision',
  'branch',
  'buildUser',
  'buildDate',
  'goVersion',
  'minTime',
  'maxTime',
  'timings',
  'globalUrl',
  'memoryInBytesByLabelName',
  'peakSamples',
]);

const isObject = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The answer without what may differ; `dropped` gets the names of the fields taken out. */
function comparable(value: Json, dropped: Set<string>, place = ''): Json {
  if (Array.isArray(value)) return value.map((item: Json) => comparable(item, dropped, place));
  if (!isObject(value)) return value;
  const fields: [string, Json][] = [];
  for (const [name, inner] of Object.entries(value)) {
    const known = [name, `${place}.${name}`].find((key) => ONLY_HERE[key] !== undefined);
    if (known !== undefined) dropped.add(known);
    else fields.push([name, VARIES.has(name) ? typeof inner : comparable(inner, dropped, name)]);
  }
  return Object.fromEntries(fields);
}

/** Statistics without the order of equal counts, and without the tenth place, which one of several equals takes. */
function withoutTies(value: Json): Json {
  if (!isObject(value)) return value;
  const lists = Object.entries(value).map(([name, list]): [string, Json] => {
    if (!Array.isArray(list)) return [name, withoutTies(list)];
    const counts = list.map((item: Json) => (isObject(item) ? item['value'] : item) as number);
    return [name, counts];
  });
  return Object.fromEntries(lists);
}

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: Json;
}

async function ask(server: RunningServer, path: string, dropped: Set<string>, request?: RequestInit): Promise<Answer> {
  const response = await fetch(`${server.url}${path}`, request);
  const text = await response.text();
  const type = response.headers.get('content-type');
  // Federated samples carry the times of each server's own scrapes.
  if (type !== 'application/json') return { status: response.status, type, body: text.replace(/ \d{13}$/gm, ' TIME') };
  let body = comparable(JSON.parse(text) as Json, dropped);
  if (path === '/api/v1/status/tsdb') body = withoutTies(body);
  if (UNORDERED.has(path) && isObject(body) && Array.isArray(body['data']))
    body = { ...body, data: body['data'].map((item: Json) => JSON.stringify(item)).sort() };
  return { status: response.status, type, body };
}

test(
  'the HTTP API answers as Prometheus 2.42 does',
  { skip: hasPrometheus ? false : 'prometheus is not installed' },
  async (t) => {
    const exporter = await FakeExporter.start();
    exporter.page = () => PAGE;
    await withFolder(async (folder) => {
      const [a, b] = [join(folder, 'a'), join(folder, 'b')];
      mkdirSync(a);
      mkdirSync(b);
      const options = { config: config(exporter.port), flags: ['--web.enable-admin-api'] };
      const theirs = await (await startPrometheus({ folder: a, ...options })).untilReady();
      const ours = await (await startCoeus({ folder: b, ...options })).untilReady();
      for (const server of [theirs, ours]) {
        await eventually('both targets were scraped', async () => {
          const { text } = await server.get('/api/v1/query', { query: 'up{job="down"} and on() requests_total' });
          return text.includes('"down"') ? true : undefined;
        });
      }
      const now = (Date.now() / 1000).toFixed(3);
      const [droppedThere, droppedHere] = [new Set<string>(), new Set<string>()];
      for (const request of REQUESTS) {
        await t.test(request, async () => {
          const path = request.replace('NOW', now);
          const [want, got] = [await ask(theirs, path, droppedThere), await ask(ours, path, droppedHere)];
          const other = OTHER_ANSWERS[request];
          if (other === undefined) return assert.deepEqual(got, want);
          assert.notDeepEqual(got, want, `the same by now, though listed: ${other.reason}`);
          assert.deepEqual(
            { status: got.status, body: got.body },
            { status: other.status, body: other.body },
            other.reason,
          );
        });
      }
      for (const [name, type, body, query] of FORMS) {
        await t.test(`a form: ${name}`, async () => {
          const form = { method: 'POST', headers: { 'content-type': type }, body };
          const send = (server: RunningServer): Promise<Answer> =>
            ask(server, `/api/v1/query${query}`, new Set(), form);
          assert.deepEqual(await send(ours), await send(theirs));
        });
      }
      for (const [request, what] of ADMIN) {
        await t.test(`admin: ${request}`, async () => {
          const [method, path] = request.split(' ') as [string, string];
          const send = async (server: RunningServer): Promise<Answer> => {
            const answer = await ask(server, `/api/v1/admin/tsdb/${path}`, new Set(), { method });
            return { ...answer, body: JSON.parse(JSON.stringify(answer.body).replace(SNAPSHOT_NAME, 'NAME')) as Json };
          };
          const [want, got] = [await send(theirs), await send(ours)];
          assert.deepEqual(got, want);
          if (what !== '') assert.equal(JSON.stringify(got.body).includes(what), true);
        });
      }
      await t.test('what was deleted is gone', async () => {
        for (const query of ['count(odd)', 'count(temperature)', 'count(latency_seconds_bucket)']) {
          const find = async (server: RunningServer): Promise<string> => {
            const { data } = await server.api('query', { query, time: now });
            return JSON.stringify((data as { result: unknown }).result);
          };
          assert.equal(await find(ours), await find(theirs), query);
        }
      });
      for (const server of [theirs, ours]) {
        // The last of the metrics to come: it needs two scrapes.
        await eventually('intervals are measured', async () =>
          (await familiesOf(server)).get('prometheus_target_interval_length_seconds')?.labels.length === 1
            ? true
            : undefined,
        );
      }
      const [theirPage, ourPage] = [await familiesOf(theirs), await familiesOf(ours)];
      for (const { name, labels } of DOCUMENTED) {
        await t.test(`the metric ${name}`, () => {
          const own = ourPage.get(name);
          assert.notEqual(own, undefined, 'docs/self-metrics.md says that it is there');
          assert.deepEqual(own!.labels, labels, 'labels are those that docs/self-metrics.md names');
          assert.deepEqual(theirPage.get(name), own);
        });
      }
      await t.test('the lists of differences hold nothing stale', () => {
        assert.deepEqual([...droppedThere], [], 'Prometheus has none of the fields that only we have');
        assert.deepEqual([...droppedHere].sort(), Object.keys(ONLY_HERE).sort());
        assert.deepEqual(
          Object.keys(OTHER_ANSWERS).filter((path) => !REQUESTS.includes(path)),
          [],
        );
      });
      await theirs.stop();
      assert.equal(await ours.stop(), 0);
    });
    exporter.stop();
  },
);
