/**
 * How this program speaks to an HTTP server: credentials, TLS, proxy, redirects. Scraping, discovery, remote write and read
 * and the Alertmanager clients all take the same block.
 *
 * Optional text is '' where it is not set, as in the file: an empty value and an absent key mean the same there. Secrets are
 * plain strings here; only the printer of configurations hides them.
 * Source: Prometheus, configuration "HTTP client options".
 */

export interface BasicAuth {
  readonly username: string;
  readonly usernameFile: string;
  readonly password: string;
  readonly passwordFile: string;
}

/** The `Authorization` header: `type credentials`. */
export interface Authorization {
  readonly type: string;
  readonly credentials: string;
  readonly credentialsFile: string;
}

export type TlsVersion = 'TLS10' | 'TLS11' | 'TLS12' | 'TLS13';

export interface TlsConfig {
  /** PEM text, alternative to the file of the same name. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** Name asked for and verified instead of the host of the URL. */
  readonly serverName: string;
  readonly insecureSkipVerify: boolean;
  /** '': the runtime's own choice. */
  readonly minVersion: TlsVersion | '';
  readonly maxVersion: TlsVersion | '';
}

export interface ProxyConfig {
  /** `http`, `https` or `socks5` URL, or ''. */
  readonly proxyUrl: string;
  /** Comma-separated hosts, domains, addresses and CIDR ranges that are reached directly. */
  readonly noProxy: string;
  /** Takes `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` instead of the above. */
  readonly proxyFromEnvironment: boolean;
  /** Sent with CONNECT, header name to values. */
  readonly proxyConnectHeader: ReadonlyMap<string, readonly string[]>;
}

export const JWT_BEARER_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
export type OAuth2GrantType = '' | 'client_credentials' | typeof JWT_BEARER_GRANT;
export type JwtAlgorithm = 'RS256' | 'RS384' | 'RS512';

/** Tokens by the client-credentials grant (RFC 6749 §4.4) or by a signed JWT (RFC 7523). */
export interface OAuth2Config {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly clientSecretFile: string;
  /** '' is client_credentials. */
  readonly grantType: OAuth2GrantType;
  readonly clientCertificateKeyId: string;
  /** PEM private key that signs the JWT. */
  readonly clientCertificateKey: string;
  readonly clientCertificateKeyFile: string;
  /** '' is RS256. */
  readonly signatureAlgorithm: JwtAlgorithm | '';
  /** '' is the client id. */
  readonly iss: string;
  /** '' is the token URL. */
  readonly audience: string;
  readonly claims: ReadonlyMap<string, JsonValue>;
  readonly scopes: readonly string[];
  readonly tokenUrl: string;
  readonly endpointParams: ReadonlyMap<string, string>;
  readonly tls: TlsConfig;
  readonly proxy: ProxyConfig;
}

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** One further header: all values of the three kinds are sent, in this order. */
export interface HttpHeaderConfig {
  readonly values: readonly string[];
  readonly secrets: readonly string[];
  /** Files whose trimmed content is a value. */
  readonly files: readonly string[];
}

export interface HttpClientConfig {
  /** At most one of these three is set. */
  readonly basicAuth: BasicAuth | null;
  readonly authorization: Authorization | null;
  readonly oauth2: OAuth2Config | null;
  readonly tls: TlsConfig;
  readonly proxy: ProxyConfig;
  readonly followRedirects: boolean;
  readonly enableHttp2: boolean;
  readonly httpHeaders: ReadonlyMap<string, HttpHeaderConfig>;
}

export const NO_TLS_CONFIG: TlsConfig = {
  ca: '',
  cert: '',
  key: '',
  caFile: '',
  certFile: '',
  keyFile: '',
  serverName: '',
  insecureSkipVerify: false,
  minVersion: '',
  maxVersion: '',
};

export const NO_PROXY_CONFIG: ProxyConfig = {
  proxyUrl: '',
  noProxy: '',
  proxyFromEnvironment: false,
  proxyConnectHeader: new Map(),
};

export const DEFAULT_HTTP_CLIENT_CONFIG: HttpClientConfig = {
  basicAuth: null,
  authorization: null,
  oauth2: null,
  tls: NO_TLS_CONFIG,
  proxy: NO_PROXY_CONFIG,
  followRedirects: true,
  enableHttp2: true,
  httpHeaders: new Map(),
};
