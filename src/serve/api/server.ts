/**
 * The HTTP server: routes under a prefix on one or several addresses, over one Fastify instance.
 *
 * Routes are plain data (`Route`) and handlers plain functions; this file gives them methods, readiness, CORS, bodies,
 * compression, metrics and bounds. Fastify brings routing, `inject` for tests, and the order of closing.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { AssertionError } from '../../core/base/assert.ts';
import { errorMessage } from '../../core/base/errors.ts';
import {
  emptyAnswer,
  jsonAnswer,
  notFound,
  redirect,
  textAnswer,
  textError,
  type Answer,
  type ApiRequest,
  type Handler,
} from './answer.ts';
import { WebConfigFile } from '../config/load-web-config.ts';
import type { Backend } from './backend.ts';
import { corsPolicy } from './cors.ts';
import { HttpMetrics } from './http-metrics.ts';
import { ConnectionGate, openListener, type Listener, type RequestHandler } from './listener.ts';
import { multipartFields } from './multipart-form.ts';
import { statusText } from './node-http.ts';
import { FormParams } from './params.ts';
import {
  BodyBudget,
  BodyLimitError,
  MAX_FORM_BYTES,
  MAX_HELD_BYTES,
  MAX_WRITE_BYTES,
  readBody,
} from './request-body.ts';
import { prepareBody } from './send.ts';
import { allRoutes } from './routes.ts';
import { route, type Method, type Route, type ServerOptions } from './server-options.ts';
import { errorEnvelope, httpStatus, toApiError } from './status.ts';
import { UI_PAGES, UiFiles } from './ui-files.ts';
import { WebGuard } from './web-guard.ts';

/** Of a label name in a path. */
const MAX_PATH_PART = 16 * 1024;
/** How long `close` waits for requests that are being answered. */
const CLOSE_GRACE_MS = 10_000;
const URL_FORM = 'application/x-www-form-urlencoded';
const MULTIPART_FORM = 'multipart/form-data';
const ALL_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'] as const;

export interface HttpServer {
  /** Opens all addresses. @throws ListenError, or ConfigError for the web configuration; then none is open */
  listen(): Promise<void>;
  /** Where it listens, ports resolved. */
  readonly addresses: readonly AddressInfo[];
  /** Stops accepting, lets running requests end within `graceMs`, then cuts them. */
  close(graceMs?: number): Promise<void>;
  /** Answers a request without a network; for tests. */
  readonly inject: FastifyInstance['inject'];
}

export function createServer(options: ServerOptions, backend: Backend): HttpServer {
  const app = Fastify({
    logger: false,
    exposeHeadRoutes: false,
    // No route has a schema; without these Fastify loads its validator, a hundred modules.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    routerOptions: { maxParamLength: MAX_PATH_PART, ignoreDuplicateSlashes: true, querystringParser: () => ({}) },
    frameworkErrors: (error, _request, reply) => refuseUnreadable(error, reply),
  });
  const api = new ApiServer(app, options, backend);
  const listeners: Listener[] = [];
  const connections = new ConnectionGate(options.maxConnections, options.registry);
  let guard: WebGuard | null = null;
  const close = async (graceMs: number): Promise<void> => {
    await Promise.all(listeners.splice(0).map((listener) => listener.close(graceMs)));
    await guard?.close();
  };
  return {
    async listen() {
      await app.ready();
      const { logger, readTimeoutMs } = options;
      const webConfig = options.webConfigFile === null ? null : new WebConfigFile(options.webConfigFile);
      guard = webConfig && new WebGuard(webConfig, options);
      const handle: RequestHandler = guard
        ? guard.before((request, response) => api.handle(request, response))
        : (request, response) => api.handle(request, response);
      try {
        for (const address of options.listenAddresses)
          listeners.push(await openListener(address, { handle, connections, readTimeoutMs, webConfig, logger }));
      } catch (error) {
        await close(0);
        throw error;
      }
    },
    get addresses() {
      return listeners.map(({ address }) => address);
    },
    async close(graceMs = CLOSE_GRACE_MS) {
      options.notifications.close();
      await close(graceMs);
      await app.close();
    },
    inject: app.inject.bind(app),
  };
}

class ApiServer {
  readonly #app: FastifyInstance;
  readonly #options: ServerOptions;
  readonly #backend: Backend;
  readonly #metrics: HttpMetrics;
  readonly #cors: ReturnType<typeof corsPolicy>;
  readonly #bodies = new BodyBudget(MAX_HELD_BYTES);

  constructor(app: FastifyInstance, options: ServerOptions, backend: Backend) {
    this.#app = app;
    this.#options = options;
    this.#backend = backend;
    this.#metrics = new HttpMetrics(options.registry);
    this.#cors = corsPolicy(options.corsOrigin);
    // Bodies are read by the routes that take one, within their own bounds.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    for (const each of allRoutes({ options, backend })) this.#add(each);
    this.#addUi(new UiFiles(options.uiDirectory, options));
    this.#addRedirects();
    app.setNotFoundHandler((request, reply) => this.#answer(request, reply, undefined));
    app.setErrorHandler((error, _request, reply) => refuseUnreadable(error, reply));
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#app.routing(request, response);
  }

  #add(each: Route): void {
    this.#metrics.announce(each.path);
    this.#app.route({
      method: [...ALL_METHODS],
      url: this.#options.routePrefix + each.path,
      handler: (request, reply) => this.#answer(request, reply, each),
    });
  }

  #addUi(files: UiFiles): void {
    const page = { GET: () => files.page(), HEAD: () => files.page() };
    for (const path of UI_PAGES) this.#add(route(path, page, { guarded: false }));
    const graph: Handler = (request) => files.graph(request);
    this.#add(route('/graph', { GET: graph, HEAD: graph }, { guarded: false }));
    for (const path of files.paths) {
      const file: Handler = (request) => files.file(path, request);
      this.#app.route({
        method: [...ALL_METHODS],
        url: `${this.#options.routePrefix}/${path}`,
        handler: (request, reply) =>
          this.#answer(request, reply, route('/*filepath', { GET: file, HEAD: file }, { guarded: false })),
      });
    }
  }

  /** With a prefix: from the bare root to it, and from the prefix without its slash. */
  #addRedirects(): void {
    const { routePrefix } = this.#options;
    if (routePrefix === '') return;
    const toPrefix = route('/', { GET: () => redirect(`${routePrefix}/`) }, { guarded: false });
    for (const url of ['/', routePrefix]) {
      this.#app.route({
        method: [...ALL_METHODS],
        url,
        handler: (request, reply) => this.#answer(request, reply, toPrefix),
      });
    }
  }

  async #answer(request: FastifyRequest, reply: FastifyReply, target: Route | undefined): Promise<FastifyReply> {
    const { clock } = this.#options;
    const beganMs = clock.monotonicMs();
    const leaving = new AbortController();
    let bodyBytes = 0;
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) leaving.abort();
      if (target) this.#metrics.record(target.path, reply.raw.statusCode, clock.monotonicMs() - beganMs, bodyBytes);
    });
    const answer = await this.#run(request, target, leaving.signal);
    const headers = { ...answer.headers, ...this.#crossOrigin(request) };
    const accepted = answer.compressible ? header(request, 'accept-encoding') : '';
    let outgoing;
    try {
      outgoing = await prepareBody(answer.body, accepted, (bytes) => (bodyBytes += bytes), answer.isLive === true);
    } catch (error) {
      const failure = this.#failure(error);
      return this.#send(reply, failure, failure.body);
    }
    if (outgoing.body instanceof Uint8Array) bodyBytes = outgoing.body.length;
    return this.#send(reply, { ...answer, headers: { ...headers, ...outgoing.headers } }, outgoing.body);
  }

  #send(reply: FastifyReply, answer: Answer, body: Answer['body'] | Readable): FastifyReply {
    const headers = Object.entries(answer.headers).filter(
      ([name]) =>
        // What the web configuration has set stands, and HTTP/2 has no connection header.
        !reply.raw.hasHeader(name) && (name !== 'connection' || reply.request.raw.httpVersionMajor < 2),
    );
    // Without a body there is no type to name.
    return reply
      .code(answer.status)
      .headers(Object.fromEntries(headers))
      .send(body instanceof Uint8Array && body.length === 0 ? undefined : body);
  }

  async #run(request: FastifyRequest, target: Route | undefined, signal: AbortSignal): Promise<Answer> {
    const isApi = request.url.startsWith(`${this.#options.routePrefix}/api/v1/`);
    if (request.method === 'OPTIONS' && isApi) return emptyAnswer(204);
    if (!target) return notFound();
    const allowed = Object.keys(target.handlers);
    const handler = target.handlers[request.method as Method];
    if (!handler) {
      const allow = { allow: [...allowed, 'OPTIONS'].sort().join(', ') };
      return request.method === 'OPTIONS' ? emptyAnswer(200, allow) : textError(405, 'Method Not Allowed', allow);
    }
    if (target.guarded && !this.#backend.isReady()) {
      return textAnswer(503, 'Service Unavailable', { 'x-prometheus-stopping': 'false' });
    }
    let held = 0;
    try {
      const body = await this.#readBody(request, target);
      held = body.length;
      return await handler(toApiRequest(request, target, body, signal));
    } catch (error) {
      return this.#failure(error);
    } finally {
      this.#bodies.release(held);
    }
  }

  async #readBody(request: FastifyRequest, target: Route): Promise<Uint8Array> {
    if (request.method === 'GET' || request.method === 'HEAD') return new Uint8Array(0);
    return readBody(request.raw, target.rawBody ? MAX_WRITE_BYTES : MAX_FORM_BYTES, this.#bodies);
  }

  #failure(error: unknown): Answer {
    if (error instanceof BodyLimitError) return textError(error.status, error.message, { connection: 'close' });
    const apiError = toApiError(error);
    if (apiError.errorType === 'internal')
      this.#options.logger.error('request failed', { err: errorMessage(error), stack: stackOf(error) });
    return jsonAnswer(errorEnvelope(apiError), httpStatus(apiError.errorType));
  }

  #crossOrigin(request: FastifyRequest): Readonly<Record<string, string>> {
    const origin = header(request, 'origin');
    return origin !== '' && request.url.startsWith(`${this.#options.routePrefix}/api/`) ? this.#cors(origin) : {};
  }
}

function toApiRequest(request: FastifyRequest, target: Route, body: Uint8Array, signal: AbortSignal): ApiRequest {
  const mark = request.url.indexOf('?');
  const queryString = mark < 0 ? '' : request.url.slice(mark + 1);
  const params = new FormParams();
  const type = header(request, 'content-type');
  const form = target.rawBody || body.length === 0 ? '' : type.split(';')[0]!.trim().toLowerCase();
  if (form === URL_FORM) params.addForm(new TextDecoder().decode(body));
  params.addForm(queryString);
  // As in Go: these fields come last, and a body that is no whole form has none.
  if (form === MULTIPART_FORM)
    for (const [name, value] of multipartFields(body, type) ?? []) params.addField(name, value);
  return {
    method: request.method,
    params,
    queryString,
    path: request.params as Readonly<Record<string, string>>,
    header: (name) => header(request, name),
    body,
    signal,
  };
}

/** Answers a request that doesn't get as far as a route: a path that can't be decoded, a type that is none. */
function refuseUnreadable(error: unknown, reply: FastifyReply): void {
  const status = (error as { statusCode?: number }).statusCode ?? 500;
  void reply
    .code(status)
    .type('text/plain; charset=utf-8')
    .send(Buffer.from(`${status} ${statusText(status)}`));
}

function header(request: FastifyRequest, name: string): string {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}

const stackOf = (error: unknown): string | undefined => (error instanceof Error ? error.stack : undefined);

/** Stands where Fastify would have a compiler of schemas. */
function noSchemas(): never {
  throw new AssertionError('no route has a schema');
}
