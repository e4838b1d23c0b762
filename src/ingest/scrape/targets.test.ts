import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatLabels, labelsFromObject, labelsToObject } from '../../core/model/labels.ts';
import { DEFAULT_RELABEL_CONFIG, type RelabelConfig } from '../../core/model/relabel.ts';
import { CONFIG } from './_testing.ts';
import type { ScrapePoolConfig } from './scrape-config.ts';
import { targetLimitError, targetsOf, type PoolTargets } from './targets.ts';

type Pairs = Record<string, string>;

const rule = (changes: Partial<RelabelConfig>): RelabelConfig => ({ ...DEFAULT_RELABEL_CONFIG, ...changes });

/** The targets of one group. */
function discover(targets: readonly Pairs[], changes: Partial<ScrapePoolConfig> = {}, group: Pairs = {}): PoolTargets {
  const groups = [
    { labels: labelsFromObject(group), targets: targets.map((each) => Object.entries(each).sort().flat()) },
  ];
  return targetsOf(groups, { ...CONFIG, ...changes });
}

test('a target has its own labels over its group’s over the job’s', () => {
  const own = { __address__: 'a:80', job: 'own', env: '' };
  const { active } = discover([own], {}, { job: 'group', env: 'prod', team: 'x' });
  assert.equal(formatLabels(active[0]!.labels), '{instance="a:80", job="own", team="x"}');
});

test('an empty label of the target gives way to the job’s', () => {
  const { active } = discover([{ __address__: 'a:80', job: '' }]);
  assert.equal(formatLabels(active[0]!.labels), '{instance="a:80", job="test"}');
});

test('the discovered labels say all that relabelling can see', () => {
  const params = new Map([['module', ['http', 'tcp']]]);
  const { active } = discover([{ __address__: 'a:80', __meta_x: '1' }], { params, scrapeNativeHistograms: true });
  assert.deepEqual(labelsToObject(active[0]!.discoveredLabels), {
    __address__: 'a:80',
    __always_scrape_classic_histograms__: 'false',
    __convert_classic_histograms_to_nhcb__: 'false',
    __meta_x: '1',
    __metrics_path__: '/metrics',
    __param_module: 'http',
    __scheme__: 'http',
    __scrape_interval__: '10s',
    __scrape_native_histograms__: 'true',
    __scrape_timeout__: '5s',
    job: 'test',
  });
});

// Labels of the target beside its address, the job's params, then the URL.
const urls: readonly (readonly [string, Pairs, Record<string, string[]>, string])[] = [
  ['no port is added', {}, {}, 'http://a/metrics'],
  ['scheme and path come from labels', { __scheme__: 'https', __metrics_path__: '/x/y' }, {}, 'https://a/x/y'],
  ['a path gets its slash', { __metrics_path__: 'x' }, {}, 'http://a/x'],
  ['a question mark in a path is part of it', { __metrics_path__: '/x?y=1' }, {}, 'http://a/x%3Fy=1'],
  [
    'a path is escaped as Go does',
    { __metrics_path__: "/a b/ü%!'()*$&+,:;=@~" },
    {},
    'http://a/a%20b/%C3%BC%25%21%27%28%29%2A$&+,:;=@~',
  ],
  ['params in order of their names', {}, { b: ['2', '3'], a: ['1'] }, 'http://a/metrics?a=1&b=2&b=3'],
  ['a label replaces the first value', { __param_b: 'x' }, { b: ['2', '3'] }, 'http://a/metrics?b=x&b=3'],
  [
    'a label adds a parameter',
    { __param_target: 'https://example.org/?q=1 2' },
    {},
    'http://a/metrics?target=https%3A%2F%2Fexample.org%2F%3Fq%3D1+2',
  ],
];
for (const [claim, labels, params, want] of urls) {
  test(`URL: ${claim}`, () => {
    const { active } = discover([{ __address__: 'a', ...labels }], { params: new Map(Object.entries(params)) });
    assert.equal(active[0]!.url, want);
  });
}

test('interval, timeout and socket come from labels', () => {
  const labels = {
    __address__: 'a',
    __scrape_interval__: '30s',
    __scrape_timeout__: '1s500ms',
    __unix_socket__: '/run/x.sock',
  };
  const { active } = discover([labels]);
  const { intervalMs, timeoutMs, unixSocket } = active[0]!;
  assert.deepEqual(
    { intervalMs, timeoutMs, unixSocket },
    { intervalMs: 30_000, timeoutMs: 1500, unixSocket: '/run/x.sock' },
  );
});

// Labels of a target, then what is wrong with it.
const faults: readonly (readonly [Pairs, string])[] = [
  [{}, 'target "": no address'],
  [
    { __address__: 'http://a:80/metrics' },
    'target "http://a:80/metrics": "http://a:80/metrics" is not a valid hostname',
  ],
  [
    { __address__: 'a', __scrape_interval__: 'soon' },
    'target "a": error parsing scrape interval: not a valid duration string: "soon"',
  ],
  [{ __address__: 'a', __scrape_interval__: '0' }, 'target "a": scrape interval cannot be 0'],
  [
    { __address__: 'a', __scrape_timeout__: '-1s' },
    'target "a": error parsing scrape timeout: not a valid duration string: "-1s"',
  ],
  [{ __address__: 'a', __scrape_timeout__: '0s' }, 'target "a": scrape timeout cannot be 0'],
  [
    { __address__: 'a', __scrape_timeout__: '1m' },
    'target "a": scrape timeout cannot be greater than scrape interval ("1m" > "10s")',
  ],
  [{ __address__: 'a b' }, 'target "a b": "http://a b/metrics" is not a valid URL'],
  [{ __address__: 'a:99999' }, 'target "a:99999": "http://a:99999/metrics" is not a valid URL'],
  [{ __address__: 'a', bad: '\ud800' }, 'target "a": invalid label for "bad": "\ud800"'],
];
for (const [labels, want] of faults) {
  test(`no target: ${want}`, () => {
    const { active, errors } = discover([labels, { __address__: 'good' }]);
    assert.deepEqual(errors, [want]);
    assert.equal(active.length, 1);
  });
}

test('relabelling renames, drops and makes instances; a faulty target is not found in what it drops', () => {
  const relabelConfigs = [
    rule({ action: 'drop', sourceLabels: ['__meta_ignore'], regex: 'yes' }),
    rule({ action: 'labelmap', regex: '__meta_(.+)' }),
    rule({ sourceLabels: ['__meta_host'], regex: '(.+)', targetLabel: 'instance' }),
  ];
  const targets = [
    { __address__: 'a', __meta_host: 'x' },
    { __address__: 'b', __meta_ignore: 'yes' },
    { __address__: 'c/d', __meta_ignore: 'yes' },
    { __address__: 'd', __meta_ignore: 'no' },
  ];
  const { active, dropped, droppedCount, errors } = discover(targets, { relabelConfigs });
  assert.deepEqual(
    active.map(({ labels }) => formatLabels(labels)),
    ['{host="x", instance="x", job="test"}', '{ignore="no", instance="d", job="test"}'],
  );
  assert.equal(droppedCount, 2);
  assert.equal(dropped.length, 2);
  assert.deepEqual(errors, []);
});

test('dropped targets are kept up to the limit and all counted', () => {
  const relabelConfigs = [rule({ action: 'drop', regex: '.*' })];
  const targets = Array.from({ length: 5 }, (_, i) => ({ __address__: `a${i}` }));
  const { dropped, droppedCount } = discover(targets, { relabelConfigs, keepDroppedTargets: 2 });
  assert.equal(dropped.length, 2);
  assert.equal(droppedCount, 5);
});

test('targets of equal labels and URL are one; another URL or label makes another', () => {
  const targets = [
    { __address__: 'a', instance: 'x' },
    { __address__: 'a', instance: 'x', __meta_from: 'elsewhere' },
    { __address__: 'b', instance: 'x' },
    { __address__: 'a', instance: 'y' },
    { __address__: 'a', instance: 'x', __unix_socket__: '/run/x.sock' },
  ];
  const { active } = discover(targets);
  assert.deepEqual(
    active.map(({ url, labels }) => `${url} ${labels[1]!}`),
    ['http://a/metrics x', 'http://b/metrics x', 'http://a/metrics y', 'http://a/metrics x'],
  );
});

// Count, limit, then the error.
for (const [count, limit, want] of [
  [5, 0, ''],
  [5, 5, ''],
  [6, 5, 'target_limit exceeded (number of targets: 6, limit: 5)'],
] as const) {
  test(`${count} targets with a limit of ${limit}`, () => {
    assert.equal(targetLimitError(count, limit), want);
  });
}
