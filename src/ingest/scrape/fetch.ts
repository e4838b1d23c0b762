/**
 * Gets one target's page into linear memory.
 *
 * Plain http without credentials or proxy goes over a small client of our own, whose bytes go from the socket to their place;
 * TLS, redirects, proxies, unix sockets and credentials go through the general client. docs/benchmarks.md has what that saves.
 */
import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import type { HttpClient } from '../discovery/http-client.ts';
import { MAX_BODY_BYTES } from '../exposition/bounds.ts';
import { acceptHeader } from '../exposition/negotiate.ts';
import type { BodyPlace } from '../exposition/scrape-cache.ts';
import type { ExpositionWorkspace } from '../exposition/workspace.ts';
import { BodyBuffer, BodySizeLimitError } from './body-buffer.ts';
import { PlainConnection, PlainHttpError, PlainUnsupportedError, type PlainResponse } from './plain-connection.ts';
import type { ScrapePoolConfig } from './scrape-config.ts';
import type { ScrapeTarget } from './targets.ts';

/** Compressed bodies above this are inflated off the thread. */
const INFLATE_ASIDE_BYTES = 512 * 1024;
const LEAST_INFLATE_CHUNK_BYTES = 64 * 1024;
const gunzipAside = promisify(gunzip);

/** The target answered, and not with a page. */
export class ScrapeHttpError extends Error {
  override readonly name = 'ScrapeHttpError';
}

export interface Page {
  readonly body: BodyPlace;
  readonly contentType: string;
  /** Bytes of the body, inflated. */
  readonly byteLength: number;
  /** Gives the body's memory back; the page must not be used afterwards. */
  release(): void;
}

export interface FetchOptions {
  readonly client: HttpClient;
  readonly workspace: ExpositionWorkspace;
  readonly userAgent: string;
}

/** Fetches for one target; keeps its connection and remembers the size of its body. */
export class TargetFetcher {
  readonly #target: ScrapeTarget;
  readonly #config: ScrapePoolConfig;
  readonly #options: FetchOptions;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #url: URL;
  #connection: PlainConnection | null = null;
  #usesPlain: boolean;
  #lastBytes = 0;

  constructor(target: ScrapeTarget, config: ScrapePoolConfig, options: FetchOptions) {
    this.#target = target;
    this.#config = config;
    this.#options = options;
    this.#url = new URL(target.url);
    this.#usesPlain = this.#url.protocol === 'http:' && this.#url.username === '' && target.unixSocket === '' && isBare(config);
    this.#headers = {
      accept: acceptHeader(config.scrapeProtocols, config.metricNameEscapingScheme),
      'accept-encoding': config.enableCompression ? 'gzip' : 'identity',
      'user-agent': options.userAgent,
      'x-prometheus-scrape-timeout-seconds': String(target.timeoutMs / 1000),
    };
  }

  /** @throws ScrapeHttpError, BodySizeLimitError, PlainHttpError, HttpRequestError, or the signal's reason */
  async fetch(signal: AbortSignal): Promise<Page> {
    const limit = this.#config.bodySizeLimitBytes;
    const buffer = new BodyBuffer(this.#options.workspace, this.#lastBytes, limit > 0 ? Math.min(limit, MAX_BODY_BYTES) : MAX_BODY_BYTES);
    try {
      const contentType = await this.#fetchInto(buffer, signal);
      const body = buffer.place;
      this.#lastBytes = body.length;
      return { body, contentType, byteLength: body.length, release: () => buffer.release() };
    } catch (error) {
      buffer.release();
      throw error;
    }
  }

  close(): void {
    this.#connection?.close();
    this.#connection = null;
  }

  async #fetchInto(buffer: BodyBuffer, signal: AbortSignal): Promise<string> {
    if (this.#usesPlain) {
      try {
        return await this.#fetchPlain(buffer, signal);
      } catch (error) {
        if (!(error instanceof PlainUnsupportedError)) throw error;
        // What a target asked for once it asks for again.
        this.#usesPlain = false;
        this.close();
        buffer.clear();
      }
    }
    return this.#fetchGeneral(buffer, signal);
  }

  async #fetchPlain(buffer: BodyBuffer, signal: AbortSignal): Promise<string> {
    const host = this.#url.hostname.replace(/^\[|\]$/g, '');
    this.#connection ??= new PlainConnection(host, Number(this.#url.port || 80));
    const wasOpen = this.#connection.isOpen;
    try {
      return await this.#exchange(this.#connection, buffer, signal);
    } catch (error) {
      // The server may close a kept connection at any time; once is no failure.
      if (!(error instanceof PlainHttpError && error.beforeResponse && wasOpen)) throw error;
      buffer.clear();
      return this.#exchange(this.#connection, buffer, signal);
    }
  }

  async #exchange(connection: PlainConnection, buffer: BodyBuffer, signal: AbortSignal): Promise<string> {
    let response: PlainResponse | null = null;
    let compressed: Inflater | null = null;
    await connection.exchange(
      this.#requestHead(),
      (head) => {
        if (head.status >= 300 && head.status < 400 && this.#config.httpClient.followRedirects) throw new PlainUnsupportedError('a redirect');
        checkStatus(head.status, head.statusText);
        response = head;
        if (isGzip(head.headers.get('content-encoding'))) compressed = new Inflater(buffer, this.#lastBytes);
      },
      (bytes) => {
        if (compressed) compressed.push(bytes);
        else buffer.push(bytes);
      },
      signal,
    );
    const done = response as PlainResponse | null;
    await (compressed as Inflater | null)?.finish();
    return done?.headers.get('content-type') ?? '';
  }

  #requestHead(): string {
    const lines = [`GET ${this.#url.pathname}${this.#url.search} HTTP/1.1`, `host: ${this.#url.host}`];
    for (const [name, value] of Object.entries(this.#headers)) lines.push(`${name}: ${value}`);
    return `${lines.join('\r\n')}\r\n\r\n`;
  }

  async #fetchGeneral(buffer: BodyBuffer, signal: AbortSignal): Promise<string> {
    const { url, unixSocket } = this.#target;
    const response = await this.#options.client.request({ url, headers: this.#headers, signal, ...(unixSocket === '' ? {} : { unixSocket }) });
    try {
      checkStatus(response.status, response.statusText);
      const compressed = isGzip(response.headers['content-encoding']) ? new Inflater(buffer, this.#lastBytes) : null;
      for await (const bytes of response.body) {
        if (compressed) compressed.push(bytes);
        else buffer.push(bytes);
      }
      await compressed?.finish();
      return response.headers['content-type'] ?? '';
    } catch (error) {
      await response.discard();
      throw error;
    }
  }
}

function checkStatus(status: number, text: string): void {
  if (status !== 200) throw new ScrapeHttpError(`server returned HTTP status ${status} ${text}`.trimEnd());
}

const isGzip = (encoding: string | undefined): boolean => encoding?.toLowerCase() === 'gzip';

/** Whether requests need nothing but a URL. */
function isBare({ httpClient }: ScrapePoolConfig): boolean {
  const { basicAuth, authorization, oauth2, proxy, httpHeaders } = httpClient;
  return basicAuth === null && authorization === null && oauth2 === null && proxy.proxyUrl === '' && !proxy.proxyFromEnvironment && httpHeaders.size === 0;
}

/** Collects a gzip body and inflates it in one go: one large output buffer is several times faster than many small ones. */
class Inflater {
  readonly #target: BodyBuffer;
  readonly #chunkBytes: number;
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  constructor(target: BodyBuffer, expectedBytes: number) {
    this.#target = target;
    this.#chunkBytes = Math.max(LEAST_INFLATE_CHUNK_BYTES, Math.ceil(expectedBytes * 1.05));
  }

  push(bytes: Uint8Array): void {
    this.#length += bytes.length;
    if (this.#length > MAX_BODY_BYTES) throw new BodySizeLimitError();
    this.#pieces.push(bytes.slice());
  }

  /** @throws BodySizeLimitError, ScrapeHttpError where the body is no gzip */
  async finish(): Promise<void> {
    const packed = Buffer.concat(this.#pieces);
    const options = { maxOutputLength: MAX_BODY_BYTES, chunkSize: this.#chunkBytes };
    try {
      this.#target.push(packed.length > INFLATE_ASIDE_BYTES ? await gunzipAside(packed, options) : gunzipSync(packed, options));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (code === 'ERR_BUFFER_TOO_LARGE') throw new BodySizeLimitError();
      if (code.startsWith('Z_')) throw new ScrapeHttpError(`gzip: invalid body: ${(error as Error).message}`, { cause: error });
      throw error;
    }
  }
}
