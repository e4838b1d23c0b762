/**
 * What the web configuration asks of every request before it is looked at: a rate, a password, headers of the answer.
 *
 * The file is read again when it has changed. One that can't be used lets no request in: it may have been meant to shut someone out.
 * Source: exporter-toolkit (verified against Prometheus 2.42).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../core/base/clock.ts';
import { errorMessage } from '../../core/base/errors.ts';
import type { Logger } from '../../core/base/log.ts';
import type { LoadedWebConfig, WebConfigFile } from '../config/load-web-config.ts';
import type { RequestHandler } from './listener.ts';
import { PasswordChecker, PasswordQueueError } from './password-checker.ts';
import { RateLimit } from './rate-limit.ts';

/** Compared with where there is no such user, so that the time of an answer does not tell who is one. It is no password's hash. */
const NOBODY = `$2y$10$${'.'.repeat(53)}`;

export class WebGuard {
  readonly #file: WebConfigFile;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #passwords = new PasswordChecker();
  #rate: { readonly of: LoadedWebConfig; readonly limit: RateLimit } | null = null;

  constructor(file: WebConfigFile, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#file = file;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** `handle`, for the requests that are let in. */
  before(handle: RequestHandler): RequestHandler {
    return (request, response) => {
      this.#admit(request, response).then(
        (isAdmitted) => {
          if (isAdmitted) handle(request, response);
        },
        (error: unknown) => {
          this.#logger.error('a request could not be checked', { file: this.#file.path, err: errorMessage(error) });
          refuse(response, 500, 'Internal Server Error');
        },
      );
    };
  }

  close(): Promise<void> {
    return this.#passwords.close();
  }

  /** @throws ConfigError */
  async #admit(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const loaded = this.#file.current();
    const { http, users } = loaded.config;
    for (const [name, value] of http.headers) response.setHeader(name, value);
    if (!this.#limitFor(loaded).take()) return refuse(response, 429, 'Too Many Requests');
    if (users.size === 0) return true;
    const given = basicCredentials(request.headers.authorization ?? '');
    const hash = given && users.get(given.user);
    try {
      // The comparison comes first in any case.
      if (given && (await this.#passwords.matches(given.password, hash ?? NOBODY)) && hash !== undefined) return true;
    } catch (error) {
      if (!(error instanceof PasswordQueueError)) throw error;
      return refuse(response, 503, error.message);
    }
    response.setHeader('www-authenticate', 'Basic');
    return refuse(response, 401, 'Unauthorized');
  }

  #limitFor(loaded: LoadedWebConfig): RateLimit {
    if (this.#rate?.of !== loaded)
      this.#rate = { of: loaded, limit: new RateLimit(loaded.config.rateLimit, this.#clock) };
    return this.#rate.limit;
  }
}

/** User and password of an `Authorization: Basic` header, undefined for any other. */
export function basicCredentials(header: string): { readonly user: string; readonly password: string } | undefined {
  const encoded = /^basic ([A-Za-z\d+/]+={0,2})$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function refuse(response: ServerResponse, status: number, message: string): false {
  if (!response.headersSent) {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' });
  }
  response.end(`${message}\n`);
  return false;
}
