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
import type { AppendCounts, Appender, AppendOptions, SampleColumns, SeriesRef } from '../../core/storage/appender.ts';
import type { Tombstone } from '../wal/wal-records.ts';
import { deleteFromHead, restoreTombstone, type DeleteRequest } from './head-deletion.ts';
import { HEAD_ROOT, HeadMemory } from './head-memory.ts';
import { truncateHead, type TruncateReport, type TruncateRequest } from './head-truncation.ts';
import { LabelIndex, type RetiredIndex } from './label-index.ts';
import { OutOfOrderSamples, type OutOfOrderCut } from './out-of-order.ts';
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

/** A chunk on its way to a file; `bytes` is only valid during the call. */
export interface FullChunk {
  readonly walRef: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly isOutOfOrder: boolean;
  /** They begin with the sample count. */
  readonly bytes: Uint8Array;
}

/** Where full chunks go. */
export interface ChunkSink {
  /** Takes one chunk. */
  write(chunk: FullChunk): ChunkPlace;
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
  readonly outOfOrder: OutOfOrderSamples;
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
    this.outOfOrder = new OutOfOrderSamples({ memory: this.memory, index: this.#index, kernel: this.#kernel, stepSize: this.#stepSize });
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
    const { f64 } = this.memory.linear;
    const record = this.#index.record(ref);
    if (f64[(record + RECORD.LAST_TIME) >>> 3]! >= chunk.minTimeMs) return false;
    this.#index.addFileChunk(ref, chunk);
    f64[(record + RECORD.LAST_TIME) >>> 3] = chunk.maxTimeMs;
    for (const field of [ROOT.MIN_TIME, ROOT.APPENDED_MIN_TIME]) this.memory.setTime(field, Math.min(this.memory.time(field), chunk.minTimeMs));
    this.memory.setTime(ROOT.MAX_TIME, Math.max(this.maxTimeMs, chunk.maxTimeMs));
    return true;
  }

  append(columns: SampleColumns, options: AppendOptions = {}): AppendCounts {
    // What is older than half a chunk range before the newest sample can't be placed any more.
    const minValidMs = Math.max(this.#minValidMs, this.maxTimeMs - this.#chunkRangeMs / 2);
    const { windowMs } = this.outOfOrder;
    const windowStartMs = windowMs > 0 && options.inOrderOnly !== true ? this.maxTimeMs - windowMs : null;
    const counts = new Counts();
    for (let from = 0; from < columns.count; from += MAX_BATCH) {
      const count = Math.min(MAX_BATCH, columns.count - from);
      // Room for the log before anything is appended: while the disk is full nothing more comes in.
      if (this.#logUsed + LOG_HEADER_BYTES + count * LOG_SAMPLE_BYTES > LOG_BUFFER_BYTES) this.#flushLog();
      const batch = this.#appendBatch(columns, from, count, minValidMs);
      if (batch.appended > 0) this.#encode(batch);
      if (batch.appended === count) counts.appended += count;
      else if (windowStartMs === null) counts.add(this.memory.linear.u8, this.#statusesAt, count);
      else this.#takeOutOfOrder(batch, windowStartMs, counts);
    }
    return counts.plain();
  }

  /** As `append` and `commit`, of any age and without logging: for replay. */
  appendReplayed(columns: SampleColumns): AppendCounts {
    const counts = new Counts();
    for (let from = 0; from < columns.count; from += MAX_BATCH) {
      const count = Math.min(MAX_BATCH, columns.count - from);
      const batch = this.#appendBatch(columns, from, count, this.#minValidMs);
      counts.add(this.memory.linear.u8, this.#statusesAt, count);
      if (batch.appended < count) this.#restoreLastValues(batch);
    }
    this.#publish();
    return counts.plain();
  }

  /** How each sample ended is in the statuses. */
  #appendBatch(columns: SampleColumns, from: number, count: number, minValidMs: number): Batch {
    this.memory.reserveForAppend(count);
    const [refs, times, values] = this.#addresses(columns, from, count);
    const appended = this.#kernel.append(HEAD_ROOT, refs, times, values, this.#statusesAt, count, minValidMs, this.#chunkRangeMs);
    const minTimeMs = this.memory.time(ROOT.APPENDED_MIN_TIME);
    if (minTimeMs < this.minTimeMs) this.memory.setTime(ROOT.MIN_TIME, minTimeMs);
    return { refs, times, values, count, appended };
  }

  /** Takes what the kernel refused and the window allows. */
  #takeOutOfOrder({ refs, times, values, count }: Batch, windowStartMs: number, counts: Counts): void {
    for (let i = 0; i < count; i++) {
      const { u32, f64, u8 } = this.memory.linear;
      const status = u8[this.#statusesAt + i]!;
      const ref = u32[(refs >>> 2) + i]!;
      const isLate = status === STATUS.OUT_OF_ORDER || status === STATUS.OUT_OF_BOUNDS;
      const timeMs = f64[(times >>> 3) + i]!;
      if (!isLate || this.isGone(ref)) counts.add(u8, this.#statusesAt + i, 1);
      else if (timeMs < windowStartMs) counts.tooOld++;
      else if (this.outOfOrder.take(ref, timeMs, u32[(values >>> 2) + 2 * i]!, u32[(values >>> 2) + 2 * i + 1]!)) {
        counts.appended++;
        counts.appendedOutOfOrder++;
      } else counts.identical++;
    }
  }

  /** Of a chunk in a file the head knows no values; the last one is told when the log brings its sample. */
  #restoreLastValues({ refs, times, values, count }: Batch): void {
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

  #encode({ refs, times, values, count }: Batch): void {
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
    this.outOfOrder.commit();
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

  /** Drops out-of-order samples that `outOfOrder.close` has put into a cut, when blocks have them. The log's segments are the caller's. */
  *truncateOutOfOrder(cut: OutOfOrderCut): Generator<undefined, { readonly epoch: number }> {
    const index = this.#index.retireOutOfOrder(yield* this.outOfOrder.truncate(cut));
    const epoch = ++this.#epoch;
    this.#retired.push({ epoch, index });
    return { epoch };
  }

  /**
   * No reader that ran when the truncation of `epoch` ended runs any more: what was retired up to then is used again, in steps as those
   * of the truncation.
   */
  *quiesced(epoch: number): Generator<undefined, void> {
    while (this.#retired.length > 0 && this.#retired[0]!.epoch <= epoch) yield* this.#index.giveBack(this.#retired.shift()!.index, this.#stepSize);
  }

  /** Tombstones that end before need not be kept: nothing older than `truncatedMs` or out of order is left that they could hide. */
  minTombstoneMs(truncatedMs: number): number {
    return Math.min(truncatedMs, this.memory.time(ROOT.OUT_OF_ORDER_MIN_TIME));
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
    if (this.#records.length > 0 || this.outOfOrder.isDue) return 0;
    const { linear } = this.memory;
    const written: { meta: number; ref: number; place: ChunkPlace }[] = [];
    const dropped: number[] = [];
    let meta = this.memory.get(ROOT.PENDING_FIRST);
    while (meta !== 0 && written.length < limit) {
      const next = linear.u32[(meta + META.PENDING) >>> 2]!;
      if (linear.u8[meta + META.STATE] === CHUNK_STATE.DROPPED) dropped.push(meta);
      else written.push({ meta, ref: linear.u32[(meta + META.REF) >>> 2]!, place: this.#writeChunk(sink, meta) });
      meta = next;
    }
    // Readers go to the file as soon as they are told, so the bytes must be there.
    if (written.length > 0) sink.flush();
    for (const { meta: each, place } of written) this.#kernel.setFlushed(HEAD_ROOT, each, place.file, place.offset);
    this.memory.set(ROOT.PENDING_FIRST, meta);
    if (meta === 0) this.memory.set(ROOT.PENDING_LAST, 0);
    this.memory.set(ROOT.PENDING_COUNT, this.pendingChunks - written.length - dropped.length);
    for (const each of dropped) this.memory.giveMeta(each);
    this.outOfOrder.flushed(written.filter(({ ref }) => this.#index.isOutOfOrder(ref)));
    return written.length;
  }

  #writeChunk(sink: ChunkSink, meta: number): ChunkPlace {
    const { u32, f64, u8 } = this.memory.linear;
    const bits = u32[(meta + META.LENGTH) >>> 2]!;
    const count = u8[meta + META.COUNT]! | (u8[meta + META.COUNT + 1]! << 8);
    const length = this.#kernel.copyChunk(u32[(meta + META.LOCATION) >>> 2]!, bits, count, this.#chunkAt, 4096);
    const ref = u32[(meta + META.REF) >>> 2]!;
    return sink.write({
      walRef: this.#index.walRef(ref),
      isOutOfOrder: this.#index.isOutOfOrder(ref),
      minTimeMs: f64[(meta + META.MIN_TIME) >>> 3]!,
      maxTimeMs: f64[(meta + META.MAX_TIME) >>> 3]!,
      bytes: u8.subarray(this.#chunkAt, this.#chunkAt + length),
    });
  }
}

/** Columns in linear memory. */
interface Batch {
  readonly refs: number;
  readonly times: number;
  readonly values: number;
  readonly count: number;
  readonly appended: number;
}

class Counts {
  appended = 0;
  appendedOutOfOrder = 0;
  identical = 0;
  duplicate = 0;
  outOfOrder = 0;
  outOfBounds = 0;
  tooOld = 0;

  plain(): AppendCounts {
    const { appended, appendedOutOfOrder, identical, duplicate, outOfOrder, outOfBounds, tooOld } = this;
    return { appended, appendedOutOfOrder, identical, duplicate, outOfOrder, outOfBounds, tooOld };
  }

  /** Counts `count` statuses from `at` on. */
  add(u8: Uint8Array, at: number, count: number): void {
    for (let i = at; i < at + count; i++) {
      if (u8[i] === STATUS.OK) this.appended++;
      else if (u8[i] === STATUS.IDENTICAL) this.identical++;
      else if (u8[i] === STATUS.DUPLICATE) this.duplicate++;
      else if (u8[i] === STATUS.OUT_OF_ORDER) this.outOfOrder++;
      else this.outOfBounds++;
    }
  }
}
