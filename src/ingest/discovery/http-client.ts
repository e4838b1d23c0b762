/**
 * The HTTP client that scraping and discovery share: one configuration block applied to requests.
 *
 * Redirects are followed here and not in the pools, because a redirect to another host must not carry the credentials of
 * the first. Bodies come as the server sent them: whoever asked for an encoding decodes it. Time limits are the caller's
 * signal, which also cuts a body that drips.
 * Source: Prometheus, configuration "HTTP client options"; RFC 9110 §15.4.
 */
import type { Dispatcher } from 'undici';
import { systemClock, type Clock } from '../../core/base/clock.ts';
import type { HttpClientConfig } from '../../core/model/http-client-config.ts';
import { CredentialSource } from './http-credentials.ts';
import type { Environment } from './http-proxy.ts';
import { HttpTransport } from './http-transport.ts';
import { statusText } from './status-text.ts';

const MAX_REDIRECTS = 10;

export interface HttpRequest {
  readonly url: string;
  /** GET where absent. */
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Ends the request at whatever stage it is, the body included. */
  readonly signal: AbortSignal;
  /** The body throws a BodyTooLargeError past this many bytes; no limit where absent. */
  readonly maxBodyBytes?: number;
  /** Connects to this unix socket instead of the URL's host. */
  readonly unixSocket?: string;
}

export interface HttpResponse {
  readonly status: number;
  /** The standard phrase of `status`, or ''. */
  readonly statusText: string;
  /** Names in lower case; the values of a repeated header are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** To be read once, or given up by `discard`. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives up the body, so that its connection is free again or closed. */
  discard(): Promise<void>;
}

export interface HttpClient {
  /** @throws HttpRequestError, CredentialFileError, OAuth2Error, or the signal's reason when that ended the request */
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Closes all connections; requests under way fail. */
  close(): Promise<void>;
}

/** A request that got no response. The message names method and URL. */
export class HttpRequestError extends Error {
  override readonly name = 'HttpRequestError';
}

export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';
  readonly maxBodyBytes: number;

  constructor(maxBodyBytes: number) {
    super(`body exceeds ${maxBodyBytes} bytes`);
    this.maxBodyBytes = maxBodyBytes;
  }
}

export interface HttpClientDependencies {
  readonly clock: Clock;
  readonly environment: Environment;
}

/** A client for `config`. The files that it names are read when a request needs them, so they may change. */
export function createHttpClient(
  config: HttpClientConfig,
  dependencies: HttpClientDependencies = { clock: systemClock, environment: process.env },
): HttpClient {
  const transport = new HttpTransport(config, dependencies.environment);
  const tokenClient = config.oauth2 === null ? null : createTokenClient(config.oauth2, config, dependencies);
  const credentials = new CredentialSource(config, tokenClient, dependencies.clock);

  return {
    async request(request) {
      let url = parseUrl(request.url);
      let method = request.method ?? 'GET';
      let body = request.body ?? null;
      let trusted = true;
      for (let redirects = 0; ; redirects++) {
        const headers = lowerCased(request.headers ?? {});
        if (url.username !== '' || url.password !== '') headers['authorization'] = basicFrom(url);
        if (trusted) Object.assign(headers, await credentials.headers(request.signal));
        if (body === null) delete headers['content-type'];
        const answer = await send(transport, url, {
          method,
          headers,
          body,
          signal: request.signal,
          unixSocket: request.unixSocket ?? '',
        });
        const next = config.followRedirects ? redirectTarget(answer, url) : null;
        if (next === null) return toResponse(answer, request.maxBodyBytes ?? Number.POSITIVE_INFINITY);
        await answer.body.dump({ limit: 0, signal: request.signal });
        if (redirects >= MAX_REDIRECTS)
          throw new HttpRequestError(`${method} ${request.url}: stopped after ${MAX_REDIRECTS} redirects`);
        // Once a request has left the first host, no later hop gets the credentials back.
        trusted &&= next.hostname === url.hostname && !(url.protocol === 'https:' && next.protocol === 'http:');
        if (answer.statusCode !== 307 && answer.statusCode !== 308) {
          if (method !== 'HEAD') method = 'GET';
          body = null;
        }
        url = next;
      }
    },
    async close() {
      await Promise.all([transport.close(), tokenClient?.close()]);
    },
  };
}

/** The client that fetches OAuth 2 tokens: own TLS and proxy, no credentials beside the grant itself. */
function createTokenClient(
  oauth2: NonNullable<HttpClientConfig['oauth2']>,
  config: HttpClientConfig,
  dependencies: HttpClientDependencies,
): HttpClient {
  const bare = { ...config, basicAuth: null, authorization: null, oauth2: null, httpHeaders: new Map() };
  return createHttpClient({ ...bare, tls: oauth2.tls, proxy: oauth2.proxy }, dependencies);
}

interface Outgoing {
  readonly method: NonNullable<HttpRequest['method']>;
  readonly headers: Record<string, string | string[]>;
  readonly body: string | Uint8Array | null;
  readonly signal: AbortSignal;
  readonly unixSocket: string;
}

/** Sends once, and once more where a kept connection turned out to be dead and repeating is harmless. */
async function send(transport: HttpTransport, url: URL, outgoing: Outgoing): Promise<Dispatcher.ResponseData> {
  for (let attempt = 1; ; attempt++) {
    outgoing.signal.throwIfAborted();
    try {
      const pool = await transport.pool(url, outgoing.unixSocket);
      return await pool.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: outgoing.method,
        headers: outgoing.headers,
        body: outgoing.body,
        signal: outgoing.signal,
      });
    } catch (cause) {
      if (outgoing.signal.aborted) throw outgoing.signal.reason;
      const harmless = outgoing.method === 'GET' || outgoing.method === 'HEAD';
      if (attempt === 1 && harmless && diedBeforeAnswer(cause)) continue;
      throw new HttpRequestError(`${outgoing.method} ${withoutPassword(url)}: ${describe(cause)}`, { cause });
    }
  }
}

const DEAD_CONNECTION_CODES = new Set(['UND_ERR_SOCKET', 'UND_ERR_CLOSED', 'ECONNRESET', 'EPIPE']);

function diedBeforeAnswer(error: unknown): boolean {
  return error instanceof Error && 'code' in error && DEAD_CONNECTION_CODES.has(String(error.code));
}

/** Several addresses that all refuse come as one AggregateError without text of its own. */
function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join('; ');
  return error instanceof Error ? error.message : String(error);
}

function redirectTarget(answer: Dispatcher.ResponseData, from: URL): URL | null {
  const { location } = answer.headers;
  if (![301, 302, 303, 307, 308].includes(answer.statusCode) || typeof location !== 'string') return null;
  const target = URL.parse(location, from.href);
  if (target === null || !isHttp(target))
    throw new HttpRequestError(`${from.origin} redirects to ${JSON.stringify(location)}, which is no HTTP URL`);
  return target;
}

function toResponse(answer: Dispatcher.ResponseData, maxBodyBytes: number): HttpResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return {
    status: answer.statusCode,
    statusText: statusText(answer.statusCode),
    headers,
    body: Number.isFinite(maxBodyBytes) ? bounded(answer.body, maxBodyBytes) : answer.body,
    discard: async () => {
      answer.body.on('error', () => {}).destroy();
    },
  };
}

async function* bounded(body: AsyncIterable<Uint8Array>, maxBodyBytes: number): AsyncIterable<Uint8Array> {
  let byteCount = 0;
  for await (const chunk of body) {
    byteCount += chunk.byteLength;
    if (byteCount > maxBodyBytes) throw new BodyTooLargeError(maxBodyBytes);
    yield chunk;
  }
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !isHttp(url)) throw new HttpRequestError(`${JSON.stringify(text)} is no HTTP URL`);
  return url;
}

const isHttp = (url: URL): boolean => url.protocol === 'http:' || url.protocol === 'https:';

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string | string[]> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function basicFrom(url: URL): string {
  return `Basic ${Buffer.from(`${unescaped(url.username)}:${unescaped(url.password)}`).toString('base64')}`;
}

/** A `%` that starts no escape stands for itself. */
function unescaped(text: string): string {
  return text.replaceAll(/(?:%[\dA-Fa-f]{2})+/g, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}

function withoutPassword(url: URL): string {
  const shown = new URL(url);
  if (shown.password !== '') shown.password = 'xxxxx';
  return shown.href;
}
