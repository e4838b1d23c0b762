/**
 * Connections: one pool for each way to reach a server (directly, by a proxy, by a unix socket), with the TLS settings of
 * one configuration block.
 *
 * TLS files are read before each request; when their content changed, new pools replace the old ones, which finish what
 * they carry. The library itself is loaded with the first request: most servers never need it, and it takes 7 MB a thread. Timeouts are the caller's AbortSignal alone, so the pools have none beside the connect timeout.
 */
import { readFile } from 'node:fs/promises';
import type { SecureVersion } from 'node:tls';
import type * as Undici from 'undici';
import type { Dispatcher } from 'undici';
import type { HttpClientConfig, TlsConfig, TlsVersion } from '../../core/model/http-client-config.ts';
import { proxyFor, type Environment } from './http-proxy.ts';

const CONNECT_TIMEOUT_MS = 30_000;
/** Longer than common scrape intervals, so that a target keeps its connection between scrapes. */
const KEEP_ALIVE_MS = 5 * 60_000;
/** Proxies and unix sockets with pools of their own; the pool that was used longest ago makes room. */
export const MAX_POOLS = 64;

type TransportConfig = Pick<HttpClientConfig, 'tls' | 'proxy' | 'enableHttp2'>;

interface TlsMaterial {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const TLS_VERSIONS: Readonly<Record<TlsVersion, SecureVersion>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};

/** A file that a configuration names can't be read. */
export class CredentialFileError extends Error {
  override readonly name = 'CredentialFileError';
}

/** The file's text. @throws CredentialFileError, naming what the file is for */
export async function readCredentialFile(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new CredentialFileError(
      `unable to read ${what} ${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

export class HttpTransport {
  readonly #config: TransportConfig;
  readonly #environment: Environment;
  /** By way: 'direct', 'proxy URL' or 'unix path'; the least recently used first. */
  readonly #pools = new Map<string, Dispatcher>();
  #material: TlsMaterial = { ca: '', cert: '', key: '' };
  #closed = false;

  constructor(config: TransportConfig, environment: Environment) {
    this.#config = config;
    this.#environment = environment;
  }

  /** The pool for a request. @throws Error once closed @param unixSocket path of a socket that stands in for the URL's host, or '' */
  async pool(url: URL, unixSocket: string): Promise<Dispatcher> {
    const undici = await import('undici');
    if (this.#closed) throw new Error('the HTTP client is closed');
    const material = url.protocol === 'https:' ? await readMaterial(this.#config.tls) : this.#material;
    if (
      material.ca !== this.#material.ca ||
      material.cert !== this.#material.cert ||
      material.key !== this.#material.key
    ) {
      this.#retire();
      this.#material = material;
    }
    const proxy = unixSocket === '' ? proxyFor(url, this.#config.proxy, this.#environment) : '';
    // CONNECT headers belong to tunnels only, so a forwarding pool is another one.
    const way = unixSocket !== '' ? `unix ${unixSocket}` : proxy !== '' ? `${url.protocol} by ${proxy}` : 'direct';
    const known = this.#pools.get(way);
    const pool = known ?? this.#open(undici, url, unixSocket, proxy);
    this.#pools.delete(way);
    this.#pools.set(way, pool);
    if (this.#pools.size > MAX_POOLS) {
      const [oldestWay, oldest] = this.#pools.entries().next().value!;
      this.#pools.delete(oldestWay);
      void closeQuietly(oldest);
    }
    return pool;
  }

  /** Cuts what is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map(async (pool) => pool.destroy()));
  }

  #open({ Agent, ProxyAgent }: typeof Undici, url: URL, unixSocket: string, proxy: string): Dispatcher {
    const tls = tlsOptions(this.#config.tls, this.#material);
    const shared = {
      allowH2: this.#config.enableHttp2,
      connectTimeout: CONNECT_TIMEOUT_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
    };
    if (proxy !== '') {
      const headers: Record<string, string[]> = {};
      if (url.protocol === 'https:') {
        for (const [name, values] of this.#config.proxy.proxyConnectHeader) headers[name] = [...values];
      }
      return new ProxyAgent({
        ...shared,
        uri: proxy.replace(/^socks5h:/, 'socks5:'),
        headers,
        requestTls: tls,
        proxyTls: tls,
      });
    }
    return new Agent({
      ...shared,
      connect: { ...tls, timeout: CONNECT_TIMEOUT_MS, ...(unixSocket === '' ? {} : { socketPath: unixSocket }) },
    });
  }

  /** Lets the open pools finish and forgets them. */
  #retire(): void {
    for (const pool of this.#pools.values()) void closeQuietly(pool);
    this.#pools.clear();
  }
}

async function readMaterial(tls: TlsConfig): Promise<TlsMaterial> {
  const [ca, cert, key] = await Promise.all([
    tls.caFile === '' ? tls.ca : readCredentialFile(tls.caFile, 'CA cert'),
    tls.certFile === '' ? tls.cert : readCredentialFile(tls.certFile, 'client cert'),
    tls.keyFile === '' ? tls.key : readCredentialFile(tls.keyFile, 'client key'),
  ]);
  return { ca, cert, key };
}

function tlsOptions(tls: TlsConfig, material: TlsMaterial) {
  return {
    rejectUnauthorized: !tls.insecureSkipVerify,
    ...(material.ca === '' ? {} : { ca: material.ca }),
    ...(material.cert === '' ? {} : { cert: material.cert, key: material.key }),
    ...(tls.serverName === '' ? {} : { servername: tls.serverName }),
    ...(tls.minVersion === '' ? {} : { minVersion: TLS_VERSIONS[tls.minVersion] }),
    ...(tls.maxVersion === '' ? {} : { maxVersion: TLS_VERSIONS[tls.maxVersion] }),
  };
}

/** A retired pool's requests report their own errors; closing has nothing to add. */
async function closeQuietly(pool: Dispatcher): Promise<void> {
  await pool.close().catch(() => pool.destroy());
}
