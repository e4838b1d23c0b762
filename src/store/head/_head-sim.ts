/**
 * A head with its files, beside a plain model of what it must hold: seeded random operations, and a comparison through a reader.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { compareLabels, formatLabels, labelsFromObject, labelsKey, labelValue, type Labels } from '../../core/model/labels.ts';
import { compileMatcher, type Matcher } from '../../core/model/matcher.ts';
import { SampleBuffer } from '../../core/model/samples.ts';
import { segmentToCheckpoint, writeCheckpoint } from '../wal/checkpoint.ts';
import { listSegments } from '../wal/wal-format.ts';
import { SeriesEncoder } from '../wal/wal-records.ts';
import { WalWriter } from '../wal/wal-writer.ts';
import { readSource, type MakeKernel } from './_head-fixtures.ts';
import { HeadChunkWriter } from './head-chunk-files.ts';
import { HeadChunkPages } from './head-chunk-pages.ts';
import { Head } from './head.ts';
import { HeadQuerier } from './head-querier.ts';
import { headSource } from './head-source.ts';
import type { TruncateReport } from './head-truncation.ts';
import { neededWalRefs } from './needed-wal-refs.ts';
import { replayHead } from './replay.ts';
import { READER_STAGING_BYTES, type HeadView } from './series-chunks.ts';

const CHUNK_RANGE_MS = 7_200_000;
const SEGMENT_BYTES = 64 * 1024;

interface ModelSeries {
  readonly labels: Labels;
  /** Those that are not deleted. */
  samples: [number, number][];
  /** How many of the samples are committed. */
  committed: number;
  /** Time of the newest sample, deleted or not, and of the newest that is committed. */
  lastMs: number;
  committedLastMs: number;
}

export class HeadSim {
  readonly #folder: string;
  readonly #random: () => number;
  readonly #makeKernel: MakeKernel;
  readonly #model = new Map<string, ModelSeries>();
  /** What a cache of refs would hold. */
  readonly #refs = new Map<string, number>();
  head!: Head;
  #view!: HeadView;
  #querier!: HeadQuerier;
  #wal!: WalWriter;
  #chunks!: HeadChunkWriter;
  #truncation: Generator<undefined, TruncateReport> | null = null;
  #giving: Generator<undefined, void> | null = null;
  #truncatedMs = Number.NEGATIVE_INFINITY;
  #epoch = 0;
  /** Newest time of all samples, and older ones that are refused. */
  #maxTimeMs = Number.NEGATIVE_INFINITY;
  #minValidMs = Number.NEGATIVE_INFINITY;
  nowMs = 1_699_999_200_000;
  #pods = 10;

  constructor(folder: string, random: () => number, makeKernel: MakeKernel) {
    this.#folder = folder;
    this.#random = random;
    this.#makeKernel = makeKernel;
    this.start();
  }

  get view(): HeadView {
    return this.#view;
  }

  /** Opens a head over what is on disk. */
  start(): void {
    const memory = Head.createMemory(8192);
    const kernel = this.#makeKernel(memory);
    const encoder = new SeriesEncoder();
    const walFolder = join(this.#folder, 'wal');
    this.head = new Head({ memory, kernel, log: { log: () => {} }, chunkRangeMs: CHUNK_RANGE_MS, stepSize: 1 + Math.floor(this.#random() * 20) });
    const report = replayHead(this.head, { dataFolder: this.#folder, walFolder, minValidTimeMs: this.#truncatedMs });
    assert.equal(report.unknownRefSamples, 0, 'every sample in the log has its series');
    assert.deepEqual([report.walFault, report.chunkFault], [null, null]);
    this.#wal = new WalWriter(walFolder, { compression: 'none', segmentBytes: SEGMENT_BYTES });
    this.#chunks = new HeadChunkWriter(this.#folder, report.chunkFileTimes);
    this.head.setLog({ log: (series, samples) => this.#wal.log(series.length > 0 ? [encoder.encode(series), ...samples] : samples) });
    this.#view = { linear: memory, kernel, stagingAt: memory.allocate(READER_STAGING_BYTES), files: new HeadChunkPages(this.#folder) };
    this.#querier = new HeadQuerier(this.#view);
  }

  /** The process dies: what was not committed is lost. */
  restart(): void {
    while (this.#truncation !== null) this.#truncateStep();
    this.#wal.close();
    this.#chunks.close();
    for (const series of this.#model.values()) {
      series.samples.length = series.committed;
      series.lastMs = series.committedLastMs;
    }
    this.#forgetOld();
    this.#refs.clear();
    this.#epoch = 0;
    this.#giving = null;
    this.start();
    this.#minValidMs = this.#truncatedMs;
    this.#maxTimeMs = Number.NEGATIVE_INFINITY;
    for (const { lastMs } of this.#model.values()) if (lastMs >= this.#minValidMs) this.#maxTimeMs = Math.max(this.#maxTimeMs, lastMs);
  }

  /** A sample or a few, of series that come and go; some of them are refused. */
  append(): void {
    const random = this.#random;
    if (random() < 0.1) this.#pods++;
    const pod = this.#pods - Math.floor(random() * 10);
    const labels = labelsFromObject({ __name__: `m${Math.floor(random() * 3)}`, pod: `pod-${pod}`, ...(pod % 2 === 0 ? { [`label_${pod % 7}`]: 'x'.repeat(pod % 50) } : {}) });
    const samples: [number, number][] = [];
    for (let left = 1 + Math.floor(random() * random() * 20); left > 0; left--) {
      this.nowMs += Math.floor(random() * 8000);
      samples.push([this.nowMs - (random() < 0.1 ? Math.floor(random() * 8_000_000) : 0), Math.floor(random() * 5)]);
    }
    this.#append(labels, samples);
  }

  #append(labels: Labels, samples: readonly [number, number][]): void {
    const key = labelsKey(labels);
    let ref = this.#refs.get(key);
    if (ref === undefined) {
      ref = this.head.series(labels);
      this.#refs.set(key, ref);
    }
    let series = this.#model.get(key);
    if (series === undefined) this.#model.set(key, (series = { labels, samples: [], committed: 0, lastMs: Number.NEGATIVE_INFINITY, committedLastMs: Number.NEGATIVE_INFINITY }));
    const minValidMs = Math.max(this.#minValidMs, this.#maxTimeMs - CHUNK_RANGE_MS / 2);
    let appended = 0;
    for (const [timeMs, value] of samples) {
      if (timeMs < minValidMs || timeMs <= series.lastMs) continue;
      series.samples.push([timeMs, value]);
      series.lastMs = timeMs;
      this.#maxTimeMs = Math.max(this.#maxTimeMs, timeMs);
      appended++;
    }
    const counts = this.head.append({
      refs: new Uint32Array(samples.length).fill(ref),
      times: Float64Array.from(samples, ([timeMs]) => timeMs),
      values: Float64Array.from(samples, ([, value]) => value),
      count: samples.length,
    });
    assert.equal(counts.appended, appended);
    assert.equal(counts.appended + counts.identical + counts.duplicate + counts.outOfOrder + counts.outOfBounds, samples.length);
  }

  commit(): void {
    this.head.commit();
    for (const series of this.#model.values()) {
      series.committed = series.samples.length;
      series.committedLastMs = series.lastMs;
    }
  }

  /** Deletes a range of some series, now and then of all. */
  delete(): void {
    const random = this.#random;
    const startMs = this.nowMs - Math.floor(random() * 10_000_000);
    const endMs = random() < 0.2 ? Number.MAX_SAFE_INTEGER : startMs + Math.floor(random() * 2_000_000);
    const pod = `pod-${this.#pods - Math.floor(random() * 10)}`;
    const name = `m${Math.floor(random() * 3)}`;
    const matcherSets: Matcher[][] = random() < 0.1 ? [[{ name: '__name__', op: '=~', value: '.+' }]] : [[{ name: 'pod', op: '=', value: pod }], [{ name: '__name__', op: '=', value: name }, { name: 'pod', op: '=~', value: 'pod-.*[02468]' }]];
    this.commit();
    this.head.deleteSamples({ matcherSets, startMs, endMs });
    const compiled = matcherSets.map((matchers) => matchers.map(compileMatcher));
    for (const series of this.#model.values()) {
      if (!compiled.some((matchers) => matchers.every((matcher) => matcher.matches(labelValue(series.labels, matcher.name))))) continue;
      series.samples = series.samples.filter(([timeMs]) => timeMs < startMs || timeMs > endMs);
      series.committed = series.samples.length;
    }
  }

  flush(): void {
    if (this.#random() < 0.8) this.commit();
    this.head.flushChunks(this.#chunks, 1 + Math.floor(this.#random() * 50));
  }

  /** Some steps of cutting off what is older than an hour or two. */
  truncate(): void {
    for (let steps = 1 + Math.floor(this.#random() * 40); steps > 0; steps--) this.#truncateStep();
  }

  #truncateStep(): void {
    if (this.#truncation === null) {
      const beforeMs = this.nowMs - 3_600_000 - Math.floor(this.#random() * 7_200_000);
      this.#truncatedMs = Math.max(this.#truncatedMs, beforeMs);
      this.#minValidMs = this.#truncatedMs;
      this.#forgetOld();
      const unbind = (isGone: (ref: number) => boolean): void => {
        for (const [key, ref] of this.#refs) {
          if (!isGone(ref)) continue;
          this.#refs.delete(key);
          this.#model.delete(key);
        }
      };
      this.#truncation = this.head.truncate({ beforeMs: this.#truncatedMs, unbind }, this.#wal.segment);
    }
    const step = this.#truncation.next();
    if (step.done !== true) return;
    this.#truncation = null;
    this.#epoch = step.value.epoch;
    this.head.setFirstChunkFile(this.#chunks.truncate(this.#truncatedMs));
    this.#checkpoint();
  }

  #checkpoint(): void {
    const walFolder = join(this.#folder, 'wal');
    this.#wal.startSegment();
    const lastSegment = segmentToCheckpoint(listSegments(walFolder).filter((segment) => segment < this.#wal.segment));
    if (lastSegment === null) return;
    const bounds = { lastSegment, minTimeMs: this.#truncatedMs };
    const keepSeries = neededWalRefs(this.#view.linear, this.head.checkpointNeeds(bounds));
    assert.deepEqual(writeCheckpoint(walFolder, { ...bounds, keepSeries, compression: 'none' }).faults, []);
    this.head.checkpointWritten(bounds);
  }

  /** Readers are done, since each read of this test is short. What was retired comes back bit by bit. */
  quiesce(): void {
    for (let steps = 1 + Math.floor(this.#random() * 10); steps > 0; steps--) {
      this.#giving ??= this.head.quiesced(this.#epoch);
      if (this.#giving.next().done === true) this.#giving = null;
    }
  }

  /** What lies before the truncation is not compared: blocks have it. */
  #forgetOld(): void {
    for (const series of this.#model.values()) {
      const old = series.samples.findLastIndex(([timeMs]) => timeMs < this.#truncatedMs) + 1;
      series.samples.splice(0, old);
      series.committed = Math.max(0, series.committed - old);
    }
  }

  /** Compares all committed samples, read by select and as a source. */
  async check(): Promise<void> {
    const startMs = this.#truncatedMs;
    const want = [...this.#model.values()]
      .map(({ labels, samples, committed }) => ({ labels, samples: samples.slice(0, committed).filter(([timeMs]) => timeMs >= startMs) }))
      .filter(({ samples }) => samples.length > 0)
      .sort((a, b) => compareLabels(a.labels, b.labels))
      .map(({ labels, samples }): [string, [number, number][]] => [formatLabels(labels), samples]);
    const set = await this.#querier.select({ matchers: [], startMs, endMs: Number.POSITIVE_INFINITY });
    const got: { labels: Labels; samples: [number, number][] }[] = [];
    const out = new SampleBuffer();
    for (let i = 0; i < set.seriesCount; i++) {
      out.clear();
      set.read(i, out);
      if (out.length > 0) got.push({ labels: set.labels(i), samples: Array.from({ length: out.length }, (_, k) => [out.times[k]!, out.values[k]!]) });
    }
    got.sort((a, b) => compareLabels(a.labels, b.labels));
    assert.deepEqual(got.map(({ labels, samples }) => [formatLabels(labels), samples]), want);
    const source = headSource(this.#view, { minTimeMs: startMs, maxTimeMs: Number.POSITIVE_INFINITY });
    assert.deepEqual(readSource(source).series, want);
    await this.#checkLabels(want.map(([name]) => name));
  }

  async #checkLabels(want: readonly string[]): Promise<void> {
    const range = { startMs: this.#truncatedMs, endMs: Number.POSITIVE_INFINITY };
    const pods = await this.#querier.labelValues('pod', { matchers: [], ...range });
    for (const pod of pods.slice(-5)) {
      const matchers = [{ name: 'pod', op: '=', value: pod } as const];
      const found = (await this.#querier.series({ matchers, ...range })).map(formatLabels);
      for (const each of want.filter((name) => name.includes(`"${pod}"`))) assert.ok(found.includes(each), `${each} is found by its pod`);
      assert.ok(found.every((each) => each.includes(`"${pod}"`)));
    }
  }
}

