import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GOLDEN, GOLDEN_PREFIXED, type GoldenAnswer } from './_golden-answers.ts';
import { FakeBackend, fakeOptions } from './_fake-backend.ts';
import { ApiError, type ApiErrorType } from './backend.ts';
import { createServer, type HttpServer } from './server.ts';

async function compare(server: HttpServer, golden: GoldenAnswer): Promise<void> {
  const [method, url] = golden.ask.split(' ') as ['GET', string];
  const form = golden.form === undefined ? {} : { payload: golden.form };
  const type = golden.form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
  const response = await server.inject({ method, url, headers: { ...type, ...golden.headers }, ...form });
  const usualType = golden.body.startsWith('{') ? 'application/json' : 'text/plain; charset=utf-8';
  const want = { ...(golden.body === '' ? {} : { 'content-type': usualType }), ...golden.want };
  const got = Object.fromEntries(Object.keys(want).map((name) => [name, response.headers[name]]));
  assert.deepEqual({ status: response.statusCode, body: method === ('HEAD' as string) ? '' : response.body, ...got }, { status: golden.status, body: golden.body, ...want });
}

const plain = createServer(fakeOptions(), new FakeBackend());
for (const golden of GOLDEN) test(`as Prometheus 2.42: ${golden.ask} ${golden.form ?? ''}`, () => compare(plain, golden));

const prefixed = createServer(
  fakeOptions({
    routePrefix: '/pre/fix',
    externalUrl: new URL('http://example.org/pre/fix'),
    corsOrigin: 'https?://(a|b)\\.example',
    enableLifecycle: false,
    enableRemoteWriteReceiver: false,
  }),
  new FakeBackend(),
);
for (const golden of GOLDEN_PREFIXED) test(`as Prometheus 2.42 with a prefix: ${golden.ask} ${JSON.stringify(golden.headers ?? {})}`, () => compare(prefixed, golden));

const KINDS: readonly (readonly [ApiErrorType, number])[] = [
  ['bad_data', 400],
  ['execution', 422],
  ['canceled', 499],
  ['timeout', 503],
  ['internal', 500],
  ['unavailable', 500],
  ['not_found', 404],
  ['not_acceptable', 406],
];
for (const [type, status] of KINDS) {
  test(`a backend's ${type} error answers ${status}`, async () => {
    const backend = new FakeBackend();
    backend.answer = () => Promise.reject(new ApiError(type, 'a "bad" <thing>'));
    const response = await createServer(fakeOptions(), backend).inject('/api/v1/query?query=1');
    assert.equal(response.statusCode, status);
    assert.equal(response.body, `{"status":"error","errorType":"${type}","error":"a \\"bad\\" \\u003cthing\\u003e"}`);
  });
}

test('an error that no domain claims is internal', async () => {
  const backend = new FakeBackend();
  backend.answer = () => Promise.reject(new TypeError('x is undefined'));
  const response = await createServer(fakeOptions(), backend).inject('/api/v1/query?query=1');
  assert.equal(response.statusCode, 500);
  assert.equal(response.body, '{"status":"error","errorType":"internal","error":"x is undefined"}');
});

// One row a request: what the backend is asked for.
const TIMES = { startMs: -8_640_000_000_000_000, endMs: 8_640_000_000_000_000 };
const UP = [[{ name: '__name__', op: '=', value: 'up' }]];
const ASKED: readonly (readonly [string, object])[] = [
  ['/api/v1/query?query=up&time=5&timeout=10&limit=3&lookback_delta=1m&stats=all', { kind: 'instant', query: 'up', timeMs: 5000, timeoutMs: 10_000, lookbackMs: 60_000, limit: 3, stats: true }],
  ['/api/v1/query?query=a%20%2B+b', { kind: 'instant', query: 'a + b', timeMs: 1_795_423_207_082, timeoutMs: 120_000, lookbackMs: 0, limit: 0, stats: false }],
  ['/api/v1/query?query=1&time=0&timeout=10m', { kind: 'instant', query: '1', timeMs: 0, timeoutMs: 120_000, lookbackMs: 0, limit: 0, stats: false }],
  ['/api/v1/query_range?query=up&start=1&end=2.5&step=500ms', { kind: 'range', query: 'up', startMs: 1000, endMs: 2500, stepMs: 500, timeoutMs: 120_000, lookbackMs: 0, limit: 0, stats: false }],
  ['/api/v1/series?match[]=up&limit=7', { kind: 'series', label: '', matcherSets: UP, ...TIMES, limit: 7 }],
  ['/api/v1/labels', { kind: 'labels', label: '', matcherSets: [], ...TIMES, limit: 0 }],
  ['/api/v1/label/U__a_2e_b__c/values?start=1&end=2', { kind: 'values', label: 'a.b_c', matcherSets: [], startMs: 1000, endMs: 2000, limit: 0 }],
  ['/api/v1/label/a%2Fb/values?match[]=up', { kind: 'values', label: 'a/b', matcherSets: UP, ...TIMES, limit: 0 }],
  ['/federate?match[]=up', { kind: 'federate', matcherSets: UP, timeMs: 1_795_423_207_082, lookbackMs: 300_000, externalLabels: ['region', 'eu', 'zone', 'z<1>'] }],
];
for (const [url, want] of ASKED) {
  test(`the backend is asked: ${url}`, async () => {
    const backend = new FakeBackend();
    const response = await createServer(fakeOptions(), backend).inject(url);
    assert.equal(response.statusCode, 200);
    assert.deepEqual(backend.queries, [want]);
  });
}

// One row a request: status and body where 3.x differs from 2.42 or where the answer is ours.
const BAD = (error: string): string => `{"status":"error","errorType":"bad_data","error":${JSON.stringify(error)}}`;
const OWN: readonly (readonly [string, number, string])[] = [
  ['/api/v1/query?query=1&limit=x', 400, BAD('invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax')],
  ['/api/v1/query?query=1&limit=-1', 400, BAD('invalid parameter "limit": limit must be non-negative')],
  ['/api/v1/query?query=1&lookback_delta=x', 400, BAD('error parsing lookback delta duration: cannot parse "x" to a valid duration')],
  ['/api/v1/query?query=1&time=NaN', 400, BAD('invalid parameter "time": Invalid time value for \'time\': cannot parse "NaN" to a valid timestamp')],
  ['/api/v1/query?query=1&time=1e30', 400, BAD('invalid parameter "time": Invalid time value for \'time\': cannot parse "1e30" to a valid timestamp')],
  ['/api/v1/metadata?limit_per_metric=x', 400, BAD('limit_per_metric must be a number')],
  ['/api/v1/status/tsdb?limit=0', 400, BAD('limit must be a positive number')],
  ['/api/v1/status/tsdb?limit=10001', 400, BAD('limit must not exceed 10000')],
  ['/api/v1/parse_query?query=1', 200, '{"status":"success","data":{"type":"numberLiteral","val":"1"}}'],
  ['/api/v1/format_query?query=sum(up)by(job)', 200, '{"status":"success","data":"sum by (job) (up)"}'],
  ['/api/v1/scrape_pools', 200, '{"status":"success","data":{"scrapePools":["dropped","gone","odd"]}}'],
  ['/api/v1/status/config', 200, '{"status":"success","data":{"yaml":"global:\\n  external_labels:\\n    zone: z\\u003c1\\u003e\\n"}}'],
  ['/api/v1/status/flags', 200, '{"status":"success","data":{"config.file":"prometheus.yml","query.timeout":"2m"}}'],
  ['/api/v1/metadata?metric=odd_total&limit_per_metric=1', 200, '{"status":"success","data":{"odd_total":[{"type":"counter","help":"","unit":""}]}}'],
  ['/api/v1/metadata?limit=1&metric=odd_total', 200, '{"status":"success","data":{"odd_total":[{"type":"counter","help":"","unit":""},{"type":"counter","help":"Another help","unit":""}]}}'],
  ['/api/v1/targets/metadata?limit=1&metric=odd_total', 200, '{"status":"success","data":[{"target":{"instance":"odd","job":"odd"},"type":"counter","help":"","unit":""}]}'],
  ['/api/v1/targets/metadata?match_target={job="other"}', 200, '{"status":"success","data":[{"target":{"instance":"other","job":"other"},"metric":"odd_total","type":"counter","help":"Another help","unit":""}]}'],
  ['/api/v1/targets?state=dropped', 200, '{"status":"success","data":{"activeTargets":[],"droppedTargets":[{"discoveredLabels":{"__address__":"127.0.0.1:2"},"scrapePool":"dropped"}],"droppedTargetCounts":{"odd":0,"gone":0,"dropped":1}}}'],
  ['/api/v1/targets?state=active&scrapePool=gone', 200, '{"status":"success","data":{"activeTargets":[{"discoveredLabels":{"__address__":"127.0.0.1:19391","job":"odd"},"labels":{"instance":"127.0.0.1:1","job":"gone"},"scrapePool":"gone","scrapeUrl":"http://127.0.0.1:1/metrics","globalUrl":"http://vm:1/metrics","lastError":"connection refused","lastScrape":"0001-01-01T00:00:00Z","lastScrapeDuration":0.0015,"health":"down","scrapeInterval":"2s","scrapeTimeout":"2s"}],"droppedTargets":[],"droppedTargetCounts":null}}'],
  ['/graph?g0.expr=up&g0.tab=0', 302, 'Found: /query?g0.expr=up&g0.tab=0\n'],
  ['/federate?match[]=odd_total', 200, '# TYPE odd_total untyped\nodd_total{a="1",instance="x",job="odd",region="eu",zone="z<1>"} 5 1795423207082\nodd_total{a="1",job="noinst",zone="own",instance="",region="eu"} 7 1795423207082\n'],
  ['/metrics', 200, '# HELP a_total A.\n# TYPE a_total counter\na_total 1\n'],
];
for (const [url, status, body] of OWN) {
  test(`answers ${url}`, async () => {
    const response = await plain.inject(url);
    assert.equal(response.body, body);
    assert.equal(response.statusCode, status);
  });
}

test('until the backend is ready only health, replay progress, own metrics and the app answer', async () => {
  const backend = new FakeBackend();
  backend.ready = false;
  const server = createServer(fakeOptions(), backend);
  for (const url of ['/api/v1/query?query=1', '/api/v1/status/flags', '/-/ready', '/federate', '/version']) {
    const response = await server.inject(url);
    assert.deepEqual([url, response.statusCode, response.body], [url, 503, 'Service Unavailable']);
    assert.equal(response.headers['x-prometheus-stopping'], 'false');
  }
  for (const url of ['/-/healthy', '/api/v1/status/walreplay', '/metrics']) assert.equal((await server.inject(url)).statusCode, 200, url);
  assert.equal((await server.inject('/api/v1/status/walreplay')).body, '{"status":"success","data":{"min":0,"max":7,"current":3}}');
});

test('quit and reload reach the backend, and a failed reload says why', async () => {
  const backend = new FakeBackend();
  const server = createServer(fakeOptions(), backend);
  const quit = await server.inject({ method: 'PUT', url: '/-/quit' });
  assert.deepEqual([quit.statusCode, quit.body, backend.quitCount], [200, 'Requesting termination... Goodbye!', 1]);
  backend.reloadError = new ApiError('bad_data', 'line 3 is wrong');
  const reload = await server.inject({ method: 'POST', url: '/-/reload' });
  assert.deepEqual([reload.statusCode, reload.body], [500, 'failed to reload config: line 3 is wrong\n']);
});

// One row a request to /api/v1/write: type, encoding, body bytes, status, text.
const WRITES: readonly (readonly [string, string, number, number, string])[] = [
  ['application/x-protobuf', 'snappy', 5, 204, ''],
  ['application/x-protobuf;proto=prometheus.WriteRequest', 'snappy', 5, 204, ''],
  ['application/x-protobuf', 'snappy', 1, 400, 'snappy: corrupt input\n'],
  ['application/x-protobuf;proto=io.prometheus.write.v2.Request', 'snappy', 5, 415, 'io.prometheus.write.v2.Request protobuf message is not accepted by this server; only accepts prometheus.WriteRequest\n'],
  ['application/json', 'snappy', 5, 415, 'expected application/x-protobuf as the first (media) part, got application/json content-type\n'],
  ['application/x-protobuf', 'gzip', 5, 415, 'gzip encoding (compression) is not accepted by this server; only snappy is acceptable\n'],
];
for (const [type, encoding, size, status, text] of WRITES) {
  test(`remote write of ${size} bytes as ${type}, ${encoding}: ${status}`, async () => {
    const backend = new FakeBackend();
    const headers = { 'content-type': type, 'content-encoding': encoding };
    const response = await createServer(fakeOptions(), backend).inject({ method: 'POST', url: '/api/v1/write', headers, payload: Buffer.alloc(size, 7) });
    assert.deepEqual([response.statusCode, response.body], [status, text]);
    assert.deepEqual(backend.writes.map((body) => body.length), status === 415 ? [] : [size]);
  });
}

test('without its flag the remote write receiver says which flag it needs', async () => {
  const response = await createServer(fakeOptions({ enableRemoteWriteReceiver: false }), new FakeBackend()).inject({ method: 'POST', url: '/api/v1/write', payload: Buffer.from('x') });
  assert.deepEqual([response.statusCode, response.body], [404, 'remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n']);
});

test('requests are counted by route', async () => {
  const options = fakeOptions();
  const server = createServer(options, new FakeBackend());
  await server.inject('/api/v1/label/a/values');
  await server.inject('/api/v1/label/b/values');
  await server.inject('/api/v1/query?query=1&time=x');
  const samples = options.registry.snapshot().find(({ name }) => name === 'prometheus_http_requests_total')!.samples.filter(({ value }) => value > 0);
  assert.deepEqual(samples, [
    { suffix: '', labels: { code: '200', handler: '/api/v1/label/:name/values' }, value: 2 },
    { suffix: '', labels: { code: '400', handler: '/api/v1/query' }, value: 1 },
  ]);
});

test('own metrics come as OpenMetrics to whoever prefers it', async () => {
  const response = await plain.inject({ url: '/metrics', headers: { accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' } });
  assert.match(String(response.headers['content-type']), /^application\/openmetrics-text; version=1\.0\.0;/);
  assert.ok(response.body.endsWith('# EOF\n'));
});

test('without a host collector /metrics/host says so', async () => {
  const backend = new FakeBackend();
  backend.hostMetrics = () => Promise.reject(new ApiError('not_found', 'this machine is not collected'));
  const response = await createServer(fakeOptions(), backend).inject('/metrics/host');
  assert.deepEqual([response.statusCode, response.body], [404, 'this machine is not collected\n']);
});

test('an answer that fails before its first piece is an error like any other', async () => {
  const backend = new FakeBackend();
  backend.answer = () =>
    Promise.resolve(
      (async function* fail(): AsyncGenerator<Uint8Array, void> {
        await Promise.reject(new ApiError('execution', 'too late'));
        yield new Uint8Array(1);
      })(),
    );
  const response = await createServer(fakeOptions(), backend).inject('/api/v1/query?query=1');
  assert.deepEqual([response.statusCode, response.body], [422, '{"status":"error","errorType":"execution","error":"too late"}']);
});

test('paths that can not be read are refused as text', async () => {
  for (const [url, status, body] of [
    ['/%zz', 400, '400 Bad Request'],
    [`/api/v1/label/${'a'.repeat(20_000)}/values`, 414, '414 URI Too Long'],
  ] as const) {
    const response = await plain.inject(url);
    assert.deepEqual([response.statusCode, response.body], [status, body]);
  }
});
