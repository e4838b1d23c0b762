/**
 * The head as a querier, in a thread of its own over the head's shared memory.
 *
 * Label lookups read what the owner only ever adds to. A series' compressed chunks are copied under its version word into this
 * reader's staging area and decoded there, so the owner never waits. Chunks in files are read through the page cache.
 */
import { CorruptError } from '../../core/base/errors.ts';
import { LISTED, RECORD, ROOT } from '../../core/kernels/head-layout.ts';
import type { HeadKernel } from '../../core/kernels/head-kernel.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { compareStrings, labelValue, type Labels } from '../../core/model/labels.ts';
import type { SampleBuffer } from '../../core/model/samples.ts';
import type { LabelRequest, Querier, SelectRequest, SeriesSet } from '../../core/storage/querier.ts';
import { entryAddress, HEAD_ROOT } from './head-memory.ts';
import { LabelIndexReader } from './label-index-reader.ts';

/** Bytes of compressed chunks that one read may copy. */
const SNAPSHOT_BYTES = 512 * 1024;
/** Longest chunk taken from a file. */
const FILE_CHUNK_BYTES = 128 * 1024;
/** Samples that one read may return; a longer range is read in halves. */
const COLUMN_SAMPLES = 65_536;
const GUARD_BYTES = 64;

/** What the owner sets aside for one reader, from its linear memory. */
export const READER_STAGING_BYTES = GUARD_BYTES + SNAPSHOT_BYTES + FILE_CHUNK_BYTES + 2 * COLUMN_SAMPLES * 8;

/** Reads the bytes of a chunk (encoding byte left out) from a head chunk file into `out` at `at`. @returns their length */
export interface HeadChunkReader {
  read(file: number, offset: number, out: Uint8Array, at: number, room: number): number;
}

export class HeadQuerier implements Querier {
  readonly #linear: LinearMemory;
  readonly #kernel: HeadKernel;
  readonly #index: LabelIndexReader;
  readonly #files: HeadChunkReader;
  readonly #snapshotAt: number;
  readonly #fileChunkAt: number;
  readonly #timesAt: number;
  readonly #valuesAt: number;

  /** @param stagingAt READER_STAGING_BYTES that nobody else uses */
  constructor(linear: LinearMemory, kernel: HeadKernel, stagingAt: number, files: HeadChunkReader) {
    this.#linear = linear;
    this.#kernel = kernel;
    this.#files = files;
    this.#index = new LabelIndexReader(linear);
    this.#snapshotAt = stagingAt + GUARD_BYTES;
    this.#fileChunkAt = this.#snapshotAt + SNAPSHOT_BYTES;
    this.#timesAt = this.#fileChunkAt + FILE_CHUNK_BYTES;
    this.#valuesAt = this.#timesAt + COLUMN_SAMPLES * 8;
  }

  get index(): LabelIndexReader {
    return this.#index;
  }

  select(request: SelectRequest): Promise<SeriesSet> {
    const { startMs, endMs } = request;
    const refs = this.#selectRefs(request);
    return Promise.resolve({
      seriesCount: refs.length,
      labels: (i) => this.#index.labels(refs[i]!),
      read: (i, out) => {
        this.#read(refs[i]!, startMs, endMs, out);
      },
      close: () => {},
    });
  }

  labelNames(request: LabelRequest): Promise<string[]> {
    if (!this.#overlaps(request)) return Promise.resolve([]);
    if (request.matchers.length === 0) return Promise.resolve(this.#index.labelNames().sort(compareStrings));
    const names = new Set<string>();
    for (const ref of this.#selectRefs(request)) {
      const labels = this.#index.labels(ref);
      for (let i = 0; i < labels.length; i += 2) names.add(labels[i]!);
    }
    return Promise.resolve([...names].sort(compareStrings));
  }

  labelValues(name: string, request: LabelRequest): Promise<string[]> {
    this.#index.seriesCount();
    if (!this.#overlaps(request)) return Promise.resolve([]);
    if (request.matchers.length === 0) return Promise.resolve([...this.#index.labelValues(name)].sort(compareStrings));
    const values = new Set<string>();
    for (const ref of this.#selectRefs(request)) {
      const value = labelValue(this.#index.labels(ref), name);
      if (value !== '') values.add(value);
    }
    return Promise.resolve([...values].sort(compareStrings));
  }

  series(request: LabelRequest): Promise<Labels[]> {
    return Promise.resolve(Array.from(this.#selectRefs(request), (ref) => this.#index.labels(ref)));
  }

  /** Whether the head has any sample's time in the range. */
  #overlaps({ startMs, endMs }: LabelRequest): boolean {
    const { f64 } = this.#linear;
    return f64[(HEAD_ROOT + ROOT.MIN_TIME) >>> 3]! <= endMs && f64[(HEAD_ROOT + ROOT.MAX_TIME) >>> 3]! >= startMs;
  }

  /** Refs that match and may have samples in the range. */
  #selectRefs(request: LabelRequest): Uint32Array {
    const refs = this.#index.select(request.matchers, this.#index.seriesCount());
    const { f64, u32 } = this.#linear;
    let kept = 0;
    for (const ref of refs) {
      const record = entryAddress(this.#linear, ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES);
      if (f64[(record + RECORD.LAST_TIME) >>> 3]! < request.startMs) continue;
      if (u32[(record + RECORD.CLOSED) >>> 2] === 0 && f64[(record + RECORD.FIRST_TIME) >>> 3]! > request.endMs) continue;
      refs[kept++] = ref;
    }
    return refs.subarray(0, kept);
  }

  #read(ref: number, startMs: number, endMs: number, out: SampleBuffer): void {
    const n = this.#kernel.readSeries(
      HEAD_ROOT, ref, startMs, endMs, this.#snapshotAt, SNAPSHOT_BYTES, this.#timesAt, this.#valuesAt, COLUMN_SAMPLES,
    );
    if (n >= 0) this.#take(n, out);
    else if (n === -2) this.#readWithFiles(ref, startMs, endMs, out);
    else if (n === -3) throw new CorruptError(`a chunk of series ${ref} contradicts its format`, { file: 'head', offset: 0 });
    else this.#readHalves(ref, startMs, endMs, out);
  }

  #readHalves(ref: number, startMs: number, endMs: number, out: SampleBuffer): void {
    const middle = Math.floor((Math.max(startMs, -8.64e15) + Math.min(endMs, 8.64e15)) / 2);
    if (endMs <= startMs) throw new CorruptError(`series ${ref} has too many samples at one time`, { file: 'head', offset: 0 });
    this.#read(ref, startMs, middle, out);
    this.#read(ref, middle + 1, endMs, out);
  }

  #readWithFiles(ref: number, startMs: number, endMs: number, out: SampleBuffer): void {
    const chunks = this.#kernel.snapshot(HEAD_ROOT, ref, startMs, endMs, this.#snapshotAt, SNAPSHOT_BYTES);
    if (chunks < 0) {
      this.#readHalves(ref, startMs, endMs, out);
      return;
    }
    this.#linear.refresh();
    const { u32, u8 } = this.#linear;
    for (let i = chunks - 1; i >= 0; i--) {
      const at = this.#snapshotAt + i * LISTED.BYTES;
      const a = u32[(at + LISTED.A) >>> 2]!;
      const b = u32[(at + LISTED.B) >>> 2]!;
      const inFile = u32[(at + LISTED.STATE) >>> 2] === 1;
      const from = inFile ? this.#fileChunkAt : a;
      const length = inFile ? this.#files.read(a, b, u8, this.#fileChunkAt, FILE_CHUNK_BYTES - GUARD_BYTES) : b;
      const n = this.#kernel.decodeXor(from, length, startMs, endMs, this.#timesAt, this.#valuesAt);
      if (n < 0) {
        throw new CorruptError(`the chunk of series ${ref} contradicts its format`, {
          file: inFile ? `chunks_head/${String(a).padStart(6, '0')}` : 'head',
          offset: inFile ? b : 0,
        });
      }
      this.#take(n, out);
    }
  }

  /** Moves decoded columns into the caller's buffer. */
  #take(n: number, out: SampleBuffer): void {
    if (n === 0) return;
    const { f64 } = this.#linear;
    const times = this.#timesAt >>> 3;
    const values = this.#valuesAt >>> 3;
    out.reserve(out.length + n);
    out.times.set(f64.subarray(times, times + n), out.length);
    out.values.set(f64.subarray(values, values + n), out.length);
    out.length += n;
  }
}
