/**
 * Why a server could not be reached, in the words that Prometheus' users know and search for.
 */
import { errorMessage } from '../../core/base/errors.ts';
import { HttpRequestError } from '../discovery/http-client.ts';

/** System errors of connecting, by code. */
const CONNECT: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['EHOSTUNREACH', 'no route to host'],
  ['ENETUNREACH', 'network is unreachable'],
  ['ETIMEDOUT', 'connection timed out'],
  ['EADDRNOTAVAIL', "can't assign requested address"],
  ['EMFILE', 'too many open files'],
  ['ENOENT', 'no such file or directory'],
  ['EACCES', 'permission denied'],
]);
/** Of an open connection. */
const TRANSFER: ReadonlyMap<string, string> = new Map([
  ['ECONNRESET', 'read: connection reset by peer'],
  ['EPIPE', 'write: broken pipe'],
]);

/** The reason for a failed request: that of the system error behind it, or the error's own message. */
export function networkReason(error: unknown): string {
  const system = systemErrorOf(error);
  if (system === null) {
    // The client's message names the URL, which the caller does as well.
    return errorMessage(error instanceof HttpRequestError ? (error.cause ?? error) : error);
  }
  const transfer = TRANSFER.get(system.code);
  if (transfer !== undefined) return transfer;
  if (system.code === 'ENOTFOUND' || system.code === 'EAI_AGAIN') {
    const what = system.code === 'ENOTFOUND' ? 'no such host' : 'server misbehaving';
    return `dial tcp: lookup ${system.host}: ${what}`;
  }
  return `dial ${system.place}: connect: ${CONNECT.get(system.code) ?? system.message}`;
}

interface SystemError {
  readonly code: string;
  readonly message: string;
  readonly host: string;
  /** `tcp address:port` or `unix path`. */
  readonly place: string;
}

/** Looks through causes, and through the attempts at several addresses of one name, of which the last counts. */
function systemErrorOf(error: unknown): SystemError | null {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; depth++) {
    if (at instanceof AggregateError && at.errors.length > 0) {
      at = at.errors.at(-1);
      continue;
    }
    if ('code' in at && typeof at.code === 'string' && 'syscall' in at) {
      const isConnect = at.syscall === 'connect' || at.syscall === 'getaddrinfo';
      if (isConnect || TRANSFER.has(at.code)) return describe(at, at.code);
    }
    at = at.cause;
  }
  return null;
}

function describe(error: Error, code: string): SystemError {
  const address = textOf(error, 'address');
  const port = textOf(error, 'port');
  const shown = address.includes(':') ? `[${address}]` : address;
  return {
    code,
    message: error.message,
    host: textOf(error, 'hostname'),
    place: port === '' ? `unix ${address}` : `tcp ${shown}:${port}`,
  };
}

function textOf(error: Error, property: string): string {
  const value: unknown = Object.entries(error).find(([name]) => name === property)?.[1];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
