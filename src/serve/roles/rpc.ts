/**
 * Calls between threads: a request message, an answer message, matched by number. About 75 µs a round trip, so one call per
 * stage or request, never one per series.
 */
import type { MessagePort, Transferable, Worker } from 'node:worker_threads';
import { ApiError, type ApiErrorType } from '../api/backend.ts';

/** The methods of a thread: name → function of one argument. Arguments and results are structured-cloned. */
export type RpcMethods = Record<string, (argument: never) => unknown>;

type ArgumentOf<M> = M extends (argument: infer A) => unknown ? A : never;
type ResultOf<M> = M extends (argument: never) => infer R ? Awaited<R> : never;

interface RequestMessage {
  readonly kind: 'request';
  readonly id: number;
  readonly method: string;
  readonly argument: unknown;
}

interface AnswerMessage {
  readonly kind: 'answer';
  readonly id: number;
  readonly result: unknown;
  readonly error: { readonly message: string; readonly errorType: ApiErrorType | null } | null;
}

/** A result that moves buffers instead of copying them. */
export class Transferring<T> {
  readonly value: T;
  readonly transfer: Transferable[];

  constructor(value: T, transfer: Transferable[]) {
    this.value = value;
    this.transfer = transfer;
  }
}

/** The caller's side. Errors of the other thread arrive as ApiError where they were one, else as Error with its message. */
export class RpcClient<Methods extends RpcMethods> {
  readonly #port: Worker | MessagePort;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #nextId = 1;
  #closed: Error | null = null;

  constructor(port: Worker | MessagePort) {
    this.#port = port;
    port.on('message', (message: { kind: string }) => {
      if (message.kind === 'answer') this.#settle(message as AnswerMessage);
    });
  }

  call<K extends keyof Methods & string>(method: K, argument: ArgumentOf<Methods[K]>, transfer: Transferable[] = []): Promise<ResultOf<Methods[K]>> {
    if (this.#closed) return Promise.reject(this.#closed);
    const id = this.#nextId++;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    const request: RequestMessage = { kind: 'request', id, method, argument };
    this.#port.postMessage(request, transfer);
    return answer as Promise<ResultOf<Methods[K]>>;
  }

  /** Fails all calls in flight and all to come: the other thread has ended. */
  close(reason: Error): void {
    this.#closed = reason;
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }

  #settle(message: AnswerMessage): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (!waiting) return;
    const { error } = message;
    if (error === null) waiting.resolve(message.result);
    else waiting.reject(error.errorType === null ? new Error(error.message) : new ApiError(error.errorType, error.message));
  }
}

/** The answering side. A method may return a promise, and a `Transferring` to move buffers. */
export function serveRpc<Methods extends RpcMethods>(port: Worker | MessagePort, methods: Methods): void {
  port.on('message', (message: { kind: string }) => {
    if (message.kind === 'request') void answer(port, methods, message as RequestMessage);
  });
}

async function answer(port: Worker | MessagePort, methods: RpcMethods, { id, method, argument }: RequestMessage): Promise<void> {
  const reply = (result: unknown, error: AnswerMessage['error'], transfer: Transferable[] = []): void => {
    const message: AnswerMessage = { kind: 'answer', id, result, error };
    port.postMessage(message, transfer);
  };
  try {
    const call = methods[method];
    if (call === undefined) throw new Error(`no method ${method}`);
    const result = await call(argument as never);
    if (result instanceof Transferring) reply(result.value, null, result.transfer);
    else reply(result, null);
  } catch (error) {
    const errorType = error instanceof ApiError ? error.errorType : null;
    reply(null, { message: error instanceof Error ? error.message : String(error), errorType });
  }
}
