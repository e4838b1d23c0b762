/**
 * Series of several stores in order of labels, each once, its samples in order of time: what a dump goes through.
 *
 * Beside one label set of each store, only what a store has of one series is held, and more only where stores overlap in time.
 */
import { compareLabels, type Labels } from '../../core/model/labels.ts';
import { mergeSamples } from '../../core/model/merge-samples.ts';
import { MixedSamples } from '../../core/model/mixed-samples.ts';
import type { SeriesSet } from '../../core/storage/querier.ts';

/** A set whose series are in order of labels, and the time from which on it may have samples. */
export interface OrderedSet {
  readonly set: SeriesSet;
  readonly minTimeMs: number;
}

export interface MergedSeries {
  readonly labels: Labels;
  /** How many of the sets have it. */
  readonly storeCount: number;
  /** Samples, in order of time, in one or more runs; each good until the next is taken. */
  readonly runs: () => Iterable<MixedSamples>;
}

/** Puts the series of a set in order of labels. */
export function orderSeries(set: SeriesSet): SeriesSet {
  const labels = Array.from({ length: set.seriesCount }, (_, i) => set.labels(i));
  const order = labels.map((_, i) => i).sort((a, b) => compareLabels(labels[a]!, labels[b]!));
  return {
    seriesCount: set.seriesCount,
    labels: (i) => labels[order[i]!]!,
    read: (i, out) => set.read(order[i]!, out),
    close: () => set.close(),
  };
}

/** @param sets of samples at one time that of the set named first stays */
export function* mergeSeriesSets(sets: readonly OrderedSet[]): Generator<MergedSeries, undefined> {
  const cursors = sets.filter(({ set }) => set.seriesCount > 0).map((ordered) => new SetCursor(ordered));
  const runs = new RunReader();
  for (;;) {
    const least = leastOf(cursors);
    const labels = least[0]?.labels;
    if (labels === undefined || labels === null) return;
    yield { labels, storeCount: least.length, runs: () => runs.read(least) };
    for (const cursor of least) cursor.advance();
  }
}

class SetCursor {
  readonly minTimeMs: number;
  labels: Labels | null;
  readonly #set: SeriesSet;
  #index = 0;

  constructor({ set, minTimeMs }: OrderedSet) {
    this.#set = set;
    this.minTimeMs = minTimeMs;
    this.labels = set.labels(0);
  }

  advance(): void {
    this.#index++;
    this.labels = this.#index < this.#set.seriesCount ? this.#set.labels(this.#index) : null;
  }

  read(out: MixedSamples): void {
    this.#set.read(this.#index, out);
  }
}

/** Those that stand at the least labels, in the order of the sets. */
function leastOf(cursors: readonly SetCursor[]): SetCursor[] {
  const least: SetCursor[] = [];
  for (const cursor of cursors) {
    if (cursor.labels === null) continue;
    const order = least.length === 0 ? -1 : compareLabels(cursor.labels, least[0]!.labels!);
    if (order < 0) least.length = 0;
    if (order <= 0) least.push(cursor);
  }
  return least;
}

class RunReader {
  readonly #samples = new MixedSamples();
  readonly #other = new MixedSamples();

  /** A run ends where the next store begins later than it ends. */
  *read(cursors: readonly SetCursor[]): Generator<MixedSamples, undefined> {
    const samples = this.#samples;
    samples.clear();
    for (const cursor of cursors.toSorted((a, b) => a.minTimeMs - b.minTimeMs)) {
      if (samples.length > 0 && samples.times[samples.length - 1]! < cursor.minTimeMs) {
        yield samples;
        samples.clear();
      }
      this.#other.clear();
      cursor.read(this.#other);
      mergeSamples(samples, this.#other);
    }
    if (samples.length > 0) yield samples;
  }
}
