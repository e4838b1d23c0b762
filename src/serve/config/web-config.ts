/**
 * The file of `--web.config.file`: TLS, HTTP/2, response headers, users and a rate limit of the HTTP server.
 *
 * Source: Prometheus exporter-toolkit, "Web configuration"; messages verified against promtool 2.42 where it knows the field.
 */
import { quote } from '../../core/model/labels.ts';
import {
  BOOL,
  field,
  INT,
  list,
  map,
  oneOf,
  parsed,
  Reader,
  SECRET,
  STRING,
  struct,
  type StructPlace,
  type Type,
} from '../../core/model/yaml/schema.ts';
import { DURATION } from '../../core/model/yaml/values.ts';
import { parseYaml } from '../../core/model/yaml/yaml-node.ts';
import { PATH } from './path.ts';

const CLIENT_AUTH_TYPES = [
  '',
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'RequireClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;
export type ClientAuthType = (typeof CLIENT_AUTH_TYPES)[number];

const TLS_VERSIONS = ['TLS10', 'TLS11', 'TLS12', 'TLS13'] as const;
export type TlsVersion = (typeof TLS_VERSIONS)[number];

/** Go's names of the suites it calls secure, and OpenSSL's. */
export const CIPHER_SUITES = {
  TLS_AES_128_GCM_SHA256: 'TLS_AES_128_GCM_SHA256',
  TLS_AES_256_GCM_SHA384: 'TLS_AES_256_GCM_SHA384',
  TLS_CHACHA20_POLY1305_SHA256: 'TLS_CHACHA20_POLY1305_SHA256',
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
} as const;
export type CipherSuite = keyof typeof CIPHER_SUITES;

/** Go's names of curves, and OpenSSL's. */
export const CURVES = {
  CurveP256: 'P-256',
  CurveP384: 'P-384',
  CurveP521: 'P-521',
  X25519: 'X25519',
  X25519MLKEM768: 'X25519MLKEM768',
} as const;
export type Curve = keyof typeof CURVES;

export interface WebTlsConfig {
  /** PEM, inline or in a file; '' for the one that is not used. */
  readonly cert: string;
  readonly certFile: string;
  readonly key: string;
  readonly keyFile: string;
  readonly clientCa: string;
  readonly clientCaFile: string;
  readonly clientAuthType: ClientAuthType;
  readonly clientAllowedSans: readonly string[];
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  readonly cipherSuites: readonly CipherSuite[];
  readonly preferServerCipherSuites: boolean;
  readonly curvePreferences: readonly Curve[];
}

export interface WebConfig {
  readonly tls: WebTlsConfig;
  readonly http: { readonly http2: boolean; readonly headers: ReadonlyMap<string, string> };
  /** bcrypt hashes by user name; empty where no one needs to log in. */
  readonly users: ReadonlyMap<string, string>;
  /** A request every interval, and so many at once; interval 0: no limit. */
  readonly rateLimit: { readonly intervalMs: number; readonly burst: number };
}

/** Headers that may be set, with the values that they may have; an empty list: any. */
const HEADER_VALUES: Readonly<Record<string, readonly string[]>> = {
  'Content-Security-Policy': [],
  'X-Frame-Options': ['deny', 'sameorigin'],
  'X-Content-Type-Options': ['nosniff'],
  'X-XSS-Protection': [],
  'Strict-Transport-Security': [],
};

const BCRYPT_HASH_LENGTH = 59;
const BCRYPT_HASH = /^\$2[aby]\$\d\d\$[./A-Za-z\d]{53}$/;
const [MIN_BCRYPT_COST, MAX_BCRYPT_COST] = [4, 31];

const TLS_VERSION = (absent: TlsVersion): Type<TlsVersion> =>
  oneOf('web.TLSVersion', TLS_VERSIONS, absent, (text) => `unknown TLS version: ${text}`);

const isKeyOf = <T extends object>(table: T, name: string): name is keyof T & string => Object.hasOwn(table, name);

const CIPHER = namedIn(CIPHER_SUITES, 'web.Cipher', 'cipher', 'TLS_AES_128_GCM_SHA256');
const CURVE = namedIn(CURVES, 'web.Curve', 'curve', 'CurveP256');

function namedIn<T extends object>(
  table: T,
  goName: string,
  noun: string,
  zero: keyof T & string,
): Type<keyof T & string> {
  return parsed({
    goName,
    zero,
    parse(text) {
      if (!isKeyOf(table, text)) throw new Error(`unknown ${noun}: ${text}`);
      return text;
    },
    format: (value) => value,
  });
}

const TLS = struct<WebTlsConfig>(
  'web.TLSConfig',
  {
    cert: field('cert', STRING),
    certFile: field('cert_file', PATH),
    key: field('key', SECRET),
    keyFile: field('key_file', PATH),
    clientCa: field('client_ca', STRING),
    clientCaFile: field('client_ca_file', PATH),
    clientAuthType: field(
      'client_auth_type',
      oneOf('string', CLIENT_AUTH_TYPES, '', (text) => `Invalid ClientAuth: ${text}`),
    ),
    clientAllowedSans: field('client_allowed_sans', list(STRING)),
    minVersion: field('min_version', TLS_VERSION('TLS12'), 'TLS12'),
    maxVersion: field('max_version', TLS_VERSION('TLS13'), 'TLS13'),
    cipherSuites: field('cipher_suites', list(CIPHER)),
    preferServerCipherSuites: field('prefer_server_cipher_suites', BOOL, true),
    curvePreferences: field('curve_preferences', list(CURVE)),
  },
  checkTls,
);

/** Whether anything asks for TLS; versions and ciphers alone do not. */
export function usesTls({
  cert,
  certFile,
  key,
  keyFile,
  clientCa,
  clientCaFile,
  clientAuthType,
}: WebTlsConfig): boolean {
  return [cert, certFile, key, keyFile, clientCa, clientCaFile, clientAuthType].some((value) => value !== '');
}

function checkTls(tls: WebTlsConfig, place: StructPlace): void {
  if (!usesTls(tls)) return;
  for (const name of ['cert', 'key', 'clientCa'] as const) {
    const key = name === 'clientCa' ? 'client_ca' : name;
    if (tls[name] !== '' && tls[`${name}File`] !== '')
      place.fail(`${key}_file`, `at most one of ${key} and ${key}_file must be configured`);
    if (name !== 'clientCa' && tls[name] === '' && tls[`${name}File`] === '')
      place.fail('', `missing one of ${key} or ${key}_file`);
  }
  const asksClients = !['', 'NoClientCert'].includes(tls.clientAuthType);
  if (!asksClients && (tls.clientCa !== '' || tls.clientCaFile !== '')) {
    place.fail(
      tls.clientCa === '' ? 'client_ca_file' : 'client_ca',
      "Client CA's have been configured without a Client Auth Policy",
    );
  }
  // Without a certificate there is no name to look for, so such clients would come in.
  if (tls.clientAllowedSans.length > 0 && !isCertRequired(tls.clientAuthType)) {
    place.fail(
      'client_allowed_sans',
      'client_allowed_sans needs a client_auth_type of RequireAnyClientCert or RequireAndVerifyClientCert',
    );
  }
  if (tls.minVersion > tls.maxVersion) place.fail('max_version', 'max_version is lower than min_version');
}

/** Whether a client without a certificate is turned away. */
export function isCertRequired(type: ClientAuthType): boolean {
  return ['RequireAnyClientCert', 'RequireClientCert', 'RequireAndVerifyClientCert'].includes(type);
}

const HTTP = struct<WebConfig['http']>(
  'web.HTTPConfig',
  {
    http2: field('http2', BOOL, true),
    headers: field(
      'headers',
      map(STRING, (name) => (isKeyOf(HEADER_VALUES, name) ? null : `HTTP header ${quote(name)} can not be configured`)),
    ),
  },
  ({ headers }, place) => {
    for (const [name, value] of headers) {
      const accepted = HEADER_VALUES[name]!;
      if (value !== '' && accepted.length > 0 && !accepted.includes(value)) {
        const words = accepted.map(quote).join(' ');
        place.fail('headers', `invalid value for ${name}. Expected one of: [${words}], but got: ${quote(value)}`);
      }
    }
  },
);

/** The hash of a user's password. Messages do not show it. */
const PASSWORD_HASH: Type<string> = parsed({
  goName: 'config.Secret',
  zero: '',
  parse: checkPasswordHash,
  format: () => '<secret>',
});

/** @throws Error */
function checkPasswordHash(hash: string): string {
  if (hash.length < BCRYPT_HASH_LENGTH)
    throw new Error('crypto/bcrypt: hashedSecret too short to be a bcrypted password');
  if (hash[1]! > '2' && hash.startsWith('$'))
    throw new Error(
      `crypto/bcrypt: bcrypt algorithm version '${hash[1]!}' requested is newer than current version '2'`,
    );
  if (!BCRYPT_HASH.test(hash)) throw new Error('not a bcrypt hash: it begins with $2y$, $2a$ or $2b$ and its cost');
  const cost = Number(hash.slice(4, 6));
  if (cost < MIN_BCRYPT_COST || cost > MAX_BCRYPT_COST)
    throw new Error(`crypto/bcrypt: cost ${cost} is outside allowed range (${MIN_BCRYPT_COST},${MAX_BCRYPT_COST})`);
  return hash;
}

const RATE_LIMIT = struct<WebConfig['rateLimit']>(
  'web.RateLimiterConfig',
  { intervalMs: field('interval', DURATION), burst: field('burst', INT) },
  ({ intervalMs, burst }, place) => {
    if (intervalMs > 0 && burst < 1) place.fail('burst', 'burst must be at least 1, else no request is let in');
  },
);

const WEB_CONFIG = struct<WebConfig>(
  'web.Config',
  {
    tls: field('tls_server_config', TLS),
    http: field('http_server_config', HTTP),
    users: field('basic_auth_users', map(PASSWORD_HASH)),
    rateLimit: field('rate_limit', RATE_LIMIT),
  },
  ({ users }, place) => {
    for (const [user, hash] of users)
      if (hash === '') place.fail('basic_auth_users', `user ${quote(user)} has no password hash`);
  },
);

/** @param dir what relative paths start from @throws ConfigError */
export function parseWebConfig(text: string, dir: string): WebConfig {
  const reader = new Reader({ strict: true, dir });
  const node = parseYaml(text);
  const config = node === null ? WEB_CONFIG.zero : reader.decode(WEB_CONFIG, node);
  reader.finish();
  return config;
}
