import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { silentLogger } from '../../core/base/log.ts';
import { Registry } from '../../core/base/metrics.ts';
import { ManualTimers, settled } from './_manual-timers.ts';
import { systemResolver } from './dns-discoverer.ts';
import { DiscoveryManager, type DiscoveredSet } from './manager.ts';
import type { FileSdConfig, SdConfig } from './sd-config.ts';
import { createSdMetrics } from './sd-metrics.ts';
import type { TargetGroup } from './target-group.ts';

const file = (path: string): FileSdConfig => ({ kind: 'file', files: [path], refreshIntervalMs: 1 });
const group = (source: string, ...addresses: string[]): TargetGroup => ({
  source,
  labels: [],
  targets: addresses.map((address) => ['__address__', address]),
});

/** A manager whose providers are told by hand what to emit. Updates are shown as `job=address,address`. */
function manage(t: TestContext) {
  const timers = new ManualTimers();
  const registry = new Registry();
  const running = new Map<string, (groups: readonly TargetGroup[]) => void>();
  const starts: string[] = [];
  const updates: string[] = [];
  const manager = new DiscoveryManager({
    name: 'scrape',
    parts: {
      metrics: createSdMetrics(registry),
      clock: timers,
      timers,
      logger: silentLogger,
      watchFolder: () => ({ close: () => {} }),
      resolver: systemResolver(),
      environment: {},
      userAgent: 'test',
    },
    createDiscoverer: (config) => ({
      run: (emit, signal) => {
        const name = config.kind === 'file' ? config.files[0]! : config.kind;
        starts.push(name);
        running.set(name, emit);
        return new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => {
            running.delete(name);
            resolve();
          });
          if (name === 'broken') reject(new Error('broken'));
        });
      },
    }),
    onUpdate: (sets) => updates.push([...sets].map(showSet).join(' ')),
  });
  t.after(() => manager.close());
  const apply = (configs: Readonly<Record<string, readonly SdConfig[]>>): void =>
    manager.apply(new Map(Object.entries(configs)));
  const metric = (name: string): number[] =>
    registry
      .snapshot()
      .find((family) => family.name === name)!
      .samples.map(({ value }) => value);
  return { manager, apply, timers, running, starts, metric, updates: () => updates.splice(0) };
}

function showSet([job, { groups, unsupportedKinds }]: [string, DiscoveredSet]): string {
  const addresses = groups.flatMap(({ targets }) => targets.map((target) => target[1]));
  return `${job}=${[...addresses, ...unsupportedKinds.map((kind) => `!${kind}`)].join(',')}`;
}

test('jobs with equal configurations share one provider', async (t) => {
  const { apply, timers, running, starts, updates, metric } = manage(t);
  apply({ a: [file('x')], b: [file('x'), file('y')] });
  assert.deepEqual(starts, ['x', 'y']);
  running.get('x')!([group('0', '1')]);
  running.get('y')!([group('0', '2')]);
  await timers.advance(100);
  assert.deepEqual(updates(), ['a=1 b=1,2']);
  assert.deepEqual(metric('prometheus_sd_discovered_targets'), [1, 2]);
});

test('a group replaces that of its source, an empty one removes it', async (t) => {
  const { apply, timers, running, updates } = manage(t);
  apply({ a: [file('x')] });
  running.get('x')!([group('0', '1'), group('1', '2')]);
  await timers.advance(100);
  running.get('x')!([group('0', '3'), group('1')]);
  await timers.advance(10_000);
  assert.deepEqual(updates(), ['a=1,2', 'a=3']);
});

test('changes that keep coming are told ever more slowly, to a bound; after quiet at once again', async (t) => {
  const { apply, timers, running, updates } = manage(t);
  apply({ a: [file('x')] });
  const sentAt: number[] = [];
  for (let ms = 0; ms < 60_000; ms += 50) {
    running.get('x')!([group('0', String(ms))]);
    await timers.advance(50);
    if (updates().length > 0) sentAt.push(timers.nowMs());
  }
  const gaps = sentAt.slice(1).map((ms, i) => ms - sentAt[i]!);
  assert.ok(
    gaps.every((gap, i) => i === 0 || gap >= gaps[i - 1]! - 50),
    `gaps grow: ${gaps.join(' ')}`,
  );
  assert.equal(sentAt[0], 100);
  const last = gaps.at(-1) ?? 0;
  assert.ok(last <= 10_000 && last >= 5000);

  await timers.advance(60_000);
  updates();
  running.get('x')!([group('0', 'after')]);
  await timers.advance(100);
  assert.deepEqual(updates(), ['a=after']);
});

test('a new configuration keeps providers that stay, with their targets, and stops the others', async (t) => {
  const { apply, timers, running, starts, updates } = manage(t);
  apply({ a: [file('x'), file('y')] });
  running.get('x')!([group('0', '1')]);
  running.get('y')!([group('0', '2')]);
  await timers.advance(10_000);
  updates();
  const emitOfY = running.get('y')!;
  apply({ b: [file('x')] });
  assert.deepEqual([...running.keys()], ['x']);
  assert.deepEqual(starts, ['x', 'y']);
  emitOfY([group('0', 'late')]);
  await timers.advance(10_000);
  assert.deepEqual(updates(), ['b=1']);
});

test('a kind that is not supported is told with its job', async (t) => {
  const { apply, timers, updates, metric } = manage(t);
  apply({ a: [{ kind: 'other', name: 'consul', options: {} }] });
  await timers.advance(100);
  assert.deepEqual(updates(), ['a=!consul']);
  assert.deepEqual(metric('prometheus_sd_failed_configs'), [1]);
});

test('a job without targets is told too', async (t) => {
  const { apply, timers, updates } = manage(t);
  apply({ a: [], b: [file('x')] });
  await timers.advance(100);
  assert.deepEqual(updates(), ['a= b=']);
});

test('a provider that breaks does not end the others', async (t) => {
  const { apply, timers, running, updates } = manage(t);
  apply({ a: [file('broken'), file('x')] });
  await settled();
  running.get('x')!([group('0', '1')]);
  await timers.advance(100);
  assert.deepEqual(updates(), ['a=1']);
});

test('closing ends the providers and the updates', async (t) => {
  const { manager, apply, timers, running, updates } = manage(t);
  apply({ a: [file('x')] });
  await manager.close();
  assert.equal(running.size, 0);
  await timers.advance(10_000);
  assert.deepEqual(updates(), []);
});
