/**
 * The head as a querier, in a thread of its own over the head's shared memory.
 *
 * Label lookups read what the owner only ever adds to. A series' compressed chunks are copied under its version word into this
 * reader's staging area and decoded there, so the owner never waits. Chunks in files are read through the page cache.
 */
import { CorruptError } from '../../core/base/errors.ts';
import { ROOT } from '../../core/kernels/head-layout.ts';
import type { HeadKernel } from '../../core/kernels/head-kernel.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { compareStrings, labelValue, type Labels } from '../../core/model/labels.ts';
import { appendLeft, coversAll } from '../../core/model/intervals.ts';
import { mergeSamples } from '../../core/model/merge-samples.ts';
import { MixedSamples } from '../../core/model/mixed-samples.ts';
import type { SampleBuffer } from '../../core/model/samples.ts';
import type { LabelRequest, Querier, SelectRequest, SeriesSet } from '../../core/storage/querier.ts';
import { HEAD_ROOT } from './head-memory.ts';
import { LabelIndexReader } from './label-index-reader.ts';
import { OutOfOrderReader } from './out-of-order-reader.ts';
import {
  COLUMN_SAMPLES, lookingAgain, middleOf, SeriesChunks, stagingOf, type HeadChunkReader, type HeadView, type SeriesPart, type Staging,
} from './series-chunks.ts';
import { deletedIntervals, hasExtra, outOfOrderRecord } from './series-extra.ts';
import { mayHaveSamples, Visibility } from './visibility.ts';

/** Times that series are looked through while transactions come. */
const MAX_LOOKS = 10;

export class HeadQuerier implements Querier {
  readonly #linear: LinearMemory;
  readonly #kernel: HeadKernel;
  readonly #index: LabelIndexReader;
  readonly #chunks: SeriesChunks;
  readonly #staging: Staging;
  readonly #files: HeadChunkReader;
  readonly #outOfOrder: OutOfOrderReader;
  readonly #visibility: Visibility;
  #firstFile = 0;

  constructor(view: HeadView) {
    this.#linear = view.linear;
    this.#kernel = view.kernel;
    this.#files = view.files;
    this.#visibility = new Visibility(view.linear);
    this.#index = new LabelIndexReader(view.linear);
    this.#chunks = new SeriesChunks(view);
    this.#outOfOrder = new OutOfOrderReader(view, this.#chunks);
    this.#staging = stagingOf(view);
  }

  get index(): LabelIndexReader {
    return this.#index;
  }

  select(request: SelectRequest): Promise<SeriesSet> {
    const { startMs, endMs } = request;
    const { refs, visibleMs } = this.#selectVisible(request);
    const labels = this.#index.labelsReader();
    return Promise.resolve({
      seriesCount: refs.length,
      labels: (i) => labels(refs[i]!),
      read: (i, out) => {
        this.#readAll({ ref: refs[i]!, startMs, endMs }, visibleMs[i]!, out);
      },
      close: () => {},
    });
  }

  labelNames(request: LabelRequest): Promise<string[]> {
    this.#sync();
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
    this.#sync();
    if (!this.#overlaps(request)) return Promise.resolve([]);
    if (request.matchers.length === 0) return Promise.resolve(this.#index.labelValues(name).sort(compareStrings));
    const values = new Set<string>();
    for (const ref of this.#selectRefs(request)) {
      const value = labelValue(this.#index.labels(ref), name);
      if (value !== '') values.add(value);
    }
    return Promise.resolve([...values].sort(compareStrings));
  }

  series(request: LabelRequest): Promise<Labels[]> {
    this.#sync();
    return Promise.resolve(Array.from(this.#selectRefs(request), (ref) => this.#index.labels(ref)));
  }

  /** Begins a request. */
  #sync(): void {
    this.#index.sync();
    const firstFile = Atomics.load(this.#linear.i32, (HEAD_ROOT + ROOT.FIRST_CHUNK_FILE) >>> 2);
    if (firstFile === this.#firstFile) return;
    this.#firstFile = firstFile;
    this.#files.forgetBefore(firstFile);
  }

  /** Whether the head has any sample's time in the range. */
  #overlaps({ startMs, endMs }: LabelRequest): boolean {
    const { f64 } = this.#linear;
    const touches = (minField: number, maxField: number): boolean => f64[(HEAD_ROOT + minField) >>> 3]! <= endMs && f64[(HEAD_ROOT + maxField) >>> 3]! >= startMs;
    return touches(ROOT.MIN_TIME, ROOT.MAX_TIME) || touches(ROOT.OUT_OF_ORDER_MIN_TIME, ROOT.OUT_OF_ORDER_MAX_TIME);
  }

  /** Refs that match and may have samples in the range. */
  #selectRefs(request: LabelRequest): Uint32Array {
    const { startMs, endMs } = request;
    const refs = this.#index.select(request.matchers);
    let kept = 0;
    for (const ref of refs) {
      if (mayHaveSamples(this.#linear, ref, startMs, endMs) && !this.#isDeleted({ ref, startMs, endMs })) refs[kept++] = ref;
    }
    return refs.subarray(0, kept);
  }

  /** Whether the samples of all chunks are deleted. */
  #isDeleted(part: SeriesPart): boolean {
    const deleted = deletedIntervals(this.#linear, part.ref);
    const chunks = this.#chunks;
    if (deleted.length === 0 || outOfOrderRecord(this.#linear, part.ref) !== 0 || !chunks.take(part)) return false;
    for (let i = 0; i < chunks.count; i++) {
      if (!coversAll(deleted, Math.max(chunks.minTimeMs(i), part.startMs), Math.min(chunks.maxTimeMs(i), part.endMs))) return false;
    }
    return true;
  }

  /** Series that match and may have samples to be seen in the range, and for each the newest time to be seen. */
  #selectVisible({ matchers, startMs, endMs }: SelectRequest): { refs: Uint32Array; visibleMs: Float64Array } {
    const visibility = this.#visibility;
    for (let look = 1; ; look++) {
      this.#sync();
      visibility.begin();
      const refs = this.#index.select(matchers);
      const visibleMs = new Float64Array(refs.length);
      let kept = 0;
      for (const ref of refs) {
        const visibleEndMs = visibility.endOf(ref, startMs, endMs);
        if (visibleEndMs === Number.NEGATIVE_INFINITY && outOfOrderRecord(this.#linear, ref) === 0) continue;
        refs[kept] = ref;
        visibleMs[kept++] = visibleEndMs;
      }
      // Transactions come faster than series can be looked through: what is seen is of several moments then, as without isolation.
      if (!visibility.isTorn || look === MAX_LOOKS) return { refs: refs.subarray(0, kept), visibleMs };
    }
  }

  /** Samples in order up to what is visible, and those that few series have beside. */
  #readAll(part: SeriesPart, visibleMs: number, out: SampleBuffer): void {
    const inOrder = { ...part, endMs: Math.min(part.endMs, visibleMs) };
    if (!hasExtra(this.#linear, part.ref)) {
      this.#read(inOrder, out);
      return;
    }
    const all = new MixedSamples();
    if (inOrder.startMs <= inOrder.endMs) this.#read(inOrder, all);
    const record = outOfOrderRecord(this.#linear, part.ref);
    if (record !== 0) mergeSamples(all, lookingAgain(() => this.#outOfOrder.read({ ...part, ref: record })));
    appendLeft(out, all, part, deletedIntervals(this.#linear, part.ref));
  }

  #read(part: SeriesPart, out: SampleBuffer): void {
    const { ref, startMs, endMs } = part;
    const { snapshotAt, snapshotBytes, timesAt, valuesAt } = this.#staging;
    const n = this.#kernel.readSeries(HEAD_ROOT, ref, startMs, endMs, snapshotAt, snapshotBytes, timesAt, valuesAt, COLUMN_SAMPLES);
    if (n >= 0) this.#take(n, out);
    else if (n === -2) this.#readWithFiles(part, out);
    else if (n === -3) throw new CorruptError(`a chunk of series ${ref} contradicts its format`, { file: 'head', offset: 0 });
    else this.#readHalves(part, out);
  }

  #readHalves(part: SeriesPart, out: SampleBuffer): void {
    const middleMs = middleOf(part);
    this.#read({ ...part, endMs: middleMs }, out);
    this.#read({ ...part, startMs: middleMs + 1 }, out);
  }

  #readWithFiles(part: SeriesPart, out: SampleBuffer): void {
    const before = out.length;
    lookingAgain(() => {
      out.length = before;
      this.#readChunks(part, out);
    });
  }

  #readChunks(part: SeriesPart, out: SampleBuffer): void {
    const chunks = this.#chunks;
    if (!chunks.take(part)) {
      this.#readHalves(part, out);
      return;
    }
    const { timesAt, valuesAt } = this.#staging;
    for (let i = 0; i < chunks.count; i++) {
      const { address, length } = chunks.place(i);
      const n = this.#kernel.decodeXor(address, length, part.startMs, part.endMs, timesAt, valuesAt);
      if (n < 0) throw chunks.corrupt(i, part.ref);
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
