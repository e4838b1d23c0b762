/**
 * The HTTP client options: basic_auth, authorization, oauth2, tls_config, proxy and headers, inlined wherever a section
 * speaks HTTP.
 *
 * Source: prometheus/common, config.HTTPClientConfig; Prometheus, configuration "HTTP client options".
 */
import {
  DEFAULT_HTTP_CLIENT_CONFIG,
  JWT_BEARER_GRANT,
  NO_TLS_CONFIG,
  type Authorization,
  type BasicAuth,
  type HttpClientConfig,
  type HttpHeaderConfig,
  type JsonValue,
  type OAuth2Config,
  type ProxyConfig,
  type TlsConfig,
} from '../../core/model/http-client-config.ts';
import {
  BOOL,
  field,
  inline,
  list,
  map,
  oneOf,
  optional,
  SECRET,
  shownField,
  STRING,
  struct,
  type Part,
  type StructPlace,
  type Type,
} from '../../core/model/yaml/schema.ts';
import { URL_TEXT } from '../../core/model/yaml/values.ts';
import { PATH } from './path.ts';
import { resolveScalar } from '../../core/model/yaml/yaml-scalar.ts';

const TLS_VERSION = oneOf(
  'config.TLSVersion',
  ['', 'TLS10', 'TLS11', 'TLS12', 'TLS13'],
  '',
  (text) => `unknown TLS version: ${text}`,
);

export const TLS: Type<TlsConfig> = struct<TlsConfig>(
  'config.plain',
  {
    ca: field('ca', STRING),
    cert: field('cert', STRING),
    key: field('key', SECRET),
    caFile: field('ca_file', PATH),
    certFile: field('cert_file', PATH),
    keyFile: field('key_file', PATH),
    serverName: field('server_name', STRING),
    insecureSkipVerify: shownField('insecure_skip_verify', BOOL),
    minVersion: field('min_version', TLS_VERSION),
    maxVersion: field('max_version', TLS_VERSION),
  },
  (tls, place) => {
    for (const name of ['ca', 'cert', 'key'] as const) {
      if (tls[name] !== '' && tls[`${name}File`] !== '')
        place.fail(`${name}_file`, `at most one of ${name} and ${name}_file must be configured`);
    }
    const hasCert = tls.cert !== '' || tls.certFile !== '';
    const hasKey = tls.key !== '' || tls.keyFile !== '';
    if (hasCert && !hasKey)
      place.fail(
        tls.cert === '' ? 'cert_file' : 'cert',
        'exactly one of key or key_file must be configured when a client certificate is configured',
      );
    if (hasKey && !hasCert)
      place.fail(
        tls.key === '' ? 'key_file' : 'key',
        'exactly one of cert or cert_file must be configured when a client key is configured',
      );
    if (tls.minVersion !== '' && tls.maxVersion !== '' && tls.minVersion > tls.maxVersion) {
      place.fail(
        'max_version',
        'tls_config.max_version must be greater than or equal to tls_config.min_version if both are specified',
      );
    }
  },
);

const PROXY: Part<ProxyConfig> = inline<ProxyConfig>(
  {
    proxyUrl: field('proxy_url', URL_TEXT),
    noProxy: field('no_proxy', STRING),
    proxyFromEnvironment: field('proxy_from_environment', BOOL),
    proxyConnectHeader: field('proxy_connect_header', map(list(SECRET))),
  },
  (proxy, place) => {
    const { proxyUrl, noProxy, proxyFromEnvironment, proxyConnectHeader } = proxy;
    if (proxyConnectHeader.size > 0 && !proxyFromEnvironment && proxyUrl === '') {
      place.fail(
        'proxy_connect_header',
        'if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured',
      );
    }
    if (proxyFromEnvironment && proxyUrl !== '')
      place.fail('proxy_from_environment', 'if proxy_from_environment is configured, proxy_url must not be configured');
    if (proxyFromEnvironment && noProxy !== '')
      place.fail('proxy_from_environment', 'if proxy_from_environment is configured, no_proxy must not be configured');
    if (proxyUrl === '' && noProxy !== '')
      place.fail('no_proxy', 'if no_proxy is configured, proxy_url must also be configured');
  },
);

const BASIC_AUTH = struct<BasicAuth>(
  'config.plain',
  {
    username: field('username', STRING),
    usernameFile: field('username_file', PATH),
    password: field('password', SECRET),
    passwordFile: field('password_file', PATH),
  },
  (auth, place) => {
    if (auth.username !== '' && auth.usernameFile !== '') {
      place.fail('username_file', 'at most one of basic_auth username & username_file must be configured');
    }
    if (auth.password !== '' && auth.passwordFile !== '') {
      place.fail('password_file', 'at most one of basic_auth password & password_file must be configured');
    }
  },
);

const AUTHORIZATION = struct<Authorization>(
  'config.Authorization',
  {
    type: field('type', { ...STRING, decode: (node, reader) => STRING.decode(node, reader).trim() }, 'Bearer'),
    credentials: field('credentials', SECRET),
    credentialsFile: field('credentials_file', PATH),
  },
  (authorization, place) => {
    if (authorization.credentials !== '' && authorization.credentialsFile !== '') {
      place.fail('credentials_file', 'at most one of authorization credentials & credentials_file must be configured');
    }
    if (authorization.type.toLowerCase() === 'basic') {
      place.fail('type', 'authorization type cannot be set to "basic", use "basic_auth" instead');
    }
  },
);

/** JSON of any shape, for claims. */
const JSON_VALUE: Type<JsonValue> = {
  goName: 'interface {}',
  zero: null,
  decode(node, reader) {
    if (node.kind === 'sequence') return node.items.map((item) => reader.decode(JSON_VALUE, item));
    if (node.kind === 'mapping') {
      return Object.fromEntries(
        node.entries.map(({ key, value }) => [reader.decode(STRING, key), reader.decode(JSON_VALUE, value)]),
      );
    }
    const scalar = resolveScalar(node);
    return scalar.tag === '!!null' ? null : scalar.value;
  },
  encode: (value) => value,
  isZero: (value) => value === null,
};

const GRANT_TYPE = oneOf(
  'string',
  ['', 'client_credentials', JWT_BEARER_GRANT],
  '',
  (text) => `oauth2 grant_type must be "client_credentials" or "${JWT_BEARER_GRANT}", got "${text}"`,
);
const JWT_ALGORITHM = oneOf(
  'string',
  ['', 'RS256', 'RS384', 'RS512'],
  '',
  () => 'valid signature algorithms are RS256, RS384 and RS512',
);

const OAUTH2 = struct<OAuth2Config>(
  'config.plain',
  {
    clientId: shownField('client_id', STRING),
    clientSecret: shownField('client_secret', SECRET),
    clientSecretFile: shownField('client_secret_file', PATH),
    clientCertificateKeyId: field('client_certificate_key_id', STRING),
    clientCertificateKey: field('client_certificate_key', SECRET),
    clientCertificateKeyFile: field('client_certificate_key_file', PATH),
    grantType: field('grant_type', GRANT_TYPE),
    signatureAlgorithm: field('signature_algorithm', JWT_ALGORITHM),
    iss: field('iss', STRING),
    audience: field('audience', STRING),
    claims: field('claims', map(JSON_VALUE)),
    scopes: field('scopes', list(STRING)),
    tokenUrl: shownField('token_url', STRING),
    endpointParams: field('endpoint_params', map(STRING)),
    tls: field('tls_config', TLS, NO_TLS_CONFIG),
    proxy: PROXY,
  },
  (oauth2, place) => {
    if (oauth2.clientId === '') place.fail('client_id', 'oauth2 client_id must be configured');
    if (oauth2.tokenUrl === '') place.fail('token_url', 'oauth2 token_url must be configured');
    if (oauth2.clientSecret !== '' && oauth2.clientSecretFile !== '') {
      place.fail('client_secret_file', 'at most one of oauth2 client_secret & client_secret_file must be configured');
    }
    if (oauth2.grantType === JWT_BEARER_GRANT) {
      if (oauth2.clientCertificateKey !== '' && oauth2.clientCertificateKeyFile !== '') {
        place.fail(
          'client_certificate_key_file',
          'at most one of oauth2 client_certificate_key & client_certificate_key_file must be configured using grant-type=urn:ietf:params:oauth:grant-type:jwt-bearer',
        );
      }
      if (oauth2.clientCertificateKey === '' && oauth2.clientCertificateKeyFile === '') {
        place.fail(
          'grant_type',
          'one of oauth2 client_certificate_key & client_certificate_key_file must be configured with the jwt-bearer grant',
        );
      }
    }
  },
);

const HTTP_HEADER = struct<HttpHeaderConfig>('config.Header', {
  values: field('values', list(STRING)),
  secrets: field('secrets', list(SECRET)),
  files: field('files', list(PATH)),
});

/** Headers that the client itself sets. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set(
  (
    'Authorization Host Content-Encoding Content-Length Content-Type User-Agent Connection Keep-Alive Proxy-Authenticate ' +
    'Proxy-Authorization Www-Authenticate Accept-Encoding X-Prometheus-Remote-Write-Version X-Prometheus-Remote-Read-Version ' +
    'X-Prometheus-Scrape-Timeout-Seconds X-Amz-Date X-Amz-Security-Token X-Amz-Content-Sha256'
  )
    .toLowerCase()
    .split(' '),
);

/** As written: the deprecated bearer_token keys stand beside what they mean. */
interface WrittenHttpClient extends HttpClientConfig {
  readonly bearerToken: string;
  readonly bearerTokenFile: string;
}

const WRITTEN = inline<WrittenHttpClient>({
  basicAuth: field('basic_auth', optional(BASIC_AUTH)),
  authorization: field('authorization', optional(AUTHORIZATION)),
  oauth2: field('oauth2', optional(OAUTH2)),
  bearerToken: field('bearer_token', SECRET),
  bearerTokenFile: field('bearer_token_file', PATH),
  tls: field('tls_config', TLS, NO_TLS_CONFIG),
  followRedirects: shownField('follow_redirects', BOOL, true),
  enableHttp2: shownField('enable_http2', BOOL, true),
  proxy: PROXY,
  httpHeaders: field('http_headers', map(HTTP_HEADER)),
});

/**
 * The options among a section's own keys.
 *
 * @param defaults for sections that differ: HTTP/2 is off for remote write
 */
export function httpClientPart(defaults: Partial<HttpClientConfig> = {}): Part<HttpClientConfig> {
  return {
    keys: WRITTEN.keys,
    decode(entries, reader) {
      const before = reader.issueCount;
      const written = WRITTEN.decode(entries, reader);
      const place = reader.placeOfEntries(entries);
      if (reader.issueCount === before) checkHttpClient(written, place);
      const { bearerToken, bearerTokenFile, ...config } = written;
      return {
        ...config,
        enableHttp2: place.has('enable_http2')
          ? config.enableHttp2
          : (defaults.enableHttp2 ?? DEFAULT_HTTP_CLIENT_CONFIG.enableHttp2),
        authorization:
          bearerToken === '' && bearerTokenFile === ''
            ? config.authorization
            : { type: 'Bearer', credentials: bearerToken, credentialsFile: bearerTokenFile },
      };
    },
    encode: (config) => WRITTEN.encode({ ...config, bearerToken: '', bearerTokenFile: '' }),
    isZero: (config) => WRITTEN.isZero({ ...config, bearerToken: '', bearerTokenFile: '' }),
  };
}

function checkHttpClient(config: WrittenHttpClient, place: StructPlace): void {
  const { basicAuth, authorization, oauth2, bearerToken, bearerTokenFile, httpHeaders } = config;
  const tokenKey = bearerToken === '' ? 'bearer_token_file' : 'bearer_token';
  if (bearerToken !== '' && bearerTokenFile !== '')
    place.fail('bearer_token_file', 'at most one of bearer_token & bearer_token_file must be configured');
  const hasToken = bearerToken !== '' || bearerTokenFile !== '';
  if (hasToken && (basicAuth !== null || oauth2 !== null)) {
    place.fail(tokenKey, 'at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured');
  }
  if (authorization !== null) {
    if (hasToken) place.fail('authorization', 'authorization is not compatible with bearer_token & bearer_token_file');
    if (basicAuth !== null || oauth2 !== null)
      place.fail('authorization', 'at most one of basic_auth, oauth2 & authorization must be configured');
  }
  if (basicAuth !== null && oauth2 !== null)
    place.fail('oauth2', 'at most one of basic_auth, oauth2 & authorization must be configured');
  for (const name of httpHeaders.keys()) {
    if (RESERVED_HEADERS.has(name.toLowerCase()))
      place.fail('http_headers', `setting header ${JSON.stringify(name)} is not allowed`);
  }
}
