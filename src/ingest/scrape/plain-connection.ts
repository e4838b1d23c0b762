/**
 * A small HTTP/1.1 client for the common scrape: GET, plain http, no proxy, one request at a time on a kept connection.
 *
 * The socket reads into one fixed buffer and body bytes are copied from there to the caller's, so a scrape makes no objects per
 * piece. Anything out of the ordinary ends with `PlainUnsupportedError`, and the general client takes the request.
 * Source: RFC 9112.
 */
import { connect, type Socket } from 'node:net';

/** Status line and headers together. */
export const MAX_RESPONSE_HEADER_BYTES = 64 * 1024;
const READ_BUFFER_BYTES = 64 * 1024;
const MAX_CHUNK_LINE_BYTES = 4096;
const CR = 0x0d;
const LF = 0x0a;

/** A response that only a full client can deal with: a redirect, an upgrade, a challenge. */
export class PlainUnsupportedError extends Error {
  override readonly name = 'PlainUnsupportedError';
}

/** The connection failed, or what came is no HTTP/1.1. */
export class PlainHttpError extends Error {
  override readonly name = 'PlainHttpError';
  /** Whether nothing of a response had come: a kept connection that the server closed meanwhile. */
  readonly beforeResponse: boolean;

  constructor(message: string, beforeResponse: boolean, cause?: unknown) {
    super(message, { cause });
    this.beforeResponse = beforeResponse;
  }
}

/** Takes body bytes; the view is valid during the call. Throwing ends the request. */
export type BodySink = (bytes: Uint8Array) => void;

export interface PlainResponse {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

/** One request in flight. */
interface Exchange {
  readonly onHeaders: (response: PlainResponse) => void;
  readonly sink: BodySink;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

type Framing = 'header' | 'length' | 'until-close' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailer' | 'idle';

export class PlainConnection {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | null = null;
  #exchange: Exchange | null = null;
  #framing: Framing = 'idle';
  #left = 0;
  #keepAlive = true;
  /** Bytes of a line or header block that has not ended yet. */
  #partial = new Uint8Array(0);
  #gotBytes = false;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  get isOpen(): boolean {
    return this.#socket !== null;
  }

  /**
   * Sends `request` (the whole head) and reads the response. `onHeaders` is called once and may throw to end the request.
   * @throws PlainHttpError, the signal's reason, or what a callback threw
   */
  async exchange(request: string, onHeaders: (response: PlainResponse) => void, sink: BodySink, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#socket ??= this.#open();
    this.#framing = 'header';
    this.#partial = new Uint8Array(0);
    this.#gotBytes = false;
    const abort = (): void => this.#fail(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
    signal.addEventListener('abort', abort, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        this.#exchange = { onHeaders, sink, resolve, reject };
        this.#socket!.write(request, 'latin1');
      });
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  #open(): Socket {
    const buffer = new Uint8Array(READ_BUFFER_BYTES);
    const socket = connect({
      host: this.#host,
      port: this.#port,
      noDelay: true,
      onread: {
        buffer,
        callback: (count) => {
          this.#receive(buffer.subarray(0, count));
          return true;
        },
      },
    });
    socket.on('error', (error) => {
      if (socket === this.#socket) this.#fail(new PlainHttpError(error.message, !this.#gotBytes, error));
    });
    socket.on('close', () => {
      if (socket !== this.#socket) return;
      if (this.#framing === 'until-close') this.#done();
      else if (this.#exchange) this.#fail(new PlainHttpError('unexpected EOF', !this.#gotBytes));
      this.close();
    });
    return socket;
  }

  #fail(error: Error): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#framing = 'idle';
    this.close();
    exchange?.reject(error);
  }

  #done(): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#framing = 'idle';
    if (!this.#keepAlive) this.close();
    exchange?.resolve();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#exchange === null) {
      // Bytes that nobody asked for: the connection can't be trusted any more.
      this.close();
      return;
    }
    this.#gotBytes = true;
    try {
      this.#consume(bytes);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #consume(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && this.#exchange !== null) {
      switch (this.#framing) {
        case 'header':
          at = this.#header(bytes, at);
          break;
        case 'length':
        case 'chunk-data': {
          const count = Math.min(this.#left, bytes.length - at);
          this.#exchange.sink(bytes.subarray(at, at + count));
          at += count;
          this.#left -= count;
          if (this.#left > 0) break;
          if (this.#framing === 'length') this.#done();
          else {
            this.#framing = 'chunk-end';
            this.#left = 2;
          }
          break;
        }
        case 'until-close':
          this.#exchange.sink(bytes.subarray(at));
          return;
        case 'chunk-end': {
          const count = Math.min(this.#left, bytes.length - at);
          at += count;
          this.#left -= count;
          if (this.#left === 0) this.#framing = 'chunk-size';
          break;
        }
        case 'chunk-size':
          at = this.#line(bytes, at, (line) => this.#chunkSize(line));
          break;
        case 'trailer':
          at = this.#line(bytes, at, (line) => {
            if (line === '') this.#done();
          });
          break;
        case 'idle':
          return;
      }
    }
  }

  /** Collects a line across reads and gives it without its end. @returns where the next one begins */
  #line(bytes: Uint8Array, from: number, take: (line: string) => void): number {
    const end = bytes.indexOf(LF, from);
    const part = bytes.subarray(from, end < 0 ? bytes.length : end);
    if (this.#partial.length + part.length > MAX_CHUNK_LINE_BYTES) throw new PlainHttpError('a chunk line is too long', false);
    const line = concat(this.#partial, part);
    if (end < 0) {
      this.#partial = line;
      return bytes.length;
    }
    this.#partial = new Uint8Array(0);
    take(Buffer.from(line).toString('latin1').replace(/\r$/, ''));
    return end + 1;
  }

  #chunkSize(line: string): void {
    const text = line.split(';')[0]!.trim();
    if (!/^[\da-fA-F]{1,12}$/.test(text)) throw new PlainHttpError('a chunk has no size', false);
    this.#left = Number.parseInt(text, 16);
    this.#framing = this.#left === 0 ? 'trailer' : 'chunk-data';
  }

  #header(bytes: Uint8Array, from: number): number {
    const before = this.#partial.length;
    const head = concat(this.#partial, bytes.subarray(from));
    const end = headerEnd(head, Math.max(0, before - 3));
    if (end < 0 || end > MAX_RESPONSE_HEADER_BYTES) {
      if (head.length > MAX_RESPONSE_HEADER_BYTES) throw new PlainHttpError(`response headers exceed ${MAX_RESPONSE_HEADER_BYTES} bytes`, false);
      this.#partial = head;
      return bytes.length;
    }
    this.#partial = new Uint8Array(0);
    const response = parseHead(Buffer.from(head.buffer, head.byteOffset, end).toString('latin1'));
    const next = from + end - before;
    // 1xx responses come before the real one.
    if (response.status >= 100 && response.status < 200) return next;
    this.#frame(response);
    this.#exchange!.onHeaders(response);
    if (this.#framing === 'length' && this.#left === 0) this.#done();
    return next;
  }

  #frame(response: PlainResponse): void {
    const { headers, status } = response;
    const connection = (headers.get('connection') ?? '').toLowerCase();
    this.#keepAlive = !connection.includes('close');
    const length = headers.get('content-length');
    const transfer = (headers.get('transfer-encoding') ?? '').toLowerCase();
    if (transfer === 'chunked') this.#framing = 'chunk-size';
    else if (transfer !== '') throw new PlainUnsupportedError(`transfer encoding ${transfer}`);
    else if (length !== undefined) {
      if (!/^\d{1,15}$/.test(length)) throw new PlainHttpError('Content-Length is no number', false);
      this.#framing = 'length';
      this.#left = Number(length);
    } else if (status === 204 || status === 304) {
      this.#framing = 'length';
      this.#left = 0;
    } else {
      this.#framing = 'until-close';
      this.#keepAlive = false;
    }
  }
}

function parseHead(text: string): PlainResponse {
  const lines = text.split('\r\n');
  const match = /^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/.exec(lines[0]!);
  if (!match) throw new PlainHttpError(`malformed HTTP response ${JSON.stringify(lines[0]!.slice(0, 100))}`, false);
  const headers = new Map<string, string>();
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const known = headers.get(name);
    if (known !== undefined && name === 'content-length' && known !== value) throw new PlainHttpError('Content-Length is given twice', false);
    headers.set(name, known === undefined || name === 'content-length' ? value : `${known}, ${value}`);
  }
  // Connections of the old protocol end with the response.
  if (match[1] === '0') headers.set('connection', 'close');
  return { status: Number(match[2]), statusText: match[3] ?? '', headers };
}

/** Behind the empty line that ends the headers, or -1. */
function headerEnd(bytes: Uint8Array, from: number): number {
  for (let i = bytes.indexOf(LF, from); i >= 0; i = bytes.indexOf(LF, i + 1)) {
    if (i >= 3 && bytes[i - 1] === CR && bytes[i - 2] === LF && bytes[i - 3] === CR) return i + 1;
  }
  return -1;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
