/**
 * The head as a querier, in a thread of its own over the head's shared memory.
 *
 * Label lookups read what the owner only ever adds to. A series' compressed chunks are copied under its version word into this
 * reader's staging area and decoded there, so the owner never waits. Chunks in files are read through the page cache.
 */
import { CorruptError } from '../../core/base/errors.ts';
import { RECORD, ROOT } from '../../core/kernels/head-layout.ts';
import type { HeadKernel } from '../../core/kernels/head-kernel.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { compareStrings, labelValue, type Labels } from '../../core/model/labels.ts';
import type { SampleBuffer } from '../../core/model/samples.ts';
import type { LabelRequest, Querier, SelectRequest, SeriesSet } from '../../core/storage/querier.ts';
import { entryAddress, HEAD_ROOT } from './head-memory.ts';
import { LabelIndexReader } from './label-index-reader.ts';
import { ChunkFileGoneError, COLUMN_SAMPLES, middleOf, SeriesChunks, stagingOf, type HeadView, type Staging } from './series-chunks.ts';

/** Times a series is looked at before a file that is not there counts as lost. */
const MAX_LOOKS = 3;

export class HeadQuerier implements Querier {
  readonly #linear: LinearMemory;
  readonly #kernel: HeadKernel;
  readonly #index: LabelIndexReader;
  readonly #chunks: SeriesChunks;
  readonly #staging: Staging;

  constructor(view: HeadView) {
    this.#linear = view.linear;
    this.#kernel = view.kernel;
    this.#index = new LabelIndexReader(view.linear);
    this.#chunks = new SeriesChunks(view);
    this.#staging = stagingOf(view);
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
    const { snapshotAt, snapshotBytes, timesAt, valuesAt } = this.#staging;
    const n = this.#kernel.readSeries(HEAD_ROOT, ref, startMs, endMs, snapshotAt, snapshotBytes, timesAt, valuesAt, COLUMN_SAMPLES);
    if (n >= 0) this.#take(n, out);
    else if (n === -2) this.#readWithFiles(ref, startMs, endMs, out);
    else if (n === -3) throw new CorruptError(`a chunk of series ${ref} contradicts its format`, { file: 'head', offset: 0 });
    else this.#readHalves(ref, startMs, endMs, out);
  }

  #readHalves(ref: number, startMs: number, endMs: number, out: SampleBuffer): void {
    const middleMs = middleOf(ref, startMs, endMs);
    this.#read(ref, startMs, middleMs, out);
    this.#read(ref, middleMs + 1, endMs, out);
  }

  #readWithFiles(ref: number, startMs: number, endMs: number, out: SampleBuffer): void {
    const before = out.length;
    for (let look = 1; ; look++) {
      try {
        this.#readChunks(ref, startMs, endMs, out);
        return;
      } catch (error) {
        // The head may have been truncated since the chunks were listed.
        if (!(error instanceof ChunkFileGoneError) || look === MAX_LOOKS) throw error;
        out.length = before;
      }
    }
  }

  #readChunks(ref: number, startMs: number, endMs: number, out: SampleBuffer): void {
    const chunks = this.#chunks;
    if (!chunks.take(ref, startMs, endMs)) {
      this.#readHalves(ref, startMs, endMs, out);
      return;
    }
    const { timesAt, valuesAt } = this.#staging;
    for (let i = 0; i < chunks.count; i++) {
      const { address, length } = chunks.place(i);
      const n = this.#kernel.decodeXor(address, length, startMs, endMs, timesAt, valuesAt);
      if (n < 0) throw chunks.corrupt(i, ref);
      this.#take(n, out);
    }
  }

  /** Moves decoded columns into the caller's buffer. */
  #take(n: number, out: SampleBuffer): void {
    if (n === 0) return;
    const { f64 } = this.#linear;
    const times = this.#staging.timesAt >>> 3;
    const values = this.#staging.valuesAt >>> 3;
    out.reserve(out.length + n);
    out.times.set(f64.subarray(times, times + n), out.length);
    out.values.set(f64.subarray(values, values + n), out.length);
    out.length += n;
  }
}
