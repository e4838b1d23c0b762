/**
 * The discovery kinds that are read and checked, and for which nothing is discovered yet.
 *
 * Their options are kept under the keys of the file. A kind marked `open` takes keys that are not listed here: the list may
 * be short of those that Prometheus knows, and to refuse a good file is worse.
 * Source: Prometheus, configuration "<kind>_sd_config".
 */
import type { HttpClientConfig } from '../../core/model/http-client-config.ts';
import type { SdOption, SdOptions } from '../../ingest/discovery/sd-config.ts';
import { httpClientPart, TLS } from './http-client-schema.ts';
import {
  BOOL,
  field,
  INT,
  list,
  map,
  oneOf,
  SECRET,
  STRING,
  struct,
  type Check,
  type Part,
  type StructPlace,
  type Type,
} from '../../core/model/yaml/schema.ts';
import { DURATION, URL_TEXT, urlParts } from '../../core/model/yaml/values.ts';
import { PATH } from './path.ts';

type Parts = Readonly<Record<string, Part<SdOption>>>;

/** Each property bears the name of its key. */
function keys(types: Readonly<Record<string, Type<SdOption>>>, absent: Readonly<Record<string, SdOption>> = {}): Parts {
  return Object.fromEntries(
    Object.entries(types).map(([key, type]) => [key, field(key, type, absent[key] ?? type.zero)]),
  );
}

const texts = (names: string): Parts => keys(Object.fromEntries(names.split(' ').map((name) => [name, STRING])));
const paths = (names: string): Parts => keys(Object.fromEntries(names.split(' ').map((name) => [name, PATH])));
const secrets = (names: string): Parts => keys(Object.fromEntries(names.split(' ').map((name) => [name, SECRET])));
const port = (absent: number): Parts => keys({ port: INT }, { port: absent });
const refresh = (seconds: number): Parts => keys({ refresh_interval: DURATION }, { refresh_interval: seconds * 1000 });
const text = (key: string, absent: string): Parts => keys({ [key]: STRING }, { [key]: absent });
const flag = (key: string, absent: boolean): Parts => keys({ [key]: BOOL }, { [key]: absent });
const HTTP: Parts = { httpClient: httpClientPart() };
const TLS_ONLY: Parts = keys({ tls_config: TLS });

const role = (kind: string, roles: readonly string[]): Parts =>
  keys({ role: oneOf(`${kind}.Role`, ['', ...roles], '', (word) => `unknown role "${word}"`) });

const FILTERS = list(struct<SdOptions>('struct', { ...texts('name'), ...keys({ values: list(STRING) }) }));

function textOf(options: SdOptions, key: string): string {
  const value = options[key];
  return typeof value === 'string' ? value : '';
}

/** Fails where a text option is empty. */
function need(options: SdOptions, place: StructPlace, key: string, message: string): void {
  if (options[key] === '') place.fail(key, message);
}

function kind(
  name: string,
  parts: Parts,
  check?: Check<SdOptions>,
  options: { open?: boolean } = {},
): readonly [string, Type<SdOptions>] {
  return [name, struct<SdOptions>(`${name}.plain`, parts, check, options)];
}

const AWS: Parts = {
  ...texts('region endpoint access_key profile role_arn external_id'),
  ...secrets('secret_key'),
  ...port(80),
  ...refresh(60),
  ...HTTP,
};

const ZOOKEEPER: Parts = {
  ...keys({ servers: list(STRING), paths: list(STRING), timeout: DURATION }, { timeout: 10_000 }),
};

function checkZooKeeper(name: string): Check<SdOptions> {
  return (options, place) => {
    const { servers, paths } = options;
    if (Array.isArray(servers) && servers.length === 0)
      place.fail('servers', `${name} SD config must contain at least one Zookeeper server`);
    if (Array.isArray(paths) && paths.length === 0)
      place.fail('paths', `${name} SD config must contain at least one path`);
    for (const path of Array.isArray(paths) ? paths : []) {
      if (typeof path === 'string' && !path.startsWith('/'))
        place.fail('paths', `${name} SD config paths must begin with '/': ${path}`);
    }
  };
}

const AZURE_METHODS = ['OAuth', 'ManagedIdentity', 'SDK', 'WorkloadIdentity'];

const checkAzure: Check<SdOptions> = (options, place) => {
  const method = textOf(options, 'authentication_method');
  if (!AZURE_METHODS.includes(method)) {
    place.fail(
      'authentication_method',
      `unknown authentication_type "${method}". Supported types are "OAuth", "ManagedIdentity", "SDK" or "WorkloadIdentity"`,
    );
  }
  const needed =
    method === 'OAuth' ? ['subscription_id', 'tenant_id', 'client_id', 'client_secret'] : ['subscription_id'];
  for (const key of needed) need(options, place, key, `azure SD configuration requires a ${key}`);
};

const checkFilters: Check<SdOptions> = ({ filters }, place) => {
  for (const filter of Array.isArray(filters) ? filters : []) {
    if (filter.values.length === 0) place.fail('filters', 'EC2 SD configuration filter values cannot be empty');
  }
};

/** Which selectors each Kubernetes role may have. */
const SELECTOR_ROLES: ReadonlyMap<string, readonly string[]> = new Map([
  ['pod', ['pod', 'node']],
  ['service', ['service']],
  ['endpointslice', ['pod', 'service', 'endpointslice']],
  ['endpoints', ['pod', 'service', 'endpoints']],
  ['node', ['node']],
  ['ingress', ['ingress']],
]);

type KubernetesSelector = {
  readonly role: string;
  readonly label: string;
  readonly field: string;
};
/** A type and not an interface, so that it is one of SdOptions. */
type KubernetesOptions = {
  readonly role: string;
  readonly api_server: string;
  readonly kubeconfig_file: string;
  readonly httpClient: HttpClientConfig;
  readonly namespaces: { readonly own_namespace: boolean; readonly names: readonly string[] };
  readonly selectors: readonly KubernetesSelector[];
  readonly attach_metadata: SdOptions;
};

const KUBERNETES_ROLE = oneOf(
  'kubernetes.Role',
  ['', ...SELECTOR_ROLES.keys()],
  '',
  (word) => `unknown Kubernetes SD role "${word}"`,
);

const KUBERNETES = struct<KubernetesOptions>(
  'kubernetes.plain',
  {
    api_server: field('api_server', URL_TEXT),
    role: field('role', KUBERNETES_ROLE),
    kubeconfig_file: field('kubeconfig_file', PATH),
    httpClient: httpClientPart(),
    namespaces: field(
      'namespaces',
      struct('kubernetes.plain', { own_namespace: field('own_namespace', BOOL), names: field('names', list(STRING)) }),
    ),
    selectors: field(
      'selectors',
      list(
        struct<KubernetesSelector>('kubernetes.SelectorConfig', {
          role: field('role', KUBERNETES_ROLE),
          label: field('label', STRING),
          field: field('field', STRING),
        }),
      ),
    ),
    attach_metadata: field(
      'attach_metadata',
      struct<SdOptions>('kubernetes.AttachMetadataConfig', {
        ...flag('node', false),
        ...flag('namespace', false),
        ...flag('deployment', false),
        ...flag('job', false),
        ...flag('cronjob', false),
      }),
    ),
  },
  checkKubernetes,
);

function checkKubernetes(options: KubernetesOptions, place: StructPlace): void {
  const { role, api_server: apiServer, kubeconfig_file: kubeconfig, httpClient, namespaces, selectors } = options;
  if (role === '') place.fail('role', 'role missing (one of: pod, service, endpoints, endpointslice, node, ingress)');
  const hasHttpOptions = [
    'basic_auth',
    'authorization',
    'oauth2',
    'bearer_token',
    'bearer_token_file',
    'tls_config',
    'proxy_url',
    'follow_redirects',
    'enable_http2',
  ].some((key) => place.has(key));
  const ownNamespace = namespaces.own_namespace;
  if (apiServer !== '' && kubeconfig !== '')
    place.fail('kubeconfig_file', "cannot use 'kubeconfig_file' and 'api_server' simultaneously");
  if (kubeconfig !== '' && hasHttpOptions)
    place.fail('kubeconfig_file', "cannot use a custom HTTP client configuration together with 'kubeconfig_file'");
  if (
    apiServer === '' &&
    kubeconfig === '' &&
    (httpClient.basicAuth !== null || httpClient.authorization !== null || httpClient.oauth2 !== null)
  ) {
    place.fail('api_server', "to use custom HTTP client configuration please provide the 'api_server' URL explicitly");
  }
  if (apiServer !== '' && ownNamespace)
    place.fail('namespaces', "cannot use 'api_server' and 'namespaces.own_namespace' simultaneously");
  if (kubeconfig !== '' && ownNamespace)
    place.fail('namespaces', "cannot use 'kubeconfig_file' and 'namespaces.own_namespace' simultaneously");
  const allowed = SELECTOR_ROLES.get(role) ?? [];
  const seen = new Set<string>();
  for (const selector of selectors) {
    if (seen.has(selector.role)) place.fail('selectors', `duplicated selector role: ${selector.role}`);
    seen.add(selector.role);
    if (!allowed.includes(selector.role))
      place.fail('selectors', `${role} role supports only ${allowed.join(', ')} selectors`);
  }
}

const checkMarathon: Check<SdOptions> = (options, place) => {
  const { servers, auth_token: token, auth_token_file: tokenFile } = options;
  if (Array.isArray(servers) && servers.length === 0)
    place.fail('servers', 'marathon_sd: must contain at least one Marathon server');
  if (token !== '' && tokenFile !== '')
    place.fail('auth_token_file', 'marathon_sd: at most one of auth_token & auth_token_file must be configured');
  if (token === '' && tokenFile === '') return;
  for (const key of ['basic_auth', 'authorization', 'oauth2', 'bearer_token', 'bearer_token_file']) {
    const others = key.startsWith('bearer_token') ? 'bearer_token, bearer_token_file' : key;
    if (place.has(key))
      place.fail(key, `marathon_sd: at most one of ${others}, auth_token & auth_token_file must be configured`);
  }
};

const checkPuppetDb: Check<SdOptions> = (options, place) => {
  need(options, place, 'url', 'URL is missing');
  const { scheme, host } = urlParts(textOf(options, 'url'));
  if (scheme !== 'http' && scheme !== 'https') place.fail('url', "URL scheme must be 'http' or 'https'");
  if (host === '') place.fail('url', 'host is missing in URL');
  need(options, place, 'query', 'query missing');
};

const checkOvhCloud: Check<SdOptions> = (options, place) => {
  const { service } = options;
  need(options, place, 'endpoint', 'endpoint can not be empty');
  need(options, place, 'application_key', 'application key can not be empty');
  need(options, place, 'application_secret', 'application secret can not be empty');
  need(options, place, 'consumer_key', 'consumer key can not be empty');
  if (service !== 'vps' && service !== 'dedicated_server')
    place.fail('service', `unknown service: ${textOf(options, 'service')}`);
};

const checkScaleway: Check<SdOptions> = (options, place) => {
  need(options, place, 'role', 'role missing (one of: instance, baremetal)');
  need(options, place, 'project_id', 'project_id is mandatory');
  if (options['secret_key'] === '' && options['secret_key_file'] === '')
    place.fail('secret_key', 'one of secret_key & secret_key_file must be configured');
  if (options['secret_key'] !== '' && options['secret_key_file'] !== '') {
    place.fail('secret_key_file', 'at most one of secret_key & secret_key_file must be configured');
  }
  need(options, place, 'access_key', 'access_key is mandatory');
};

/** The kinds by the name before `_sd_configs`. */
export const otherKinds: ReadonlyMap<string, Type<SdOptions>> = new Map<string, Type<SdOptions>>([
  kind('aws', { ...AWS, ...texts('role'), ...keys({ filters: FILTERS, clusters: list(STRING) }) }, checkFilters, {
    open: true,
  }),
  kind(
    'azure',
    {
      ...text('environment', 'AzurePublicCloud'),
      ...text('authentication_method', 'OAuth'),
      ...texts('subscription_id tenant_id client_id resource_group'),
      ...secrets('client_secret'),
      ...refresh(300),
      ...port(80),
      ...HTTP,
    },
    checkAzure,
  ),
  kind('consul', {
    ...text('server', 'localhost:8500'),
    ...texts('path_prefix datacenter namespace partition username filter health_filter'),
    ...text('scheme', 'http'),
    ...secrets('token password'),
    ...text('tag_separator', ','),
    ...flag('allow_stale', true),
    ...keys({ services: list(STRING), tags: list(STRING), node_meta: map(STRING) }),
    ...refresh(30),
    ...HTTP,
  }),
  kind('digitalocean', { ...port(80), ...refresh(60), ...HTTP }),
  kind(
    'docker',
    {
      ...texts('host'),
      ...port(80),
      ...text('host_networking_host', 'localhost'),
      ...flag('match_first_network', true),
      ...keys({ filters: FILTERS }),
      ...refresh(60),
      ...HTTP,
    },
    (options, place) => need(options, place, 'host', 'host missing'),
  ),
  kind(
    'dockerswarm',
    {
      ...texts('host'),
      ...role('moby', ['services', 'tasks', 'nodes']),
      ...port(80),
      ...keys({ filters: FILTERS }),
      ...refresh(60),
      ...HTTP,
    },
    (options, place) => {
      need(options, place, 'host', 'host missing');
      need(options, place, 'role', 'role missing (one of: tasks, services, nodes)');
    },
  ),
  kind('ec2', { ...AWS, ...keys({ filters: FILTERS }) }, checkFilters),
  kind('ecs', { ...AWS, ...keys({ clusters: list(STRING) }) }, undefined, { open: true }),
  kind('elasticache', AWS, undefined, { open: true }),
  kind('eureka', { ...texts('server'), ...refresh(30), ...HTTP }, (options, place) => {
    need(options, place, 'server', 'eureka_sd: empty or null eureka server');
    const { scheme, host } = urlParts(textOf(options, 'server'));
    if (scheme === '' || host === '') place.fail('server', 'eureka_sd: invalid eureka server URL');
  }),
  kind(
    'gce',
    { ...texts('project zone filter'), ...port(80), ...text('tag_separator', ','), ...refresh(60) },
    (options, place) => {
      need(options, place, 'project', 'GCE SD configuration requires a project');
      need(options, place, 'zone', 'GCE SD configuration requires a zone');
    },
  ),
  kind(
    'hetzner',
    { ...role('hetzner', ['robot', 'hcloud']), ...texts('label_selector'), ...port(80), ...refresh(60), ...HTTP },
    (options, place) => need(options, place, 'role', 'role missing (one of: robot, hcloud)'),
  ),
  kind('ionos', { ...texts('datacenter_id'), ...port(80), ...refresh(60), ...HTTP }, (options, place) =>
    need(options, place, 'datacenter_id', 'datacenter id can not be empty'),
  ),
  ['kubernetes', KUBERNETES],
  kind(
    'kuma',
    {
      ...texts('server client_id'),
      ...keys({ fetch_timeout: DURATION }, { fetch_timeout: 120_000 }),
      ...refresh(30),
      ...HTTP,
    },
    (options, place) => need(options, place, 'server', 'kuma SD server must not be empty and have a scheme'),
  ),
  kind('lightsail', AWS),
  kind('linode', { ...texts('region'), ...port(80), ...text('tag_separator', ','), ...refresh(60), ...HTTP }),
  kind(
    'marathon',
    {
      ...keys({ servers: list(STRING) }),
      ...secrets('auth_token'),
      ...paths('auth_token_file'),
      ...refresh(30),
      ...HTTP,
    },
    checkMarathon,
  ),
  kind('msk', { ...AWS, ...keys({ clusters: list(STRING) }) }, undefined, { open: true }),
  kind('nerve', ZOOKEEPER, checkZooKeeper('nerve')),
  kind(
    'nomad',
    {
      ...flag('allow_stale', true),
      ...text('namespace', 'default'),
      ...text('region', 'global'),
      ...text('server', 'http://localhost:4646'),
      ...text('tag_separator', ','),
      ...refresh(60),
      ...HTTP,
    },
    (options, place) => need(options, place, 'server', 'nomad SD configuration requires a server address'),
  ),
  kind(
    'oci',
    {
      ...text('auth', 'api_key'),
      ...texts('region tenancy user fingerprint'),
      ...paths('key_file'),
      ...secrets('key key_passphrase'),
      ...keys({ compartments: list(STRING) }),
      ...port(80),
      ...refresh(60),
      ...HTTP,
    },
    (options, place) => {
      if (
        !['api_key', 'instance_principal', 'resource_principal', 'workload_identity'].includes(textOf(options, 'auth'))
      ) {
        place.fail('auth', `unknown auth method "${textOf(options, 'auth')}"`);
      }
    },
    { open: true },
  ),
  kind(
    'openstack',
    {
      ...texts(
        'identity_endpoint username userid project_name project_id domain_name domain_id application_credential_name application_credential_id region',
      ),
      ...secrets('password application_credential_secret'),
      ...role('openstack', ['hypervisor', 'instance', 'loadbalancer']),
      ...flag('all_tenants', false),
      ...text('availability', 'public'),
      ...port(80),
      ...refresh(60),
      ...TLS_ONLY,
    },
    (options, place) => {
      if (!['public', 'internal', 'admin'].includes(textOf(options, 'availability'))) {
        place.fail(
          'availability',
          `unknown availability ${textOf(options, 'availability')}, must be one of admin, internal or public`,
        );
      }
      need(options, place, 'role', 'role missing (one of: instance, hypervisor, loadbalancer)');
      need(options, place, 'region', 'openstack SD configuration requires a region');
    },
  ),
  kind(
    'outscale',
    {
      ...texts('region endpoint access_key'),
      ...paths('secret_key_file'),
      ...secrets('secret_key'),
      ...port(80),
      ...refresh(60),
      ...HTTP,
    },
    (options, place) => {
      need(options, place, 'region', 'outscale SD configuration requires a region');
      need(options, place, 'access_key', 'outscale SD configuration requires an access_key');
      if (options['secret_key'] === '' && options['secret_key_file'] === '') {
        place.fail('secret_key', 'outscale SD configuration requires one of secret_key & secret_key_file');
      }
    },
    { open: true },
  ),
  kind(
    'ovhcloud',
    {
      ...text('endpoint', 'ovh-eu'),
      ...texts('application_key service'),
      ...secrets('application_secret consumer_key'),
      ...refresh(60),
    },
    checkOvhCloud,
  ),
  kind(
    'puppetdb',
    { ...texts('url query'), ...flag('include_parameters', false), ...port(80), ...refresh(60), ...HTTP },
    checkPuppetDb,
  ),
  kind('rds', AWS, undefined, { open: true }),
  kind(
    'scaleway',
    {
      ...texts('project_id access_key name_filter'),
      ...paths('secret_key_file'),
      ...text('api_url', 'https://api.scaleway.com'),
      ...text('zone', 'fr-par-1'),
      ...secrets('secret_key'),
      ...role('scaleway', ['instance', 'baremetal']),
      ...keys({ tags_filter: list(STRING) }),
      ...port(80),
      ...refresh(60),
      ...HTTP,
    },
    checkScaleway,
  ),
  kind('serverset', ZOOKEEPER, checkZooKeeper('serverset')),
  kind(
    'stackit',
    {
      ...texts('project region'),
      ...paths('service_account_key_path private_key_path'),
      ...secrets('service_account_key private_key'),
      ...keys({ endpoint: URL_TEXT }),
      ...port(80),
      ...refresh(60),
      ...HTTP,
    },
    undefined,
    { open: true },
  ),
  kind(
    'triton',
    {
      ...texts('account dns_suffix endpoint'),
      ...text('role', 'container'),
      ...keys({ groups: list(STRING), version: INT }, { version: 1 }),
      ...port(9163),
      ...refresh(60),
      ...TLS_ONLY,
    },
    (options, place) => {
      if (options['role'] !== 'container' && options['role'] !== 'cn')
        place.fail('role', "triton SD configuration requires role to be 'container' or 'cn'");
      for (const key of ['account', 'dns_suffix', 'endpoint'])
        need(options, place, key, `triton SD configuration requires ${key === 'account' ? 'an' : 'a'} ${key}`);
    },
  ),
  kind(
    'uyuni',
    {
      ...texts('server username'),
      ...secrets('password'),
      ...text('entitlement', 'monitoring_entitled'),
      ...text('separator', ','),
      ...refresh(60),
      ...HTTP,
    },
    (options, place) => {
      need(options, place, 'server', 'Uyuni SD configuration requires server host');
      need(options, place, 'username', 'Uyuni SD configuration requires a username');
      need(options, place, 'password', 'Uyuni SD configuration requires a password');
    },
  ),
  kind('vultr', { ...port(80), ...refresh(60), ...HTTP }),
]);
