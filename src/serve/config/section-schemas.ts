/**
 * The sections beside scraping and remote stores: alerting, storage, otlp, tracing, runtime.
 *
 * Source: Prometheus, configuration.
 */
import type { HttpClientConfig, TlsConfig } from '../../core/model/http-client-config.ts';
import { NO_TLS_CONFIG } from '../../core/model/http-client-config.ts';
import { quote } from '../../core/model/labels.ts';
import type { RelabelConfig } from '../../core/model/relabel.ts';
import type { SdConfig } from '../../ingest/discovery/sd-config.ts';
import { DISCOVERY } from './discovery-schema.ts';
import { httpClientPart, TLS } from './http-client-schema.ts';
import { relabelRules } from './relabel-schema.ts';
import { SIGV4, type Sigv4Config } from './remote-schema.ts';
import { checkStaticTargets } from './scrape-schema.ts';
import {
  BOOL,
  field,
  FLOAT,
  INT,
  list,
  map,
  oneOf,
  optional,
  shownField,
  STRING,
  struct,
  type StructPlace,
  type Type,
} from '../../core/model/yaml/schema.ts';
import { DURATION, SIZE } from '../../core/model/yaml/values.ts';

export interface AlertmanagerConfig {
  readonly scheme: string;
  readonly pathPrefix: string;
  readonly timeoutMs: number;
  readonly apiVersion: 'v2';
  readonly httpClient: HttpClientConfig;
  readonly sigv4: Sigv4Config | null;
  readonly relabelConfigs: readonly RelabelConfig[];
  readonly alertRelabelConfigs: readonly RelabelConfig[];
  readonly serviceDiscovery: readonly SdConfig[];
}

export interface AlertingConfig {
  readonly alertRelabelConfigs: readonly RelabelConfig[];
  readonly alertmanagers: readonly AlertmanagerConfig[];
}

const ALERTMANAGER = struct<AlertmanagerConfig>(
  'config.AlertmanagerConfig',
  {
    httpClient: httpClientPart(),
    sigv4: field('sigv4', optional(SIGV4)),
    scheme: field('scheme', STRING, 'http'),
    pathPrefix: field('path_prefix', STRING),
    timeoutMs: field('timeout', DURATION, 10_000),
    apiVersion: field(
      'api_version',
      oneOf('string', ['v2'], 'v2', (text) => `expected Alertmanager api version to be one of [v2] but got ${text}`),
    ),
    relabelConfigs: field('relabel_configs', relabelRules('empty or null Alertmanager target relabeling rule')),
    alertRelabelConfigs: field(
      'alert_relabel_configs',
      relabelRules('empty or null Alertmanager alert relabeling rule'),
    ),
    serviceDiscovery: DISCOVERY,
  },
  (config, place) => {
    const { httpClient, sigv4, relabelConfigs, serviceDiscovery } = config;
    if (
      sigv4 !== null &&
      (httpClient.basicAuth !== null || httpClient.authorization !== null || httpClient.oauth2 !== null)
    ) {
      place.fail('sigv4', 'at most one of basic_auth, authorization, oauth2, & sigv4 must be configured');
    }
    if (relabelConfigs.length === 0) checkStaticTargets(serviceDiscovery, place);
  },
);

export const ALERTING: Type<AlertingConfig> = struct<AlertingConfig>('config.plain', {
  alertRelabelConfigs: field('alert_relabel_configs', relabelRules('empty or null alert relabeling rule')),
  alertmanagers: field(
    'alertmanagers',
    list(ALERTMANAGER, { goName: 'config.AlertmanagerConfigs', nullItem: 'empty or null Alertmanager config section' }),
  ),
});

export interface RetentionConfig {
  /** 0: not set here. */
  readonly timeMs: number;
  readonly sizeBytes: number;
  /** Of the disk, 0 to 100. */
  readonly percentage: number;
}

export interface StorageConfig {
  readonly tsdb: {
    readonly outOfOrderTimeWindowMs: number;
    /** Share of stale series that starts a compaction; 0 is never. */
    readonly staleSeriesCompactionThreshold: number;
    readonly retention: RetentionConfig;
    readonly chunkEncoding: { readonly floats: '' | 'xor' | 'xor2' };
  };
  readonly exemplars: { readonly maxExemplars: number } | null;
}

const RETENTION = struct<RetentionConfig>(
  'config.plain',
  { timeMs: field('time', DURATION), sizeBytes: field('size', SIZE), percentage: field('percentage', FLOAT) },
  ({ sizeBytes, percentage }, place) => {
    if (sizeBytes < 0) place.fail('size', "'storage.tsdb.retention.size' must be greater than or equal to 0");
    if (!(percentage >= 0 && percentage <= 100))
      place.fail('percentage', "'storage.tsdb.retention.percentage' must be in the range [0, 100]");
  },
);

export const STORAGE: Type<StorageConfig> = struct<StorageConfig>('config.StorageConfig', {
  tsdb: field(
    'tsdb',
    struct('config.plain', {
      outOfOrderTimeWindowMs: field('out_of_order_time_window', DURATION),
      staleSeriesCompactionThreshold: field('stale_series_compaction_threshold', FLOAT),
      retention: field('retention', RETENTION),
      chunkEncoding: field(
        'chunk_encoding',
        struct('config.ChunkEncodingConfig', {
          floats: field(
            'floats',
            oneOf(
              'string',
              ['', 'xor', 'xor2'],
              '',
              (text) => `unsupported 'storage.tsdb.chunk_encoding.floats' value ${quote(text)}, supported: xor, xor2`,
            ),
          ),
        }),
      ),
    }),
  ),
  exemplars: field(
    'exemplars',
    optional(struct('config.ExemplarsConfig', { maxExemplars: field('max_exemplars', INT, 100_000) })),
  ),
});

const TRANSLATION_STRATEGIES = [
  'UnderscoreEscapingWithSuffixes',
  'UnderscoreEscapingWithoutSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'NoTranslation',
] as const;

export interface OtlpConfig {
  readonly promoteAllResourceAttributes: boolean;
  readonly promoteResourceAttributes: readonly string[];
  readonly ignoreResourceAttributes: readonly string[];
  readonly translationStrategy: (typeof TRANSLATION_STRATEGIES)[number];
  readonly keepIdentifyingResourceAttributes: boolean;
  readonly convertHistogramsToNhcb: boolean;
  readonly promoteScopeMetadata: boolean;
  readonly labelNameUnderscoreSanitization: boolean;
  readonly labelNamePreserveMultipleUnderscores: boolean;
}

/** Attribute names without the blanks around them. */
const ATTRIBUTES: Type<readonly string[]> = {
  ...list(STRING),
  decode: (node, reader) =>
    list(STRING)
      .decode(node, reader)
      .map((name) => name.trim()),
};

export const OTLP: Type<OtlpConfig> = struct<OtlpConfig>(
  'config.plain',
  {
    promoteAllResourceAttributes: field('promote_all_resource_attributes', BOOL),
    promoteResourceAttributes: field('promote_resource_attributes', ATTRIBUTES),
    ignoreResourceAttributes: field('ignore_resource_attributes', ATTRIBUTES),
    translationStrategy: field(
      'translation_strategy',
      oneOf(
        'config.translationStrategyOption',
        TRANSLATION_STRATEGIES,
        'UnderscoreEscapingWithSuffixes',
        (text) => `unsupported OTLP translation strategy ${quote(text)}`,
      ),
    ),
    keepIdentifyingResourceAttributes: field('keep_identifying_resource_attributes', BOOL),
    convertHistogramsToNhcb: field('convert_histograms_to_nhcb', BOOL),
    promoteScopeMetadata: field('promote_scope_metadata', BOOL),
    labelNameUnderscoreSanitization: shownField('label_name_underscore_sanitization', BOOL, true),
    labelNamePreserveMultipleUnderscores: shownField('label_name_preserve_multiple_underscores', BOOL, true),
  },
  (otlp, place) => {
    if (otlp.promoteAllResourceAttributes && otlp.promoteResourceAttributes.length > 0) {
      place.fail(
        'promote_resource_attributes',
        "'promote_all_resource_attributes' and 'promote_resource_attributes' cannot be configured simultaneously",
      );
    }
    if (!otlp.promoteAllResourceAttributes && otlp.ignoreResourceAttributes.length > 0) {
      place.fail(
        'ignore_resource_attributes',
        "'ignore_resource_attributes' can only be set when 'promote_all_resource_attributes' is true",
      );
    }
    checkAttributes('promote_resource_attributes', 'promoted', otlp.promoteResourceAttributes, place);
    checkAttributes('ignore_resource_attributes', 'ignored', otlp.ignoreResourceAttributes, place);
  },
);

function checkAttributes(key: string, what: string, names: readonly string[], place: StructPlace): void {
  if (names.includes('')) place.fail(key, `invalid '${key}': empty ${what} OTel resource attribute`);
  const double = names.find((name, i) => names.indexOf(name) < i);
  if (double !== undefined)
    place.fail(key, `invalid '${key}': duplicated ${what} OTel resource attribute ${quote(double)}`);
}

export interface TracingConfig {
  readonly clientType: 'grpc' | 'http';
  readonly endpoint: string;
  readonly samplingFraction: number;
  readonly insecure: boolean;
  readonly tls: TlsConfig;
  readonly headers: ReadonlyMap<string, string>;
  readonly compression: '' | 'gzip';
  readonly timeoutMs: number;
}

export const TRACING: Type<TracingConfig> = struct<TracingConfig>(
  'config.plain',
  {
    clientType: field(
      'client_type',
      oneOf(
        'config.TracingClientType',
        ['grpc', 'http'],
        'grpc',
        () => 'expected tracing client type to be one of http or grpc',
      ),
    ),
    endpoint: field('endpoint', STRING),
    samplingFraction: field('sampling_fraction', FLOAT),
    insecure: field('insecure', BOOL),
    tls: field('tls_config', TLS, NO_TLS_CONFIG),
    headers: field('headers', map(STRING)),
    compression: field(
      'compression',
      oneOf('string', ['', 'gzip'], '', (text) => `invalid compression type ${text} provided, valid options: gzip`),
    ),
    timeoutMs: field('timeout', DURATION, 10_000),
  },
  ({ endpoint, headers }, place) => {
    for (const name of headers.keys()) {
      if (name.toLowerCase() === 'authorization')
        place.fail('headers', 'custom authorization header configuration is not yet supported');
    }
    if (endpoint === '') place.fail('endpoint', 'tracing endpoint must be set');
  },
);

export interface RuntimeConfig {
  /** The Go collector's target; read so that files load, of no effect here. */
  readonly gogc: number;
}

export const RUNTIME: Type<RuntimeConfig> = struct<RuntimeConfig>('config.RuntimeConfig', {
  gogc: field('gogc', INT, 75),
});
