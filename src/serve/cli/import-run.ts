/**
 * Samples of many series as they come, sorted when there are enough of them: by block, then by series, then by time.
 *
 * Samples lie in columns, 20 bytes each; sorting moves numbers of samples, never samples. What a run gives for one block is a source that
 * encodes its chunks as they are asked for.
 */
import { assert } from '../../core/base/assert.ts';
import { compareLabels, compareStrings, labelsKey, type Labels } from '../../core/model/labels.ts';
import { MixedSamples } from '../../core/model/mixed-samples.ts';
import type { ChunkSource, EncodedChunk, SourceSeries } from '../../core/storage/chunk-source.ts';
import { ChunkCutter } from '../../core/storage/chunk-cutter.ts';
import { alignedStart } from '../../store/tsdb/compaction-plan.ts';
import { ImportError } from './command-errors.ts';

/** Samples of one run: 80 MB in columns, half as much again while they are sorted. */
export const MAX_RUN_SAMPLES = 4 * 1024 * 1024;
/** Characters of series' names and labels in one run. */
export const MAX_RUN_CHARACTERS = 64 * 1024 * 1024;

export interface RunLimits {
  readonly maxSamples: number;
  readonly maxCharacters: number;
}

/** Blocks that one import makes at most: 22 years of two hours each. */
export const MAX_IMPORT_BLOCKS = 100_000;

/** What a run has for one block. */
export interface RunBlock {
  /** Start of the block's aligned range. */
  readonly rangeStartMs: number;
  /** Of its first sample, and behind its last one. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly source: ChunkSource;
}

const FIRST_CAPACITY = 16_384;

export class ImportRun {
  readonly #rangeMs: number;
  readonly #limits: RunLimits;
  #capacity = FIRST_CAPACITY;
  #count = 0;
  #characters = 0;
  #series = new Uint32Array(FIRST_CAPACITY);
  #times = new Float64Array(FIRST_CAPACITY);
  #values = new Float64Array(FIRST_CAPACITY);
  /** By number. */
  #labels: Labels[] = [];
  /** Scratch, by number of series; zeros between uses. */
  #places = new Uint32Array(0);
  readonly #byKey = new Map<string, number>();
  readonly #byLabels = new Map<string, number>();

  /** @param rangeMs what one block covers */
  constructor(rangeMs: number, limits: RunLimits = { maxSamples: MAX_RUN_SAMPLES, maxCharacters: MAX_RUN_CHARACTERS }) {
    this.#rangeMs = rangeMs;
    this.#limits = limits;
  }

  get isFull(): boolean {
    return this.#count >= this.#limits.maxSamples || this.#characters >= this.#limits.maxCharacters;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** The number of a series, until `clear`. @param key of whatever form; several may mean the same series */
  series(key: string, labelsOf: () => Labels): number {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const labels = labelsOf();
    const labelKey = labelsKey(labels);
    let series = this.#byLabels.get(labelKey);
    if (series === undefined) {
      series = this.#labels.push(labels) - 1;
      this.#byLabels.set(labelKey, series);
      this.#characters += labelKey.length;
    }
    this.#byKey.set(key, series);
    this.#characters += key.length;
    return series;
  }

  /** Of samples of one series at one time the first stays. */
  add(series: number, timeMs: number, value: number): void {
    if (this.#count === this.#capacity) this.#grow();
    this.#series[this.#count] = series;
    this.#times[this.#count] = timeMs;
    this.#values[this.#count] = value;
    this.#count++;
  }

  clear(): void {
    this.#count = 0;
    this.#characters = 0;
    this.#labels = [];
    this.#byKey.clear();
    this.#byLabels.clear();
  }

  /** What it has for each block, in order of time. Each source is good until the next is taken. @throws ImportError */
  *blocks(): Generator<RunBlock, undefined> {
    const { starts, order, ends } = this.#sortByRange();
    const ranks = this.#rankSeries();
    this.#places = new Uint32Array(this.#labels.length);
    let from = 0;
    for (const [i, rangeStartMs] of starts.entries()) {
      const end = ends[i]!;
      yield this.#blockOf(rangeStartMs, order.subarray(from, end), ranks);
      from = end;
    }
  }

  /** Numbers of the samples, block by block as they came, and where each block's end. */
  #sortByRange(): { starts: number[]; ends: number[]; order: Uint32Array } {
    const count = this.#count;
    const numbers = new Map<number, number>();
    const ranges = new Uint32Array(count);
    let number = 0;
    let startMs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i++) {
      const timeMs = this.#times[i]!;
      // The next sample is mostly of the same block.
      if (timeMs < startMs || timeMs >= startMs + this.#rangeMs) {
        startMs = alignedStart(timeMs, this.#rangeMs);
        number = numbers.get(startMs) ?? numbers.size;
        numbers.set(startMs, number);
      }
      ranges[i] = number;
    }
    if (numbers.size > MAX_IMPORT_BLOCKS)
      throw new ImportError(`the samples would take ${numbers.size} blocks, ${MAX_IMPORT_BLOCKS} are allowed; use a longer --max-block-duration`);
    const counts = new Uint32Array(numbers.size);
    for (const range of ranges) counts[range]!++;
    const starts = [...numbers.keys()].sort((a, b) => a - b);
    const places = new Uint32Array(numbers.size);
    const ends: number[] = [];
    let end = 0;
    for (const start of starts) {
      const range = numbers.get(start)!;
      places[range] = end;
      end += counts[range]!;
      ends.push(end);
    }
    const order = new Uint32Array(count);
    for (let i = 0; i < count; i++) order[places[ranges[i]!]!++] = i;
    return { starts, ends, order };
  }

  /** The place of each series in the order of labels. */
  #rankSeries(): Uint32Array {
    const labels = this.#labels;
    const sorted = Uint32Array.from(labels, (_, series) => series).sort((a, b) => compareLabels(labels[a]!, labels[b]!));
    const ranks = new Uint32Array(labels.length);
    for (const [rank, series] of sorted.entries()) ranks[series] = rank;
    return ranks;
  }

  /** @param samples of the block, as they came; put in order here */
  #blockOf(rangeStartMs: number, samples: Uint32Array, ranks: Uint32Array): RunBlock {
    const groups = this.#groupBySeries(samples, ranks);
    let minTimeMs = Number.POSITIVE_INFINITY;
    let maxTimeMs = Number.NEGATIVE_INFINITY;
    for (const { from, to } of groups) {
      sortByTime(samples.subarray(from, to), this.#times);
      minTimeMs = Math.min(minTimeMs, this.#times[samples[from]!]!);
      maxTimeMs = Math.max(maxTimeMs, this.#times[samples[to - 1]!]!);
    }
    const source = { symbols: () => this.#symbols(groups), series: () => this.#chunks(groups, samples) };
    return { rangeStartMs, minTimeMs, maxTimeMs: maxTimeMs + 1, source };
  }

  /** Puts samples of one series side by side, as they came, series in order of labels. */
  #groupBySeries(samples: Uint32Array, ranks: Uint32Array): SeriesGroup[] {
    const counts = this.#places;
    const met: number[] = [];
    for (const sample of samples) {
      const series = this.#series[sample]!;
      if (counts[series]!++ === 0) met.push(series);
    }
    const groups: SeriesGroup[] = [];
    let from = 0;
    for (const series of met.sort((a, b) => ranks[a]! - ranks[b]!)) {
      const to = from + counts[series]!;
      groups.push({ series, from, to });
      counts[series] = from;
      from = to;
    }
    const grouped = new Uint32Array(samples.length);
    for (const sample of samples) grouped[counts[this.#series[sample]!]!++] = sample;
    for (const series of met) counts[series] = 0;
    samples.set(grouped);
    return groups;
  }

  #symbols(groups: readonly SeriesGroup[]): Iterable<string> {
    const symbols = new Set<string>();
    for (const { series } of groups) for (const text of this.#labels[series]!) symbols.add(text);
    return [...symbols].sort(compareStrings);
  }

  *#chunks(groups: readonly SeriesGroup[], samples: Uint32Array): Generator<SourceSeries, undefined> {
    const columns = new MixedSamples();
    const cutter = new ChunkCutter();
    for (const { series, from, to } of groups) {
      columns.clear();
      for (let i = from; i < to; i++) {
        const timeMs = this.#times[samples[i]!]!;
        const isRepeated = columns.length > 0 && columns.times[columns.length - 1] === timeMs;
        if (!isRepeated) columns.push(timeMs, this.#values[samples[i]!]!);
      }
      yield { labels: this.#labels[series]!, chunks: cut(columns, cutter) };
    }
  }

  #grow(): void {
    assert(this.#count < 2 ** 32, 'samples of a run are numbered with 32 bits');
    this.#capacity *= 2;
    const series = new Uint32Array(this.#capacity);
    const times = new Float64Array(this.#capacity);
    const values = new Float64Array(this.#capacity);
    series.set(this.#series);
    times.set(this.#times);
    values.set(this.#values);
    this.#series = series;
    this.#times = times;
    this.#values = values;
  }
}

/** Where the samples of one series stand. */
interface SeriesGroup {
  readonly series: number;
  readonly from: number;
  readonly to: number;
}

/** Mostly they are in order already. Those of one time stay as they came. */
function sortByTime(samples: Uint32Array, times: Float64Array): void {
  for (let i = 1; i < samples.length; i++) {
    if (times[samples[i - 1]!]! <= times[samples[i]!]!) continue;
    samples.sort((a, b) => times[a]! - times[b]! || a - b);
    return;
  }
}

function* cut(columns: MixedSamples, cutter: ChunkCutter): Generator<EncodedChunk, undefined> {
  for (let at = 0; at < columns.length; ) {
    at = cutter.add(columns, at, columns.length);
    const chunk = at < columns.length ? cutter.takeFull() : cutter.takeRest();
    if (chunk !== null) yield chunk;
  }
}
