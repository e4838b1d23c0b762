/**
 * The store worker: the thread that owns the blocks. It writes them from the head, compacts them, removes what is beyond the retention,
 * deletes and takes snapshots, while scrapes and queries run elsewhere. The head it only reads; to cut it off it asks.
 */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../core/base/assert.ts';
import { systemClock } from '../../core/base/clock.ts';
import { createLogger, type Logger, type LogLevel } from '../../core/base/log.ts';
import { Registry, type MetricFamily } from '../../core/base/metrics.ts';
import { createHeadKernel } from '../../core/kernels/head-kernel.ts';
import { ROOT } from '../../core/kernels/head-layout.ts';
import type { KernelModules } from '../../core/kernels/kernels.ts';
import { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { HeadChunkPages } from '../../store/head/head-chunk-pages.ts';
import { HEAD_ROOT } from '../../store/head/head-memory.ts';
import { headSource } from '../../store/head/head-source.ts';
import { neededWalRefs } from '../../store/head/needed-wal-refs.ts';
import { describeFault } from '../../store/head/replay.ts';
import type { CheckpointBounds } from '../../store/head/wal-ref-expiries.ts';
import type { HeadView } from '../../store/head/series-chunks.ts';
import { formatBlockMeta } from '../../store/block/block-meta.ts';
import type { BlockInfo } from '../../store/tsdb/block-set.ts';
import type { RetentionLimits } from '../../store/tsdb/retention.ts';
import { Store, type Deletion, type HeadPort, type StoreStatus } from '../../store/tsdb/store.ts';
import { writeCheckpoint } from '../../store/wal/checkpoint.ts';
import type { WalCompression } from '../../store/wal/wal-writer.ts';
import type { BlockSummary } from '../api/backend.ts';
import type { HeadTruncation } from './ingest-worker.ts';
import type { BlockChange, BlockPlace } from './local-querier.ts';
import { RpcClient, serveRpc } from './rpc.ts';

/** How often it is looked for something to do. */
const TICK_MS = 60_000;

export interface StoreWorkerData {
  readonly modules: KernelModules;
  readonly dataFolder: string;
  readonly limits: RetentionLimits;
  readonly minBlockMs: number;
  readonly maxBlockMs: number | null;
  readonly walCompression: WalCompression;
  readonly logLevel: LogLevel;
  readonly logFormat: 'logfmt' | 'json';
}

/** What the store asks of the main thread. */
export type StoreHostMethods = {
  useBlocks(change: BlockChange): void;
  /** Resolves when no query runs any more that runs now. */
  quiesce(argument: null): Promise<void>;
  truncateHead(beforeMs: number): Promise<HeadTruncation['checkpoint']>;
  checkpointWritten(bounds: CheckpointBounds): Promise<void>;
  deleteFromHead(deletion: Deletion): Promise<number>;
};

export type StoreMethods = {
  /** Opens the blocks. @returns the end of what has been written from the head, null where that is nothing */
  open(argument: null): Promise<number | null>;
  /** The head is filled: from now on its oldest part is written when it is due. */
  begin(head: { readonly memory: WebAssembly.Memory; readonly stagingAt: number }): void;
  setLimits(limits: RetentionLimits): void;
  deleteSeries(deletion: Deletion): Promise<number>;
  cleanTombstones(argument: null): Promise<void>;
  snapshot(options: { readonly skipHead: boolean }): Promise<string>;
  blocks(argument: null): readonly BlockSummary[];
  status(argument: null): StoreStatus;
  metrics(argument: null): MetricFamily[];
  close(argument: null): Promise<void>;
};

class StoreWorker {
  readonly #data: StoreWorkerData;
  readonly #host: RpcClient<StoreHostMethods>;
  readonly #registry = new Registry();
  readonly #log: Logger;
  readonly #checkpoints = this.#registry.counter('prometheus_tsdb_checkpoint_creations_total', 'Total number of checkpoint creations attempted.');
  readonly #checkpointFailures = this.#registry.counter('prometheus_tsdb_checkpoint_creations_failed_total', 'Total number of checkpoint creations that failed.');
  #head: HeadView | null = null;
  #store: Store | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(data: StoreWorkerData, host: RpcClient<StoreHostMethods>) {
    this.#data = data;
    this.#host = host;
    this.#log = createLogger({ level: data.logLevel, format: data.logFormat, clock: systemClock, write: (line) => process.stderr.write(line) });
    this.#checkpoints.add(0);
    this.#checkpointFailures.add(0);
  }

  methods(): StoreMethods {
    return {
      open: () => this.#open(),
      begin: (head) => this.#begin(head),
      setLimits: (limits) => this.#opened().setLimits(limits),
      deleteSeries: (deletion) => this.#opened().deleteSeries(deletion),
      cleanTombstones: () => this.#opened().cleanTombstones(),
      snapshot: ({ skipHead }) => this.#opened().snapshot(!skipHead),
      // As the API shows them: what their meta.json says.
      blocks: () => this.#opened().blocks().map(({ meta }) => JSON.parse(formatBlockMeta(meta)) as BlockSummary),
      status: () => this.#opened().status(),
      metrics: () => this.#registry.snapshot(),
      close: () => this.#close(),
    };
  }

  #opened(): Store {
    assert(this.#store !== null, 'the store is asked only once it is open');
    return this.#store;
  }

  async #open(): Promise<number | null> {
    const { dataFolder, limits, minBlockMs, maxBlockMs } = this.#data;
    const host = this.#host;
    this.#store = await Store.open({
      dataFolder,
      head: this.#headPort(),
      readers: {
        use: ({ added, changed, removed }) =>
          host.call('useBlocks', { opened: [...added, ...changed].map(placeOf), removed: removed.map(({ meta }) => meta.ulid) }),
        quiesce: () => host.call('quiesce', null),
      },
      limits,
      blockRangeMs: minBlockMs,
      ...(maxBlockMs === null ? {} : { maxBlockRangeMs: maxBlockMs }),
      clock: systemClock,
      log: this.#log,
      registry: this.#registry,
    });
    const untilMs = this.#store.writtenUntilMs;
    return Number.isFinite(untilMs) ? untilMs : null;
  }

  #begin({ memory, stagingAt }: { readonly memory: WebAssembly.Memory; readonly stagingAt: number }): void {
    const linear = new LinearMemory(memory);
    const { modules, dataFolder } = this.#data;
    this.#head = { linear, kernel: createHeadKernel(modules.head, linear), stagingAt, files: new HeadChunkPages(dataFolder) };
    const store = this.#opened();
    this.#timer = setInterval(() => void store.tick(), TICK_MS);
    void store.tick();
  }

  /** The head through its shared memory, and through the main thread where it changes. */
  #headPort(): HeadPort {
    const times = (): { minTimeMs: number; maxTimeMs: number } | null => {
      if (this.#head === null) return null;
      const { f64 } = this.#head.linear;
      const minTimeMs = f64[(HEAD_ROOT + ROOT.MIN_TIME) >>> 3]!;
      const maxTimeMs = f64[(HEAD_ROOT + ROOT.MAX_TIME) >>> 3]!;
      return minTimeMs <= maxTimeMs ? { minTimeMs, maxTimeMs } : null;
    };
    return {
      timeRange: times,
      source: (range) => {
        assert(this.#head !== null, 'a head without times is not read');
        this.#head.linear.refresh();
        return headSource(this.#head, range);
      },
      truncate: (beforeMs) => this.#truncateHead(beforeMs),
      deleteSeries: (deletion) => this.#host.call('deleteFromHead', deletion),
    };
  }

  /** The log is cut down here, in the reader's thread: its owner goes on writing behind. */
  async #truncateHead(beforeMs: number): Promise<void> {
    const checkpoint = await this.#host.call('truncateHead', beforeMs);
    if (checkpoint === null) return;
    assert(this.#head !== null, 'what was truncated can be read');
    const { dataFolder, walCompression } = this.#data;
    const { lastSegment, minTimeMs, minTombstoneMs, otherWalRefs } = checkpoint;
    this.#checkpoints.add(1);
    const keepSeries = neededWalRefs(this.#head.linear, otherWalRefs);
    const { faults, ...counts } = writeCheckpoint(join(dataFolder, 'wal'), { lastSegment, minTimeMs, minTombstoneMs, keepSeries, compression: walCompression });
    for (const fault of faults) this.#log.error('a segment of the WAL could not be read for the checkpoint and stays', { fault: describeFault(fault) });
    if (faults.length > 0) this.#checkpointFailures.add(1);
    else {
      this.#log.info('WAL checkpoint written', { until: lastSegment, ...counts });
      await this.#host.call('checkpointWritten', { lastSegment, minTimeMs });
    }
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#store?.close();
  }
}

const placeOf = ({ folder, meta }: BlockInfo): BlockPlace => ({ ulid: meta.ulid, folder, minTimeMs: meta.minTimeMs, maxTimeMs: meta.maxTimeMs });

const port = parentPort;
assert(port !== null, 'the store worker runs as a thread');
// The parent made the data: it is what the type says.
serveRpc<StoreMethods>(port, new StoreWorker(workerData as StoreWorkerData, new RpcClient<StoreHostMethods>(port)).methods());
