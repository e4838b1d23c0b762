/**
 * The ingest worker: the thread that owns the head. It replays the WAL, scrapes, takes remote writes, and writes the WAL; nobody
 * else writes its memory.
 */
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../core/base/assert.ts';
import { systemClock } from '../../core/base/clock.ts';
import { errorMessage } from '../../core/base/errors.ts';
import { createLogger, type LogLevel, type Logger } from '../../core/base/log.ts';
import { Registry, type MetricFamily } from '../../core/base/metrics.ts';
import { createHeadKernel } from '../../core/kernels/head-kernel.ts';
import { ROOT } from '../../core/kernels/head-layout.ts';
import type { KernelModules } from '../../core/kernels/kernels.ts';
import { SnappyKernel } from '../../core/kernels/snappy-kernel.ts';
import { MemoryLimitError, type LinearMemory } from '../../core/kernels/linear-memory.ts';
import type { AppendCounts, Appender, AppendOptions, SampleColumns, SeriesRef } from '../../core/storage/appender.ts';
import type { Labels } from '../../core/model/labels.ts';
import { HeadChunkWriter } from '../../store/head/head-chunk-files.ts';
import type { DeleteRequest } from '../../store/head/head-deletion.ts';
import { Head } from '../../store/head/head.ts';
import { describeFault, replayHead } from '../../store/head/replay.ts';
import { READER_STAGING_BYTES } from '../../store/head/series-chunks.ts';
import type { CheckpointBounds } from '../../store/head/wal-ref-expiries.ts';
import { segmentToCheckpoint } from '../../store/wal/checkpoint.ts';
import { listSegments } from '../../store/wal/wal-format.ts';
import { SeriesEncoder } from '../../store/wal/wal-records.ts';
import { WalWriter, type WalCompression } from '../../store/wal/wal-writer.ts';
import type { HeadStatus, ReplayProgress, TargetMetadata, TargetState, WriteOutcome } from '../api/backend.ts';
import { ScrapePart, type ScrapeSetup } from './scrape-part.ts';
import { RemoteWritePart } from './remote-write-part.ts';
import { serveRpc } from './rpc.ts';

/** Chunks written to files in one go, so that scrapes are not held up. */
const FLUSH_CHUNKS = 2000;
const FLUSH_INTERVAL_MS = 1000;
const PROGRESS_INTERVAL_MS = 100;
/** How long scrapes may have to wait for a step of something long. */
const SLICE_MS = 2;

export interface IngestWorkerData {
  readonly modules: KernelModules;
  readonly dataFolder: string;
  /** Reading areas to set aside for query workers. */
  readonly readerCount: number;
  readonly walCompression: WalCompression;
  /** What one block will hold: no chunk reaches over its end. */
  readonly minBlockMs: number;
  readonly logLevel: LogLevel;
  readonly logFormat: 'logfmt' | 'json';
  /** Mixed into the phase of each target, so that replicas do not scrape at the same instant. */
  readonly scrapeSeed: string;
}

/** What the worker tells unasked. */
export type IngestEvent =
  | { readonly kind: 'memory'; readonly memory: WebAssembly.Memory; readonly stagings: readonly number[] }
  | ({ readonly kind: 'progress' } & ReplayProgress);

export interface ReplayOutcome {
  readonly corruptionCount: number;
  readonly replayMs: number;
}

export interface HeadTruncation {
  /** For `quiesced`. */
  readonly epoch: number;
  /** What the log can now be cut down to; null where it is too short for that. */
  readonly checkpoint: (CheckpointBounds & { readonly minTombstoneMs: number; readonly otherWalRefs: Float64Array }) | null;
}

export type IngestMethods = {
  /**
   * Replays, opens the WAL behind it and is ready to take samples.
   * @param start the end of what blocks hold, null where there are none
   */
  start(start: { readonly blocksUntilMs: number | null }): ReplayOutcome;
  /** Samples before are in blocks that every query looks at: they leave the head. */
  truncate(beforeMs: number): Promise<HeadTruncation>;
  checkpointWritten(bounds: CheckpointBounds): void;
  /** @returns in how many series */
  deleteSamples(deletion: DeleteRequest): number;
  /** Nobody reads any more what the truncation of `epoch` removed. */
  quiesced(epoch: number): Promise<void>;
  applyScrape(setup: ScrapeSetup): void;
  targets(argument: null): readonly TargetState[];
  metadata(argument: null): readonly TargetMetadata[];
  remoteWrite(body: Uint8Array): WriteOutcome;
  headStatus(argument: null): HeadStatus;
  metrics(argument: null): MetricFamily[];
  close(argument: null): Promise<void>;
};

class IngestWorker {
  readonly #data: IngestWorkerData;
  readonly #emit: (event: IngestEvent) => void;
  readonly #logger: Logger;
  readonly #registry = new Registry();
  readonly #memory: LinearMemory;
  readonly #head: Head;
  readonly #series = new SeriesEncoder();
  #wal: WalWriter | null = null;
  #chunks: HeadChunkWriter | null = null;
  #flushTimer: NodeJS.Timeout | undefined;
  #scrape: ScrapePart | null = null;
  #write: RemoteWritePart | null = null;
  readonly #appended = this.#registry.counter('prometheus_tsdb_head_samples_appended_total', 'Total number of appended samples.');
  readonly #outOfOrder = this.#registry.counter('prometheus_tsdb_out_of_order_samples_total', 'Total number of out of order samples ingestion failed attempts.');
  readonly #outOfBounds = this.#registry.counter('prometheus_tsdb_out_of_bound_samples_total', 'Total number of out of bound samples ingestion failed attempts.');
  readonly #appendedOutOfOrder = this.#registry.counter('prometheus_tsdb_head_out_of_order_samples_appended_total', 'Total number of appended out of order samples.');
  readonly #tooOld = this.#registry.counter('prometheus_tsdb_too_old_samples_total', 'Total number of out of order samples ingestion failed attempts with out of support enabled, but sample outside of time window.');
  readonly #walFailures = this.#registry.counter('prometheus_tsdb_wal_writes_failed_total', 'Total number of WAL writes that failed.');
  readonly #chunkFailures = this.#registry.counter('coeus_head_chunk_writes_failed_total', 'Writes of head chunk files that failed; they are tried again.');
  readonly #truncations = this.#registry.counter('prometheus_tsdb_head_truncations_total', 'Total number of head truncations attempted.');
  readonly #corruptions = this.#registry.counter('prometheus_tsdb_wal_corruptions_total', 'Total number of WAL corruptions.');

  constructor(data: IngestWorkerData, emit: (event: IngestEvent) => void) {
    this.#data = data;
    this.#emit = emit;
    this.#logger = createLogger({
      level: data.logLevel,
      format: data.logFormat,
      clock: systemClock,
      write: (line) => process.stderr.write(line),
    });
    this.#memory = Head.createMemory();
    this.#head = new Head({ memory: this.#memory, kernel: createHeadKernel(data.modules.head, this.#memory), log: { log: () => {} }, chunkRangeMs: data.minBlockMs });
    const stagings = Array.from({ length: data.readerCount }, () => this.#memory.allocate(READER_STAGING_BYTES));
    this.#registerMetrics();
    emit({ kind: 'memory', memory: this.#memory.memory, stagings });
  }

  #start({ blocksUntilMs }: { readonly blocksUntilMs: number | null }): ReplayOutcome {
    try {
      return this.#replay(blocksUntilMs);
    } catch (error) {
      if (!(error instanceof MemoryLimitError)) throw error;
      throw new Error(`the samples in the WAL do not fit in memory: ${error.message}`, { cause: error });
    }
  }

  #replay(blocksUntilMs: number | null): ReplayOutcome {
    const { dataFolder } = this.#data;
    const walFolder = this.#walFolder;
    const began = systemClock.monotonicMs();
    let lastProgressMs = Number.NEGATIVE_INFINITY;
    const report = replayHead(this.#head, {
      dataFolder,
      walFolder,
      ...(blocksUntilMs === null ? {} : { minValidTimeMs: blocksUntilMs }),
      progress: (done, total) => {
        const now = systemClock.monotonicMs();
        if (now - lastProgressMs < PROGRESS_INTERVAL_MS && done < total) return;
        lastProgressMs = now;
        this.#emit({ kind: 'progress', min: 0, max: total, current: done });
      },
    });
    const replayMs = systemClock.monotonicMs() - began;
    let corruptionCount = 0;
    for (const fault of [report.walFault, report.chunkFault]) {
      if (fault === null) continue;
      if ('isTornTail' in fault && fault.isTornTail) {
        // How a log ends whose process was killed while it wrote: nothing that was acknowledged is in it.
        this.#logger.info('the log ended in a record that was cut off', { at: describeFault(fault) });
        continue;
      }
      corruptionCount++;
      this.#corruptions.add(1);
      this.#logger.warn('damaged storage was cut at the fault', { fault: describeFault(fault), kept: report.setAside.join(' ') });
    }
    for (const [type, count] of report.skippedRecords) this.#logger.warn('WAL records of a type that is not held yet were left in the log', { type, count });
    if (report.unknownRefSamples > 0) this.#logger.warn('samples without a series in the WAL were dropped', { count: report.unknownRefSamples });
    this.#logger.info('WAL replayed', { series: report.seriesCount, samples: report.sampleCount, chunks: report.chunkCount, duration: `${Math.round(replayMs)}ms` });
    this.#wal = new WalWriter(walFolder, {
      compression: this.#data.walCompression,
      encoder: new SnappyKernel(this.#data.modules.snappy, this.#memory),
    });
    this.#chunks = new HeadChunkWriter(dataFolder, report.chunkFileTimes);
    this.#head.setLog({
      log: (series, samples) => this.#wal!.log(series.length > 0 ? [this.#series.encode(series), ...samples] : samples),
    });
    this.#flushTimer = setInterval(() => this.#flushChunks(), FLUSH_INTERVAL_MS);
    const appender = this.#countingAppender();
    this.#scrape = new ScrapePart({
      modules: this.#data.modules,
      memory: this.#memory,
      appender,
      registry: this.#registry,
      logger: this.#logger,
      clock: systemClock,
      seed: this.#data.scrapeSeed,
    });
    this.#write = new RemoteWritePart(appender, this.#registry, this.#logger);
    return { corruptionCount, replayMs };
  }

  methods(): IngestMethods {
    return {
      start: (start) => this.#start(start),
      truncate: (beforeMs) => this.#truncate(beforeMs),
      deleteSamples: (deletion) => this.#head.deleteSamples(deletion),
      checkpointWritten: (bounds) => this.#head.checkpointWritten(bounds),
      quiesced: (epoch) => inSlices(this.#head.quiesced(epoch)),
      applyScrape: (setup) => this.#started(this.#scrape).apply(setup),
      targets: () => this.#started(this.#scrape).targets(),
      metadata: () => this.#started(this.#scrape).metadata(),
      remoteWrite: (body) => this.#started(this.#write).take(body),
      headStatus: () => this.#status(),
      metrics: () => this.#registry.snapshot(),
      close: () => this.#close(),
    };
  }

  #started<T>(part: T | null): T {
    assert(part !== null, 'the ingest worker is asked only once it is ready');
    return part;
  }

  /** The head as scrapes and writes see it: outcomes are counted, a full disk or memory is told apart from a bug. */
  #countingAppender(): Appender {
    const head = this.#head;
    return {
      series: (labels: Labels): SeriesRef => head.series(labels),
      append: (columns: SampleColumns, options?: AppendOptions): AppendCounts => {
        const counts = head.append(columns, options);
        this.#appended.add(counts.appended, FLOAT);
        this.#appendedOutOfOrder.add(counts.appendedOutOfOrder, FLOAT);
        this.#tooOld.add(counts.tooOld, FLOAT);
        this.#outOfOrder.add(counts.outOfOrder, FLOAT);
        this.#outOfBounds.add(counts.outOfBounds, FLOAT);
        return counts;
      },
      commit: () => {
        try {
          head.commit();
        } catch (error) {
          this.#walFailures.add(1);
          throw error;
        }
      },
    };
  }

  #flushChunks(): void {
    assert(this.#chunks !== null, 'chunks are flushed once the files are open');
    try {
      if (this.#head.flushChunks(this.#chunks, FLUSH_CHUNKS) === FLUSH_CHUNKS) setImmediate(() => this.#flushChunks());
    } catch (error) {
      this.#chunkFailures.add(1);
      this.#logger.error('full chunks could not be written and stay in memory', { err: errorMessage(error) });
    }
  }

  /** Goes on between scrapes; one at a time, since the store waits for it. */
  async #truncate(beforeMs: number): Promise<HeadTruncation> {
    const wal = this.#started(this.#wal);
    const chunks = this.#started(this.#chunks);
    const scrape = this.#started(this.#scrape);
    const write = this.#started(this.#write);
    const unbind = (isGone: (ref: SeriesRef) => boolean): void => {
      scrape.unbind(isGone);
      write.forget();
    };
    const { epoch, removedSeries, removedChunks } = await inSlices(this.#head.truncate({ beforeMs, unbind }, wal.segment));
    this.#truncations.add(1);
    this.#head.setFirstChunkFile(chunks.truncate(beforeMs, this.#head.outOfOrder.oldestChunkFile));
    this.#logger.info('head was truncated', { before: beforeMs, series: removedSeries, chunks: removedChunks });
    wal.startSegment();
    const lastSegment = segmentToCheckpoint(listSegments(this.#walFolder).filter((segment) => segment < wal.segment));
    if (lastSegment === null) return { epoch, checkpoint: null };
    const bounds = { lastSegment, minTimeMs: beforeMs };
    return { epoch, checkpoint: { ...bounds, minTombstoneMs: this.#head.minTombstoneMs(beforeMs), otherWalRefs: this.#head.checkpointNeeds(bounds) } };
  }

  get #walFolder(): string {
    return join(this.#data.dataFolder, 'wal');
  }

  #status(): HeadStatus {
    const { memory } = this.#head;
    return {
      seriesCount: this.#head.seriesCount,
      labelPairCount: this.#head.labelPairCount,
      chunkCount: memory.get(ROOT.CHUNK_COUNT),
      minTimeMs: this.#head.minTimeMs,
      maxTimeMs: this.#head.maxTimeMs,
    };
  }

  #registerMetrics(): void {
    const registry = this.#registry;
    const { memory } = this.#head;
    for (const counter of [this.#appended, this.#appendedOutOfOrder, this.#outOfOrder, this.#outOfBounds, this.#tooOld]) counter.add(0, FLOAT);
    for (const counter of [this.#walFailures, this.#chunkFailures, this.#corruptions, this.#truncations]) counter.add(0);
    registry.observe('prometheus_tsdb_head_series', 'Total number of series in the head block.', 'gauge', () => this.#head.seriesCount);
    registry.observe('prometheus_tsdb_head_series_created_total', 'Total number of series created in the head', 'counter', () => this.#head.createdSeries);
    registry.observe('prometheus_tsdb_head_series_removed_total', 'Total number of series removed in the head', 'counter', () => this.#head.removedSeries);
    registry.observe('prometheus_tsdb_head_chunks', 'Total number of chunks in the head block.', 'gauge', () => memory.get(ROOT.CHUNK_COUNT));
    registry.observe('prometheus_tsdb_head_min_time_seconds', 'Minimum time bound of the head block.', 'gauge', () => finite(this.#head.minTimeMs / 1000));
    registry.observe('prometheus_tsdb_head_max_time_seconds', 'Maximum timestamp of the head block.', 'gauge', () => finite(this.#head.maxTimeMs / 1000));
    registry.observe('prometheus_tsdb_symbol_table_size_bytes', 'Size of symbol table in memory for loaded blocks', 'gauge', () => memory.get(ROOT.LABEL_BYTES));
    registry.observe('prometheus_tsdb_wal_segment_current', 'WAL segment index that TSDB is currently writing to.', 'gauge', () => this.#wal?.segment ?? 0);
    registry.observe('coeus_head_memory_bytes', 'Linear memory that the head has laid out.', 'gauge', () => this.#memory.usedBytes);
    registry.observe('coeus_head_pending_chunks', 'Full chunks that wait to be written to a file.', 'gauge', () => this.#head.pendingChunks);
  }

  async #close(): Promise<void> {
    clearInterval(this.#flushTimer);
    await this.#scrape?.stop();
    this.#head.commit();
    this.#wal?.close();
    this.#chunks?.close();
  }
}

/** Runs the steps of a long change to the head, with turns for everything else in between. */
async function inSlices<T>(steps: Generator<undefined, T>): Promise<T> {
  for (;;) {
    const untilMs = systemClock.monotonicMs() + SLICE_MS;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (systemClock.monotonicMs() < untilMs);
    await nextTurn();
  }
}

const FLOAT = { type: 'float' };

const finite = (value: number): number => (Number.isFinite(value) ? value : 0);

const port = parentPort;
assert(port !== null, 'the ingest worker runs as a thread');
// The parent made these: they are what the types say.
serveRpc<IngestMethods>(port, new IngestWorker(workerData as IngestWorkerData, (event) => port.postMessage(event)).methods());
