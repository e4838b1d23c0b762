/**
 * A kept connection for the common scrape: GET over plain http, no proxy, one request at a time.
 *
 * The socket reads into a buffer that all connections share, and body bytes are copied from there to where the caller wants
 * them: no object, stream or event for each piece. `fetch.bench.ts` measures what that saves.
 */
import { connect, type Socket } from 'node:net';
import { assert } from '../../core/base/assert.ts';
import { ResponseReader, type ResponseSink } from './response-reader.ts';

/** The connection broke or can't be made. `cause` is the system's error, absent where the server just closed. */
export class PlainConnectionError extends Error {
  override readonly name = 'PlainConnectionError';
  /** Whether the connection had served a request and ended before any byte of this response: asking once more is right. */
  readonly isWorthRetrying: boolean;

  constructor(message: string, isWorthRetrying: boolean, cause?: unknown) {
    super(message, { cause });
    this.isWorthRetrying = isWorthRetrying;
  }
}

/** A request under way. */
interface Exchange {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  /** Whether the connection has served before. */
  readonly isReused: boolean;
  gotBytes: boolean;
}

export class PlainConnection {
  readonly #host: string;
  readonly #port: number;
  readonly #readBuffer: Uint8Array;
  readonly #reader = new ResponseReader();
  #socket: Socket | null = null;
  #exchange: Exchange | null = null;

  /** @param readBuffer may be shared with other connections of the thread */
  constructor(host: string, port: number, readBuffer: Uint8Array) {
    this.#host = host;
    this.#port = port;
    this.#readBuffer = readBuffer;
  }

  /**
   * Sends `request`, a whole head, and reads the response into `sink`.
   * @throws PlainConnectionError, HttpProtocolError, PlainUnsupportedError, what the sink throws, or the signal's reason
   */
  async exchange(request: string, sink: ResponseSink, signal: AbortSignal): Promise<void> {
    assert(this.#exchange === null, 'a connection carries one request at a time');
    signal.throwIfAborted();
    const isReused = this.#socket !== null;
    this.#socket ??= this.#open();
    const socket = this.#socket;
    const abort = (): void => this.#fail(toError(signal.reason));
    signal.addEventListener('abort', abort, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        this.#exchange = { resolve, reject, isReused, gotBytes: false };
        this.#reader.begin(sink);
        socket.write(request, 'latin1');
      });
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Closes the connection; a request under way fails. The next one opens it again. */
  close(): void {
    this.#fail(new PlainConnectionError('the connection was closed', false));
  }

  #open(): Socket {
    const buffer = this.#readBuffer;
    const socket = connect({
      host: this.#host,
      port: this.#port,
      noDelay: true,
      onread: {
        buffer,
        callback: (count) => {
          if (socket === this.#socket) this.#receive(buffer.subarray(0, count));
          return true;
        },
      },
    });
    socket.on('error', (error) => {
      if (socket === this.#socket) this.#broken(error.message, error);
    });
    socket.on('end', () => {
      if (socket === this.#socket) this.#ended();
    });
    socket.on('close', () => {
      if (socket === this.#socket) this.#broken('EOF');
    });
    return socket;
  }

  #receive(bytes: Uint8Array): void {
    const exchange = this.#exchange;
    if (exchange === null) {
      // Bytes between requests: the next response could not be told from them.
      this.#disconnect();
      return;
    }
    exchange.gotBytes = true;
    try {
      if (this.#reader.read(bytes)) this.#finish();
    } catch (error) {
      this.#fail(toError(error));
    }
  }

  #ended(): void {
    if (this.#exchange !== null && this.#reader.end()) this.#finish();
    else this.#broken(this.#exchange?.gotBytes === true ? 'unexpected EOF' : 'EOF');
  }

  #broken(message: string, cause?: unknown): void {
    const isWorthRetrying = this.#exchange !== null && this.#exchange.isReused && !this.#exchange.gotBytes;
    this.#fail(new PlainConnectionError(message, isWorthRetrying, cause));
  }

  #finish(): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    if (!this.#reader.keepsAlive) this.#disconnect();
    exchange?.resolve();
  }

  #fail(error: Error): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#disconnect();
    exchange?.reject(error);
  }

  #disconnect(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.destroy();
  }
}

const toError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));
