import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServeFlags } from '../api/serve-flags.ts';
import { FLAGS } from './flag-table.ts';
import { FlagError, readFlags, type GivenFlags } from './flags.ts';

const DEFAULTS = readFlags({});

test('without flags the server keeps to this machine and its own folder', () => {
  assert.deepEqual(
    [DEFAULTS.listenAddresses, DEFAULTS.dataDirectory, DEFAULTS.configFile, DEFAULTS.routePrefix, DEFAULTS.useLockfile, DEFAULTS.notices],
    [['127.0.0.1:9090'], 'data/', null, '', true, []],
  );
  assert.equal(DEFAULTS.externalUrl.port, '9090');
  assert.deepEqual([DEFAULTS.lookbackMs, DEFAULTS.queryTimeoutMs, DEFAULTS.queryMaxConcurrency, DEFAULTS.queryMaxSamples], [300_000, 120_000, 20, 50_000_000]);
  assert.deepEqual([DEFAULTS.maxConnections, DEFAULTS.readTimeoutMs, DEFAULTS.corsOrigin, DEFAULTS.logLevel, DEFAULTS.logFormat], [512, 300_000, '.*', 'info', 'logfmt']);
});

// One row a flag: what is given, the field it sets, the value, and how the flags page shows it.
const SET: readonly (readonly [GivenFlags, keyof ServeFlags, unknown, string])[] = [
  [{ 'config.file': 'a.yml' }, 'configFile', 'a.yml', 'a.yml'],
  [{ 'storage.tsdb.path': '/d' }, 'dataDirectory', '/d', '/d'],
  [{ 'storage.tsdb.wal-compression': false }, 'walCompression', 'none', 'false'],
  [{ 'storage.tsdb.wal-compression-type': 'snappy' }, 'walCompression', 'snappy', 'snappy'],
  [{ 'enable-feature': ['native-histograms,promql-experimental-functions'] }, 'featureFlags', ['promql-experimental-functions'], 'native-histograms,promql-experimental-functions'],
  [{ 'storage.tsdb.no-lockfile': true }, 'useLockfile', false, 'true'],
  [{ 'web.listen-address': [':1', '[::1]:2'] }, 'listenAddresses', [':1', '[::1]:2'], ':1,[::1]:2'],
  [{ 'web.external-url': 'https://a.b/c/' }, 'routePrefix', '/c', 'https://a.b/c/'],
  [{ 'web.route-prefix': 'x/' }, 'routePrefix', '/x', 'x/'],
  [{ 'web.route-prefix': '/' }, 'routePrefix', '', '/'],
  [{ 'web.page-title': 'T' }, 'pageTitle', 'T', 'T'],
  [{ 'web.cors.origin': 'https?://a' }, 'corsOrigin', 'https?://a', 'https?://a'],
  [{ 'web.read-timeout': '90s' }, 'readTimeoutMs', 90_000, '1m30s'],
  [{ 'web.max-connections': '3' }, 'maxConnections', 3, '3'],
  [{ 'web.enable-lifecycle': true }, 'enableLifecycle', true, 'true'],
  [{ 'web.enable-remote-write-receiver': true }, 'enableRemoteWriteReceiver', true, 'true'],
  [{ 'web.enable-remote-write-receiver': false }, 'enableRemoteWriteReceiver', false, 'false'],
  [{ 'storage.tsdb.retention.time': '30d' }, 'retentionMs', 30 * 86_400_000, '30d'],
  [{ 'storage.tsdb.retention.size': '1.5KB' }, 'retentionBytes', 1536, '1.5KB'],
  [{ 'storage.tsdb.max-block-duration': '2h' }, 'maxBlockMs', 7_200_000, '2h'],
  [{ 'storage.tsdb.retention.size': '5GB' }, 'retentionBytes', 5 * 2 ** 30, '5GB'],
  [{ 'query.lookback-delta': '1m' }, 'lookbackMs', 60_000, '1m'],
  [{ 'query.timeout': '10s' }, 'queryTimeoutMs', 10_000, '10s'],
  [{ 'query.max-concurrency': '4' }, 'queryMaxConcurrency', 4, '4'],
  [{ 'query.max-samples': '5e7' }, 'queryMaxSamples', 50_000_000, '5e7'],
  [{ 'log.level': 'debug' }, 'logLevel', 'debug', 'debug'],
  [{ 'log.format': 'json' }, 'logFormat', 'json', 'json'],
];
for (const [given, field, want, shown] of SET) {
  const [name] = Object.keys(given) as [string];
  test(`--${name} ${String(given[name])} sets ${field}`, () => {
    const flags = readFlags(given);
    assert.deepEqual(flags[field], want);
    assert.equal(flags.listing[name], shown);
  });
}

const WRONG: readonly (readonly [GivenFlags, string])[] = [
  [{ 'query.timeout': 'x' }, '--query.timeout: not a valid duration string: "x"'],
  [{ 'query.timeout': '0' }, '--query.timeout must be longer than 0'],
  [{ 'query.max-concurrency': '0' }, '--query.max-concurrency must be at least 1'],
  [{ 'web.max-connections': '-1' }, '--web.max-connections: "-1" is not a whole number'],
  [{ 'web.listen-address': ['nine'] }, '--web.listen-address: "nine" is not host:port'],
  [{ 'web.listen-address': ['a:70000'] }, '--web.listen-address: "a:70000" is not host:port'],
  [{ 'web.external-url': '"x"' }, '--web.external-url: ""x"": URL must not begin or end with quotes'],
  [{ 'web.external-url': 'a/b' }, '--web.external-url: "a/b" is not a URL such as https://example.org/coeus'],
  [{ 'web.route-prefix': '/:x' }, '--web.route-prefix: "/:x" has characters that no path prefix may have'],
  [{ 'web.cors.origin': '(' }, '--web.cors.origin: could not compile the regular expression: '],
  [{ 'storage.tsdb.max-block-duration': '1h' }, '--storage.tsdb.max-block-duration must not be shorter than --storage.tsdb.min-block-duration'],
  [{ 'storage.tsdb.min-block-duration': '365d' }, '--storage.tsdb.min-block-duration must be at most 31d'],
  [{ 'storage.tsdb.retention.size': '5' }, '--storage.tsdb.retention.size: "5" is not a size; write a number and a unit: B, KB, MB, GB, TB, PB or EB'],
  [{ 'storage.tsdb.retention.time': '5' }, '--storage.tsdb.retention.time: not a valid duration string: "5"'],
  [{ 'log.level': 'loud' }, 'unrecognized log level "loud": use debug, info, warn or error'],
  [{ 'log.format': 'xml' }, 'unrecognized log format "xml": use logfmt or json'],
  [{ 'web.user-assets': 'x' }, '--web.user-assets is not available: no files beside the own ones are served'],
  [{ 'storage.tsdb.wal-compression-type': 'zstd' }, '--storage.tsdb.wal-compression-type: zstd is not available yet, only snappy'],
  [{ agent: true }, '--agent is not available: there is no agent mode yet'],
  [{ 'enable-feature': ['exemplar-storage'] }, '--enable-feature: exemplar-storage is not available yet'],
  [{ 'web.remote-write-receiver.accepted-protobuf-messages': ['io.prometheus.write.v2.Request'] }, '--web.remote-write-receiver.accepted-protobuf-messages: io.prometheus.write.v2.Request is not taken yet, only prometheus.WriteRequest'],
];
for (const [given, message] of WRONG) {
  test(`refuses ${JSON.stringify(given)}`, () => {
    assert.throws(
      () => readFlags(given),
      (error) => error instanceof FlagError && error.message.startsWith(message),
    );
  });
}

test('a refused switch may be switched off', () => {
  assert.equal(readFlags({ 'web.enable-admin-api': false }).listing['web.enable-admin-api'], 'false');
});

test('flags without effect are said to have none', () => {
  const { notices } = readFlags({ 'storage.tsdb.allow-overlapping-compaction': true, 'web.console.templates': 'x', 'enable-feature': ['native-histograms,what'] });
  assert.deepEqual(notices, [
    '--web.console.templates has no effect: console templates are not served',
    '--storage.tsdb.allow-overlapping-compaction has no effect: blocks that overlap are always compacted',
    '--enable-feature: native-histograms needs no flag',
    '--enable-feature: there is no feature what',
  ]);
});

test('each flag is there once, with a default that it would take itself', () => {
  assert.equal(new Set(FLAGS.map(({ name }) => name)).size, FLAGS.length);
  for (const { name, kind, byDefault, use } of FLAGS) {
    if (use !== 'active' || byDefault === '') continue;
    const value = kind === 'switch' ? byDefault === 'true' : kind === 'list' ? [byDefault] : byDefault;
    assert.equal(readFlags({ [name]: value }).listing[name], DEFAULTS.listing[name], name);
  }
});
