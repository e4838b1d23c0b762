/**
 * The query workers: each answers one query at a time; the rest wait in line.
 *
 * A worker polls its cancel word between batches of series, so a query whose client has gone or whose time is up ends soon. One
 * that does not end within a grace period is stuck in something that can't poll: its thread is replaced, the others go on.
 */
import type { Worker } from 'node:worker_threads';
import { assert } from '../../core/base/assert.ts';
import type { Logger } from '../../core/base/log.ts';
import type { Counter, Gauge, MetricFamily, Registry, Summary } from '../../core/base/metrics.ts';
import { ApiError, type ApiErrorType, type BackendQuery, type CardinalityQuery } from '../api/backend.ts';
import { startThread } from './start-thread.ts';
import type { BlockChange, BlockPlace } from './local-querier.ts';
import type { QueryWorkerData, QueryWorkerMessage, QueryWorkerOrder } from './query-worker.ts';

/** Queries that wait at most, beside those that run. One more is refused. */
export const MAX_WAITING_QUERIES = 1000;
/** Queries make garbage: labels, results. */
const YOUNG_GENERATION_MB = 24;
/** How long past its timeout a query may keep its thread. */
const STUCK_GRACE_MS = 10_000;

interface Job {
  readonly id: number;
  readonly request: BackendQuery | CardinalityQuery;
  readonly queuedAtMs: number;
  readonly timeoutMs: number;
  readonly pieces: PieceQueue;
  /** Resolves when the first piece has come. */
  readonly started: () => void;
  readonly failed: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
  slot: Slot | null;
  /** 0 while it waits. */
  startedAtMs: number;
}

interface Slot {
  worker: Worker;
  /** [0]: the number of the query to stop, 0 for none. */
  control: Int32Array;
  job: Job | null;
  metrics: readonly MetricFamily[];
}

export interface QueryPoolOptions {
  readonly workerCount: number;
  /** What each worker starts with; `stagings` has one address a worker. */
  readonly workerData: Omit<QueryWorkerData, 'control' | 'stagingAt' | 'blocks'>;
  readonly stagings: readonly number[];
  readonly defaultTimeoutMs: number;
  /** Step of a subquery that names none; asked for each query. */
  readonly defaultStepMs: () => number;
  readonly registry: Registry;
  readonly logger: Logger;
}

export class QueryPool {
  readonly #options: QueryPoolOptions;
  readonly #slots: Slot[] = [];
  readonly #waiting: Job[] = [];
  readonly #durations: Summary;
  readonly #running: Gauge;
  readonly #refused: Counter;
  /** What a new worker begins with. */
  readonly #blocks = new Map<string, BlockPlace>();
  readonly #quiescing = new Set<{ readonly jobs: Set<Job>; readonly resolve: () => void }>();
  #nextId = 1;
  #closed = false;

  constructor(options: QueryPoolOptions) {
    assert(options.stagings.length >= options.workerCount, 'each query worker has its staging area');
    this.#options = options;
    const { registry } = options;
    this.#durations = registry.summary('prometheus_engine_query_duration_seconds', 'Query timings', [0.5, 0.9, 0.99]);
    this.#running = registry.gauge('prometheus_engine_queries', 'The current number of queries being executed or waiting.');
    this.#refused = registry.counter('coeus_queries_refused_total', 'Queries refused because too many were waiting.');
    registry.gauge('prometheus_engine_queries_concurrent_max', 'The max number of concurrent queries.').set(options.workerCount);
    this.#running.set(0);
    this.#refused.add(0);
  }

  /**
   * Runs a query. The promise settles when the first bytes are there, or the error.
   * @throws ApiError
   */
  async run(request: BackendQuery | CardinalityQuery, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    if (this.#closed) throw new ApiError('unavailable', 'the server is stopping');
    if (this.#waiting.length >= MAX_WAITING_QUERIES) {
      this.#refused.add(1);
      throw new ApiError('unavailable', `too many queries: ${MAX_WAITING_QUERIES} are waiting already`);
    }
    if (signal.aborted) throw new ApiError('canceled', 'query was canceled');
    const timeoutMs = 'timeoutMs' in request ? request.timeoutMs : this.#options.defaultTimeoutMs;
    const pieces = new PieceQueue();
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const job: Job = {
        id,
        request,
        queuedAtMs: performance.now(),
        timeoutMs,
        pieces,
        started: () => resolve(pieces),
        failed: (error) => {
          reject(error);
          pieces.fail(error);
        },
        timer: setTimeout(() => this.#expire(job), timeoutMs + STUCK_GRACE_MS),
        slot: null,
        startedAtMs: 0,
      };
      job.timer.unref();
      signal.addEventListener('abort', () => this.#cancel(job), { once: true });
      this.#running.add(1);
      this.#waiting.push(job);
      this.#dispatch();
    });
  }

  /** Every query that begins from now on looks at these blocks. */
  useBlocks(change: BlockChange): void {
    for (const ulid of change.removed) this.#blocks.delete(ulid);
    for (const place of change.opened) this.#blocks.set(place.ulid, place);
    const order: QueryWorkerOrder = { kind: 'blocks', ...change };
    for (const { worker } of this.#slots) worker.postMessage(order);
  }

  /** Resolves when no query runs any more that runs now. */
  quiesce(): Promise<void> {
    const jobs = new Set(this.#slots.flatMap(({ job }) => job ?? []));
    if (jobs.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#quiescing.add({ jobs, resolve }));
  }

  /** Last known metrics of the workers. */
  metrics(): MetricFamily[] {
    return this.#slots.flatMap((slot) => [...slot.metrics]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#waiting.splice(0)) this.#finish(job, new ApiError('unavailable', 'the server is stopping'));
    await Promise.all(this.#slots.map(({ worker }) => worker.terminate()));
  }

  #open(index: number): Slot {
    const control = new Int32Array(new SharedArrayBuffer(4));
    const data: QueryWorkerData = { ...this.#options.workerData, control, stagingAt: this.#options.stagings[index]!, blocks: [...this.#blocks.values()] };
    const worker = startThread({ module: 'query-worker', name: `query-${index}`, data, youngGenerationMb: YOUNG_GENERATION_MB });
    const slot: Slot = { worker, control, job: null, metrics: [] };
    worker.on('message', (message: QueryWorkerMessage) => this.#receive(slot, message));
    worker.on('error', (error: Error) => this.#replace(slot, index, error));
    worker.on('exit', (code) => {
      if (slot.worker === worker) this.#replace(slot, index, new Error(`query worker ended with code ${code}`));
    });
    worker.unref();
    return slot;
  }

  /** A new thread in the place of one that has died; its query alone fails. */
  #replace(slot: Slot, index: number, cause: Error): void {
    if (this.#closed || this.#slots[index] !== slot) return;
    this.#options.logger.error('query worker failed and is replaced', { err: cause.message });
    const { job } = slot;
    slot.job = null;
    this.#slots[index] = this.#open(index);
    if (job) this.#finish(job, new ApiError('internal', `the query ended its worker: ${cause.message}`));
    this.#dispatch();
  }

  /** Hands waiting queries to free workers. A worker is started when there is none that is free, and then stays. */
  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const slot = this.#freeSlot();
      if (slot === null) return;
      const job = this.#waiting.shift()!;
      const waitedMs = performance.now() - job.queuedAtMs;
      if (waitedMs >= job.timeoutMs) {
        this.#finish(job, new ApiError('timeout', 'query timed out in query queue'));
        continue;
      }
      slot.job = job;
      job.slot = slot;
      job.startedAtMs = performance.now();
      this.#durations.record(waitedMs / 1000, { slice: 'queue_time' });
      const message: QueryWorkerOrder = { kind: 'query', id: job.id, request: job.request, waitedMs, leftMs: job.timeoutMs - waitedMs, defaultStepMs: this.#options.defaultStepMs() };
      slot.worker.postMessage(message);
    }
  }

  #freeSlot(): Slot | null {
    const free = this.#slots.find((slot) => slot.job === null);
    if (free !== undefined) return free;
    if (this.#slots.length === this.#options.workerCount) return null;
    const slot = this.#open(this.#slots.length);
    this.#slots.push(slot);
    return slot;
  }

  #receive(slot: Slot, message: QueryWorkerMessage): void {
    const { job } = slot;
    if (job === null || message.id !== job.id) return;
    if (message.piece !== null) {
      job.pieces.push(message.piece);
      job.started();
    }
    if (!message.done) return;
    slot.job = null;
    slot.metrics = message.metrics;
    this.#finish(job, message.error === null ? null : new ApiError(message.error.errorType, message.error.message));
    this.#dispatch();
  }

  #finish(job: Job, error: Error | null): void {
    clearTimeout(job.timer);
    this.#tellQuiescing(job);
    this.#running.add(-1);
    // Writing the answer is in it: both happen in the worker.
    if (job.startedAtMs > 0) this.#durations.record((performance.now() - job.startedAtMs) / 1000, { slice: 'inner_eval' });
    if (error) job.failed(error);
    else job.pieces.end();
  }

  #tellQuiescing(job: Job): void {
    for (const waiting of this.#quiescing) {
      waiting.jobs.delete(job);
      if (waiting.jobs.size > 0) continue;
      this.#quiescing.delete(waiting);
      waiting.resolve();
    }
  }

  #cancel(job: Job): void {
    const at = this.#waiting.indexOf(job);
    if (at >= 0) {
      this.#waiting.splice(at, 1);
      this.#finish(job, new ApiError('canceled', 'query was canceled in query queue'));
    } else if (job.slot?.job === job) Atomics.store(job.slot.control, 0, job.id);
  }

  #expire(job: Job): void {
    const { slot } = job;
    if (slot?.job !== job) {
      this.#cancel(job);
      return;
    }
    const index = this.#slots.indexOf(slot);
    slot.job = null;
    this.#options.logger.error('query did not end in time, its worker is replaced', { query: describe(job.request) });
    const { worker } = slot;
    this.#slots[index] = this.#open(index);
    void worker.terminate();
    this.#finish(job, new ApiError('timeout', 'query timed out in expression evaluation'));
    this.#dispatch();
  }
}

function describe(request: BackendQuery | CardinalityQuery): string {
  return 'query' in request ? request.query.slice(0, 1000) : request.kind;
}

/** Pieces on their way from a worker to a response. */
class PieceQueue implements AsyncIterable<Uint8Array> {
  readonly #pieces: Uint8Array[] = [];
  #ended = false;
  #error: Error | null = null;
  #wake: (() => void) | null = null;

  push(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  fail(error: Error): void {
    this.#error = error;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) yield piece;
      else if (this.#error) throw this.#error;
      else if (this.#ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = null;
      }
    }
  }
}

/** What a failed query tells the API. */
export type QueryFailure = { readonly errorType: ApiErrorType; readonly message: string };
