/**
 * Several queriers as one: head and blocks of one node, or nodes that share the series.
 *
 * A label set that several have is one series, whose samples come together in order of time. Of samples at one time that of
 * the querier named first stays. Series that only one has, which is the common case, are read as if that one had been asked.
 */
import { compareStrings, labelsKey, type Labels } from '../../core/model/labels.ts';
import { appendSamples, mergeSamples } from '../../core/model/merge-samples.ts';
import { MixedSamples } from '../../core/model/mixed-samples.ts';
import type { SampleBuffer } from '../../core/model/samples.ts';
import type { LabelRequest, Querier, SelectRequest, SeriesSet } from '../../core/storage/querier.ts';
import { settleSelects } from './settle-selects.ts';

export class MergeQuerier implements Querier {
  readonly #queriers: readonly Querier[];

  /** @param queriers those before win over those after */
  constructor(queriers: readonly Querier[]) {
    this.#queriers = queriers;
  }

  async select(request: SelectRequest): Promise<SeriesSet> {
    const sets = await settleSelects(this.#queriers.map((querier) => querier.select(request)));
    const filled = sets.filter((set) => set.seriesCount > 0);
    for (const set of sets) if (set.seriesCount === 0) set.close();
    return filled.length === 1 ? filled[0]! : new MergedSet(filled);
  }

  async labelNames(request: LabelRequest): Promise<string[]> {
    return union(await Promise.all(this.#queriers.map((querier) => querier.labelNames(request))));
  }

  async labelValues(name: string, request: LabelRequest): Promise<string[]> {
    return union(await Promise.all(this.#queriers.map((querier) => querier.labelValues(name, request))));
  }

  async series(request: LabelRequest): Promise<Labels[]> {
    const found = await Promise.all(this.#queriers.map((querier) => querier.series(request)));
    const byKey = new Map<string, Labels>();
    for (const labels of found.flat()) {
      const key = labelsKey(labels);
      if (!byKey.has(key)) byKey.set(key, labels);
    }
    return [...byKey.values()];
  }
}

/** A series of one of the sets. */
interface Part {
  readonly set: SeriesSet;
  readonly index: number;
}

class MergedSet implements SeriesSet {
  readonly #sets: readonly SeriesSet[];
  readonly #series: Part[] = [];
  /** Further parts of those series that have any, by number. */
  readonly #more = new Map<number, Part[]>();
  readonly #scratch = new MixedSamples();
  readonly #merged = new MixedSamples();

  constructor(sets: readonly SeriesSet[]) {
    this.#sets = sets;
    const byKey = new Map<string, number>();
    for (const set of sets) {
      for (let index = 0; index < set.seriesCount; index++) {
        const key = labelsKey(set.labels(index));
        const known = byKey.get(key);
        if (known === undefined) {
          byKey.set(key, this.#series.push({ set, index }) - 1);
          continue;
        }
        const more = this.#more.get(known) ?? [];
        more.push({ set, index });
        this.#more.set(known, more);
      }
    }
  }

  get seriesCount(): number {
    return this.#series.length;
  }

  labels(index: number): Labels {
    const { set, index: own } = this.#series[index]!;
    return set.labels(own);
  }

  read(index: number, out: SampleBuffer): void {
    const first = this.#series[index]!;
    const more = this.#more.get(index);
    if (more === undefined) {
      first.set.read(first.index, out);
      return;
    }
    // `out` may hold something already: what is merged is put behind it.
    const merged = this.#merged;
    const other = this.#scratch;
    merged.clear();
    first.set.read(first.index, merged);
    for (const part of more) {
      other.clear();
      part.set.read(part.index, other);
      mergeSamples(merged, other);
    }
    appendSamples(out, merged, 0, merged.length);
  }

  close(): void {
    for (const set of this.#sets) set.close();
  }
}

function union(lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())].sort(compareStrings);
}
