/**
 * Requests and answers as plain data: what a route handler sees and gives, whatever HTTP server carries it.
 */
import { jsonText } from './json-text.ts';
import type { FormParams } from './params.ts';

export interface ApiRequest {
  readonly method: string;
  /** Fields of a form body and of the query string. */
  readonly params: FormParams;
  /** The query string as it came, without `?`. */
  readonly queryString: string;
  /** Named parts of the path, decoded. */
  readonly path: Readonly<Record<string, string>>;
  /** A header's value, '' where it is missing. */
  header(name: string): string;
  /** The raw body of a route that takes one; else empty. */
  readonly body: Uint8Array;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  /** Whether it may be compressed on its way; not for what is compressed already. */
  readonly compressible: boolean;
  /** Each piece goes out when it comes, headers before the first. */
  readonly isLive?: true;
}

export type Handler = (request: ApiRequest) => Answer | Promise<Answer>;

const encoder = new TextEncoder();
const EMPTY = new Uint8Array(0);
export const JSON_TYPE = 'application/json';

/** JSON text that is complete. */
export function jsonAnswer(text: string, status = 200): Answer {
  return { status, headers: { 'content-type': JSON_TYPE }, body: encoder.encode(text), compressible: true };
}

/** The envelope of an answer that is plain data. */
export const success = (data: unknown): Answer => jsonAnswer(`{"status":"success","data":${jsonText(data)}}`);

/** Plain text; a newline is the caller's. */
export function textAnswer(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Answer {
  const type = { 'content-type': 'text/plain; charset=utf-8' };
  return { status, headers: { ...type, ...headers }, body: encoder.encode(text), compressible: false };
}

/** An error as Go's `http.Error` writes it. */
export function textError(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return textAnswer(status, `${message}\n`, { 'x-content-type-options': 'nosniff', ...headers });
}

/** Status and headers alone. */
export function emptyAnswer(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers, body: EMPTY, compressible: false };
}

export function bytesAnswer(type: string, body: Uint8Array | AsyncIterable<Uint8Array>): Answer {
  return { status: 200, headers: { 'content-type': type }, body, compressible: true };
}

export const notFound = (): Answer => textError(404, '404 page not found');

export function redirect(location: string): Answer {
  return textAnswer(302, `Found: ${location}\n`, { location });
}
