import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GOLDEN, GOLDEN_PREFIXED, type GoldenAnswer } from './_golden-answers.ts';
import { FakeBackend, fakeOptions, StoringBackend } from './_fake-backend.ts';
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
  ['/api/v1/scrape_pools/config', 400, BAD('no scrapePool parameter provided')],
  ['/api/v1/scrape_pools/config?scrapePool=x"', 400, BAD('error getting scrape pool config: scrape pool "x\\"" not found')],
  ['/api/v1/targets/relabel_steps', 400, BAD('no scrapePool parameter provided')],
  ['/api/v1/targets/relabel_steps?scrapePool=odd', 400, BAD('no labels parameter provided')],
  ['/api/v1/targets/relabel_steps?scrapePool=odd&labels={}', 400, BAD('no labels parameter provided')],
  ['/api/v1/targets/relabel_steps?scrapePool=odd&labels=[]', 400, BAD('error parsing labels: they are not a JSON object')],
  ['/api/v1/targets/relabel_steps?scrapePool=odd&labels={"a":1}', 400, BAD('error parsing labels: the value of "a" is not a string')],
  ['/api/v1/targets/relabel_steps?scrapePool=none&labels={"a":"b"}', 400, BAD('error getting scrape pool config: scrape pool "none" not found')],
  [
    '/api/v1/targets/relabel_steps?scrapePool=odd&labels={"__address__":"here:1","job":"odd"}',
    200,
    '{"status":"success","data":{"steps":[' +
      '{"rule":{"sourceLabels":["__address__"],"separator":";","regex":"(.*):.*","targetLabel":"where","replacement":"$1","action":"replace"},"output":{"__address__":"here:1","job":"odd","where":"here"},"keep":true},' +
      '{"rule":{"sourceLabels":["where"],"separator":";","regex":"gone","replacement":"$1","action":"drop"},"output":{"__address__":"here:1","job":"odd","where":"here"},"keep":true},' +
      '{"rule":{"separator":";","regex":"job","replacement":"$1","action":"labeldrop"},"output":{"__address__":"here:1","where":"here"},"keep":true}]}}',
  ],
  [
    '/api/v1/targets/relabel_steps?scrapePool=odd&labels={"__address__":"gone:1","job":"odd"}',
    200,
    '{"status":"success","data":{"steps":[' +
      '{"rule":{"sourceLabels":["__address__"],"separator":";","regex":"(.*):.*","targetLabel":"where","replacement":"$1","action":"replace"},"output":{"__address__":"gone:1","job":"odd","where":"gone"},"keep":true},' +
      '{"rule":{"sourceLabels":["where"],"separator":";","regex":"gone","replacement":"$1","action":"drop"},"output":{},"keep":false},' +
      '{"rule":{"separator":";","regex":"job","replacement":"$1","action":"labeldrop"},"output":{},"keep":false}]}}',
  ],
  ['/api/v1/query_exemplars?query=up', 200, '{"status":"success","data":[]}'],
  ['/api/v1/status/tsdb/blocks', 200, '{"status":"success","data":{"blocks":[]}}'],
  ['/api/v1/status/self_metrics?metric_name_pattern=a_.*', 200, '{"status":"success","data":[{"name":"a_total","help":"A.","type":"COUNTER","metric":[{"label":[],"counter":{"value":1}}]}]}'],
  ['/api/v1/status/self_metrics?metric_name_pattern=a', 200, '{"status":"success","data":[]}'],
  ['/metrics', 200, '# HELP a_total A.\n# TYPE a_total counter\na_total 1\n'],
];
/** Of a storage that has exemplars and blocks. */
const STORED: readonly (readonly [string, string])[] = [
  [
    '/api/v1/status/tsdb/blocks',
    '{"blocks":[{"ulid":"01JZ8JKZY6XSK3PTDP9ZKRWT60","minTime":0,"maxTime":7,"stats":{"numSamples":9,"numSeries":2,"numChunks":3},"compaction":{"level":1,"sources":["01JZ8JKZY6XSK3PTDP9ZKRWT60"]},"version":1}]}',
  ],
  [
    '/api/v1/query_exemplars?query=up',
    '[{"seriesLabels":{"__name__":"up"},"exemplars":[{"labels":{"trace_id":"a\\u003cb"},"value":"1e-07","timestamp":1.5}]}]',
  ],
  ['/api/v1/query_exemplars?query=1', '[]'],
];
for (const [url, data] of STORED) {
  test(`a storage that has it answers ${url}`, async () => {
    const response = await createServer(fakeOptions(), new StoringBackend()).inject(url);
    assert.equal(response.body, `{"status":"success","data":${data}}`);
  });
}

test('exemplars are asked for by every selector of the query', async () => {
  const backend = new StoringBackend();
  await createServer(fakeOptions(), backend).inject('/api/v1/query_exemplars?query=sum(rate(up[5m]))/on()a{b!="c"}&start=1&end=2');
  const names = (name: string): object => ({ name: '__name__', op: '=', value: name });
  assert.deepEqual(backend.asked, [{ matcherSets: [[names('up')], [{ name: 'b', op: '!=', value: 'c' }, names('a')]], startMs: 1000, endMs: 2000 }]);
});

test('the configuration of a scrape pool is that of its job, secrets masked', async () => {
  const { data } = (await plain.inject('/api/v1/scrape_pools/config?scrapePool=odd')).json<{ data: { yaml: string } }>();
  assert.match(data.yaml, /^job_name: odd\n/);
  assert.match(data.yaml, /scrape_interval: 1m\n/);
  assert.match(data.yaml, /password: <secret>\n/);
  assert.match(data.yaml, /\nrelabel_configs:\n- source_labels:\n  - __address__\n/);
});

test('features say what is switched on', async () => {
  const ask = async (changes: Parameters<typeof fakeOptions>[0]): Promise<Record<string, Record<string, boolean>>> =>
    (await createServer(fakeOptions(changes), new FakeBackend()).inject('/api/v1/features')).json<{ data: Record<string, Record<string, boolean>> }>().data;
  const [few, many] = [await ask({}), await ask({ enableAdminApi: true, featureFlags: ['promql-experimental-functions'] })];
  assert.deepEqual([few['api']!['admin'], many['api']!['admin']], [false, true]);
  for (const name of ['info', 'sort_by_label']) assert.deepEqual([few['promql_functions']![name], many['promql_functions']![name]], [false, true]);
  assert.deepEqual([few['promql_operators']!['limitk'], many['promql_operators']!['limitk']], [false, true]);
  assert.equal(few['promql_functions']!['rate'], true);
});

// One row a form: its type, what stands in the URL, what counts.
const X_FORM = '--x\r\nContent-Disposition: form-data; name="query"\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; name="time"\r\n\r\n7\r\n--x--';
const FORMS: readonly (readonly [string, string, string, string])[] = [
  ['multipart/form-data; boundary=x', X_FORM, '', '[7,"1"]'],
  ['Multipart/Form-Data; boundary="x"', X_FORM, '', '[7,"1"]'],
  ['multipart/form-data; boundary=x', X_FORM, '?time=5', '[5,"1"]'],
  ['application/x-www-form-urlencoded', 'query=1&time=7', '?time=5', '[7,"1"]'],
];
for (const [type, payload, query, want] of FORMS) {
  test(`reads a form of ${type}${query}`, async () => {
    const response = await plain.inject({ method: 'POST', url: `/api/v1/query${query}`, headers: { 'content-type': type }, payload });
    assert.equal(response.body, `{"status":"success","data":{"resultType":"scalar","result":${want}}}`);
  });
}

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

test('failed federations are counted, those with bad requests are not', async () => {
  const options = fakeOptions();
  const backend = new FakeBackend();
  const server = createServer(options, backend);
  const count = (): number | undefined =>
    options.registry.snapshot().find(({ name }) => name === 'prometheus_web_federation_errors_total')?.samples[0]?.value;
  await server.inject('/federate?match[]={');
  assert.equal(count(), 0);
  backend.answer = () => Promise.reject(new ApiError('internal', 'the disk is gone'));
  assert.equal((await server.inject('/federate?match[]=up')).statusCode, 500);
  assert.equal(count(), 1);
});
