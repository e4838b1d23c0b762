/**
 * Asks a server's HTTP API, ours or Prometheus', for the commands that do.
 */
import { errorMessage } from '../../core/base/errors.ts';

/** Longest wait for an answer. */
const TIMEOUT_MS = 120_000;

/** No answer, or one that says what was wrong. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
}

/** The address that users write: the scheme may be missing. @throws ServerError */
export function serverUrl(text: string): string {
  const url = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(url)) throw new ServerError(`"${text}" is not a server's URL`);
  return url.replace(/\/+$/, '');
}

/** Sends a form and gives the `data` of the answer. @throws ServerError */
export async function askApi(
  server: string,
  path: string,
  form: URLSearchParams,
  headers: Readonly<Record<string, string>>,
): Promise<unknown> {
  const text = await ask(`${serverUrl(server)}/api/v1/${path}`, { method: 'POST', body: form, headers });
  return dataOf(text);
}

/** The same by GET, for routes that take no form. @throws ServerError */
export async function getApi(
  server: string,
  path: string,
  params: URLSearchParams,
  headers: Readonly<Record<string, string>>,
): Promise<unknown> {
  return dataOf(await ask(`${serverUrl(server)}/api/v1/${path}?${params.toString()}`, { headers }));
}

/** Status and text of a plain path. @throws ServerError where there is no answer */
export async function getPath(server: string, path: string): Promise<{ status: number; text: string }> {
  const url = `${serverUrl(server)}${path}`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    throw new ServerError(`Get "${url}": ${reason(error)}`, { cause: error });
  }
}

async function ask(url: string, init: RequestInit): Promise<string> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
    if (!isJson) throw new ServerError(`${url}: ${response.status} ${text.trim().slice(0, 200)}`);
    return text;
  } catch (error) {
    if (error instanceof ServerError) throw error;
    throw new ServerError(`${init.method === 'POST' ? 'Post' : 'Get'} "${url}": ${reason(error)}`, { cause: error });
  }
}

function dataOf(text: string): unknown {
  const envelope = JSON.parse(text) as { status?: unknown; data?: unknown; errorType?: unknown; error?: unknown };
  if (envelope.status !== 'success') throw new ServerError(`${String(envelope.errorType)}: ${String(envelope.error)}`);
  return envelope.data;
}

/** `fetch` hides what happened in the cause. */
function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return errorMessage(cause);
}
