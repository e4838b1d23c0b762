/**
 * `remote_write` and `remote_read`: other stores that samples go to and come from.
 *
 * Source: Prometheus, configuration "remote_write", "remote_read".
 */
import type { HttpClientConfig } from '../../core/model/http-client-config.ts';
import type { Labels } from '../../core/model/labels.ts';
import type { RelabelConfig } from '../../core/model/relabel.ts';
import { httpClientPart } from './http-client-schema.ts';
import { relabelRules } from './relabel-schema.ts';
import {
  BOOL,
  field,
  INT,
  list,
  map,
  oneOf,
  optional,
  SECRET,
  shownField,
  STRING,
  struct,
  UINT,
  type StructPlace,
  type Type,
} from '../../core/model/yaml/schema.ts';
import { DURATION, LABELS, URL_TEXT } from '../../core/model/yaml/values.ts';
import { PATH } from './path.ts';

export interface QueueConfig {
  readonly capacity: number;
  readonly maxShards: number;
  readonly minShards: number;
  readonly maxSamplesPerSend: number;
  readonly batchSendDeadlineMs: number;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly retryOnRateLimit: boolean;
  /** 0: samples of any age. */
  readonly sampleAgeLimitMs: number;
}

export interface MetadataConfig {
  readonly send: boolean;
  readonly sendIntervalMs: number;
  readonly maxSamplesPerSend: number;
}

export interface Sigv4Config {
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly profile: string;
  readonly roleArn: string;
  readonly externalId: string;
  readonly useFipsStsEndpoint: boolean;
  readonly serviceName: string;
}

export interface AzureAdConfig {
  readonly cloud: 'AzurePublic' | 'AzureChina' | 'AzureGovernment';
  readonly managedIdentity: { readonly clientId: string } | null;
  readonly workloadIdentity: {
    readonly clientId: string;
    readonly tenantId: string;
    readonly tokenFilePath: string;
  } | null;
  readonly oauth: { readonly clientId: string; readonly clientSecret: string; readonly tenantId: string } | null;
  readonly certificate: {
    readonly clientId: string;
    readonly tenantId: string;
    readonly certificatePath: string;
    readonly certificatePassword: string;
  } | null;
  readonly sdk: { readonly tenantId: string } | null;
  readonly scope: string;
}

export type RemoteWriteMessage = 'prometheus.WriteRequest' | 'io.prometheus.write.v2.Request';

export interface RemoteWriteConfig {
  readonly url: string;
  readonly remoteTimeoutMs: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly writeRelabelConfigs: readonly RelabelConfig[];
  readonly name: string;
  readonly sendExemplars: boolean;
  readonly sendNativeHistograms: boolean;
  readonly roundRobinDns: boolean;
  readonly protobufMessage: RemoteWriteMessage;
  readonly httpClient: HttpClientConfig;
  readonly queue: QueueConfig;
  readonly metadata: MetadataConfig;
  readonly sigv4: Sigv4Config | null;
  readonly azureAd: AzureAdConfig | null;
  readonly googleIam: { readonly credentialsFile: string } | null;
}

export interface RemoteReadConfig {
  readonly url: string;
  readonly remoteTimeoutMs: number;
  readonly chunkedReadLimitBytes: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly readRecent: boolean;
  readonly name: string;
  readonly httpClient: HttpClientConfig;
  readonly requiredMatchers: Labels;
  readonly filterExternalLabels: boolean;
}

const QUEUE = struct<QueueConfig>(
  'config.plain',
  {
    capacity: field('capacity', INT, 10_000),
    maxShards: field('max_shards', INT, 50),
    minShards: field('min_shards', INT, 1),
    maxSamplesPerSend: field('max_samples_per_send', INT, 2000),
    batchSendDeadlineMs: field('batch_send_deadline', DURATION, 5000),
    minBackoffMs: field('min_backoff', DURATION, 30),
    maxBackoffMs: field('max_backoff', DURATION, 5000),
    retryOnRateLimit: field('retry_on_http_429', BOOL),
    sampleAgeLimitMs: field('sample_age_limit', DURATION),
  },
  (queue, place) => {
    const positive = {
      capacity: queue.capacity,
      max_shards: queue.maxShards,
      min_shards: queue.minShards,
      max_samples_per_send: queue.maxSamplesPerSend,
    };
    for (const [key, value] of Object.entries(positive)) {
      if (value <= 0) place.fail(key, `queue_config: ${key} must be greater than 0`);
    }
    if (queue.minShards > queue.maxShards)
      place.fail('min_shards', 'queue_config: min_shards must not be greater than max_shards');
    if (queue.maxBackoffMs < queue.minBackoffMs)
      place.fail('max_backoff', 'queue_config: max_backoff must not be less than min_backoff');
  },
);

const METADATA = struct<MetadataConfig>('config.MetadataConfig', {
  send: shownField('send', BOOL, true),
  sendIntervalMs: shownField('send_interval', DURATION, 60_000),
  maxSamplesPerSend: field('max_samples_per_send', INT, 2000),
});

export const SIGV4: Type<Sigv4Config> = struct<Sigv4Config>(
  'sigv4.plain',
  {
    region: field('region', STRING),
    accessKey: field('access_key', STRING),
    secretKey: field('secret_key', SECRET),
    profile: field('profile', STRING),
    roleArn: field('role_arn', STRING),
    externalId: field('external_id', STRING),
    useFipsStsEndpoint: field('use_fips_sts_endpoint', BOOL),
    serviceName: field('service_name', STRING),
  },
  ({ accessKey, secretKey }, place) => {
    if ((accessKey === '') !== (secretKey === ''))
      place.fail(
        'access_key',
        'must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the SigV4 config',
      );
  },
);

const AZURE_AD = struct<AzureAdConfig>(
  'azuread.plain',
  {
    cloud: field(
      'cloud',
      oneOf(
        'string',
        ['AzurePublic', 'AzureChina', 'AzureGovernment'],
        'AzurePublic',
        () => 'must provide a cloud in the Azure AD config',
      ),
    ),
    managedIdentity: field(
      'managed_identity',
      optional(struct('azuread.ManagedIdentityConfig', { clientId: field('client_id', STRING) })),
    ),
    workloadIdentity: field(
      'workload_identity',
      optional(
        struct('azuread.WorkloadIdentityConfig', {
          clientId: field('client_id', STRING),
          tenantId: field('tenant_id', STRING),
          tokenFilePath: field('token_file_path', PATH),
        }),
      ),
    ),
    oauth: field(
      'oauth',
      optional(
        struct('azuread.OAuthConfig', {
          clientId: field('client_id', STRING),
          clientSecret: field('client_secret', SECRET),
          tenantId: field('tenant_id', STRING),
        }),
      ),
    ),
    certificate: field(
      'certificate',
      optional(
        struct('azuread.CertificateConfig', {
          clientId: field('client_id', STRING),
          tenantId: field('tenant_id', STRING),
          certificatePath: field('certificate_path', PATH),
          certificatePassword: field('certificate_password', SECRET),
        }),
      ),
    ),
    sdk: field('sdk', optional(struct('azuread.SDKConfig', { tenantId: field('tenant_id', STRING) }))),
    scope: field('scope', STRING),
  },
  ({ managedIdentity, workloadIdentity, oauth, certificate, sdk }, place) => {
    const count = [managedIdentity, workloadIdentity, oauth, certificate, sdk].filter(
      (method) => method !== null,
    ).length;
    if (count !== 1)
      place.fail(
        '',
        'must provide exactly one of managed_identity, workload_identity, oauth, certificate and sdk in the Azure AD config',
      );
  },
);

/** Headers that a sender sets itself. */
const UNCHANGEABLE_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'content-encoding',
  'content-length',
  'content-type',
  'user-agent',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'www-authenticate',
  'accept-encoding',
  'x-prometheus-remote-write-version',
  'x-prometheus-remote-read-version',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-content-sha256',
]);

function checkHeaders(headers: ReadonlyMap<string, string>, place: StructPlace): void {
  for (const header of headers.keys()) {
    const name = header.toLowerCase();
    if (name === 'authorization') {
      place.fail(
        'headers',
        'authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, azuread or google_iam parameter',
      );
    }
    if (UNCHANGEABLE_HEADERS.has(name)) place.fail('headers', `${header} is a reserved header. It must not be changed`);
  }
}

const MESSAGE = oneOf<RemoteWriteMessage>(
  'config.RemoteWriteProtoMsg',
  ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request'],
  'prometheus.WriteRequest',
  (text) =>
    `unknown type for remote write protobuf message ${text}, supported: prometheus.WriteRequest, io.prometheus.write.v2.Request`,
);

export const REMOTE_WRITE: Type<RemoteWriteConfig> = struct<RemoteWriteConfig>(
  'config.plain',
  {
    url: shownField('url', URL_TEXT),
    remoteTimeoutMs: field('remote_timeout', DURATION, 30_000),
    headers: field('headers', map(STRING)),
    writeRelabelConfigs: field(
      'write_relabel_configs',
      relabelRules('empty or null write relabeling rule in remote write config'),
    ),
    name: field('name', STRING),
    sendExemplars: field('send_exemplars', BOOL),
    sendNativeHistograms: field('send_native_histograms', BOOL),
    roundRobinDns: field('round_robin_dns', BOOL),
    protobufMessage: shownField('protobuf_message', MESSAGE),
    httpClient: httpClientPart({ enableHttp2: false }),
    queue: field('queue_config', QUEUE),
    metadata: field('metadata_config', METADATA),
    sigv4: field('sigv4', optional(SIGV4)),
    azureAd: field('azuread', optional(AZURE_AD)),
    googleIam: field(
      'google_iam',
      optional(struct('googleiam.Config', { credentialsFile: field('credentials_file', PATH) })),
    ),
  },
  (config, place) => {
    if (config.url === '') place.fail('url', 'url for remote_write is empty');
    checkHeaders(config.headers, place);
    const { httpClient, sigv4, azureAd, googleIam } = config;
    const methods = [
      httpClient.basicAuth,
      httpClient.authorization,
      httpClient.oauth2,
      sigv4,
      azureAd,
      googleIam,
    ].filter((method) => method !== null);
    if (methods.length > 1)
      place.fail(
        '',
        'at most one of basic_auth, authorization, oauth2, sigv4, azuread or google_iam must be configured',
      );
  },
);

export const REMOTE_READ: Type<RemoteReadConfig> = struct<RemoteReadConfig>(
  'config.plain',
  {
    url: shownField('url', URL_TEXT),
    remoteTimeoutMs: field('remote_timeout', DURATION, 60_000),
    chunkedReadLimitBytes: field('chunked_read_limit', UINT, 50_000_000),
    headers: field('headers', map(STRING)),
    readRecent: field('read_recent', BOOL),
    name: field('name', STRING),
    httpClient: httpClientPart(),
    requiredMatchers: field('required_matchers', LABELS),
    filterExternalLabels: field('filter_external_labels', BOOL, true),
  },
  (config, place) => {
    if (config.url === '') place.fail('url', 'url for remote_read is empty');
    checkHeaders(config.headers, place);
  },
);

export const REMOTE_WRITES = list(REMOTE_WRITE, {
  goName: '[]*config.RemoteWriteConfig',
  nullItem: 'empty or null remote write config section',
});
export const REMOTE_READS = list(REMOTE_READ, {
  goName: '[]*config.RemoteReadConfig',
  nullItem: 'empty or null remote read config section',
});
