/**
 * The web configuration with the certificates that it names, ready for a TLS server; read again whenever a file has changed.
 *
 * Read synchronously: it is a few small files, looked at when a connection comes and before its first byte is handled.
 */
import { X509Certificate, createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { createSecureContext, type SecureContextOptions, type SecureVersion } from 'node:tls';
import { errorMessage } from '../../core/base/errors.ts';
import { ConfigError } from '../../core/model/yaml/config-error.ts';
import {
  CIPHER_SUITES,
  CURVES,
  parseWebConfig,
  usesTls,
  type ClientAuthType,
  type TlsVersion,
  type WebConfig,
  type WebTlsConfig,
} from './web-config.ts';

/** What a TLS server is made from. */
export interface TlsSettings {
  readonly context: SecureContextOptions;
  readonly clientAuthType: ClientAuthType;
  /** Empty: any. */
  readonly clientAllowedSans: readonly string[];
}

export interface LoadedWebConfig {
  readonly config: WebConfig;
  /** Null: plain HTTP. */
  readonly tls: TlsSettings | null;
  /** The file itself and those that it names. */
  readonly files: readonly string[];
}

const VERSIONS: Readonly<Record<TlsVersion, SecureVersion>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};
/** Suites of TLS 1.3 stay on whatever is chosen for earlier versions, as in Go. */
const TLS13_SUITES = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';

/** @throws ConfigError where a file can't be read or does not fit the others */
export function loadWebConfig(file: string): LoadedWebConfig {
  const config = parseWebConfig(readText(file), dirname(file));
  if (!usesTls(config.tls)) return { config, tls: null, files: [file] };
  const { certFile, keyFile, clientCaFile, clientAuthType, clientAllowedSans } = config.tls;
  const files = [file, certFile, keyFile, clientCaFile].filter((path) => path !== '');
  return { config, tls: { context: secureContextOptions(config.tls), clientAuthType, clientAllowedSans }, files };
}

/** `FILE SUCCESS`, or `FILE FAILED: why`, as promtool's `check web-config` prints it. */
export function checkWebConfig(file: string): { readonly ok: boolean; readonly message: string } {
  try {
    loadWebConfig(file);
    return { ok: true, message: `${file} SUCCESS` };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ok: false, message: `${file} FAILED: ${error.message}` };
  }
}

/** The web configuration in force: what its files say now. */
export class WebConfigFile {
  readonly path: string;
  #loaded: LoadedWebConfig;
  #version: string;

  /** @throws ConfigError */
  constructor(path: string) {
    this.path = path;
    this.#loaded = loadWebConfig(path);
    this.#version = versionOf(this.#loaded.files);
  }

  /** The same object as long as no file has changed. @throws ConfigError where they can't be used any more */
  current(): LoadedWebConfig {
    const version = versionOf(this.#loaded.files);
    if (version !== this.#version) {
      this.#loaded = loadWebConfig(this.path);
      this.#version = versionOf(this.#loaded.files);
    }
    return this.#loaded;
  }
}

/** Changes when a file is written or replaced. */
function versionOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const { mtimeNs, size, ino } = statSync(file, { bigint: true, throwIfNoEntry: false }) ?? {};
      return `${mtimeNs} ${size} ${ino}`;
    })
    .join();
}

function secureContextOptions(tls: WebTlsConfig): SecureContextOptions {
  const cert = pem(tls.cert, tls.certFile);
  const key = pem(tls.key, tls.keyFile);
  checkKeyPair(cert, key);
  const clientCa = pem(tls.clientCa, tls.clientCaFile);
  const context: SecureContextOptions = {
    cert,
    key,
    ...(clientCa === '' ? {} : { ca: clientCa }),
    minVersion: VERSIONS[tls.minVersion],
    maxVersion: VERSIONS[tls.maxVersion],
    honorCipherOrder: tls.preferServerCipherSuites,
    ...(tls.cipherSuites.length === 0 ? {} : { ciphers: cipherList(tls) }),
    ...(tls.curvePreferences.length === 0
      ? {}
      : { ecdhCurve: tls.curvePreferences.map((curve) => CURVES[curve]).join(':') }),
  };
  if (clientCa !== '') attempt('no certificate in the client CA', () => new X509Certificate(clientCa));
  attempt('the TLS settings can not be used', () => createSecureContext(context));
  return context;
}

function cipherList({ cipherSuites }: WebTlsConfig): string {
  const own = cipherSuites.map((suite) => CIPHER_SUITES[suite]).filter((suite) => !suite.startsWith('TLS_'));
  return [TLS13_SUITES, ...own].join(':');
}

function checkKeyPair(cert: string, key: string): void {
  const what = 'failed to load X509KeyPair';
  const leaf = attempt(`${what}: no certificate`, () => new X509Certificate(cert));
  const own = attempt<KeyObject>(`${what}: no private key`, () => createPrivateKey(key));
  if (!leaf.checkPrivateKey(own)) throw fault(`${what}: private key does not match public key`);
}

/** @returns '' where neither is given */
function pem(inline: string, file: string): string {
  return file === '' ? inline : readText(file);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file or directory' : errorMessage(error);
    throw fault(`open ${path}: ${reason}`, error);
  }
}

function attempt<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw fault(`${what}: ${errorMessage(error)}`, error);
  }
}

function fault(message: string, cause?: unknown): ConfigError {
  return new ConfigError(message, [{ message, line: 0, column: 0, field: '' }], cause);
}
