/**
 * The head: the newest samples, in linear memory, with a WAL behind them. This is its owner's side; see head-querier.ts for the
 * readers'.
 *
 * Samples go through the append kernel in columns. What it took is encoded as one WAL record per call and handed to the operating
 * system at commit, series first. Full chunks wait in memory until `flushChunks` writes them to head chunk files.
 */
import { META, RECORD, ROOT, STATUS } from '../../core/kernels/head-layout.ts';
import type { HeadKernel } from '../../core/kernels/head-kernel.ts';
import { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { KERNEL_RESERVED_BYTES } from '../../core/kernels/kernels.ts';
import type { Labels } from '../../core/model/labels.ts';
import type { AppendCounts, Appender, SampleColumns, SeriesRef } from '../../core/storage/appender.ts';
import { entryAddress, HEAD_ROOT, HeadMemory } from './head-memory.ts';
import { LabelIndex } from './label-index.ts';

/** Span of one head chunk's range and, later, of a block: two hours. */
export const DEFAULT_CHUNK_RANGE_MS = 2 * 3600 * 1000;
/** Longest WAL record of samples: 17 bytes and at most 23 a sample. */
const LOG_HEADER_BYTES = 17;
const LOG_SAMPLE_BYTES = 23;
/** Samples that one kernel call takes; longer columns are cut. */
const MAX_BATCH = 65_536;
/** Records of a commit: what does not fit is handed to the log early. */
const LOG_BUFFER_BYTES = 4 * 1024 * 1024;

/** A series as the WAL names it. */
export interface LoggedSeries {
  readonly walRef: number;
  readonly labels: Labels;
}

/** Where commits go: the WAL, or nothing in tests and tools. */
export interface HeadLog {
  /** Hands the records to the operating system, series before samples. `samples` are whole records of type 2. */
  log(series: readonly LoggedSeries[], samples: readonly Uint8Array[]): void;
}

/** A place in the head chunk files. */
export interface ChunkPlace {
  readonly file: number;
  readonly offset: number;
}

/** Where full chunks go. */
export interface ChunkSink {
  /** Takes one chunk; `bytes` is only valid during the call. */
  write(chunk: { walRef: number; minTimeMs: number; maxTimeMs: number; bytes: Uint8Array }): ChunkPlace;
  /** Hands everything written to the operating system. */
  flush(): void;
}

export interface HeadOptions {
  readonly memory: LinearMemory;
  readonly kernel: HeadKernel;
  readonly log: HeadLog;
  readonly chunkRangeMs?: number;
  /** Most series; creating one more fails. 0: only the memory limits them. */
  readonly seriesLimit?: number;
}

/** The head has as many series as it may. */
export class SeriesLimitError extends Error {
  override readonly name = 'SeriesLimitError';
}

export class Head implements Appender {
  readonly memory: HeadMemory;
  readonly #kernel: HeadKernel;
  readonly #index: LabelIndex;
  readonly #chunkRangeMs: number;
  readonly #seriesLimit: number;
  #log: HeadLog;
  #lastWalRef = 0;
  #newSeries: LoggedSeries[] = [];
  #records: Uint8Array[] = [];
  /** Scratch addresses: columns, statuses, log bytes. */
  readonly #refsAt: number;
  readonly #timesAt: number;
  readonly #valuesAt: number;
  readonly #statusesAt: number;
  readonly #logAt: number;
  #logUsed = 0;
  readonly #chunkAt: number;

  constructor(options: HeadOptions) {
    this.memory = new HeadMemory(options.memory);
    this.#kernel = options.kernel;
    this.#log = options.log;
    this.#chunkRangeMs = options.chunkRangeMs ?? DEFAULT_CHUNK_RANGE_MS;
    this.#seriesLimit = options.seriesLimit ?? 0;
    this.#index = new LabelIndex(this.memory);
    const { memory } = options;
    this.#refsAt = memory.allocate(MAX_BATCH * 4);
    this.#timesAt = memory.allocate(MAX_BATCH * 8);
    this.#valuesAt = memory.allocate(MAX_BATCH * 8);
    this.#statusesAt = memory.allocate(MAX_BATCH);
    this.#logAt = memory.allocate(LOG_BUFFER_BYTES);
    this.#chunkAt = memory.allocate(8192);
  }

  /** A fresh linear memory with room for the kernels' own data. */
  static createMemory(maximumPages?: number): LinearMemory {
    return LinearMemory.create(KERNEL_RESERVED_BYTES, maximumPages);
  }

  /** From now on commits go here: replay runs without a log. */
  setLog(log: HeadLog): void {
    this.#log = log;
  }

  get seriesCount(): number {
    return this.#index.seriesCount;
  }

  /** +Infinity while empty. */
  get minTimeMs(): number {
    return this.memory.linear.f64[(HEAD_ROOT + ROOT.MIN_TIME) >>> 3]!;
  }

  /** -Infinity while empty. */
  get maxTimeMs(): number {
    return this.memory.linear.f64[(HEAD_ROOT + ROOT.MAX_TIME) >>> 3]!;
  }

  series(labels: Labels): SeriesRef {
    const found = this.#index.find(labels);
    if (found !== 0) return found;
    if (this.#seriesLimit > 0 && this.seriesCount >= this.#seriesLimit) {
      throw new SeriesLimitError(`the head holds ${this.#seriesLimit} series, its limit`);
    }
    const walRef = ++this.#lastWalRef;
    this.#newSeries.push({ walRef, labels });
    return this.#index.add(labels, walRef);
  }

  /** A series as the WAL tells it, which keeps its number there. @returns its ref, and whether it is new */
  restoreSeries(labels: Labels, walRef: number): { ref: SeriesRef; isNew: boolean } {
    this.#lastWalRef = Math.max(this.#lastWalRef, walRef);
    const found = this.#index.find(labels);
    return found === 0 ? { ref: this.#index.add(labels, walRef), isNew: true } : { ref: found, isNew: false };
  }

  /** The newest number is at least this: refs of samples whose series is lost must not be given again. */
  raiseWalRef(walRef: number): void {
    this.#lastWalRef = Math.max(this.#lastWalRef, walRef);
  }

  /** Adds a chunk that lies in a head chunk file to a series that has no newer samples. */
  restoreChunk(ref: SeriesRef, chunk: { minTimeMs: number; maxTimeMs: number; sampleCount: number } & ChunkPlace): boolean {
    const { linear } = this.memory;
    const meta = this.memory.takeMeta();
    const record = entryAddress(linear, ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES);
    const { u32, f64, u8 } = linear;
    if (f64[(record + RECORD.LAST_TIME) >>> 3]! >= chunk.minTimeMs) return false;
    u32[(meta + META.OLDER) >>> 2] = u32[(record + RECORD.CLOSED) >>> 2]!;
    u32[(meta + META.LOCATION) >>> 2] = chunk.file;
    u32[(meta + META.LENGTH) >>> 2] = chunk.offset;
    u8[meta + META.COUNT] = chunk.sampleCount & 0xff;
    u8[meta + META.COUNT + 1] = chunk.sampleCount >>> 8;
    u8[meta + META.STATE] = 1;
    f64[(meta + META.MIN_TIME) >>> 3] = chunk.minTimeMs;
    f64[(meta + META.MAX_TIME) >>> 3] = chunk.maxTimeMs;
    u32[(meta + META.REF) >>> 2] = ref;
    u32[(record + RECORD.CLOSED) >>> 2] = meta;
    f64[(record + RECORD.LAST_TIME) >>> 3] = chunk.maxTimeMs;
    const root = HEAD_ROOT >>> 3;
    f64[root + ROOT.MIN_TIME / 8] = Math.min(f64[root + ROOT.MIN_TIME / 8]!, chunk.minTimeMs);
    f64[root + ROOT.MAX_TIME / 8] = Math.max(f64[root + ROOT.MAX_TIME / 8]!, chunk.maxTimeMs);
    this.memory.set(ROOT.CHUNK_COUNT, this.memory.get(ROOT.CHUNK_COUNT) + 1);
    return true;
  }

  append(columns: SampleColumns): AppendCounts {
    // What is older than half a chunk range before the newest sample can't be placed any more.
    return this.#appendAfter(columns, this.maxTimeMs - this.#chunkRangeMs / 2, true);
  }

  /** As `append`, of any age and without logging: for replay. */
  appendReplayed(columns: SampleColumns): AppendCounts {
    return this.#appendAfter(columns, Number.NEGATIVE_INFINITY, false);
  }

  #appendAfter(columns: SampleColumns, minValidMs: number, logged: boolean): AppendCounts {
    const counts = [0, 0, 0, 0, 0];
    const { linear } = this.memory;
    for (let from = 0; from < columns.count; from += MAX_BATCH) {
      const count = Math.min(MAX_BATCH, columns.count - from);
      // Room for the log before anything is appended: while the disk is full nothing more comes in.
      if (logged && this.#logUsed + LOG_HEADER_BYTES + count * LOG_SAMPLE_BYTES > LOG_BUFFER_BYTES) this.commit();
      this.memory.reserveForAppend(count);
      const [refs, times, values] = this.#addresses(columns, from, count);
      const appended = this.#kernel.append(HEAD_ROOT, refs, times, values, this.#statusesAt, count, minValidMs, this.#chunkRangeMs);
      counts[STATUS.OK]! += appended;
      if (appended < count) for (let i = 0; i < count; i++) counts[linear.u8[this.#statusesAt + i]!]! += linear.u8[this.#statusesAt + i] === 0 ? 0 : 1;
      if (logged && appended > 0) this.#encode(refs, times, values, count);
    }
    const [appended, identical, duplicate, outOfOrder, outOfBounds] = counts;
    return { appended: appended!, identical: identical!, duplicate: duplicate!, outOfOrder: outOfOrder!, outOfBounds: outOfBounds! };
  }

  /** Where the columns lie in linear memory, after copying them there if they do not. */
  #addresses(columns: SampleColumns, from: number, count: number): [number, number, number] {
    const { linear } = this.memory;
    const { refs, times, values } = columns;
    if (linear.owns(refs.buffer) && linear.owns(times.buffer) && linear.owns(values.buffer)) {
      return [refs.byteOffset + from * 4, times.byteOffset + from * 8, values.byteOffset + from * 8];
    }
    linear.u32.set(refs.subarray(from, from + count), this.#refsAt >>> 2);
    linear.f64.set(times.subarray(from, from + count), this.#timesAt >>> 3);
    linear.f64.set(values.subarray(from, from + count), this.#valuesAt >>> 3);
    return [this.#refsAt, this.#timesAt, this.#valuesAt];
  }

  #encode(refs: number, times: number, values: number, count: number): void {
    const at = this.#logAt + this.#logUsed;
    const length = this.#kernel.encodeSamples(HEAD_ROOT, refs, times, values, this.#statusesAt, count, at);
    this.#records.push(this.memory.linear.u8.subarray(at, at + length));
    this.#logUsed += length;
  }

  /**
   * What the log did not take stays and goes with the next commit: samples that are in memory must reach the log, or a sender that tries
   * again would be told that they are there already.
   */
  commit(): void {
    if (this.#newSeries.length === 0 && this.#records.length === 0) return;
    this.#log.log(this.#newSeries, this.#records);
    this.#newSeries = [];
    this.#records = [];
    this.#logUsed = 0;
  }

  /** Full chunks that wait for a file. */
  get pendingChunks(): number {
    return this.memory.get(ROOT.PENDING_COUNT);
  }

  /** Writes up to `limit` full chunks to head chunk files and frees their blocks. @returns how many */
  flushChunks(sink: ChunkSink, limit: number): number {
    const { linear } = this.memory;
    const written: { meta: number; place: ChunkPlace }[] = [];
    let meta = this.memory.get(ROOT.PENDING_FIRST);
    while (meta !== 0 && written.length < limit) {
      const { u32, f64, u8 } = linear;
      const bits = u32[(meta + META.LENGTH) >>> 2]!;
      const count = u8[meta + META.COUNT]! | (u8[meta + META.COUNT + 1]! << 8);
      const length = this.#kernel.copyChunk(u32[(meta + META.LOCATION) >>> 2]!, bits, count, this.#chunkAt, 4096);
      const record = entryAddress(linear, ROOT.RECORD_DIRECTORY, u32[(meta + META.REF) >>> 2]!, RECORD.BYTES);
      const place = sink.write({
        walRef: u32[(record + RECORD.WAL_REF) >>> 2]!,
        minTimeMs: f64[(meta + META.MIN_TIME) >>> 3]!,
        maxTimeMs: f64[(meta + META.MAX_TIME) >>> 3]!,
        bytes: u8.subarray(this.#chunkAt, this.#chunkAt + length),
      });
      written.push({ meta, place });
      meta = u32[(meta + META.PENDING) >>> 2]!;
    }
    if (written.length === 0) return 0;
    // Readers go to the file as soon as they are told, so the bytes must be there.
    sink.flush();
    for (const { meta: each, place } of written) this.#kernel.setFlushed(HEAD_ROOT, each, place.file, place.offset);
    this.memory.set(ROOT.PENDING_FIRST, meta);
    if (meta === 0) this.memory.set(ROOT.PENDING_LAST, 0);
    this.memory.set(ROOT.PENDING_COUNT, this.pendingChunks - written.length);
    return written.length;
  }
}
