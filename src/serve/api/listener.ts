/**
 * One address that is listened on, over plain HTTP or TLS.
 *
 * With TLS, connections are accepted here and handed to a server that does not listen itself, made from the certificates that are
 * in force when the connection comes. So a new certificate counts from the next connection on, and those that are open stay.
 */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2SecureServer, ServerHttp2Session } from 'node:http2';
import type { Server as HttpsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { errorMessage } from '../../core/base/errors.ts';
import type { Logger } from '../../core/base/log.ts';
import type { Counter, Registry } from '../../core/base/metrics.ts';
import type { TlsSettings, WebConfigFile } from '../config/load-web-config.ts';
import { clientAuthOptions, clientFault } from './client-certificate.ts';
import { parseListenAddress } from './listen-address.ts';
import { createHttpServer } from './node-http.ts';

/** Of a request line with all headers, as in Go's net/http: queries come in URLs. */
export const MAX_HEADER_BYTES = 1024 * 1024;
/** Connections beyond `maxConnections` that get an answer (503) instead of a reset; with TLS none does. */
export const MAX_REFUSED_CONNECTIONS = 64;
/** Of a TLS handshake. */
const HANDSHAKE_TIMEOUT_MS = 30_000;
/** Requests at once on one HTTP/2 connection, as in Go. */
const MAX_STREAMS = 250;
/** Of the counts of connections. */
const LISTENER = { listener_name: 'http' };

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface ListenerOptions {
  readonly handle: RequestHandler;
  readonly connections: ConnectionGate;
  readonly readTimeoutMs: number;
  /** Null: plain HTTP without more. */
  readonly webConfig: WebConfigFile | null;
  readonly logger: Logger;
}

export interface Listener {
  /** Where it listens, the port resolved. */
  readonly address: AddressInfo;
  /** Stops accepting, lets running requests end within `graceMs`, then cuts them. */
  close(graceMs: number): Promise<void>;
}

/** An address that can't be listened on, worded for the person who named it. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** Counts connections over all addresses. Those over the bound are told so; far more are reset by the servers themselves. */
export class ConnectionGate {
  readonly maxConnections: number;
  readonly #refused = new WeakSet<Socket>();
  readonly #accepted: Counter;
  readonly #closed: Counter;
  #openCount = 0;

  constructor(maxConnections: number, registry: Registry) {
    this.maxConnections = maxConnections;
    this.#accepted = registry.counter(
      'net_conntrack_listener_conn_accepted_total',
      'Total number of connections opened to the listener of a given name.',
    );
    this.#closed = registry.counter(
      'net_conntrack_listener_conn_closed_total',
      'Total number of connections closed that were made to the listener of a given name.',
    );
    for (const counter of [this.#accepted, this.#closed]) counter.add(0, LISTENER);
  }

  add(socket: Socket): void {
    this.#openCount++;
    this.#accepted.add(1, LISTENER);
    if (this.#openCount > this.maxConnections) this.#refused.add(socket);
    socket.once('close', () => {
      this.#openCount--;
      this.#closed.add(1, LISTENER);
    });
  }

  isRefused(socket: Socket): boolean {
    return this.#refused.has(socket);
  }
}

/** @throws ListenError */
export async function openListener(address: string, options: ListenerOptions): Promise<Listener> {
  const { connections, webConfig } = options;
  const isSecure = webConfig !== null && webConfig.current().tls !== null;
  const opened = isSecure ? secureListener(webConfig, options) : plainListener(options);
  const { server } = opened;
  server.maxConnections = connections.maxConnections + MAX_REFUSED_CONNECTIONS;
  const { host, port } = parseListenAddress(address);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new ListenError(`can't listen on ${address}: ${listenFault(error)}`, { cause: error })),
    );
    server.listen({ host: host === '' ? undefined : host, port }, () => resolve());
  });
  return { address: server.address() as AddressInfo, close: (graceMs) => opened.close(graceMs) };
}

interface Opened {
  readonly server: Server;
  close(graceMs: number): Promise<void>;
}

function timeouts(readTimeoutMs: number): Readonly<Record<string, number>> {
  return {
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: readTimeoutMs,
    headersTimeout: readTimeoutMs,
    keepAliveTimeout: readTimeoutMs,
    connectionsCheckingInterval: Math.min(30_000, readTimeoutMs),
  };
}

function plainListener({ handle, connections, readTimeoutMs }: ListenerOptions): Opened {
  let isClosing = false;
  const server = createHttpServer(timeouts(readTimeoutMs), (request, response) => {
    response.once('close', () => {
      if (isClosing) closeIdleSoon(server);
    });
    if (connections.isRefused(request.socket)) refuse(response, connections.maxConnections);
    else handle(request, response);
  });
  server.on('connection', (socket) => connections.add(socket));
  const close = async (graceMs: number): Promise<void> => {
    isClosing = true;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(cut);
  };
  return { server, close };
}

/** A server that closes has closed its idle connections; those that become so afterwards would stay for their keep-alive time. */
function closeIdleSoon(server: EventEmitter & { closeIdleConnections?(): void }): void {
  setImmediate(() => server.closeIdleConnections?.());
}

function secureListener(webConfig: WebConfigFile, options: ListenerOptions): Opened {
  const { connections, logger } = options;
  const tls = new TlsServers(webConfig, options);
  const open = new Set<Socket>();
  const server = createTcpServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    connections.add(socket);
    if (connections.isRefused(socket)) {
      // An answer would need the handshake first.
      socket.destroy();
      return;
    }
    try {
      tls.accept(socket);
    } catch (error) {
      logger.error('a TLS connection was refused', { file: webConfig.path, err: errorMessage(error) });
      socket.destroy();
    }
  });
  const close = async (graceMs: number): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    tls.close();
    const cut = setTimeout(() => {
      for (const socket of open) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(cut);
  };
  return { server, close };
}

/** A TLS server for the settings in force, replaced when they change. */
class TlsServers {
  readonly #webConfig: WebConfigFile;
  readonly #options: ListenerOptions;
  readonly #http2: boolean;
  #settings: TlsSettings | null = null;
  #server: Http2SecureServer | HttpsServer | null = null;

  constructor(webConfig: WebConfigFile, options: ListenerOptions) {
    this.#webConfig = webConfig;
    this.#options = options;
    // As in Prometheus, not changed by a new file.
    this.#http2 = webConfig.current().config.http.http2;
  }

  /** @throws ConfigError */
  accept(socket: Socket): void {
    const { tls } = this.#webConfig.current();
    if (tls === null) throw new Error('TLS was taken out of the file; that needs a restart');
    if (tls !== this.#settings) {
      this.close();
      this.#server = this.#create(tls);
      this.#settings = tls;
    }
    this.#server!.emit('connection', socket);
  }

  /** Idle connections end, others after their request. */
  close(): void {
    this.#server?.close();
    this.#server = null;
    this.#settings = null;
  }

  #create(settings: TlsSettings): Http2SecureServer | HttpsServer {
    const { readTimeoutMs, handle, logger } = this.#options;
    const options = {
      ...timeouts(readTimeoutMs),
      ...settings.context,
      ...clientAuthOptions(settings.clientAuthType),
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: MAX_HEADER_BYTES },
    };
    const server = this.#http2
      ? process.getBuiltinModule('node:http2').createSecureServer({ ...options, allowHTTP1: true }, (request, response) => {
          // A body that no one reads would keep the stream, and with it the connection.
          if (request.httpVersionMajor === 2)
            response.stream.once('finish', () => {
              if (!request.complete) response.stream.close();
            });
          // HTTP/2's requests and responses have what is used of HTTP/1's.
          handle(request as unknown as IncomingMessage, response as unknown as ServerResponse);
        })
      : process.getBuiltinModule('node:https').createServer(options, handle);
    server.on('request', (_request: unknown, response: EventEmitter) => {
      response.once('close', () => {
        if (server !== this.#server) closeIdleSoon(server);
      });
    });
    // A connection without traffic takes no further request; those that run on it end. HTTP/1 has its own timeouts.
    server.on('session', (session: ServerHttp2Session) => session.setTimeout(readTimeoutMs, () => session.close()));
    server.prependListener('secureConnection', (socket: TLSSocket) => {
      const fault = clientFault(socket, settings);
      if (fault === null) return;
      logger.warn('a client was turned away', { peer: socket.remoteAddress ?? '', err: fault });
      socket.destroy();
    });
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      logger.debug('TLS handshake failed', { peer: socket.remoteAddress ?? '', err: error.message });
    });
    // Starts the check of timeouts, which servers that listen themselves start then.
    server.emit('listening');
    return server;
  }
}

function refuse(response: ServerResponse, maxConnections: number): void {
  response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  response.end(`the server has ${maxConnections} connections already (--web.max-connections)\n`);
}

function listenFault(error: Error): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return 'the port is in use; is another server running? Choose another with --web.listen-address';
    case 'EACCES':
      return 'not permitted; ports below 1024 need a privilege';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address';
    default:
      return error.message;
  }
}
