/**
 * Every flag of `coeus serve`, in Prometheus' names: value kind, default, and what becomes of it here.
 *
 * `active` flags work. `inactive` ones are what existing command lines carry for parts that are not built yet or that the
 * runtime doesn't have: they are taken, shown among the flags, and the log says that they do nothing. `refused` flags would
 * change what a user relies on, so the server doesn't start with them.
 * Source: Prometheus 3.14, "prometheus" command line.
 */

export type FlagKind = 'text' | 'duration' | 'bytes' | 'count' | 'switch' | 'list' | 'log-level' | 'log-format';

export interface FlagSpec {
  /** Without the two dashes. */
  readonly name: string;
  readonly kind: FlagKind;
  /** As the flags page shows it. */
  readonly byDefault: string;
  readonly help: string;
  readonly use: 'active' | 'inactive' | 'refused';
  /** Why a flag is inactive or refused; '' for active ones. */
  readonly why: string;
}

const NO_RULES = 'rules and alerts are not evaluated yet';
const NO_REMOTE = 'remote write and remote read to other servers are not there yet';
const NOT_GO = 'it steers the Go runtime';

const active = (name: string, kind: FlagKind, byDefault: string, help: string): FlagSpec => ({ name, kind, byDefault, help, use: 'active', why: '' });
const inactive = (name: string, kind: FlagKind, byDefault: string, why: string): FlagSpec => ({ name, kind, byDefault, help: `Has no effect: ${why}.`, use: 'inactive', why });
const refused = (name: string, kind: FlagKind, byDefault: string, why: string): FlagSpec => ({ name, kind, byDefault, help: `Not available: ${why}.`, use: 'refused', why });

export const FLAGS: readonly FlagSpec[] = [
  active('config.file', 'text', '', 'Configuration file. Without it the server scrapes itself and this machine.'),
  refused('config.auto-reload', 'switch', 'false', 'the configuration is reloaded by SIGHUP and POST /-/reload'),
  refused('config.auto-reload-interval', 'duration', '30s', 'the configuration is reloaded by SIGHUP and POST /-/reload'),

  active('web.listen-address', 'list', '127.0.0.1:9090', 'Address to listen on, host:port; may be repeated.'),
  active('web.config.file', 'text', '', 'File with TLS settings, users and response headers of the server itself.'),
  active('web.read-timeout', 'duration', '5m', 'Longest time to read a request, and to keep an idle connection.'),
  active('web.max-connections', 'count', '512', 'Most connections at once, over all addresses.'),
  active('web.max-notifications-subscribers', 'count', '16', 'Most pages that listen for notifications at once.'),
  active('web.external-url', 'text', '', 'URL under which users reach the server; its path prefixes all routes.'),
  active('web.route-prefix', 'text', '', 'Prefix of all routes; by default the path of --web.external-url.'),
  refused('web.user-assets', 'text', '', 'no files beside the own ones are served'),
  active('web.enable-lifecycle', 'switch', 'false', 'Allow POST /-/reload and /-/quit.'),
  active('web.enable-admin-api', 'switch', 'false', 'Allow deletion and snapshots by API.'),
  active('web.enable-remote-write-receiver', 'switch', 'false', 'Take samples at /api/v1/write.'),
  active('web.remote-write-receiver.accepted-protobuf-messages', 'list', 'prometheus.WriteRequest', 'Messages taken there; only prometheus.WriteRequest.'),
  refused('web.enable-otlp-receiver', 'switch', 'false', 'OTLP is not taken yet'),
  inactive('web.console.templates', 'text', 'consoles', 'console templates are not served'),
  inactive('web.console.libraries', 'text', 'console_libraries', 'console templates are not served'),
  active('web.page-title', 'text', 'Coeus', 'Title of the browser app.'),
  active('web.cors.origin', 'text', '.*', 'Origins that pages may ask from: an anchored regular expression.'),
  refused('web.search.max-limit', 'count', '10000', 'the search API is not there yet'),

  active('storage.tsdb.path', 'text', 'data/', 'Folder of the data.'),
  active('storage.tsdb.retention.time', 'duration', '0s', 'How long samples are kept; 15 days where neither time nor size is limited.'),
  active('storage.tsdb.retention.size', 'bytes', '0B', 'Most bytes that all data may take; whole blocks go, the oldest first.'),
  active('storage.tsdb.no-lockfile', 'switch', 'false', 'Take no lock on the data folder.'),
  inactive('storage.tsdb.head-chunks-write-queue-size', 'count', '0', 'head chunks are written without a queue'),
  active('storage.tsdb.min-block-duration', 'duration', '2h', 'What the head writes as one block.'),
  active('storage.tsdb.max-block-duration', 'duration', '0s', 'The largest block that is compacted; by default a tenth of the retention, at most 31 days. As long as the shortest: nothing is compacted, which an uploader beside the server needs.'),
  inactive('storage.tsdb.allow-overlapping-compaction', 'switch', 'true', 'blocks that overlap are always compacted'),
  active('storage.tsdb.wal-compression', 'switch', 'true', 'Compress the write-ahead log.'),
  active('storage.tsdb.wal-compression-type', 'text', 'snappy', 'How it is compressed; only snappy.'),
  refused('storage.tsdb.delay-compact-file.path', 'text', '', 'no other program can hold up compaction; --storage.tsdb.max-block-duration keeps blocks as the head writes them'),
  refused('storage.tsdb.wal-segment-size', 'bytes', '0B', 'segments are of 128 MiB'),
  refused('storage.agent.path', 'text', 'data-agent/', 'there is no agent mode yet'),
  inactive('storage.remote.flush-deadline', 'duration', '1m', NO_REMOTE),
  inactive('storage.remote.read-sample-limit', 'count', '50000000', NO_REMOTE),
  inactive('storage.remote.read-concurrent-limit', 'count', '10', NO_REMOTE),
  inactive('storage.remote.read-max-bytes-in-frame', 'count', '1048576', NO_REMOTE),

  inactive('rules.alert.for-outage-tolerance', 'duration', '1h', NO_RULES),
  inactive('rules.alert.for-grace-period', 'duration', '10m', NO_RULES),
  inactive('rules.alert.resend-delay', 'duration', '1m', NO_RULES),
  inactive('rules.max-concurrent-evals', 'count', '4', NO_RULES),
  inactive('alertmanager.notification-queue-capacity', 'count', '10000', NO_RULES),
  inactive('alertmanager.notification-batch-size', 'count', '256', NO_RULES),
  inactive('alertmanager.drain-notification-queue-on-shutdown', 'switch', 'true', NO_RULES),

  active('query.lookback-delta', 'duration', '5m', 'How long a sample stays visible to queries and federation.'),
  active('query.timeout', 'duration', '2m', 'Longest time that a query may take.'),
  active('query.max-concurrency', 'count', '20', 'Most queries that run at once.'),
  active('query.max-samples', 'count', '50000000', 'Most samples that a query may load.'),

  refused('agent', 'switch', 'false', 'there is no agent mode yet'),
  active('enable-feature', 'list', '', 'Feature names, comma-separated; may be repeated.'),
  inactive('auto-gomaxprocs', 'switch', 'true', NOT_GO),
  inactive('auto-gomemlimit', 'switch', 'true', NOT_GO),
  inactive('auto-gomemlimit.ratio', 'text', '0.9', NOT_GO),
  inactive('auto-gomemlimit.refresh-interval', 'duration', '0s', NOT_GO),
  active('log.level', 'log-level', 'info', 'Least severity that is logged: debug, info, warn or error.'),
  active('log.format', 'log-format', 'logfmt', 'Form of log lines: logfmt or json.'),
];

/** Features that are always on, here or in every Prometheus since 3: naming them changes nothing. */
export const SETTLED_FEATURES: ReadonlySet<string> = new Set([
  'auto-gomaxprocs',
  'auto-gomemlimit',
  'auto-reload-config',
  'delayed-compaction',
  'expand-external-labels',
  'extra-scrape-metrics',
  'native-histograms',
  'new-service-discovery-manager',
  'no-default-scrape-port',
  'no-scrape-default-port',
  'ooo-native-histograms',
  'promql-at-modifier',
  'promql-duration-expr',
  'promql-negative-offset',
  'utf8-names',
]);

/** Features that change something here. */
export const ACTIVE_FEATURES: ReadonlySet<string> = new Set(['promql-experimental-functions']);

/** Features of Prometheus that are not built here. */
export const MISSING_FEATURES: ReadonlySet<string> = new Set([
  'agent',
  'concurrent-rule-eval',
  'created-timestamp-zero-ingestion',
  'exemplar-storage',
  'fast-startup',
  'histograms-st-encoding',
  'memory-snapshot-on-shutdown',
  'metadata-wal-records',
  'old-ui',
  'otlp-deltatocumulative',
  'otlp-native-delta-ingestion',
  'otlp-write-receiver',
  'promql-binop-fill-modifiers',
  'promql-delayed-name-removal',
  'promql-extended-range-selectors',
  'promql-per-step-stats',
  'remote-write-receiver',
  'search-api',
  'st-storage',
  'st-synthesis',
  'type-and-unit-labels',
  'use-start-timestamps',
  'use-uncached-io',
  'xor2-encoding',
]);
