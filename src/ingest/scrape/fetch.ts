/**
 * Gets one target's page.
 *
 * Plain http without credentials or proxy goes over a small client of our own; TLS, redirects, proxies, unix sockets, HTTP/2 and
 * credentials go through the general client. `fetch.bench.ts` measures what that saves.
 */
import { AssertionError } from '../../core/base/assert.ts';
import type { HttpClient } from '../discovery/http-client.ts';
import { statusText } from '../discovery/status-text.ts';
import { MAX_BODY_BYTES } from '../exposition/bounds.ts';
import { acceptHeader } from '../exposition/negotiate.ts';
import { GzipError, type Inflater } from './inflate.ts';
import { networkReason } from './network-words.ts';
import { PlainConnection, PlainConnectionError } from './plain-connection.ts';
import { BodySizeLimitError, ReceivedBody, type ReceiveBuffers } from './receive-buffers.ts';
import { PlainUnsupportedError, type ResponseSink } from './response-reader.ts';
import type { ScrapePoolConfig } from './scrape-config.ts';
import type { ScrapeTarget } from './targets.ts';

/** Most redirects are permanent, so a target that answered with one is asked by the general client from then on. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** No page came. The message is what the targets page shows. */
export class FetchError extends Error {
  override readonly name = 'FetchError';
}

/** A body, inflated, in pieces. */
export interface Page {
  readonly parts: readonly Uint8Array[];
  readonly byteLength: number;
  /** '' where the header is missing. */
  readonly contentType: string;
  /** Gives the memory back; the page must not be used afterwards. */
  release(): void;
}

export interface FetchOptions {
  readonly client: HttpClient;
  readonly buffers: ReceiveBuffers;
  readonly inflater: Inflater;
  readonly userAgent: string;
}

/** What a response is received into. */
interface Reception {
  readonly body: ReceivedBody;
  contentType: string;
  isGzip: boolean;
}

/** Fetches for one target; keeps its connection and remembers how large its page was. */
export class TargetFetcher {
  readonly #target: ScrapeTarget;
  readonly #config: ScrapePoolConfig;
  readonly #options: FetchOptions;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #url: URL;
  #connection: PlainConnection | null;
  #lastBytes = 0;

  constructor(target: ScrapeTarget, config: ScrapePoolConfig, options: FetchOptions) {
    this.#target = target;
    this.#config = config;
    this.#options = options;
    this.#url = new URL(target.url);
    const host = this.#url.hostname.replace(/^\[|\]$/g, '');
    this.#connection = isPlain(this.#url, target, config)
      ? new PlainConnection(host, Number(this.#url.port || 80), options.buffers.readBuffer)
      : null;
    this.#headers = {
      accept: acceptHeader(config.scrapeProtocols, config.metricNameEscapingScheme),
      'accept-encoding': config.enableCompression ? 'gzip' : 'identity',
      'user-agent': options.userAgent,
      'x-prometheus-scrape-timeout-seconds': String(target.timeoutMs / 1000),
    };
  }

  /** @throws FetchError, BodySizeLimitError, or the signal's reason when that ended it */
  async fetch(signal: AbortSignal): Promise<Page> {
    const { bodySizeLimitBytes } = this.#config;
    const maxBytes = bodySizeLimitBytes > 0 ? Math.min(bodySizeLimitBytes, MAX_BODY_BYTES) : MAX_BODY_BYTES;
    const reception: Reception = {
      body: new ReceivedBody(this.#options.buffers, maxBytes),
      contentType: '',
      isGzip: false,
    };
    try {
      await this.#receive(reception, signal);
      const page = reception.isGzip ? await this.#inflated(reception, maxBytes) : asReceived(reception);
      signal.throwIfAborted();
      this.#lastBytes = page.byteLength;
      return page;
    } catch (error) {
      reception.body.clear();
      throw this.#explain(error, signal);
    }
  }

  close(): void {
    this.#connection?.close();
  }

  #explain(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    if (error instanceof AssertionError || error instanceof BodySizeLimitError || error instanceof FetchError)
      return error;
    if (error instanceof GzipError) return new FetchError(error.message, { cause: error });
    // Everything that a network, a server or a credential file can do ends here; the cause keeps what it was.
    return new FetchError(`Get ${JSON.stringify(this.#target.url)}: ${networkReason(error)}`, { cause: error });
  }

  async #receive(reception: Reception, signal: AbortSignal): Promise<void> {
    if (this.#connection === null) {
      await this.#receiveGeneral(reception, signal);
      return;
    }
    try {
      await this.#receivePlain(this.#connection, reception, signal);
    } catch (error) {
      if (!(error instanceof PlainUnsupportedError)) throw error;
      this.#connection.close();
      this.#connection = null;
      reception.body.clear();
      await this.#receiveGeneral(reception, signal);
    }
  }

  async #receivePlain(connection: PlainConnection, reception: Reception, signal: AbortSignal): Promise<void> {
    const { followRedirects } = this.#config.httpClient;
    const sink: ResponseSink = {
      head({ status, headers }) {
        if (followRedirects && REDIRECTS.has(status) && headers.has('location'))
          throw new PlainUnsupportedError('a redirect');
        takeHead(reception, status, (name) => headers.get(name));
      },
      body: (bytes) => reception.body.push(bytes),
    };
    const request = this.#requestHead();
    try {
      await connection.exchange(request, sink, signal);
    } catch (error) {
      // The server may close a kept connection at any time: once is no failure.
      if (!(error instanceof PlainConnectionError && error.isWorthRetrying)) throw error;
      await connection.exchange(request, sink, signal);
    }
  }

  #requestHead(): string {
    const lines = [`GET ${this.#url.pathname}${this.#url.search} HTTP/1.1`, `host: ${this.#url.host}`];
    for (const [name, value] of Object.entries(this.#headers)) lines.push(`${name}: ${value}`);
    return `${lines.join('\r\n')}\r\n\r\n`;
  }

  async #receiveGeneral(reception: Reception, signal: AbortSignal): Promise<void> {
    const { url, unixSocket } = this.#target;
    const { client } = this.#options;
    const response = await client.request({
      url,
      headers: this.#headers,
      signal,
      ...(unixSocket === '' ? {} : { unixSocket }),
    });
    try {
      takeHead(reception, response.status, (name) => response.headers[name]);
      for await (const bytes of response.body) reception.body.push(bytes);
    } catch (error) {
      await response.discard();
      throw error;
    }
  }

  async #inflated({ body, contentType }: Reception, maxBytes: number): Promise<Page> {
    const packed = Buffer.concat(body.parts());
    body.clear();
    const bytes = await this.#options.inflater.inflate(packed, this.#lastBytes, maxBytes);
    return { parts: [bytes], byteLength: bytes.length, contentType, release: () => {} };
  }
}

function asReceived({ body, contentType }: Reception): Page {
  return { parts: body.parts(), byteLength: body.length, contentType, release: () => body.clear() };
}

/** @throws FetchError unless the status is 200 */
function takeHead(reception: Reception, status: number, header: (name: string) => string | undefined): void {
  if (status !== 200)
    throw new FetchError(`server returned HTTP status ${status} ${statusText(status)}`.trimEnd());
  reception.contentType = header('content-type') ?? '';
  reception.isGzip = header('content-encoding') === 'gzip';
}

/** Whether a request needs nothing but a URL. */
function isPlain(url: URL, target: ScrapeTarget, { httpClient }: ScrapePoolConfig): boolean {
  const { basicAuth, authorization, oauth2, proxy, httpHeaders } = httpClient;
  const isBare = basicAuth === null && authorization === null && oauth2 === null && httpHeaders.size === 0;
  const isDirect = proxy.proxyUrl === '' && !proxy.proxyFromEnvironment && target.unixSocket === '';
  return isBare && isDirect && url.protocol === 'http:' && url.username === '' && url.password === '';
}
