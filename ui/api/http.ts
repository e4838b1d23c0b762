/**
 * Requests to the HTTP API: one function that knows the envelope, and the ways a request fails.
 */
import { asList, asObject, asText, textOr } from './decode.ts';
import { routePrefix } from './prefix.ts';
import { noteServerDate } from './server-clock.ts';

/** The server's answer is "no", with its reason. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly errorType: string;
  readonly status: number;

  constructor(errorType: string, message: string, status: number) {
    super(message);
    this.errorType = errorType;
    this.status = status;
  }
}

/** No answer: the server is down or the network is. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

export interface Reply<T> {
  readonly data: T;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  readonly durationMs: number;
}

/** Longer queries go into a POST body: servers and proxies bound the length of addresses. */
const MAX_ADDRESS_LENGTH = 1800;

/**
 * Asks `/api/v1/<path>`.
 *
 * @throws ApiFailure when the server refuses, UnreachableError without an answer, DecodeError when the answer is odd
 */
export async function askApi<T>(
  path: string,
  params: Readonly<Record<string, string>>,
  decode: (data: unknown) => T,
  signal?: AbortSignal,
): Promise<Reply<T>> {
  const began = performance.now();
  const form = new URLSearchParams(params).toString();
  const address = `${routePrefix()}/api/v1/${path}`;
  const response =
    form.length <= MAX_ADDRESS_LENGTH
      ? await send(form === '' ? address : `${address}?${form}`, { signal: signal ?? null })
      : await send(address, {
          method: 'POST',
          body: form,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          signal: signal ?? null,
        });
  const body = asObject(await readJson(response), 'the answer');
  if (body['status'] !== 'success') {
    throw new ApiFailure(textOr(body['errorType'], ''), textOr(body['error'], response.statusText), response.status);
  }
  return {
    data: decode(body['data']),
    warnings: asList(body['warnings'], 'warnings', (item) => asText(item, 'a warning')),
    infos: asList(body['infos'], 'infos', (item) => asText(item, 'an info')),
    durationMs: performance.now() - began,
  };
}

/** Whether the server takes requests. @throws UnreachableError */
export async function askReady(signal: AbortSignal): Promise<boolean> {
  const response = await send(`${routePrefix()}/-/ready`, { signal });
  return response.status !== 503;
}

async function send(address: string, init: RequestInit): Promise<Response> {
  try {
    const response = await fetch(address, { ...init, cache: 'no-store' });
    noteServerDate(response.headers.get('date'), Date.now());
    return response;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new UnreachableError('The server can’t be reached.', { cause });
  }
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page, or a server that is not ready: its words are the best there is.
    const words = text.trim().slice(0, 200);
    throw new ApiFailure('', words === '' ? `HTTP status ${response.status}` : words, response.status);
  }
}
