/**
 * Several sources as one: their series in order of labels, a series that several have once.
 *
 * Sources are few (compaction takes a bounded number of blocks at once), so the least label set is found by looking at all. What is held
 * are one label set and one chunk of each source.
 */
import { CorruptError } from '../../core/base/errors.ts';
import { compareLabels, compareStrings, formatLabels, type Labels } from '../../core/model/labels.ts';
import type { ChunkSource, SourceSeries } from '../../core/storage/chunk-source.ts';
import { ChunkMerger } from './merge-chunks.ts';

export interface NamedSource {
  /** What errors call it: the folder of a block. */
  readonly name: string;
  readonly source: ChunkSource;
}

/**
 * @param sources in the order in which they win where they have different samples for one time
 * `symbols` and `series` throw CorruptError where a source is not in order, and whatever the sources throw.
 */
export function mergeSources(sources: readonly NamedSource[]): ChunkSource {
  return {
    symbols: () => mergeSymbols(sources),
    series: () => mergeSeries(sources),
  };
}

function* mergeSymbols(sources: readonly NamedSource[]): Generator<string, undefined> {
  const cursors = sources.map(({ name, source }) => new OrderedCursor(name, source.symbols(), compareStrings, (symbol) => `the symbol ${JSON.stringify(symbol)}`));
  try {
    for (;;) {
      let least: string | null = null;
      for (const { next } of cursors) if (next !== null && (least === null || compareStrings(next, least) < 0)) least = next;
      if (least === null) return;
      yield least;
      for (const cursor of cursors) if (cursor.next === least) cursor.advance();
    }
  } finally {
    for (const cursor of cursors) cursor.close();
  }
}

function* mergeSeries(sources: readonly NamedSource[]): Generator<SourceSeries, undefined> {
  const merger = new ChunkMerger();
  const cursors = sources.map(
    ({ name, source }) => new OrderedCursor(name, source.series(), (a, b) => compareLabels(a.labels, b.labels), ({ labels }) => `the series ${formatLabels(labels)}`),
  );
  try {
    for (;;) {
      const least = leastOf(cursors);
      const first = least[0]?.next;
      if (first === null || first === undefined) return;
      yield { labels: first.labels, chunks: merger.merge(first.labels, least.map(({ name, next }) => ({ name, chunks: next!.chunks }))) };
      for (const cursor of least) cursor.advance();
    }
  } finally {
    for (const cursor of cursors) cursor.close();
  }
}

/** Those that stand at the least labels, in the order of the sources. */
function leastOf(cursors: readonly OrderedCursor<SourceSeries>[]): OrderedCursor<SourceSeries>[] {
  const least: OrderedCursor<SourceSeries>[] = [];
  let labels: Labels = [];
  for (const cursor of cursors) {
    if (cursor.next === null) continue;
    const order = least.length === 0 ? -1 : compareLabels(cursor.next.labels, labels);
    if (order > 0) continue;
    if (order < 0) least.length = 0;
    least.push(cursor);
    labels = cursor.next.labels;
  }
  return least;
}

/** Goes through what ascends, and makes sure that it does. */
class OrderedCursor<T> {
  readonly name: string;
  next: T | null = null;
  readonly #iterator: Iterator<T>;
  readonly #compare: (a: T, b: T) => number;
  readonly #describe: (item: T) => string;

  constructor(name: string, items: Iterable<T>, compare: (a: T, b: T) => number, describe: (item: T) => string) {
    this.name = name;
    this.#iterator = items[Symbol.iterator]();
    this.#compare = compare;
    this.#describe = describe;
    this.advance();
  }

  /** Tells the source that no more is wanted. */
  close(): void {
    this.#iterator.return?.();
  }

  advance(): void {
    const before = this.next;
    const result = this.#iterator.next();
    this.next = result.done === true ? null : result.value;
    if (before === null || this.next === null || this.#compare(before, this.next) < 0) return;
    throw new CorruptError(`${this.#describe(this.next)} stands behind ${this.#describe(before)}`, { file: this.name, offset: 0 });
  }
}
