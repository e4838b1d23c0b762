/**
 * Asks a server's HTTP API, ours or Prometheus', for the commands that do.
 */
import { errorMessage } from '../../core/base/errors.ts';
import { DEFAULT_HTTP_CLIENT_CONFIG, type HttpClientConfig } from '../../core/model/http-client-config.ts';
import {
  BodyTooLargeError,
  createHttpClient,
  HttpRequestError,
  type HttpClient,
} from '../../ingest/discovery/http-client.ts';
import { ServerError } from './command-errors.ts';

/** Longest wait for an answer. */
const TIMEOUT_MS = 120_000;
/** Longest answer that is taken. */
export const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
/** Most characters of an answer that an error repeats. */
const MAX_EXCERPT = 200;

export interface ApiClientOptions {
  /** Credentials, TLS, proxy. */
  readonly http?: HttpClientConfig;
  /** Extra request headers. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly maxAnswerBytes?: number;
}

interface Answer {
  readonly url: string;
  readonly status: number;
  readonly isJson: boolean;
  readonly text: string;
}

export class ApiClient {
  /** Without slashes at its end. */
  readonly url: string;
  readonly #client: HttpClient;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #maxAnswerBytes: number;

  /** @param server the address that users write: the scheme may be missing @throws ServerError */
  constructor(server: string, { http, headers, maxAnswerBytes }: ApiClientOptions = {}) {
    const url = server.includes('://') ? server : `http://${server}`;
    if (!URL.canParse(url)) throw new ServerError(`"${server}" is not a server's URL`);
    this.url = url.replace(/\/+$/, '');
    this.#client = createHttpClient(http ?? DEFAULT_HTTP_CLIENT_CONFIG);
    this.#headers = headers ?? {};
    this.#maxAnswerBytes = maxAnswerBytes ?? MAX_ANSWER_BYTES;
  }

  /** Sends a form and gives the `data` of the answer. @throws ServerError */
  async post(path: string, form: URLSearchParams): Promise<unknown> {
    return dataOf(await this.#ask('POST', `/api/v1/${path}`, form.toString()));
  }

  /** The same by GET, for routes that take no form. @throws ServerError */
  async get(path: string, params: URLSearchParams): Promise<unknown> {
    return dataOf(await this.#ask('GET', `/api/v1/${path}?${params.toString()}`));
  }

  /** Status and text of a plain path. @throws ServerError where there is no answer */
  getPlain(path: string): Promise<{ readonly status: number; readonly text: string }> {
    return this.#ask('GET', path);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #ask(method: 'GET' | 'POST', path: string, form?: string): Promise<Answer> {
    const url = `${this.url}${path}`;
    const type = form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
    try {
      const { status, headers, body } = await this.#client.request({
        url,
        method,
        headers: { ...type, ...this.#headers },
        ...(form === undefined ? {} : { body: form }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        maxBodyBytes: this.#maxAnswerBytes,
      });
      const text = Buffer.concat(await Array.fromAsync(body)).toString('utf8');
      return { url, status, text, isJson: headers['content-type']?.startsWith('application/json') ?? false };
    } catch (error) {
      throw new ServerError(`${method === 'POST' ? 'Post' : 'Get'} "${url}": ${reasonOf(error)}`, { cause: error });
    }
  }
}

function dataOf({ url, status, isJson, text }: Answer): unknown {
  if (!isJson) throw new ServerError(`${url}: ${status} ${text.trim().slice(0, MAX_EXCERPT)}`);
  let envelope: { status?: unknown; data?: unknown; errorType?: unknown; error?: unknown };
  try {
    envelope = JSON.parse(text) as typeof envelope;
  } catch (cause) {
    throw new ServerError(`${url}: ${errorMessage(cause)}`, { cause });
  }
  if (envelope.status !== 'success') throw new ServerError(`${String(envelope.errorType)}: ${String(envelope.error)}`);
  return envelope.data;
}

/** The client's own errors begin with method and URL, which stand in front already. */
function reasonOf(error: unknown): string {
  if (error instanceof HttpRequestError && error.cause !== undefined) return reasonOf(error.cause);
  if (error instanceof BodyTooLargeError) return `the answer has more than ${error.maxBodyBytes} bytes`;
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return errorMessage(error);
}
