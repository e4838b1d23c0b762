/**
 * Reads HTTP/1.1 responses from bytes as they come, however they are cut.
 *
 * Body bytes go on as views of what came in; only a head or a chunk line that is cut by the end of a read is kept.
 * Source: RFC 9112.
 */
import { unreachable } from '../../core/base/assert.ts';

/** Status line and headers together; also all lines behind a chunked body. */
export const MAX_HEAD_BYTES = 64 * 1024;
export const MAX_CHUNK_LINE_BYTES = 4096;
/** 1xx responses before the real one. */
export const MAX_INTERIM_RESPONSES = 5;
const MAX_SHOWN_BYTES = 60;
const CR = 0x0d;
const LF = 0x0a;

/** What came is no HTTP/1.1 response. */
export class HttpProtocolError extends Error {
  override readonly name = 'HttpProtocolError';
}

/** A response that only a full client can deal with. */
export class PlainUnsupportedError extends Error {
  override readonly name = 'PlainUnsupportedError';
}

export interface ResponseHead {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

/** Takes a response. What its functions throw ends the reading. */
export interface ResponseSink {
  head(head: ResponseHead): void;
  /** The view is valid during the call. */
  body(bytes: Uint8Array): void;
}

type Expecting = 'head' | 'counted' | 'until-close' | 'chunk-line' | 'chunk' | 'chunk-end' | 'trailer' | 'nothing';

export class ResponseReader {
  #sink: ResponseSink | null = null;
  #expecting: Expecting = 'nothing';
  /** Bytes of the body or chunk that are still to come. */
  #left = 0;
  #keepsAlive = true;
  #interimCount = 0;
  #trailerBytes = 0;
  /** The beginning of a head or line whose end has not come. */
  #kept = new Uint8Array(256);
  #keptLength = 0;

  /** Whether no response is under way. */
  get isIdle(): boolean {
    return this.#expecting === 'nothing';
  }

  /** Whether the connection can carry another request after this response. */
  get keepsAlive(): boolean {
    return this.#keepsAlive;
  }

  /** Awaits a response. */
  begin(sink: ResponseSink): void {
    this.#sink = sink;
    this.#expecting = 'head';
    this.#keepsAlive = true;
    this.#interimCount = 0;
    this.#trailerBytes = 0;
    this.#keptLength = 0;
  }

  /**
   * Takes the bytes of one read.
   * @returns whether the response is complete
   * @throws HttpProtocolError, PlainUnsupportedError, or what the sink throws
   */
  read(bytes: Uint8Array): boolean {
    let at = 0;
    while (at < bytes.length && this.#expecting !== 'nothing') at = this.#step(bytes, at);
    // Bytes that nobody asked for: what comes next could not be told from them.
    if (at < bytes.length) this.#keepsAlive = false;
    return this.#expecting === 'nothing';
  }

  /** The connection has ended. @returns whether that completes the response */
  end(): boolean {
    if (this.#expecting !== 'until-close') return false;
    this.#done();
    return true;
  }

  #done(): void {
    this.#expecting = 'nothing';
    this.#sink = null;
  }

  #step(bytes: Uint8Array, at: number): number {
    switch (this.#expecting) {
      case 'head':
        return this.#readHead(bytes, at);
      case 'counted':
      case 'chunk':
        return this.#readCounted(bytes, at);
      case 'until-close':
        this.#sink!.body(at === 0 ? bytes : bytes.subarray(at));
        return bytes.length;
      case 'chunk-line':
        return this.#readLine(bytes, at, (line, start, end) => this.#chunkSize(line, start, end));
      case 'chunk-end':
        return this.#readLine(bytes, at, (_, start, end) => {
          if (end !== start) throw new HttpProtocolError('malformed chunked encoding');
          this.#expecting = 'chunk-line';
        });
      case 'trailer':
        return this.#readLine(bytes, at, (_, start, end) => {
          this.#trailerBytes += end - start;
          if (this.#trailerBytes > MAX_HEAD_BYTES)
            throw new HttpProtocolError(`response trailer exceeded ${MAX_HEAD_BYTES} bytes`);
          if (end === start) this.#done();
        });
      case 'nothing':
        return bytes.length;
      default:
        return unreachable(this.#expecting);
    }
  }

  #readCounted(bytes: Uint8Array, at: number): number {
    const count = Math.min(this.#left, bytes.length - at);
    this.#left -= count;
    this.#sink!.body(bytes.subarray(at, at + count));
    if (this.#left === 0) {
      if (this.#expecting === 'chunk') this.#expecting = 'chunk-end';
      else this.#done();
    }
    return at + count;
  }

  #readHead(bytes: Uint8Array, at: number): number {
    const before = this.#keptLength;
    if (before > 0) this.#keep(bytes, at, Math.min(bytes.length, at + MAX_HEAD_BYTES + 1 - before));
    const head = before > 0 ? this.#kept.subarray(0, this.#keptLength) : bytes.subarray(at);
    const end = headEnd(head, Math.max(0, before - 3));
    if (end > MAX_HEAD_BYTES || (end < 0 && head.length > MAX_HEAD_BYTES)) {
      throw new HttpProtocolError(`server response headers exceeded ${MAX_HEAD_BYTES} bytes; aborted`);
    }
    if (end < 0) {
      if (before === 0) this.#keep(bytes, at, bytes.length);
      return bytes.length;
    }
    this.#keptLength = 0;
    this.#takeHead(parseHead(latin1(head, 0, end)));
    return at + end - before;
  }

  #takeHead(head: ParsedHead): void {
    if (head.status === 101) throw new PlainUnsupportedError('a protocol upgrade');
    if (head.status >= 100 && head.status < 200) {
      this.#interimCount++;
      if (this.#interimCount > MAX_INTERIM_RESPONSES)
        throw new HttpProtocolError('too many 1xx informational responses');
      return;
    }
    this.#frame(head);
    this.#sink!.head(head);
    if (this.#expecting === 'counted' && this.#left === 0) this.#done();
  }

  /** How the body's end is told: RFC 9112 §6.3. */
  #frame({ status, headers, isOld }: ParsedHead): void {
    const connection = (headers.get('connection') ?? '').toLowerCase();
    const length = headers.get('content-length');
    const transfer = headers.get('transfer-encoding')?.toLowerCase();
    this.#keepsAlive = !isOld && !connection.includes('close');
    if (transfer !== undefined) {
      if (transfer !== 'chunked') throw new PlainUnsupportedError(`transfer encoding ${transfer}`);
      // Two lengths are how one response is smuggled into another.
      if (length !== undefined) this.#keepsAlive = false;
      this.#expecting = 'chunk-line';
    } else if (status === 204 || status === 304) {
      this.#expecting = 'counted';
      this.#left = 0;
    } else if (length !== undefined) {
      if (!/^\d{1,15}$/.test(length))
        throw new HttpProtocolError(`bad Content-Length ${JSON.stringify(length.slice(0, MAX_SHOWN_BYTES))}`);
      this.#expecting = 'counted';
      this.#left = Number(length);
    } else {
      this.#expecting = 'until-close';
      this.#keepsAlive = false;
    }
  }

  /** Gives a whole line, without its end. @returns where the next one begins */
  #readLine(bytes: Uint8Array, at: number, take: (line: Uint8Array, start: number, end: number) => void): number {
    const newline = bytes.indexOf(LF, at);
    const end = newline < 0 ? bytes.length : newline;
    if (this.#keptLength + end - at > MAX_CHUNK_LINE_BYTES) throw new HttpProtocolError('header line too long');
    if (newline < 0 || this.#keptLength > 0) this.#keep(bytes, at, end);
    if (newline < 0) return bytes.length;
    if (this.#keptLength > 0) {
      const length = this.#keptLength;
      this.#keptLength = 0;
      take(this.#kept, 0, length > 0 && this.#kept[length - 1] === CR ? length - 1 : length);
    } else {
      take(bytes, at, end > at && bytes[end - 1] === CR ? end - 1 : end);
    }
    return newline + 1;
  }

  #chunkSize(line: Uint8Array, start: number, end: number): void {
    let size = 0;
    let at = start;
    for (; at < end; at++) {
      const digit = hexDigit(line[at]!);
      if (digit < 0) break;
      size = size * 16 + digit;
    }
    const isExtension = at === end || line[at] === 0x3b || line[at] === 0x20 || line[at] === 0x09;
    if (at === start || at - start > 12 || !isExtension) throw new HttpProtocolError('invalid byte in chunk length');
    this.#left = size;
    this.#expecting = size === 0 ? 'trailer' : 'chunk';
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const length = this.#keptLength + end - start;
    if (length > this.#kept.length) {
      const grown = new Uint8Array(Math.max(length, this.#kept.length * 2));
      grown.set(this.#kept.subarray(0, this.#keptLength));
      this.#kept = grown;
    }
    this.#kept.set(bytes.subarray(start, end), this.#keptLength);
    this.#keptLength = length;
  }
}

interface ParsedHead extends ResponseHead {
  /** HTTP/1.0: the connection ends with the response. */
  readonly isOld: boolean;
}

function parseHead(text: string): ParsedHead {
  const lines = text.split(/\r?\n/);
  const status = /^HTTP\/1\.([01]) (\d{3})(?: .*)?$/.exec(lines[0]!);
  if (status === null)
    throw new HttpProtocolError(`malformed HTTP response ${JSON.stringify(lines[0]!.slice(0, MAX_SHOWN_BYTES))}`);
  const headers = new Map<string, string>();
  for (const line of lines.slice(1)) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    if (colon <= 0)
      throw new HttpProtocolError(`malformed MIME header line: ${JSON.stringify(line.slice(0, MAX_SHOWN_BYTES))}`);
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const known = headers.get(name);
    if (known === undefined) headers.set(name, value);
    else if (name !== 'content-length') headers.set(name, `${known}, ${value}`);
    else if (known !== value)
      throw new HttpProtocolError('http: message cannot contain multiple Content-Length headers');
  }
  return { status: Number(status[2]), headers, isOld: status[1] === '0' };
}

/** Behind the empty line that ends a head, or -1. */
function headEnd(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return -1;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

const latin1 = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
