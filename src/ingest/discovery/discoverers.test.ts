import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { silentLogger } from '../../core/base/log.ts';
import { Registry } from '../../core/base/metrics.ts';
import { DEFAULT_HTTP_CLIENT_CONFIG } from '../../core/model/http-client-config.ts';
import { labelsFromObject, labelsToObject } from '../../core/model/labels.ts';
import { ManualTimers, settled } from './_manual-timers.ts';
import { createDiscoverer, type DiscovererParts, type SupportedSdConfig } from './discoverers.ts';
import type { DnsResolver } from './dns-discoverer.ts';
import { createSdMetrics } from './sd-metrics.ts';
import type { TargetGroup } from './target-group.ts';
import { parseTargetList } from './target-list.ts';

const NO_RECORDS: DnsResolver = {
  resolveSrv: async () => [],
  resolve4: async () => [],
  resolve6: async () => [],
  resolveMx: async () => [],
  resolveNs: async () => [],
};

/** A discoverer that runs, and what it has told since it was last asked: `source{labels}=address address`. */
function run(t: TestContext, config: SupportedSdConfig, changes: Partial<DiscovererParts> = {}) {
  const registry = new Registry();
  const timers = new ManualTimers();
  const folders = new Map<string, () => void>();
  const parts: DiscovererParts = {
    metrics: createSdMetrics(registry),
    clock: timers,
    timers,
    logger: silentLogger,
    watchFolder: (folder, onChange) => {
      folders.set(folder, onChange);
      return { close: () => folders.delete(folder) };
    },
    resolver: NO_RECORDS,
    environment: {},
    userAgent: 'test',
    ...changes,
  };
  const told: TargetGroup[] = [];
  const abort = new AbortController();
  const done = createDiscoverer(config, parts).run((groups) => told.push(...groups), abort.signal);
  const stop = async (): Promise<void> => {
    abort.abort();
    await done;
  };
  t.after(stop);
  const counter = (name: string): number =>
    registry.snapshot().find((family) => family.name === name)?.samples[0]?.value ?? 0;
  return { timers, folders, stop, done, counter, told: () => told.splice(0).map(show) };
}

function show({ source, labels, targets }: TargetGroup): string {
  const addresses = targets.map((target) => JSON.stringify(labelsToObject(target)).replaceAll(/[{}"]/g, ''));
  return `${source}${JSON.stringify(labelsToObject(labels))}=${addresses.join(' ')}`;
}

/** Waits for real files and sockets: until `condition` holds, with turns of the event loop between. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000_000; turn++) {
    if (condition()) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  assert.fail('it never came true');
}

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'coeus-sd-'));
  t.after(() => rm(dir, { recursive: true }));
  return dir;
}

test('static: groups are told once, and that is all', async (t) => {
  const { told, done } = run(t, {
    kind: 'static',
    groups: [
      { targets: ['a:1', 'b:2'], labels: labelsFromObject({ x: 'y' }) },
      { targets: [], labels: [] },
    ],
  });
  await done;
  assert.deepEqual(told(), ['0{"x":"y"}=__address__:a:1 __address__:b:2', '1{}=']);
});

const lists = [
  ['- targets: [a]\n  labels: {x: 1}', 'yaml', '["a"]{"x":"1"}'],
  ['- labels: {x: y}', 'yaml', '[]{"x":"y"}'],
  ['[{"targets": ["a\\u00e9:1"], "labels": {"x": "y"}}]', 'json', '["aé:1"]{"x":"y"}'],
  ['[\n\t{\n\t\t"targets": []\n\t}\n]', 'json', '[]{}'],
  ['[]', 'json', ''],
  ['', 'yaml', ''],
] as const;
for (const [text, format, want] of lists) {
  test(`target list: ${JSON.stringify(text)}`, () => {
    assert.equal(
      parseTargetList(text, format)
        .map(({ targets, labels }) => JSON.stringify(targets) + JSON.stringify(labelsToObject(labels)))
        .join(' '),
      want,
    );
  });
}

const badLists = [
  ['- targats: [a]', 'yaml', /line 1: field targats not found in type struct/],
  ['targets: [a]', 'yaml', /cannot unmarshal !!map into \[\]\*targetgroup.Group/],
  ['-', 'yaml', /nil target group item found/],
  ['- targets: [{a: b}]', 'yaml', /cannot unmarshal !!map into string/],
  ['- labels: {a: 1, a: 2}', 'yaml', /key "a" already set in map/],
  ['[{"targets": ["a"]}', 'json', /JSON/],
  ['- targets: [a]', 'json', /JSON/],
  ['[{"targets": ["a"], "port": 1}]', 'json', /field port not found/],
] as const;
for (const [text, format, message] of badLists)
  test(`target list: ${JSON.stringify(text)} is refused`, () =>
    assert.throws(() => parseTargetList(text, format), message));

test('file: groups of a file, told anew when it changes, emptied when it shrinks or goes', async (t) => {
  const dir = await folder(t);
  const path = join(dir, 'a.json');
  await writeFile(path, '[{"targets":["a"]},{"targets":["b"],"labels":{"x":"y"}}]');
  const { told, timers, folders } = run(t, { kind: 'file', files: [join(dir, '*.json')], refreshIntervalMs: 60_000 });
  const got: string[] = [];
  const more = async (count: number): Promise<string[]> => {
    await until(() => got.push(...told()) >= count);
    return got.splice(0);
  };
  assert.deepEqual(await more(2), [
    `${path}:0{"__meta_filepath":"${path}"}=__address__:a`,
    `${path}:1{"__meta_filepath":"${path}","x":"y"}=__address__:b`,
  ]);

  await writeFile(join(dir, 'next'), '[{"targets":["c"]}]');
  await rename(join(dir, 'next'), path);
  folders.get(dir)!();
  await timers.advance(100);
  assert.deepEqual(await more(2), [`${path}:0{"__meta_filepath":"${path}"}=__address__:c`, `${path}:1{}=`]);

  await rm(path);
  await settled();
  await timers.advance(60_100);
  assert.deepEqual(await more(1), [`${path}:0{}=`]);
});

test('file: one that means nothing keeps its groups and is counted', async (t) => {
  const dir = await folder(t);
  const path = join(dir, 'a.yml');
  await writeFile(path, '- targets: [a]');
  const { told, timers, folders, counter } = run(t, { kind: 'file', files: [path], refreshIntervalMs: 60_000 });
  await until(() => told().length === 1);
  await writeFile(path, '- targats: [a]');
  folders.get(dir)!();
  await timers.advance(100);
  await until(() => counter('prometheus_sd_file_read_errors_total') === 1);
  assert.deepEqual(told(), []);
});

test('file: a folder that can not be watched is counted; reading goes on', async (t) => {
  const dir = await folder(t);
  const path = join(dir, 'a.yml');
  await writeFile(path, '- targets: [a]');
  const watchFolder = () => {
    throw new Error('no more watches');
  };
  const { told, counter } = run(t, { kind: 'file', files: [path], refreshIntervalMs: 60_000 }, { watchFolder });
  await until(() => told().length === 1);
  assert.equal(counter('prometheus_sd_file_watcher_errors_total'), 1);
});

test('file: watches end with the run', async (t) => {
  const { folders, stop } = run(t, { kind: 'file', files: ['/nowhere/x.yml'], refreshIntervalMs: 60_000 });
  await settled();
  assert.equal(folders.size, 1);
  await stop();
  assert.equal(folders.size, 0);
});

/** An endpoint whose answers come from `answers`, the last one again and again. */
async function serve(t: TestContext, answers: RequestListener[]): Promise<string> {
  const server = createServer((request, response) =>
    (answers.length > 1 ? answers.shift()! : answers[0]!)(request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/sd`;
}
const json =
  (body: string, type = 'application/json'): RequestListener =>
  (_, response) =>
    response.writeHead(200, { 'content-type': type }).end(body);
const http = (url: string): SupportedSdConfig => ({
  kind: 'http',
  url,
  refreshIntervalMs: 60_000,
  httpClient: DEFAULT_HTTP_CLIENT_CONFIG,
});

test('http: groups of the answer; those that a later answer lacks are emptied', async (t) => {
  const url = await serve(t, [
    json('[{"targets":["a"]},{"targets":["b"]}]', 'application/json; charset=utf-8'),
    json('[{"targets":["c"]}]'),
  ]);
  const { told, timers } = run(t, http(url));
  const got: string[] = [];
  await until(() => got.push(...told()) === 2);
  assert.deepEqual(got.splice(0), [
    `${url}:0{"__meta_url":"${url}"}=__address__:a`,
    `${url}:1{"__meta_url":"${url}"}=__address__:b`,
  ]);
  await timers.advance(60_000);
  await until(() => got.push(...told()) === 2);
  assert.deepEqual(got, [`${url}:0{"__meta_url":"${url}"}=__address__:c`, `${url}:1{}=`]);
});

test('http: the request says how often it comes', async (t) => {
  const seen: unknown[] = [];
  const url = await serve(t, [
    (request, response) => {
      seen.push(
        request.headers['x-prometheus-refresh-interval-seconds'],
        request.headers['user-agent'],
        request.headers.accept,
      );
      json('[]')(request, response);
    },
  ]);
  run(t, http(url));
  await until(() => seen.length === 3);
  assert.deepEqual(seen, ['60', 'test', 'application/json']);
});

const badAnswers: readonly (readonly [string, RequestListener])[] = [
  ['another status', (_, response) => response.writeHead(503).end()],
  ['another type', json('[]', 'text/plain')],
  ['no type', (_, response) => response.end('[]')],
  ['no JSON', json('[{')],
  ['no list of targets', json('[{"targets":["a"],"port":1}]')],
];
for (const [claim, answer] of badAnswers) {
  test(`http: ${claim} keeps the groups and is counted`, async (t) => {
    const { told, timers, counter } = run(t, http(await serve(t, [json('[{"targets":["a"]}]'), answer])));
    await until(() => told().length === 1);
    await timers.advance(60_000);
    await until(() => counter('prometheus_sd_http_failures_total') === 1);
    await until(() => counter('prometheus_sd_refresh_failures_total') === 1);
    assert.deepEqual(told(), []);
  });
}

const dns = (type: 'SRV' | 'A' | 'AAAA' | 'MX' | 'NS', names = ['n']): SupportedSdConfig => ({
  kind: 'dns',
  names,
  type,
  port: 9100,
  refreshIntervalMs: 30_000,
});
const dnsCases: readonly (readonly [SupportedSdConfig, Partial<DnsResolver>, string])[] = [
  [
    dns('SRV'),
    { resolveSrv: async () => [{ name: 'h.x', port: 8080, priority: 0, weight: 0 }] },
    'n{}=__address__:h.x:8080,__meta_dns_name:n,__meta_dns_srv_record_port:8080,__meta_dns_srv_record_target:h.x.',
  ],
  [
    dns('A'),
    { resolve4: async () => ['1.2.3.4', '5.6.7.8'] },
    'n{}=__address__:1.2.3.4:9100,__meta_dns_name:n __address__:5.6.7.8:9100,__meta_dns_name:n',
  ],
  [dns('AAAA'), { resolve6: async () => ['fd00::1'] }, 'n{}=__address__:[fd00::1]:9100,__meta_dns_name:n'],
  [
    dns('MX'),
    { resolveMx: async () => [{ exchange: 'm.x', priority: 1 }] },
    'n{}=__address__:m.x:9100,__meta_dns_mx_record_target:m.x.,__meta_dns_name:n',
  ],
  [
    dns('NS'),
    { resolveNs: async () => ['ns.x'] },
    'n{}=__address__:ns.x:9100,__meta_dns_name:n,__meta_dns_ns_record_target:ns.x.',
  ],
];
for (const [config, records, want] of dnsCases) {
  test(`dns: ${JSON.stringify(config)}`, async (t) => {
    const { told } = run(t, config, { resolver: { ...NO_RECORDS, ...records } });
    await settled();
    assert.deepEqual(told(), [want]);
  });
}

test('dns: a name that is gone has no targets; a lookup that fails keeps them, and other names go on', async (t) => {
  let round = 0;
  const failing = (code: string) => Object.assign(new Error(code), { code });
  const resolve4 = async (name: string): Promise<string[]> => {
    if (name === 'b' && round === 1) throw failing('ESERVFAIL');
    if (name === 'b' && round === 2) throw failing('ENOTFOUND');
    return [`1.1.1.${round}`];
  };
  const { told, timers, counter } = run(t, dns('A', ['a', 'b']), { resolver: { ...NO_RECORDS, resolve4 } });
  await settled();
  assert.deepEqual(
    told().map((text) => text.split(',')[0]),
    ['a{}=__address__:1.1.1.0:9100', 'b{}=__address__:1.1.1.0:9100'],
  );
  round = 1;
  await timers.advance(30_000);
  assert.deepEqual(
    told().map((text) => text.split(',')[0]),
    ['a{}=__address__:1.1.1.1:9100', 'b{}=__address__:1.1.1.0:9100'],
  );
  assert.equal(counter('prometheus_sd_dns_lookup_failures_total'), 1);
  round = 2;
  await timers.advance(30_000);
  assert.deepEqual(
    told().map((text) => text.split(',')[0]),
    ['a{}=__address__:1.1.1.2:9100', 'b{}='],
  );
});

test('dns: a refresh that fails for all names is counted', async (t) => {
  const resolve4 = async () => {
    throw new Error('no server');
  };
  const { told, counter } = run(t, dns('A'), { resolver: { ...NO_RECORDS, resolve4 } });
  await settled();
  assert.deepEqual(told(), []);
  assert.equal(counter('prometheus_sd_refresh_failures_total'), 1);
});
