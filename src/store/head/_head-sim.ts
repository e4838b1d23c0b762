/**
 * A head with its files, beside a plain model of what it must hold: seeded random operations, and a comparison through a reader.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { compareLabels, formatLabels, labelsFromObject, labelsKey, labelValue, type Labels } from '../../core/model/labels.ts';
import { compileMatcher, type Matcher } from '../../core/model/matcher.ts';
import { SampleBuffer } from '../../core/model/samples.ts';
import { segmentToCheckpoint, writeCheckpoint } from '../wal/checkpoint.ts';
import { listSegments, segmentName } from '../wal/wal-format.ts';
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
import { OUT_OF_ORDER_LOG_FOLDER, type OutOfOrderCut } from './out-of-order.ts';
import { outOfOrderSource } from './out-of-order-source.ts';
import { replayHead } from './replay.ts';
import { READER_STAGING_BYTES, type HeadView } from './series-chunks.ts';

const CHUNK_RANGE_MS = 7_200_000;
const WINDOW_MS = 3 * 3_600_000;
const SEGMENT_BYTES = 64 * 1024;
const NEVER = Number.NEGATIVE_INFINITY;
const ALL_TIME = { minTimeMs: Number.MIN_SAFE_INTEGER, maxTimeMs: Number.MAX_SAFE_INTEGER };

interface LateSample {
  readonly value: number;
  isCommitted: boolean;
  /** It was in the last cut. */
  isCut: boolean;
  /** It was truncated, or deleted: it may come back with a restart, until its file goes. */
  isGhost: boolean;
}

interface ModelSeries {
  readonly labels: Labels;
  /** Those in order that are not deleted. */
  samples: [number, number][];
  /** How many of the samples are committed. */
  committed: number;
  /** Time of the newest sample in order, deleted or not, and of the newest that is committed. */
  lastMs: number;
  committedLastMs: number;
  /** Out of order, by time. */
  readonly late: Map<number, LateSample>;
  readonly deleted: [number, number][];
}

type Lines = Map<string, string>;

export class HeadSim {
  readonly #folder: string;
  readonly #random: () => number;
  readonly #makeKernel: MakeKernel;
  readonly #windowMs: number;
  readonly #model = new Map<string, ModelSeries>();
  /** What a cache of refs would hold. */
  readonly #refs = new Map<string, number>();
  head!: Head;
  #view!: HeadView;
  #querier!: HeadQuerier;
  #wal!: WalWriter;
  #wbl!: WalWriter;
  #chunks!: HeadChunkWriter;
  #truncation: Generator<undefined, TruncateReport> | null = null;
  #giving: Generator<undefined, void> | null = null;
  #cut: OutOfOrderCut | null = null;
  /** The first segment of the log that is not in the cut. */
  #cutSegment = 0;
  #truncatedMs = NEVER;
  #epoch = 0;
  /** Newest time of all samples, and older ones that are refused. */
  #maxTimeMs = NEVER;
  #minValidMs = NEVER;
  nowMs = 1_699_999_200_000;
  #pods = 10;

  constructor(folder: string, random: () => number, makeKernel: MakeKernel, takesOutOfOrder: boolean) {
    this.#folder = folder;
    this.#random = random;
    this.#makeKernel = makeKernel;
    this.#windowMs = takesOutOfOrder ? WINDOW_MS : 0;
    this.start();
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
    this.#wbl = new WalWriter(join(this.#folder, OUT_OF_ORDER_LOG_FOLDER), { compression: 'none', segmentBytes: SEGMENT_BYTES });
    this.#chunks = new HeadChunkWriter(this.#folder, report.chunkFileTimes);
    this.head.setLog({ log: (series, samples) => this.#wal.log(series.length > 0 ? [encoder.encode(series), ...samples] : samples) });
    this.head.outOfOrder.setWindow(this.#windowMs, (records) => this.#wbl.log(records));
    this.#view = { linear: memory, kernel, stagingAt: memory.allocate(READER_STAGING_BYTES), files: new HeadChunkPages(this.#folder) };
    this.#querier = new HeadQuerier(this.#view);
  }

  /** The process dies: what was not committed is lost. */
  restart(): void {
    while (this.#truncation !== null) this.#truncateStep();
    this.#wal.close();
    this.#wbl.close();
    this.#chunks.close();
    for (const series of this.#model.values()) {
      series.samples.length = series.committed;
      series.lastMs = series.committedLastMs;
      for (const [timeMs, late] of series.late) {
        if (!late.isCommitted) series.late.delete(timeMs);
        late.isCut = false;
      }
    }
    this.#forgetOld();
    this.#refs.clear();
    this.#epoch = 0;
    this.#giving = null;
    this.#cut = null;
    this.start();
    this.#minValidMs = this.#truncatedMs;
    this.#maxTimeMs = NEVER;
    for (const { lastMs } of this.#model.values()) if (lastMs >= this.#minValidMs) this.#maxTimeMs = Math.max(this.#maxTimeMs, lastMs);
  }

  /** A sample or a few, of series that come and go; some of them are refused. */
  append(): void {
    const random = this.#random;
    if (random() < 0.1) this.#pods++;
    const pod = this.#pods - Math.floor(random() * 10);
    const labels = labelsFromObject({ __name__: `m${Math.floor(random() * 3)}`, pod: `pod-${pod}`, ...(pod % 2 === 0 ? { [`label_${pod % 7}`]: 'x'.repeat(pod % 50) } : {}) });
    const lateShare = random() < 0.1 ? 0.9 : 0.1;
    const samples: [number, number][] = [];
    for (let left = 1 + Math.floor(random() * random() * 20); left > 0; left--) {
      this.nowMs += Math.floor(random() * 8000);
      samples.push([this.nowMs - (random() < lateShare ? Math.floor(random() * random() * 15_000_000) : 0), Math.floor(random() * 5)]);
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
    if (series === undefined) this.#model.set(key, (series = { labels, samples: [], committed: 0, lastMs: NEVER, committedLastMs: NEVER, late: new Map(), deleted: [] }));
    // What lands where samples were deleted stays hidden, as long as the tombstone does.
    const taken = samples.filter(([timeMs]) => !series.deleted.some(([from, to]) => timeMs >= from && timeMs <= to));
    const headMaxMs = this.#maxTimeMs;
    const minValidMs = Math.max(this.#minValidMs, headMaxMs - CHUNK_RANGE_MS / 2);
    const want = { inOrder: 0, tooOld: 0 };
    for (const [timeMs, value] of taken) {
      if (timeMs >= minValidMs && timeMs > series.lastMs) {
        series.samples.push([timeMs, value]);
        series.lastMs = timeMs;
        this.#maxTimeMs = Math.max(this.#maxTimeMs, timeMs);
        want.inOrder++;
      } else if (timeMs !== series.lastMs && this.#windowMs > 0) {
        if (timeMs < headMaxMs - this.#windowMs) want.tooOld++;
        else if (series.late.get(timeMs)?.isGhost !== false) series.late.set(timeMs, { value: this.#valueOf(series, timeMs) ?? value, isCommitted: false, isCut: false, isGhost: false });
      }
    }
    const counts = this.head.append({
      refs: new Uint32Array(taken.length).fill(ref),
      times: Float64Array.from(taken, ([timeMs]) => timeMs),
      values: Float64Array.from(taken, ([, value]) => value),
      count: taken.length,
    });
    assert.deepEqual({ inOrder: counts.appended - counts.appendedOutOfOrder, tooOld: counts.tooOld }, want);
    assert.equal(counts.appended + counts.identical + counts.duplicate + counts.outOfOrder + counts.outOfBounds + counts.tooOld, taken.length);
  }

  /** A sample that was truncated may come back and was first: then new ones at its time are made equal. */
  #valueOf(series: ModelSeries, timeMs: number): number | undefined {
    return series.late.get(timeMs)?.value;
  }

  commit(): void {
    this.head.commit();
    for (const series of this.#model.values()) {
      series.committed = series.samples.length;
      series.committedLastMs = series.lastMs;
      for (const late of series.late.values()) late.isCommitted = true;
    }
  }

  /** Deletes a range of some series, now and then of all. */
  delete(): void {
    const random = this.#random;
    const startMs = this.nowMs - Math.floor(random() * 10_000_000);
    const endMs = random() < 0.2 ? Number.MAX_SAFE_INTEGER : startMs + Math.floor(random() * 2_000_000);
    const pod = `pod-${this.#pods - Math.floor(random() * 10)}`;
    const name = `m${Math.floor(random() * 3)}`;
    const everything: Matcher[][] = [[{ name: '__name__', op: '=~', value: '.+' }]];
    const some: Matcher[][] = [[{ name: 'pod', op: '=', value: pod }], [{ name: '__name__', op: '=', value: name }, { name: 'pod', op: '=~', value: 'pod-.*[02468]' }]];
    const matcherSets = random() < 0.1 ? everything : some;
    this.commit();
    this.head.deleteSamples({ matcherSets, startMs, endMs });
    const compiled = matcherSets.map((matchers) => matchers.map(compileMatcher));
    for (const series of this.#model.values()) {
      if (!compiled.some((matchers) => matchers.every((matcher) => matcher.matches(labelValue(series.labels, matcher.name))))) continue;
      series.samples = series.samples.filter(([timeMs]) => timeMs < startMs || timeMs > endMs);
      series.committed = series.samples.length;
      series.deleted.push([startMs, Math.min(endMs, this.nowMs)]);
      // Once it is truncated, so may be the tombstone.
      for (const [timeMs, late] of series.late) if (timeMs >= startMs && timeMs <= endMs) late.isGhost = true;
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
          // Samples out of order that are still in a file belong to the series if it comes again.
          const { labels, late, deleted } = this.#model.get(key)!;
          this.#model.set(key, { labels, samples: [], committed: 0, lastMs: NEVER, committedLastMs: NEVER, late, deleted });
        }
      };
      this.#truncation = this.head.truncate({ beforeMs: this.#truncatedMs, unbind }, this.#wal.segment);
    }
    const step = this.#truncation.next();
    if (step.done !== true) return;
    this.#truncation = null;
    this.#epoch = step.value.epoch;
    this.head.setFirstChunkFile(this.#chunks.truncate(this.#truncatedMs, this.head.outOfOrder.oldestChunkFile));
    this.#checkpoint();
  }

  #checkpoint(): void {
    const walFolder = join(this.#folder, 'wal');
    this.#wal.startSegment();
    const lastSegment = segmentToCheckpoint(listSegments(walFolder).filter((segment) => segment < this.#wal.segment));
    if (lastSegment === null) return;
    const bounds = { lastSegment, minTimeMs: this.#truncatedMs };
    const keepSeries = neededWalRefs(this.#view.linear, this.head.checkpointNeeds(bounds));
    const minTombstoneMs = this.head.minTombstoneMs(this.#truncatedMs);
    assert.deepEqual(writeCheckpoint(walFolder, { ...bounds, minTombstoneMs, keepSeries, compression: 'none' }).faults, []);
    this.head.checkpointWritten(bounds);
  }

  /** Puts what came out of order aside, as for blocks, and then drops it. */
  cutOutOfOrder(): void {
    if (this.#cut === null) {
      this.#wbl.startSegment();
      this.#cutSegment = this.#wbl.segment;
      this.#cut = lastOf(this.head.outOfOrder.close());
      for (const { late } of this.#model.values()) for (const each of late.values()) each.isCut = !each.isGhost;
      return;
    }
    const folder = join(this.#folder, OUT_OF_ORDER_LOG_FOLDER);
    const { epoch } = lastOf(this.head.truncateOutOfOrder(this.#cut));
    this.#epoch = Math.max(this.#epoch, epoch);
    this.#cut = null;
    for (const { late } of this.#model.values()) for (const each of late.values()) if (each.isCut) each.isGhost = true;
    for (const segment of listSegments(folder)) if (segment < this.#cutSegment) rmSync(join(folder, segmentName(segment)));
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

  /** Compares all that is committed, read by select and as sources. */
  async check(): Promise<void> {
    const startMs = this.#truncatedMs;
    const inOrder = this.#inOrder();
    const { must, may } = this.#late();
    const set = await this.#querier.select({ matchers: [], startMs, endMs: Number.POSITIVE_INFINITY });
    const got: Lines = new Map();
    const out = new SampleBuffer();
    for (let i = 0; i < set.seriesCount; i++) {
      out.clear();
      set.read(i, out);
      for (let k = 0; k < out.length; k++) {
        if (k > 0) assert.ok(out.times[k]! > out.times[k - 1]!);
        got.set(`${formatLabels(set.labels(i))} ${out.times[k]}`, String(out.values[k]));
      }
    }
    const inside = (lines: Lines): Lines => new Map([...lines].filter(([line]) => Number(line.split(' ').at(-1)) >= startMs));
    this.#compare(got, new Map([...inside(must), ...inOrder]), new Map([...inside(may), ...inOrder]));
    assert.deepEqual(linesOf(readSource(headSource(this.#view, { minTimeMs: startMs, maxTimeMs: Number.POSITIVE_INFINITY })).series), inOrder);
    this.#compare(linesOf(readSource(outOfOrderSource(this.#view, ALL_TIME)).series), must, may);
    await this.#checkLabels([...inOrder.keys()].map((line) => line.slice(0, line.lastIndexOf(' '))));
  }

  #compare(got: Lines, must: Lines, may: Lines): void {
    for (const [line, value] of must) assert.equal(got.get(line), value, `${line} is there`);
    for (const [line, value] of got) assert.equal(value, must.get(line) ?? may.get(line), `${line} is allowed`);
  }

  /** Committed samples in order, sorted by labels. */
  #inOrder(): Lines {
    const lines: Lines = new Map();
    for (const { labels, samples, committed } of [...this.#model.values()].sort((a, b) => compareLabels(a.labels, b.labels))) {
      for (const [timeMs, value] of samples.slice(0, committed)) if (timeMs >= this.#truncatedMs) lines.set(`${formatLabels(labels)} ${timeMs}`, String(value));
    }
    return lines;
  }

  /** Samples out of order that must be there, and those that may. */
  #late(): { must: Lines; may: Lines } {
    const must: Lines = new Map();
    const may: Lines = new Map();
    for (const { labels, late } of this.#model.values()) {
      for (const [timeMs, { value, isGhost, isCommitted }] of late) {
        may.set(`${formatLabels(labels)} ${timeMs}`, String(value));
        if (!isGhost && isCommitted) must.set(`${formatLabels(labels)} ${timeMs}`, String(value));
      }
    }
    return { must, may };
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

function linesOf(series: readonly [string, [number, number][]][]): Lines {
  return new Map(series.flatMap(([name, samples]) => samples.map(([timeMs, value]): [string, string] => [`${name} ${timeMs}`, String(value)])));
}

function lastOf<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
