/**
 * Samples that come out of order, as far back as a window allows: the owner's side.
 *
 * A series that has such samples gets a second record. They are put in order in its buffer; a full buffer becomes a closed chunk, which
 * goes to the head chunk files marked as out of order. They have a log of their own (`wbl`), written behind the WAL. In time they are
 * written to blocks of their own and dropped here.
 * Source: Prometheus, tsdb/head_append.go and tsdb/ooo_head.go.
 */
import { BinaryWriter } from '../../core/bytes/binary-writer.ts';
import type { HeadKernel } from '../../core/kernels/head-kernel.ts';
import { CHUNK_STATE, META, OUT_OF_ORDER_BUFFER, OUT_OF_ORDER_SAMPLES, RECORD, ROOT } from '../../core/kernels/head-layout.ts';
import type { SeriesRef } from '../../core/storage/appender.ts';
import { encodeMmapMarkers, encodeSamples, type MmapMarker } from '../wal/wal-records.ts';
import { ChunkDropper } from './chunk-dropper.ts';
import type { ChunkPlace } from './head.ts';
import { HEAD_ROOT, type HeadMemory } from './head-memory.ts';
import type { LabelIndex } from './label-index.ts';
import { SampleLog } from './sample-log.ts';

/** In the data folder, framed as the WAL is. */
export const OUT_OF_ORDER_LOG_FOLDER = 'wbl';

/** Takes whole records of the log of out-of-order samples. */
export type OutOfOrderLog = (records: readonly Uint8Array[]) => void;

export interface OutOfOrderParts {
  readonly memory: HeadMemory;
  readonly index: LabelIndex;
  readonly kernel: HeadKernel;
  /** Records that one step of `close` or `truncate` looks at. */
  readonly stepSize: number;
}

/** What was there at one time, to be written to blocks and then dropped. */
export interface OutOfOrderCut {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** By record: the newest chunk that belongs to it. */
  readonly newest: ReadonlyMap<number, number>;
}

export class OutOfOrderSamples {
  readonly #parts: OutOfOrderParts;
  readonly #dropper: ChunkDropper;
  /** The record of a series' out-of-order samples, by series. */
  readonly #records = new Map<SeriesRef, number>();
  readonly #pending = new SampleLog();
  readonly #out = new BinaryWriter();
  #log: OutOfOrderLog = () => {};
  #windowMs = 0;

  constructor(parts: OutOfOrderParts) {
    this.#parts = parts;
    this.#dropper = new ChunkDropper(parts);
  }

  /** How much older than the head's newest sample a sample may be; 0 takes none. */
  get windowMs(): number {
    return this.#windowMs;
  }

  /** Series that have any. */
  get seriesCount(): number {
    return this.#records.size;
  }

  /** Whether samples wait to be logged. */
  get isDue(): boolean {
    return this.#pending.count > 0;
  }

  setWindow(windowMs: number, log: OutOfOrderLog): void {
    this.#windowMs = windowMs;
    this.#log = log;
  }

  /** Takes a sample. @returns false where the buffer has one of that time, which stays @throws MemoryLimitError */
  take(ref: SeriesRef, timeMs: number, low: number, high: number): boolean {
    if (!this.#insert(ref, timeMs, low, high)) return false;
    this.#pending.push(this.#parts.index.walRef(ref), timeMs, low, high);
    return true;
  }

  /** A sample that the log tells. @throws MemoryLimitError */
  restore(ref: SeriesRef, timeMs: number, low: number, high: number): void {
    this.#insert(ref, timeMs, low, high);
  }

  /** Hands what was taken to the log. What that does not take stays for the next time. */
  commit(): void {
    if (this.#pending.count === 0) return;
    this.#log([this.#encoded(this.#pending)]);
    this.#pending.clear();
  }

  /** A chunk that lies in a file. @throws MemoryLimitError */
  restoreChunk(ref: SeriesRef, chunk: { minTimeMs: number; maxTimeMs: number; sampleCount: number } & ChunkPlace): void {
    const { index } = this.#parts;
    index.addFileChunk(this.#recordOf(ref), chunk);
    this.#widen(chunk.minTimeMs, chunk.maxTimeMs);
  }

  /** The log says that what it told so far of the series lies in a chunk that has been restored. */
  restoreMarked(ref: SeriesRef): void {
    const record = this.#records.get(ref);
    if (record === undefined) return;
    this.#setCount(record, 0);
    this.#dropper.dropUnwritten(this.#parts.index.record(record));
  }

  /**
   * Chunks were written to files. The log is told, so that a restart need not have their samples twice: first which they are, then once
   * more what came after them. Where some of a series' chunks are not in files yet nothing is told, which costs only memory then.
   */
  flushed(chunks: readonly { readonly ref: number; readonly place: ChunkPlace }[]): void {
    const { index } = this.#parts;
    const markers: MmapMarker[] = [];
    const later = new SampleLog();
    for (const { ref, place } of chunks) {
      if (index.isGone(ref) || this.#hasUnwritten(ref)) continue;
      markers.push({ walRef: index.walRef(ref), ...place });
      if (chunks.findLast((each) => each.ref === ref)?.place === place) this.#logBuffer(ref, later);
    }
    if (markers.length === 0) return;
    this.#out.clear();
    encodeMmapMarkers(markers, this.#out);
    const marked = this.#out.written.slice();
    this.#log(later.count === 0 ? [marked] : [marked, this.#encoded(later)]);
  }

  /**
   * Makes chunks of all buffers. The log must have begun a new segment before: then what is older than that lies in these chunks.
   * @returns null where there is nothing
   */
  *close(): Generator<undefined, OutOfOrderCut | null> {
    const { memory, index, stepSize } = this.#parts;
    const newest = new Map<number, number>();
    let minTimeMs = Number.POSITIVE_INFINITY;
    let maxTimeMs = Number.NEGATIVE_INFINITY;
    let steps = 0;
    for (const record of this.#records.values()) {
      if (this.#count(record) > 0) this.#closeBuffer(record);
      const { u32, f64 } = memory.linear;
      const first = u32[(index.record(record) + RECORD.CLOSED) >>> 2]!;
      if (first !== 0) newest.set(record, first);
      for (let meta = first; meta !== 0; meta = u32[(meta + META.OLDER) >>> 2]!) {
        minTimeMs = Math.min(minTimeMs, f64[(meta + META.MIN_TIME) >>> 3]!);
        maxTimeMs = Math.max(maxTimeMs, f64[(meta + META.MAX_TIME) >>> 3]!);
      }
      if (++steps % stepSize === 0) yield;
    }
    return newest.size === 0 ? null : { minTimeMs, maxTimeMs, newest };
  }

  /** Drops what blocks have now. @returns the records that no longer have anything, to be retired */
  *truncate(cut: OutOfOrderCut): Generator<undefined, number[]> {
    const { memory, index, stepSize } = this.#parts;
    const emptied: number[] = [];
    let minTimeMs = Number.POSITIVE_INFINITY;
    let maxTimeMs = Number.NEGATIVE_INFINITY;
    memory.setTime(ROOT.OUT_OF_ORDER_MIN_TIME, minTimeMs);
    memory.setTime(ROOT.OUT_OF_ORDER_MAX_TIME, maxTimeMs);
    let steps = 0;
    for (const [ref, record] of this.#records) {
      const newest = cut.newest.get(record);
      if (newest !== undefined) this.#dropper.dropFrom(index.record(record), newest);
      const { u32, f64 } = memory.linear;
      const first = u32[(index.record(record) + RECORD.CLOSED) >>> 2]!;
      const count = this.#count(record);
      if (first === 0 && count === 0) {
        index.extras.setOutOfOrder(ref, 0);
        this.#records.delete(ref);
        emptied.push(record);
      }
      const times = (this.#buffer(record) + OUT_OF_ORDER_BUFFER.TIMES) >>> 3;
      if (count > 0) {
        minTimeMs = Math.min(minTimeMs, f64[times]!);
        maxTimeMs = Math.max(maxTimeMs, f64[times + count - 1]!);
      }
      for (let meta = first; meta !== 0; meta = u32[(meta + META.OLDER) >>> 2]!) {
        minTimeMs = Math.min(minTimeMs, f64[(meta + META.MIN_TIME) >>> 3]!);
        maxTimeMs = Math.max(maxTimeMs, f64[(meta + META.MAX_TIME) >>> 3]!);
      }
      if (++steps % stepSize === 0) yield;
    }
    this.#widen(minTimeMs, maxTimeMs);
    return emptied;
  }

  /** The oldest head chunk file that has chunks of these samples, +Infinity where none has. */
  get oldestChunkFile(): number {
    const { memory, index } = this.#parts;
    const { u32, u8 } = memory.linear;
    let oldest = Number.POSITIVE_INFINITY;
    for (const record of this.#records.values()) {
      for (let meta = u32[(index.record(record) + RECORD.CLOSED) >>> 2]!; meta !== 0; meta = u32[(meta + META.OLDER) >>> 2]!) {
        if (u8[meta + META.STATE] === CHUNK_STATE.FILE) oldest = Math.min(oldest, u32[(meta + META.LOCATION) >>> 2]!);
      }
    }
    return oldest;
  }

  #recordOf(ref: SeriesRef): number {
    const known = this.#records.get(ref);
    if (known !== undefined) return known;
    const { index } = this.#parts;
    index.extras.open(ref);
    const record = index.addOutOfOrderRecord(index.walRef(ref));
    index.extras.setOutOfOrder(ref, record);
    this.#records.set(ref, record);
    return record;
  }

  #insert(ref: SeriesRef, timeMs: number, low: number, high: number): boolean {
    const record = this.#recordOf(ref);
    const { memory, index } = this.#parts;
    const buffer = this.#buffer(record);
    const times = (buffer + OUT_OF_ORDER_BUFFER.TIMES) >>> 3;
    const values = (buffer + OUT_OF_ORDER_BUFFER.VALUES) >>> 3;
    let place = this.#place(times, this.#count(record), timeMs);
    if (place < 0) return false;
    if (this.#count(record) === OUT_OF_ORDER_SAMPLES) {
      this.#closeBuffer(record);
      place = 0;
    }
    const count = this.#count(record);
    const { u32, i32, f64 } = memory.linear;
    const versionAt = (index.record(record) + RECORD.VERSION) >>> 2;
    Atomics.add(i32, versionAt, 1);
    f64.copyWithin(times + place + 1, times + place, times + count);
    f64.copyWithin(values + place + 1, values + place, values + count);
    f64[times + place] = timeMs;
    u32[2 * (values + place)] = low;
    u32[2 * (values + place) + 1] = high;
    u32[(buffer + OUT_OF_ORDER_BUFFER.COUNT) >>> 2] = count + 1;
    Atomics.add(i32, versionAt, 1);
    this.#widen(timeMs, timeMs);
    return true;
  }

  /** Where a time belongs, negative where there is a sample of that time. */
  #place(times: number, count: number, timeMs: number): number {
    const { f64 } = this.#parts.memory.linear;
    let place = count;
    while (place > 0 && f64[times + place - 1]! > timeMs) place--;
    return place > 0 && f64[times + place - 1] === timeMs ? -1 : place;
  }

  /** Readers may see the samples twice for a moment, never not. */
  #closeBuffer(record: number): void {
    const { memory, kernel } = this.#parts;
    const buffer = this.#buffer(record);
    memory.reserveForAppend(OUT_OF_ORDER_SAMPLES);
    kernel.appendClosed(HEAD_ROOT, record, buffer + OUT_OF_ORDER_BUFFER.TIMES, buffer + OUT_OF_ORDER_BUFFER.VALUES, this.#count(record));
    this.#setCount(record, 0);
  }

  #buffer(record: number): number {
    const { memory, index } = this.#parts;
    return memory.linear.u32[(index.record(record) + RECORD.LABELS) >>> 2]!;
  }

  #count(record: number): number {
    return this.#parts.memory.linear.u32[(this.#buffer(record) + OUT_OF_ORDER_BUFFER.COUNT) >>> 2]!;
  }

  #setCount(record: number, count: number): void {
    const { memory, index } = this.#parts;
    const versionAt = (index.record(record) + RECORD.VERSION) >>> 2;
    Atomics.add(memory.linear.i32, versionAt, 1);
    memory.linear.u32[(this.#buffer(record) + OUT_OF_ORDER_BUFFER.COUNT) >>> 2] = count;
    Atomics.add(memory.linear.i32, versionAt, 1);
  }

  #hasUnwritten(record: number): boolean {
    const { memory, index } = this.#parts;
    const { u32, u8 } = memory.linear;
    for (let meta = u32[(index.record(record) + RECORD.CLOSED) >>> 2]!; meta !== 0; meta = u32[(meta + META.OLDER) >>> 2]!) {
      if (u8[meta + META.STATE] !== CHUNK_STATE.FILE) return true;
    }
    return false;
  }

  #logBuffer(record: number, to: SampleLog): void {
    const { memory, index } = this.#parts;
    const { u32, f64 } = memory.linear;
    const buffer = this.#buffer(record);
    const values = (buffer + OUT_OF_ORDER_BUFFER.VALUES) >>> 2;
    for (let i = 0; i < this.#count(record); i++) {
      to.push(index.walRef(record), f64[((buffer + OUT_OF_ORDER_BUFFER.TIMES) >>> 3) + i]!, u32[values + 2 * i]!, u32[values + 2 * i + 1]!);
    }
  }

  #encoded({ walRefs, times, values, count }: SampleLog): Uint8Array {
    this.#out.clear();
    encodeSamples(walRefs, times, values, 0, count, this.#out);
    return this.#out.written;
  }

  #widen(minTimeMs: number, maxTimeMs: number): void {
    const { memory } = this.#parts;
    memory.setTime(ROOT.OUT_OF_ORDER_MIN_TIME, Math.min(memory.time(ROOT.OUT_OF_ORDER_MIN_TIME), minTimeMs));
    memory.setTime(ROOT.OUT_OF_ORDER_MAX_TIME, Math.max(memory.time(ROOT.OUT_OF_ORDER_MAX_TIME), maxTimeMs));
  }
}
