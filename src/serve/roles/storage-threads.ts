/**
 * The threads that hold samples, and how main keeps them in step: one that owns the head, one that owns the blocks, and the query workers,
 * which read both.
 *
 * A block is told to the query workers before anything relies on it; what it replaces goes when no query runs any more that began before.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { errorMessage } from '../../core/base/errors.ts';
import type { Logger } from '../../core/base/log.ts';
import type { MetricFamily } from '../../core/base/metrics.ts';
import { ApiError, type ReplayProgress } from '../api/backend.ts';
import type { HeadTruncation, IngestEvent, IngestMethods, IngestWorkerData, ReplayOutcome } from './ingest-worker.ts';
import { QueryPool, type QueryPoolOptions } from './query-pool.ts';
import { RpcClient, serveRpc, type RpcMethods } from './rpc.ts';
import { startThread, type ThreadOptions } from './start-thread.ts';
import type { StoreHostMethods, StoreMethods, StoreWorkerData } from './store-worker.ts';

/** Scraping makes little garbage. */
const INGEST_YOUNG_GENERATION_MB = 6;
/** How long an answer with metrics waits for those of the store. */
const STORE_METRICS_PATIENCE_MS = 500;
/** Writing blocks makes strings of labels. */
const STORE_YOUNG_GENERATION_MB = 6;

export interface StorageOptions {
  readonly ingest: Omit<IngestWorkerData, 'readerCount'>;
  readonly store: StoreWorkerData;
  readonly queries: Omit<QueryPoolOptions, 'stagings' | 'workerData'> & { readonly workerData: Omit<QueryPoolOptions['workerData'], 'memory'> };
  readonly logger: Logger;
  readonly onProgress: (progress: ReplayProgress) => void;
  /** A thread that can't be done without has ended by itself. */
  readonly onThreadEnded: (name: string, code: number) => void;
}

interface HeadMemory {
  readonly memory: WebAssembly.Memory;
  /** Reading areas: one for each query worker, then one for the store. */
  readonly stagings: readonly number[];
}

export class StorageThreads {
  readonly #options: StorageOptions;
  readonly #threads: Worker[] = [];
  #ingest: RpcClient<IngestMethods> | null = null;
  #store: RpcClient<StoreMethods> | null = null;
  #queries: QueryPool | null = null;
  #storeMetrics: readonly MetricFamily[] = [];
  #isClosing = false;

  constructor(options: StorageOptions) {
    this.#options = options;
  }

  get ingest(): RpcClient<IngestMethods> {
    return started(this.#ingest);
  }

  get store(): RpcClient<StoreMethods> {
    return started(this.#store);
  }

  get queries(): QueryPool {
    return started(this.#queries);
  }

  /** Opens the blocks, replays the log and lets the store begin. @throws Error where a thread fails */
  async start(): Promise<ReplayOutcome> {
    const { queries, ingest: data, store: storeData } = this.#options;
    let takeMemory: (memory: HeadMemory) => void = () => {};
    const gotMemory = new Promise<HeadMemory>((resolve) => (takeMemory = resolve));
    const ingest = this.#open<IngestMethods>({ module: 'ingest-worker', name: 'ingest', data: { ...data, readerCount: queries.workerCount + 1 } satisfies IngestWorkerData, youngGenerationMb: INGEST_YOUNG_GENERATION_MB });
    ingest.thread.on('message', (event: IngestEvent) => {
      if (event.kind === 'memory') takeMemory(event);
      else if (event.kind === 'progress') this.#options.onProgress({ min: event.min, max: event.max, current: event.current });
    });
    const store = this.#open<StoreMethods>({ module: 'store-worker', name: 'store', data: storeData, youngGenerationMb: STORE_YOUNG_GENERATION_MB });
    serveRpc<StoreHostMethods & RpcMethods>(store.thread, this.#hostMethods());
    const work = async (): Promise<ReplayOutcome> => {
      const head = await gotMemory;
      this.#queries = new QueryPool({ ...queries, stagings: head.stagings, workerData: { ...queries.workerData, memory: head.memory } });
      this.#ingest = ingest.client;
      this.#store = store.client;
      const blocksUntilMs = await this.store.call('open', null);
      const outcome = await this.ingest.call('start', { blocksUntilMs });
      await this.store.call('begin', { memory: head.memory, stagingAt: head.stagings[queries.workerCount]! });
      return outcome;
    };
    return Promise.race([work(), ingest.ended, store.ended]);
  }

  /** The store's are a little old while it is in the middle of something long. */
  async metrics(): Promise<MetricFamily[]> {
    const store = this.store.call('metrics', null).then((families) => {
      this.#storeMetrics = families;
    });
    const [ingest] = await Promise.all([this.ingest.call('metrics', null), Promise.race([store, wait(STORE_METRICS_PATIENCE_MS)])]);
    return [...ingest, ...this.#storeMetrics, ...this.queries.metrics()];
  }

  /** Ends queries, then what writes; what is in memory is in the log. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#queries?.close();
    // It may be waiting for the head, so it goes first.
    await this.#store?.call('close', null);
    await this.#ingest?.call('close', null);
  }

  /** The threads are gone when it resolves. */
  async terminate(): Promise<void> {
    this.#isClosing = true;
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  #open<Methods extends RpcMethods>(options: ThreadOptions): { thread: Worker; client: RpcClient<Methods>; ended: Promise<never> } {
    const thread = startThread(options);
    this.#threads.push(thread);
    const client = new RpcClient<Methods>(thread);
    const ended = new Promise<never>((_, reject) => {
      thread.on('error', reject);
      thread.on('exit', (code) => {
        client.close(new ApiError('unavailable', 'the server is stopping'));
        reject(new Error(`the ${options.name} thread ended with code ${code}`));
        if (!this.#isClosing) this.#options.onThreadEnded(options.name, code);
      });
    });
    // Once the start is over nobody waits for it.
    ended.catch(() => {});
    return { thread, client, ended };
  }

  /** What the store asks for. */
  #hostMethods(): StoreHostMethods {
    return {
      useBlocks: (change) => this.queries.useBlocks(change),
      quiesce: () => this.queries.quiesce(),
      truncateHead: (beforeMs) => this.#truncateHead(beforeMs),
      checkpointWritten: (bounds) => this.ingest.call('checkpointWritten', bounds),
      deleteFromHead: (deletion) => this.ingest.call('deleteSamples', deletion),
    };
  }

  /** Queries that began before the block was there still look for its samples in the head. */
  async #truncateHead(beforeMs: number): Promise<HeadTruncation['checkpoint']> {
    await this.queries.quiesce();
    const { epoch, checkpoint } = await this.ingest.call('truncate', beforeMs);
    // The memory of what was cut off is used again when those who might look at it are through; nobody has to wait for that.
    void this.queries
      .quiesce()
      .then(() => this.ingest.call('quiesced', epoch))
      .catch((error: unknown) => {
        if (!this.#isClosing) this.#options.logger.error('memory of the head could not be given back', { err: errorMessage(error) });
      });
    return checkpoint;
  }
}

function started<T>(part: T | null): T {
  if (part === null) throw new ApiError('unavailable', 'the server is starting');
  return part;
}
