/**
 * Many targets under one manager: what an apply changes, and that bad neighbours stay alone.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { silentLogger } from '../../core/base/log.ts';
import { Registry } from '../../core/base/metrics.ts';
import { labelsFromObject, labelValue } from '../../core/model/labels.ts';
import { RegexError } from '../../core/model/matcher.ts';
import { DEFAULT_RELABEL_CONFIG } from '../../core/model/relabel.ts';
import { CONFIG, FakeHead, ManualTime, newWorkspace, serveHttp } from './_testing.ts';
import { ScrapeManager, type PoolSetup } from './scrape-manager.ts';
import type { ScrapePoolConfig } from './scrape-config.ts';
import { formatGoDuration } from './scrape-metrics.ts';
import { targetsOf } from './targets.ts';

interface Rig {
  readonly time: ManualTime;
  readonly head: FakeHead;
  readonly registry: Registry;
  readonly manager: ScrapeManager;
}

function start(t: TestContext): Rig {
  const time = new ManualTime();
  const head = new FakeHead();
  const registry = new Registry();
  const options = {
    workspace: newWorkspace(),
    appender: head,
    registry,
    clock: time,
    timers: time,
    logger: silentLogger,
  };
  const manager = new ScrapeManager({ ...options, seed: '', userAgent: 'Coeus/test' });
  t.after(() => manager.stop());
  return { time, head, registry, manager };
}

/**
 * A pool whose targets differ in path. Timeouts are as long as the interval: in one interval of 10 s each target is due once and
 * none is late.
 */
function pool(address: string, paths: readonly string[], changes: Partial<ScrapePoolConfig> = {}): PoolSetup {
  const config = { ...CONFIG, scrapeTimeoutMs: 10_000, ...changes };
  const targets = paths.map((path) =>
    labelsFromObject({ __address__: address, __metrics_path__: `/${path}`, instance: path }),
  );
  return { config, targets: targetsOf([{ labels: [], targets }], config).active };
}

const instancesOf = (manager: ScrapeManager): string[] =>
  manager
    .targets()
    .map(({ scrapePool, labels, health }) => `${scrapePool}/${labelValue(labels, 'instance')} ${health}`);

async function settle(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}

const known = (manager: ScrapeManager): boolean => manager.targets().every(({ health }) => health !== 'unknown');

function valueOf(registry: Registry, name: string, job: string): number | undefined {
  return registry
    .snapshot()
    .find((family) => family.name === name)
    ?.samples.find(({ labels }) => labels['scrape_job'] === job)?.value;
}

test('an apply adds and removes targets and leaves the others alone', async (t) => {
  const asked: string[] = [];
  const address = await serveHttp(t, ({ url }, response) => {
    asked.push(url!);
    response.writeHead(200, { 'content-type': 'text/plain' }).end('# HELP m Some.\n# TYPE m counter\nm 1\n');
  });
  const { time, manager, registry } = start(t);
  manager.apply([pool(address, ['a', 'b']), pool(address, ['x'], { jobName: 'other' })]);
  assert.deepEqual(instancesOf(manager), ['test/a unknown', 'test/b unknown', 'other/x unknown']);
  time.advance(10_000);
  await settle(() => known(manager));
  assert.deepEqual(asked.sort(), ['/a', '/b', '/x']);
  manager.apply([pool(address, ['b', 'c'])]);
  assert.deepEqual(instancesOf(manager), ['test/b up', 'test/c unknown']);
  assert.equal(valueOf(registry, 'prometheus_target_scrape_pool_targets', 'test'), 2);
  assert.equal(valueOf(registry, 'prometheus_target_scrape_pool_targets', 'other'), undefined);
  assert.equal(valueOf(registry, 'prometheus_target_metadata_cache_entries', 'test'), 1);
  assert.deepEqual(manager.metadata(), [
    { targetLabels: ['instance', 'b', 'job', 'test'], metric: 'm', type: 'counter', help: 'Some.', unit: '' },
  ]);
});

test('an apply of the same changes nothing, not even a scrape under way', async (t) => {
  let answer: (() => void) | undefined;
  const address = await serveHttp(t, (_, response) => {
    answer = () => response.writeHead(200, { 'content-type': 'text/plain' }).end('m 1\n');
  });
  const { time, manager } = start(t);
  manager.apply([pool(address, ['a'])]);
  time.advance(10_000);
  await settle(() => answer !== undefined);
  manager.apply([pool(address, ['a'])]);
  answer!();
  await settle(() => known(manager));
  assert.deepEqual(instancesOf(manager), ['test/a up']);
});

test('labels that discovery alone sees may change without a new scrape', async (t) => {
  const { manager } = start(t);
  const setup = (meta: string): PoolSetup => {
    const targets = [labelsFromObject({ __address__: 'a', __meta_x: meta })];
    return { config: CONFIG, targets: targetsOf([{ labels: [], targets }], CONFIG).active };
  };
  manager.apply([setup('1')]);
  manager.apply([setup('2')]);
  assert.equal(labelValue(manager.targets()[0]!.discoveredLabels, '__meta_x'), '2');
});

test('more targets than target_limit: none is scraped and each says why, until there are fewer', async (t) => {
  let requests = 0;
  const address = await serveHttp(t, (_, response) => {
    requests++;
    response.writeHead(200, { 'content-type': 'text/plain' }).end('m 1\n');
  });
  const { time, manager, registry, head } = start(t);
  manager.apply([pool(address, ['a', 'b', 'c'], { targetLimit: 2 })]);
  time.advance(10_000);
  await settle(() => known(manager));
  assert.equal(requests, 0);
  assert.deepEqual(
    new Set(manager.targets().map(({ lastError }) => lastError)),
    new Set(['target_limit exceeded (number of targets: 3, limit: 2)']),
  );
  assert.equal(head.take(true).filter((line) => /^up\{.* 0$/.test(line)).length, 3);
  const exceeded = registry
    .snapshot()
    .find(({ name }) => name === 'prometheus_target_scrape_pool_exceeded_target_limit_total');
  assert.equal(exceeded!.samples[0]!.value, 1);
  manager.apply([pool(address, ['a', 'b'], { targetLimit: 2 })]);
  time.advance(10_000);
  await settle(() => manager.targets().every(({ health }) => health === 'up'));
  assert.equal(requests, 2);
});

test('a rule that does not compile changes nothing', (t) => {
  const { manager } = start(t);
  manager.apply([pool('a', ['a'])]);
  const bad = { metricRelabelConfigs: [{ ...DEFAULT_RELABEL_CONFIG, regex: '(' }] };
  assert.throws(() => manager.apply([pool('b', ['b']), pool('c', ['c'], { jobName: 'bad', ...bad })]), RegexError);
  assert.deepEqual(instancesOf(manager), ['test/a unknown']);
});

test('stopping cuts scrapes, marks nothing stale and leaves no timer', async (t) => {
  const address = await serveHttp(t, () => {});
  const { time, manager, head } = start(t);
  manager.apply([pool(address, ['a', 'b']), pool(address, ['c'], { jobName: 'gone' })]);
  time.advance(10_000);
  manager.apply([pool(address, ['a', 'b'])]);
  await manager.stop();
  assert.deepEqual(head.take(true), []);
  assert.equal(time.pendingCount, 0);
});

test('hostile targets are down for their own reasons, good ones do not notice, and the memory is given back', async (t) => {
  const bodies: Record<string, string | Buffer> = {
    good: 'm 1\n',
    label: `m{x="${'y'.repeat(1024 * 1024)}"} 1\n`,
    utf8: Buffer.from('m{x="\xc3\x28"} 1\n', 'latin1'),
    half: 'm 1\nm{x="1',
    duplicates: 'm 1\n'.repeat(1000),
    binary: Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 89 + 1) & 255)),
    endless: '',
    hang: '',
    drip: '',
    gzip: Buffer.from('not gzip'),
    bomb: gzipSync(Buffer.alloc(20_000_000, '#')),
    reset: '',
  };
  const address = await serveHttp(t, ({ url, socket }, response) => {
    const name = url!.slice(1);
    if (name === 'hang') return;
    if (name === 'reset') {
      socket.resetAndDestroy();
      return;
    }
    const packed = name === 'gzip' || name === 'bomb';
    response.writeHead(200, { 'content-type': 'text/plain', ...(packed ? { 'content-encoding': 'gzip' } : {}) });
    if (name === 'drip') response.write('m ');
    else if (name === 'endless') {
      const more = Buffer.alloc(64 * 1024, '#');
      const write = (): void => {
        while (!response.destroyed && response.write(more));
      };
      response.on('drain', write);
      write();
    } else response.end(bodies[name]);
  });
  const { time, manager, head, registry } = start(t);
  manager.apply([pool(address, Object.keys(bodies), { bodySizeLimitBytes: 4_000_000 })]);
  const health = (name: string): string =>
    manager.targets().find(({ labels }) => labelValue(labels, 'instance') === name)!.health;
  time.advance(10_000);
  const waiting = new Set(['hang', 'drip']);
  await settle(() => Object.keys(bodies).every((name) => waiting.has(name) || health(name) !== 'unknown'));
  time.advance(10_000);
  await settle(() => known(manager));
  const errors = Object.fromEntries(
    manager
      .targets()
      .map(({ labels, lastError }) => [labelValue(labels, 'instance'), lastError.replace(/^Get "[^"]+": /, '')]),
  );
  const patterns: Record<string, RegExp> = {
    good: /^$/,
    duplicates: /^$/,
    label: /line 1: /,
    utf8: /invalid UTF-8/,
    half: /line 2: /,
    binary: /line \d+: /,
    endless: /^body size limit exceeded$/,
    bomb: /^body size limit exceeded$/,
    hang: /^context deadline exceeded$/,
    drip: /^context deadline exceeded$/,
    gzip: /^gzip: invalid header$/,
    reset: /^(?:EOF|read: connection reset by peer)$/,
  };
  for (const [name, pattern] of Object.entries(patterns)) assert.match(errors[name]!, pattern, name);
  const appended = head.take().filter((line) => line.startsWith('m{'));
  assert.deepEqual(
    new Set(appended),
    new Set(['m{instance="duplicates", job="test"} 1', 'm{instance="good", job="test"} 1']),
  );
  await manager.stop();
  const held = registry.snapshot().find(({ name }) => name === 'coeus_scrape_receive_bytes');
  assert.equal(held!.samples[0]!.value, 0);
});

for (const [ms, want] of [
  [500, '500ms'],
  [1000, '1s'],
  [1500, '1.5s'],
  [15_000, '15s'],
  [60_000, '1m0s'],
  [90_000, '1m30s'],
  [3_600_000, '1h0m0s'],
] as const) {
  test(`${ms} ms is ${want} in Go`, () => {
    assert.equal(formatGoDuration(ms), want);
  });
}
