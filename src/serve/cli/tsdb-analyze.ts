/**
 * `coeus tsdb analyze`: what makes a block large, in promtool's words: label pairs, names and values that are many, and how full chunks are.
 *
 * Counts are kept by numbers of symbols, so that a block of many series fits; strings are made for what is printed.
 */
import { systemClock } from '../../core/base/clock.ts';
import { CorruptError } from '../../core/base/errors.ts';
import { chunkSampleCount, decodeChunk, ENCODING } from '../../core/chunk/chunk.ts';
import { ChunkError } from '../../core/chunk/chunk-error.ts';
import { compareStrings, METRIC_NAME } from '../../core/model/labels.ts';
import { MixedSamples } from '../../core/model/mixed-samples.ts';
import { parseSelector } from '../../query/promql/parse/parser.ts';
import type { Block } from '../../store/block/block.ts';
import { PairTable } from '../../store/index/pair-table.ts';
import type { Postings } from '../../store/index/postings.ts';
import { selectPostings } from '../../store/index/select-postings.ts';
import { SeriesEntry } from '../../store/index/series-entry.ts';
import { DataFolderError } from './command-errors.ts';
import { openBlocks } from './data-folder.ts';
import { formatGoDuration } from './go-duration.ts';
import { Progress } from './progress.ts';
import type { Terminal } from './terminal.ts';

export interface AnalyzeOptions {
  /** '': the newest. */
  readonly ulid: string;
  /** Rows of each list. */
  readonly limit: number;
  /** Looks at chunks too. */
  readonly extended: boolean;
  /** A selector, or '' for all series. */
  readonly match: string;
}

/** @throws DataFolderError, CorruptError, FileReadError, PromqlSyntaxError */
export function analyzeBlock(terminal: Terminal, dataFolder: string, options: AnalyzeOptions): void {
  const matchers = options.match === '' ? [] : parseSelector(options.match);
  const blocks = openBlocks(dataFolder);
  try {
    const found = options.ulid === '' ? blocks.infos().at(-1)?.meta.ulid : options.ulid;
    const block = blocks.block(found ?? '');
    if (block === undefined) throw new DataFolderError(`block ${options.ulid} not found`);
    const refs = matchers.length === 0 ? block.index.postings('', '') : selectPostings(block.index, matchers);
    const series = new SeriesAnalysis(block);
    const chunks = options.extended ? new ChunkAnalysis(block) : null;
    const progress = new Progress(terminal, systemClock, { label: 'analyzing', unit: 'series', total: refs.length });
    readSeries(block, refs, (entry, done) => {
      series.add(entry);
      chunks?.add(entry);
      progress.report(done);
    });
    progress.end();
    const { meta } = block;
    terminal.out(`Block ID: ${meta.ulid}\n`);
    terminal.out(`Duration: ${formatGoDuration(meta.maxTimeMs - meta.minTimeMs)}\n`);
    terminal.out(`Total Series: ${meta.stats.seriesCount}\n`);
    if (matchers.length > 0) terminal.out(`Matched series: ${refs.length}\n`);
    terminal.out(series.report(options.limit));
    if (chunks !== null) terminal.out(chunks.report());
  } finally {
    blocks.close();
  }
}

function readSeries(block: Block, refs: Postings, visit: (entry: SeriesEntry, done: number) => void): void {
  const entry = new SeriesEntry();
  for (const [i, ref] of refs.entries()) {
    block.index.series(ref, entry);
    visit(entry, i);
  }
}

/** Labels: how many series carry each pair, and how much of the block's time these series do not cover. */
class SeriesAnalysis {
  readonly #block: Block;
  readonly #pairs = new PairTable();
  /** By pair. */
  #uncoveredMs = new Float64Array(1024);
  #labelCount = 0;

  constructor(block: Block) {
    this.#block = block;
  }

  add(entry: SeriesEntry): void {
    const { minTimeMs, maxTimeMs } = this.#block.meta;
    const coveredMs = entry.chunkCount === 0 ? 0 : entry.maxTimes[entry.chunkCount - 1]! - entry.minTimes[0]!;
    const uncoveredMs = maxTimeMs - minTimeMs - coveredMs;
    for (let i = 0; i < entry.labelCount; i++) {
      const pair = this.#pairs.add(entry.symbols[2 * i]!, entry.symbols[2 * i + 1]!);
      if (pair >= this.#uncoveredMs.length) this.#grow();
      this.#uncoveredMs[pair] = this.#uncoveredMs[pair]! + uncoveredMs;
    }
    this.#labelCount += entry.labelCount;
  }

  report(limit: number): string {
    const { index, meta } = this.#block;
    const pairs = this.#pairs;
    const symbol = (number: number): string => index.symbol(number);
    const rangeMs = Math.max(1, meta.maxTimeMs - meta.minTimeMs);
    const names = new Map<number, { uncoveredMs: number; valueBytes: number; valueCount: number }>();
    for (let pair = 0; pair < pairs.count; pair++) {
      const name = names.get(pairs.nameOf(pair)) ?? { uncoveredMs: 0, valueBytes: 0, valueCount: 0 };
      name.uncoveredMs += this.#uncoveredMs[pair]!;
      name.valueBytes += Buffer.byteLength(symbol(pairs.valueOf(pair)));
      name.valueCount++;
      names.set(pairs.nameOf(pair), name);
    }
    const allPairs = Array.from({ length: pairs.count }, (_, pair) => pair);
    const pairText = (pair: number): string => `${symbol(pairs.nameOf(pair))}=${symbol(pairs.valueOf(pair))}`;
    const metrics = allPairs.filter((pair) => symbol(pairs.nameOf(pair)) === METRIC_NAME);
    const nameNumbers = [...names.keys()];
    const list = (title: string, items: readonly number[], amount: (item: number) => number, text: (item: number) => string): string =>
      `\n${title}:\n${topRows(items, amount, text, limit)}`;
    return [
      `Label names: ${names.size}\n`,
      `Postings (unique label pairs): ${pairs.count}\n`,
      `Postings entries (total label pairs): ${this.#labelCount}\n`,
      list('Label pairs most involved in churning', allPairs, (pair) => Math.floor(this.#uncoveredMs[pair]! / rangeMs), pairText),
      list('Label names most involved in churning', nameNumbers, (name) => Math.floor(names.get(name)!.uncoveredMs / rangeMs), symbol),
      list('Most common label pairs', allPairs, (pair) => pairs.seriesOf(pair), pairText),
      list('Label names with highest cumulative label value length', nameNumbers, (name) => names.get(name)!.valueBytes, symbol),
      list('Highest cardinality labels', nameNumbers, (name) => names.get(name)!.valueCount, symbol),
      list('Highest cardinality metric names', metrics, (pair) => pairs.seriesOf(pair), (pair) => symbol(pairs.valueOf(pair))),
    ].join('');
  }

  #grow(): void {
    const larger = new Float64Array(this.#uncoveredMs.length * 2);
    larger.set(this.#uncoveredMs);
    this.#uncoveredMs = larger;
  }
}

/** Texts are made for those rows only that may be shown: the largest, and all as large as the last of them. */
function topRows(
  items: readonly number[],
  amount: (item: number) => number,
  text: (item: number) => string,
  limit: number,
): string {
  const amounts = Float64Array.from(items, amount).sort();
  const least = limit === 0 ? Number.POSITIVE_INFINITY : (amounts[amounts.length - limit] ?? Number.NEGATIVE_INFINITY);
  return items
    .filter((item) => amount(item) >= least)
    .map((item) => ({ amount: amount(item), text: text(item) }))
    .sort((a, b) => b.amount - a.amount || compareStrings(a.text, b.text))
    .slice(0, limit)
    .map((row) => `${row.amount} ${row.text}\n`)
    .join('');
}

const CHUNK_KINDS = ['float', 'float histogram', 'histogram'] as const;
type ChunkKind = (typeof CHUNK_KINDS)[number];

/** How many chunks have how much of something. */
type Distribution = Map<number, number>;

/** Chunks: how many samples, bytes and buckets each has. */
class ChunkAnalysis {
  readonly #block: Block;
  readonly #samples = new MixedSamples();
  readonly #distributions = new Map<string, Distribution>();
  #chunkCount = 0;

  constructor(block: Block) {
    this.#block = block;
  }

  add(entry: SeriesEntry): void {
    const { chunks } = this.#block;
    for (let i = 0; i < entry.chunkCount; i++) {
      const ref = entry.chunkRefs[i]!;
      chunks.read(ref, 0);
      const { encoding, bytes, from, to } = chunks;
      const kind = kindOf(encoding);
      this.#chunkCount++;
      try {
        this.#count(`samples per ${kind} chunk`, chunkSampleCount(bytes, from, to));
        this.#count(`bytes per ${kind} chunk`, to - from);
        if (kind !== 'float') this.#count(`buckets per ${kind} chunk`, this.#bucketCount(encoding, bytes, from, to));
      } catch (error) {
        if (!(error instanceof ChunkError)) throw error;
        throw new CorruptError(error.message, { ...chunks.place(ref), cause: error });
      }
    }
  }

  report(): string {
    const titles = CHUNK_KINDS.flatMap((kind) => ['samples', 'bytes', 'buckets'].map((what) => `${what} per ${kind} chunk`));
    const shown = titles.filter((title) => this.#distributions.has(title));
    return `\nCompaction analysis:\n${shown.map((title) => `${distributionText(title, this.#distributions.get(title)!, this.#chunkCount)}\n`).join('')}`;
  }

  #count(title: string, amount: number): void {
    const distribution = this.#distributions.get(title) ?? new Map<number, number>();
    distribution.set(amount, (distribution.get(amount) ?? 0) + 1);
    this.#distributions.set(title, distribution);
  }

  /** Of its histogram with the most. */
  #bucketCount(encoding: number, bytes: Uint8Array, from: number, to: number): number {
    const samples = this.#samples;
    samples.clear();
    decodeChunk(encoding, bytes, from, to, samples);
    let most = 0;
    for (const histogram of samples.histograms) {
      if (histogram !== undefined) most = Math.max(most, histogram.positive.indexes.length + histogram.negative.indexes.length);
    }
    return most;
  }
}

function kindOf(encoding: number): ChunkKind {
  if (encoding === ENCODING.HISTOGRAM || encoding === ENCODING.HISTOGRAM_ST) return 'histogram';
  return encoding === ENCODING.FLOAT_HISTOGRAM || encoding === ENCODING.FLOAT_HISTOGRAM_ST ? 'float histogram' : 'float';
}

/** Least step of the rows, and rows that are wanted. */
const MIN_STEP = 10;
const ROWS = 10;
const MAX_STEP = 100_000;

/** One row a range of amounts; a `#` for each percent of all chunks. */
function distributionText(title: string, distribution: Distribution, chunkCount: number): string {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  let sum = 0;
  let total = 0;
  for (const [amount, count] of distribution) {
    least = Math.min(least, amount);
    most = Math.max(most, amount);
    sum += amount * count;
    total += count;
  }
  let step = MIN_STEP;
  while (step < (most - least) / ROWS && step < MAX_STEP) step *= 10;
  const start = least - (least % step);
  const end = most - (most % step) + step;
  const rows = Array.from({ length: (end - start) / step }, () => 0);
  for (const [amount, count] of distribution) rows[Math.floor((amount - start) / step)]! += count;
  const leftWidth = String(end).length;
  const rightWidth = String(end + step).length;
  const countWidth = String(Math.max(...rows)).length;
  const lines = rows.map((count, i) => {
    const from = String(start + i * step).padStart(leftWidth);
    const to = String(start + (i + 1) * step).padStart(rightWidth);
    return `[${from}, ${to}): ${String(count).padStart(countWidth)} ${'#'.repeat(Math.floor((100 * count) / chunkCount))}\n`;
  });
  return `${title} (min/avg/max): ${least}/${Math.floor(sum / total)}/${most}\n${lines.join('')}`;
}
