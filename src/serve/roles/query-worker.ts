/**
 * One query worker: a thread that answers one query at a time over the head's shared memory and writes the response body.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../core/base/assert.ts';
import { Registry, type MetricFamily } from '../../core/base/metrics.ts';
import { createHeadKernel } from '../../core/kernels/head-kernel.ts';
import type { KernelModules } from '../../core/kernels/kernels.ts';
import { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { RegexError } from '../../core/model/matcher.ts';
import { CorruptError, errorMessage } from '../../core/base/errors.ts';
import { PromqlCanceledError, PromqlEvaluationError, PromqlSyntaxError, PromqlTimeoutError, PromqlTypeError } from '../../query/promql/errors.ts';
import { Engine } from '../../query/promql/engine.ts';
import { HeadQuerier } from '../../store/head/head-querier.ts';
import { HeadChunkPages } from '../../store/head/head-chunk-pages.ts';
import type { BackendQuery, CardinalityQuery } from '../api/backend.ts';
import { cardinality } from './cardinality-answer.ts';
import { LocalQuerier, type BlockChange, type BlockPlace } from './local-querier.ts';
import { answerMetadata } from './metadata-answer.ts';
import { writeFederateText } from '../api/federate-text.ts';
import { writeQueryJson } from '../api/query-json.ts';
import { federatedSamples } from './federate-answer.ts';
import type { QueryFailure } from './query-pool.ts';
import { systemClock } from '../../core/base/clock.ts';

/** What main sends: a query, or news of blocks, which count from the next query on. */
export type QueryWorkerOrder = ({ readonly kind: 'query' } & QueryWorkerRequest) | ({ readonly kind: 'blocks' } & BlockChange);

export interface QueryWorkerData {
  readonly modules: KernelModules;
  readonly memory: WebAssembly.Memory;
  readonly stagingAt: number;
  /** [0]: number of the query to stop. */
  readonly control: Int32Array;
  readonly dataFolder: string;
  readonly blocks: readonly BlockPlace[];
  readonly lookbackMs: number;
  readonly maxSamples: number;
  readonly featureFlags: readonly string[];
}

export interface QueryWorkerRequest {
  readonly id: number;
  readonly request: BackendQuery | CardinalityQuery;
  /** How long it waited for a worker, and how long it may still take. */
  readonly waitedMs: number;
  readonly leftMs: number;
  /** Step of a subquery that names none, as of the configuration in force. */
  readonly defaultStepMs: number;
}

export interface QueryWorkerMessage {
  readonly id: number;
  readonly piece: Uint8Array<ArrayBuffer> | null;
  readonly done: boolean;
  readonly error: QueryFailure | null;
  /** The worker's own metrics, with the last message of a query. */
  readonly metrics: readonly MetricFamily[];
}

const encoder = new TextEncoder();

class QueryWorker {
  readonly #data: QueryWorkerData;
  /** By the default step, which a reload may change: the last one used. */
  #engine: { readonly defaultStepMs: number; readonly engine: Engine } | null = null;
  readonly #head: HeadQuerier;
  readonly #querier: LocalQuerier;
  readonly #registry = new Registry();
  readonly #post: (message: QueryWorkerMessage, transfer: ArrayBuffer[]) => void;

  constructor(data: QueryWorkerData, post: (message: QueryWorkerMessage, transfer: ArrayBuffer[]) => void) {
    this.#data = data;
    this.#post = post;
    const linear = new LinearMemory(data.memory);
    this.#head = new HeadQuerier({ linear, kernel: createHeadKernel(data.modules.head, linear), stagingAt: data.stagingAt, files: new HeadChunkPages(data.dataFolder) });
    this.#querier = new LocalQuerier(this.#head);
    this.#querier.change({ opened: data.blocks, removed: [] });
  }

  #engineFor(defaultStepMs: number): Engine {
    if (this.#engine?.defaultStepMs !== defaultStepMs) {
      const { lookbackMs, maxSamples, featureFlags } = this.#data;
      this.#engine = { defaultStepMs, engine: new Engine({ lookbackMs, maxSamples, defaultStepMs, featureFlags }) };
    }
    return this.#engine.engine;
  }

  /** To be called while no query runs. */
  changeBlocks(change: BlockChange): void {
    this.#querier.change(change);
  }

  async answer(message: QueryWorkerRequest): Promise<void> {
    const { id, request } = message;
    let error: QueryFailure | null = null;
    try {
      const pieces = await this.#pieces(message);
      for (const piece of pieces) {
        const own = piece as Uint8Array<ArrayBuffer>;
        this.#post({ id, piece: own, done: false, error: null, metrics: [] }, [own.buffer]);
      }
    } catch (thrown) {
      error = failureOf(thrown, request);
    }
    this.#post({ id, piece: null, done: true, error, metrics: this.#registry.snapshot() }, []);
  }

  async #pieces({ request, id, waitedMs: queueMs, leftMs, defaultStepMs }: QueryWorkerRequest): Promise<Iterable<Uint8Array>> {
    const { control } = this.#data;
    const deadlineMs = systemClock.monotonicMs() + leftMs;
    const shouldStop = (): boolean => {
      if (systemClock.monotonicMs() > deadlineMs) throw new PromqlTimeoutError('query timed out in expression evaluation');
      return Atomics.load(control, 0) === id;
    };
    switch (request.kind) {
      case 'instant': {
        const { query, timeMs, lookbackMs, limit, stats } = request;
        return writeQueryJson(await this.#engineFor(defaultStepMs).instant(this.#querier, { query, timeMs, lookbackMs, shouldStop }), { limit, stats, queueMs });
      }
      case 'range': {
        const { query, startMs, endMs, stepMs, lookbackMs, limit, stats } = request;
        const result = await this.#engineFor(defaultStepMs).range(this.#querier, { query, startMs, endMs, stepMs, lookbackMs, shouldStop });
        return writeQueryJson(result, { limit, stats, queueMs });
      }
      case 'federate':
        return writeFederateText(await federatedSamples(this.#querier, request, this.#data.lookbackMs), request.externalLabels);
      case 'cardinality':
        return [encoder.encode(JSON.stringify(cardinality(this.#head.index, request.limit)))];
      default:
        return answerMetadata(this.#querier, request);
    }
  }
}

/** An error as the API tells it. */
function failureOf(error: unknown, request: BackendQuery | CardinalityQuery): QueryFailure {
  if (error instanceof PromqlSyntaxError) {
    return { errorType: 'bad_data', message: `invalid parameter "query": ${error.message}` };
  }
  if (error instanceof PromqlTypeError || error instanceof PromqlEvaluationError || error instanceof PromqlTimeoutError || error instanceof PromqlCanceledError) {
    return { errorType: error.errorType, message: error.message };
  }
  if (error instanceof RegexError) return { errorType: request.kind === 'instant' || request.kind === 'range' ? 'execution' : 'bad_data', message: error.message };
  if (error instanceof CorruptError) return { errorType: 'internal', message: error.message };
  return { errorType: 'internal', message: `unexpected error: ${errorMessage(error)}` };
}

const port = parentPort;
assert(port !== null, 'the query worker runs as a thread');
// The parent made these: they are what the types say.
const worker = new QueryWorker(workerData as QueryWorkerData, (message, transfer) => port.postMessage(message, transfer));
/** Orders are carried out one after the other. */
let turn: Promise<void> = Promise.resolve();
port.on('message', (order: QueryWorkerOrder) => {
  turn = turn.then(() => (order.kind === 'query' ? worker.answer(order) : worker.changeBlocks(order)));
});
