/**
 * The head: the newest samples, in linear memory, with a WAL behind them. This is its owner's side; see head-querier.ts for the
 * readers'.
 *
 * Samples go through the append kernel in columns. What it took is encoded as one WAL record per call and handed to the operating
 * system at commit, series first; only then do readers see it. Full chunks wait in memory until `flushChunks` writes them to head chunk
 * files. `truncate` cuts off what blocks hold.
 */
import { assert } from '../../core/base/assert.ts';
import { CHUNK_STATE, META, RECORD, ROOT, STATUS, WAL_REF_LIMIT } from '../../core/kernels/head-layout.ts';
import type { HeadKernel } from '../../core/kernels/head-kernel.ts';
import { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { KERNEL_RESERVED_BYTES } from '../../core/kernels/kernels.ts';
import type { Labels } from '../../core/model/labels.ts';
import type { AppendCounts, Appender, SampleColumns, SeriesRef } from '../../core/storage/appender.ts';
import type { Tombstone } from '../wal/wal-records.ts';
import { deleteFromHead, restoreTombstone, type DeleteRequest } from './head-deletion.ts';
import { HEAD_ROOT, HeadMemory } from './head-memory.ts';
import { truncateHead, type TruncateReport, type TruncateRequest } from './head-truncation.ts';
import { LabelIndex, type RetiredIndex } from './label-index.ts';
import { WalRefExpiries, type CheckpointBounds } from './wal-ref-expiries.ts';

/** Span of one head chunk's range and, later, of a block: two hours. */
export const DEFAULT_CHUNK_RANGE_MS = 2 * 3600 * 1000;
/** Thirty-one days, the longest range that a block may have. */
export const MAX_CHUNK_RANGE_MS = 31 * 24 * 3600 * 1000;
/** Longest WAL record of samples: 17 bytes and at most 23 a sample. */
const LOG_HEADER_BYTES = 17;
const LOG_SAMPLE_BYTES = 23;
/** Samples that one kernel call takes; longer columns are cut. */
const MAX_BATCH = 65_536;
/** Takes about 5 ms. */
const DEFAULT_STEP_SIZE = 10_000;
/** Records of a commit: what does not fit is handed to the log early. */
const LOG_BUFFER_BYTES = 4 * 1024 * 1024;

/** A series as the WAL names it. */
export interface LoggedSeries {
  readonly walRef: number;
  readonly labels: Labels;
}

/** Where commits go: the WAL, or nothing in tests and tools. */
export interface HeadLog {
  /** Hands records to the operating system: one of the series, if there are any, then `records`, which are whole. */
  log(series: readonly LoggedSeries[], records: readonly Uint8Array[]): void;
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
  /** Series, or pairs, that one step of a truncation looks at. */
  readonly stepSize?: number;
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
  readonly #stepSize: number;
  readonly #expiries = new WalRefExpiries();
  /** What readers may still look at, oldest first. */
  readonly #retired: { readonly epoch: number; readonly index: RetiredIndex }[] = [];
  #epoch = 0;
  #isTruncating = false;
  #minValidMs = Number.NEGATIVE_INFINITY;
  #createdSeries = 0;
  #removedSeries = 0;
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
    assert(this.#chunkRangeMs <= MAX_CHUNK_RANGE_MS, 'differences of times in a chunk fit 32 bits');
    this.#seriesLimit = options.seriesLimit ?? 0;
    this.#stepSize = options.stepSize ?? DEFAULT_STEP_SIZE;
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

  /** Series that were added, and removed, since the start. */
  get createdSeries(): number {
    return this.#createdSeries;
  }

  get removedSeries(): number {
    return this.#removedSeries;
  }

  get labelPairCount(): number {
    return this.#index.pairCount;
  }

  /** +Infinity while empty. */
  get minTimeMs(): number {
    return this.memory.time(ROOT.MIN_TIME);
  }

  /** -Infinity until the first sample. */
  get maxTimeMs(): number {
    return this.memory.time(ROOT.MAX_TIME);
  }

  /** Older samples are refused from now on: the end of the newest block. It never goes back. */
  setMinValidTime(timeMs: number): void {
    this.#minValidMs = Math.max(this.#minValidMs, timeMs);
  }

  /** Whether the series was removed. */
  isGone(ref: SeriesRef): boolean {
    return this.#index.isGone(ref);
  }

  series(labels: Labels): SeriesRef {
    const found = this.#index.find(labels);
    if (found !== 0) return found;
    if (this.#seriesLimit > 0 && this.seriesCount >= this.#seriesLimit) {
      throw new SeriesLimitError(`the head holds ${this.#seriesLimit} series, its limit`);
    }
    return this.#addLogged(labels);
  }

  #addLogged(labels: Labels): SeriesRef {
    const walRef = this.#lastWalRef + 1;
    assert(walRef < WAL_REF_LIMIT, 'a series has a number in the WAL');
    const ref = this.#index.add(labels, walRef);
    this.#lastWalRef = walRef;
    this.#createdSeries++;
    this.#newSeries.push({ walRef, labels });
    return ref;
  }

  /**
   * A series as the WAL tells it, which keeps its number there if it is the first for these labels and no larger than numbers may be.
   * @returns its ref, and whether the WAL's number is its own
   */
  restoreSeries(labels: Labels, walRef: number): { ref: SeriesRef; isOwn: boolean } {
    this.raiseWalRef(walRef);
    const found = this.#index.find(labels);
    if (found !== 0) return { ref: found, isOwn: this.#index.walRef(found) === walRef };
    if (walRef >= WAL_REF_LIMIT) return { ref: this.#addLogged(labels), isOwn: false };
    this.#createdSeries++;
    return { ref: this.#index.add(labels, walRef), isOwn: true };
  }

  /** The newest number is at least this: refs of samples whose series is lost must not be given again. */
  raiseWalRef(walRef: number): void {
    if (walRef < WAL_REF_LIMIT) this.#lastWalRef = Math.max(this.#lastWalRef, walRef);
  }

  /** Series stand in segments up to `untilSegment`, and in chunks, under these numbers too. */
  keepWalRefs(walRefs: readonly number[], untilSegment: number): void {
    this.#expiries.add({ walRefs, untilSegment, untilMs: this.maxTimeMs });
  }

  /** Adds a chunk that lies in a head chunk file to a series that has no newer samples. */
  restoreChunk(ref: SeriesRef, chunk: { minTimeMs: number; maxTimeMs: number; sampleCount: number } & ChunkPlace): boolean {
    const { linear } = this.memory;
    const meta = this.memory.takeMeta();
    const record = this.#index.record(ref);
    const { u32, f64, u8 } = linear;
    if (f64[(record + RECORD.LAST_TIME) >>> 3]! >= chunk.minTimeMs) {
      this.memory.giveMeta(meta);
      return false;
    }
    u32[(meta + META.OLDER) >>> 2] = u32[(record + RECORD.CLOSED) >>> 2]!;
    u32[(meta + META.LOCATION) >>> 2] = chunk.file;
    u32[(meta + META.LENGTH) >>> 2] = chunk.offset;
    u8[meta + META.COUNT] = chunk.sampleCount & 0xff;
    u8[meta + META.COUNT + 1] = chunk.sampleCount >>> 8;
    u8[meta + META.STATE] = CHUNK_STATE.FILE;
    f64[(meta + META.MIN_TIME) >>> 3] = chunk.minTimeMs;
    f64[(meta + META.MAX_TIME) >>> 3] = chunk.maxTimeMs;
    u32[(meta + META.REF) >>> 2] = ref;
    u32[(record + RECORD.CLOSED) >>> 2] = meta;
    f64[(record + RECORD.LAST_TIME) >>> 3] = chunk.maxTimeMs;
    for (const field of [ROOT.MIN_TIME, ROOT.APPENDED_MIN_TIME]) this.memory.setTime(field, Math.min(this.memory.time(field), chunk.minTimeMs));
    this.memory.setTime(ROOT.MAX_TIME, Math.max(this.maxTimeMs, chunk.maxTimeMs));
    this.memory.set(ROOT.CHUNK_COUNT, this.memory.get(ROOT.CHUNK_COUNT) + 1);
    return true;
  }

  append(columns: SampleColumns): AppendCounts {
    // What is older than half a chunk range before the newest sample can't be placed any more.
    return this.#appendAfter(columns, Math.max(this.#minValidMs, this.maxTimeMs - this.#chunkRangeMs / 2), true);
  }

  /** As `append` and `commit`, of any age and without logging: for replay. */
  appendReplayed(columns: SampleColumns): AppendCounts {
    const counts = this.#appendAfter(columns, this.#minValidMs, false);
    this.#publish();
    return counts;
  }

  #appendAfter(columns: SampleColumns, minValidMs: number, logged: boolean): AppendCounts {
    const counts = [0, 0, 0, 0, 0];
    const { linear } = this.memory;
    for (let from = 0; from < columns.count; from += MAX_BATCH) {
      const count = Math.min(MAX_BATCH, columns.count - from);
      // Room for the log before anything is appended: while the disk is full nothing more comes in.
      if (logged && this.#logUsed + LOG_HEADER_BYTES + count * LOG_SAMPLE_BYTES > LOG_BUFFER_BYTES) this.#flushLog();
      this.memory.reserveForAppend(count);
      const [refs, times, values] = this.#addresses(columns, from, count);
      const appended = this.#kernel.append(HEAD_ROOT, refs, times, values, this.#statusesAt, count, minValidMs, this.#chunkRangeMs);
      counts[STATUS.OK]! += appended;
      if (appended < count) for (let i = 0; i < count; i++) counts[linear.u8[this.#statusesAt + i]!]! += linear.u8[this.#statusesAt + i] === 0 ? 0 : 1;
      if (logged && appended > 0) this.#encode(refs, times, values, count);
      if (!logged && appended < count) this.#restoreLastValues(refs, times, values, count);
    }
    const minTimeMs = this.memory.time(ROOT.APPENDED_MIN_TIME);
    if (minTimeMs < this.minTimeMs) this.memory.setTime(ROOT.MIN_TIME, minTimeMs);
    const [appended, identical, duplicate, outOfOrder, outOfBounds] = counts;
    return { appended: appended!, identical: identical!, duplicate: duplicate!, outOfOrder: outOfOrder!, outOfBounds: outOfBounds! };
  }

  /** Of a chunk in a file the head knows no values; the last one is told when the log brings its sample. */
  #restoreLastValues(refs: number, times: number, values: number, count: number): void {
    const { u32, f64, u8 } = this.memory.linear;
    for (let i = 0; i < count; i++) {
      if (u8[this.#statusesAt + i] !== STATUS.DUPLICATE) continue;
      const record = this.#index.record(u32[(refs >>> 2) + i]!);
      if (u8[record + RECORD.COUNT] !== 0 || f64[(record + RECORD.LAST_TIME) >>> 3] !== f64[(times >>> 3) + i]) continue;
      u32[(record + RECORD.LAST_VALUE) >>> 2] = u32[(values >>> 2) + 2 * i]!;
      u32[((record + RECORD.LAST_VALUE) >>> 2) + 1] = u32[(values >>> 2) + 2 * i + 1]!;
    }
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
   * What was appended since the last commit is handed to the log, and then visible to readers, all at once.
   *
   * What the log did not take stays and goes with the next commit: samples that are in memory must reach the log, or a sender that tries
   * again would be told that they are there already.
   */
  commit(): void {
    this.#flushLog();
    this.#publish();
  }

  #flushLog(): void {
    if (this.#newSeries.length === 0 && this.#records.length === 0) return;
    this.#log.log(this.#newSeries, this.#records);
    this.#newSeries = [];
    this.#records = [];
    this.#logUsed = 0;
  }

  /** Ends the open transaction. */
  #publish(): void {
    const transaction = this.memory.get(ROOT.TRANSACTION);
    this.memory.set(ROOT.TRANSACTION, transaction + 1);
    this.memory.publish(ROOT.COMMITTED, transaction);
  }

  /**
   * Deletes samples: when it returns, no later read finds them, in this process or the next.
   * @returns how many series had samples in the range @throws RegexError, MemoryLimitError and what the log throws
   */
  deleteSamples(request: DeleteRequest): number {
    this.commit();
    return deleteFromHead({ memory: this.memory, index: this.#index, log: (records) => this.#log.log([], records) }, request);
  }

  /** An interval that the log tells. */
  restoreTombstone(ref: SeriesRef, tombstone: Tombstone): void {
    restoreTombstone({ memory: this.memory, index: this.#index }, ref, tombstone);
  }

  /**
   * Drops closed chunks wholly before `beforeMs` and then series without newer samples, step by step; appends may go on between steps. `setMinValidTime(beforeMs)` is part of it. Head chunk files and the WAL are the caller's.
   * @param walSegment the segment that is being written
   */
  *truncate(request: TruncateRequest, walSegment: number): Generator<undefined, TruncateReport> {
    assert(!this.#isTruncating, 'one truncation runs at a time');
    this.#isTruncating = true;
    try {
      this.setMinValidTime(request.beforeMs);
      const walRefs: number[] = [];
      const { removedChunks, retired } = yield* truncateHead(
        { memory: this.memory, index: this.#index, kernel: this.#kernel, stepSize: this.#stepSize, onRemoved: (walRef) => walRefs.push(walRef) },
        request,
      );
      // The records of removed series stand in segments up to this one, and all of their samples are older than what is kept.
      this.#expiries.add({ walRefs, untilSegment: walSegment, untilMs: Number.NEGATIVE_INFINITY });
      this.#removedSeries += retired.refs.length;
      const epoch = ++this.#epoch;
      this.#retired.push({ epoch, index: retired });
      return { removedSeries: retired.refs.length, removedChunks, epoch };
    } finally {
      this.#isTruncating = false;
    }
  }

  /**
   * No reader that ran when the truncation of `epoch` ended runs any more: what was retired up to then is used again, in steps as those
   * of the truncation.
   */
  *quiesced(epoch: number): Generator<undefined, void> {
    while (this.#retired.length > 0 && this.#retired[0]!.epoch <= epoch) yield* this.#index.giveBack(this.#retired.shift()!.index, this.#stepSize);
  }

  /** The WAL's numbers whose series a checkpoint must keep, beside those of the series that live. */
  checkpointNeeds(bounds: CheckpointBounds): Float64Array {
    return this.#expiries.needed(bounds);
  }

  /** The checkpoint has been written. */
  checkpointWritten(bounds: CheckpointBounds): void {
    this.#expiries.expire(bounds);
  }

  /** Head chunk files before this one have been deleted: readers close them. */
  setFirstChunkFile(file: number): void {
    this.memory.publish(ROOT.FIRST_CHUNK_FILE, file);
  }

  /** Full chunks that wait for a file. */
  get pendingChunks(): number {
    return this.memory.get(ROOT.PENDING_COUNT);
  }

  /** Writes up to `limit` full chunks to head chunk files and frees their blocks; none while a commit is due. @returns how many */
  flushChunks(sink: ChunkSink, limit: number): number {
    // A restart takes what is in the files: it must not find there what the log never got.
    if (this.#records.length > 0) return 0;
    const { linear } = this.memory;
    const written: { meta: number; place: ChunkPlace }[] = [];
    const dropped: number[] = [];
    let meta = this.memory.get(ROOT.PENDING_FIRST);
    while (meta !== 0 && written.length < limit) {
      const next = linear.u32[(meta + META.PENDING) >>> 2]!;
      if (linear.u8[meta + META.STATE] === CHUNK_STATE.DROPPED) dropped.push(meta);
      else written.push({ meta, place: this.#writeChunk(sink, meta) });
      meta = next;
    }
    // Readers go to the file as soon as they are told, so the bytes must be there.
    if (written.length > 0) sink.flush();
    for (const { meta: each, place } of written) this.#kernel.setFlushed(HEAD_ROOT, each, place.file, place.offset);
    this.memory.set(ROOT.PENDING_FIRST, meta);
    if (meta === 0) this.memory.set(ROOT.PENDING_LAST, 0);
    this.memory.set(ROOT.PENDING_COUNT, this.pendingChunks - written.length - dropped.length);
    for (const each of dropped) this.memory.giveMeta(each);
    return written.length;
  }

  #writeChunk(sink: ChunkSink, meta: number): ChunkPlace {
    const { u32, f64, u8 } = this.memory.linear;
    const bits = u32[(meta + META.LENGTH) >>> 2]!;
    const count = u8[meta + META.COUNT]! | (u8[meta + META.COUNT + 1]! << 8);
    const length = this.#kernel.copyChunk(u32[(meta + META.LOCATION) >>> 2]!, bits, count, this.#chunkAt, 4096);
    return sink.write({
      walRef: this.#index.walRef(u32[(meta + META.REF) >>> 2]!),
      minTimeMs: f64[(meta + META.MIN_TIME) >>> 3]!,
      maxTimeMs: f64[(meta + META.MAX_TIME) >>> 3]!,
      bytes: u8.subarray(this.#chunkAt, this.#chunkAt + length),
    });
  }
}
