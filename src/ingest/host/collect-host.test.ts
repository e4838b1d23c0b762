import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { platform } from 'node:os';
import { test } from 'node:test';
import { systemClock, type Clock } from '../../core/base/clock.ts';
import { silentLogger, type Logger } from '../../core/base/log.ts';
import type { MetricFamily } from '../../core/base/metrics.ts';
import { FixtureReader } from './_fixture-reader.ts';
import { HostCollector, linuxCollectors, portableCollectors } from './collect-host.ts';
import { FamilySet, MAX_SAMPLES } from './family-set.ts';
import { LocalReader, StuckMountError } from './host-reader.ts';
import { NoDataError, type Collect } from './proc-text.ts';

const stillClock: Clock = { nowMs: () => 0, monotonicMs: () => 0 };
const reader = new FixtureReader({});

function collectWith(
  collectors: Readonly<Record<string, Collect>>,
  log: Logger = silentLogger,
): Promise<MetricFamily[]> {
  const map = new Map(Object.entries(collectors));
  return new HostCollector({
    version: '1.2.3',
    clock: stillClock,
    log,
    reader,
    collectors: map,
    timeoutMs: 5,
  }).collect();
}

const successOf = (families: readonly MetricFamily[]): Record<string, number> =>
  Object.fromEntries(
    families
      .find(({ name }) => name === 'node_scrape_collector_success')!
      .samples.map(({ labels, value }) => [labels['collector'], value]),
  );

test('one collector that fails, hangs or has nothing costs no other', async () => {
  const warnings: string[] = [];
  const log: Logger = {
    ...silentLogger,
    warn: (message, fields) => warnings.push(`${message}: ${fields?.['collector']}: ${fields?.['error']}`),
  };
  const families = await collectWith(
    {
      good: async (_, out) => out.gauge('node_good', 'Good.', 1),
      failing: async (_, out) => {
        out.gauge('node_half', 'Half.', 1);
        throw new Error('broken');
      },
      hanging: () => new Promise(() => {}),
      absent: () => Promise.reject(new NoDataError('nothing')),
    },
    log,
  );
  assert.deepEqual(successOf(families), { good: 1, failing: 0, hanging: 0, absent: 0 });
  assert.deepEqual(warnings.sort(), [
    'host collector failed: failing: broken',
    'host collector failed: hanging: took longer than 5 ms',
  ]);
  const names = families.map(({ name }) => name);
  assert.deepEqual(names, [
    'node_exporter_build_info',
    'node_good',
    'node_scrape_collector_duration_seconds',
    'node_scrape_collector_success',
  ]);
  assert.equal(families[0]!.samples[0]!.labels['version'], '1.2.3');
});

test('a collector has a bounded number of samples', async () => {
  const families = await collectWith({
    huge: async (_, out) => {
      for (let i = 0; i <= MAX_SAMPLES; i++) out.gauge('node_huge', 'Huge.', i);
    },
  });
  assert.deepEqual(successOf(families), { huge: 0 });
});

test('on a host without files every collector of Linux ends, and none throws', async () => {
  const collectors = Object.fromEntries(linuxCollectors(() => 0));
  const success = successOf(await collectWith(collectors));
  assert.deepEqual(Object.keys(success), Object.keys(collectors));
  assert.equal(success['meminfo'], 0);
});

test('a file past the bound is refused', async () => {
  await assert.rejects(
    new LocalReader().readText('/dev/zero'),
    platform() === 'win32' ? /ENOENT/ : /is larger than 16777216 bytes/,
  );
});

test('a mount that has not answered is not asked again', async () => {
  const local = new LocalReader();
  const first = local.fileSystemSize('/');
  await assert.rejects(local.fileSystemSize('/'), StuckMountError);
  const { blocks } = await first;
  assert(blocks > 0);
  await local.fileSystemSize('/');
});

test('this host gives what the node dashboards and alerts ask for', async (t) => {
  if (platform() !== 'linux') return t.skip('only Linux has all families');
  const host = new HostCollector({ version: '', clock: systemClock, log: silentLogger });
  const names = new Set((await host.collect()).map(({ name }) => name));
  // Not to be had here: the clock's state needs a system call, the rest hardware, another system, or a unit manager.
  const ABSENT =
    /^node_(timex|md|bonding|nf_conntrack|systemd|textfile)_|^node_memory_(total|wired|purgeable|internal|compressed|available)_bytes$/;
  const folder = '../shared/conformance/mixins/node-exporter';
  if (!existsSync(folder)) return t.skip(`${folder} is missing`);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.(yaml|json)$/.test(file),
  );
  const text = files.map((file) => readFileSync(`${folder}/${file}`, 'utf8')).join('\n');
  const asked = new Set(text.match(/\bnode_(?:\w+_(?:total|bytes|seconds|info)|load\d+|filesystem_\w+|filefd_\w+)\b/g));
  assert(asked.size > 30, `${asked.size} names were seen`);
  const missing = [...asked].filter(
    (name) => !names.has(name) && !ABSENT.test(name) && !/_(?:excluding_lo|physical)$/.test(name),
  );
  // `node_disk_io_time_seconds` and its like are series that recording rules make.
  assert.deepEqual(
    missing.filter((name) => !new RegExp(`:${name}:`).test(text)),
    [],
  );
});

test('the collectors for other systems work wherever the library does', async () => {
  const collectors = portableCollectors(() => systemClock.nowMs());
  const host = new HostCollector({ version: '', clock: systemClock, log: silentLogger, collectors, timeoutMs: 20_000 });
  const families = await host.collect();
  assert.deepEqual(successOf(families), Object.fromEntries([...collectors.keys()].map((name) => [name, 1])));
  const cpu = families.find(({ name }) => name === 'node_cpu_seconds_total')!;
  assert(cpu.samples.some(({ labels, value }) => labels['mode'] === 'idle' && value > 0));
});

test('families keep their samples together, sorted by name', () => {
  const set = new FamilySet();
  set.gauge('b', 'B.', 1, { x: '1' });
  set.counter('a_total', 'A.', 2);
  set.gauge('b', 'B.', 3, { x: '2' });
  const shown = set
    .families()
    .map(({ name, type, samples }) => `${name} ${type} ${samples.map(({ value }) => value).join(' ')}`);
  assert.deepEqual(shown, ['a_total counter 2', 'b gauge 1 3']);
});
