/**
 * Label sets to group numbers: `by (a, b)` and `without (c)`, for aggregations and joins.
 */
import { EMPTY_LABELS, METRIC_NAME, compareStrings, type Labels } from '../../../core/model/labels.ts';
import { LabelSets } from './label-sets.ts';

export class GroupIndex {
  readonly #isBy: boolean;
  /** Sorted. */
  readonly #names: readonly string[];
  readonly #nameSet: ReadonlySet<string>;
  readonly #sets = new LabelSets();
  /** The labels of a series that make its group, filled anew for each. */
  readonly #parts: string[] = [];

  /**
   * @param names labels that make the group (`by`, `on`), or that do not (`without`, `ignoring`; nor does the metric name)
   */
  constructor(isBy: boolean, names: readonly string[]) {
    this.#isBy = isBy;
    this.#names = [...new Set(isBy ? names : [...names, METRIC_NAME])].sort(compareStrings);
    this.#nameSet = new Set(this.#names);
  }

  get groupCount(): number {
    return this.#sets.size;
  }

  /** Whether all series are one group, so that their labels need not be looked at. */
  get isSingle(): boolean {
    return this.#isBy && this.#names.length === 0;
  }

  /** The labels that a group's members share. */
  labels(group: number): Labels {
    return this.#sets.at(group);
  }

  /** The group of `labels`, made if need be. */
  groupOf(labels: Labels): number {
    return this.#sets.add(this.#parts, this.#reduce(labels));
  }

  /** The group of `labels`, or −1 if it has none. */
  find(labels: Labels): number {
    return this.#sets.find(this.#parts, this.#reduce(labels));
  }

  /** Fills `#parts`. @returns how many count */
  #reduce(labels: Labels): number {
    const parts = this.#parts;
    let length = 0;
    if (!this.#isBy) {
      const without = this.#nameSet;
      for (let i = 0; i < labels.length; i += 2) {
        if (without.has(labels[i]!)) continue;
        parts[length++] = labels[i]!;
        parts[length++] = labels[i + 1]!;
      }
      return length;
    }
    const names = this.#names;
    let at = 0;
    for (let n = 0; n < names.length; n++) {
      // Both lists ascend; where the label is not next it may still be further on.
      for (let i = at; i < labels.length; i += 2) {
        if (labels[i] !== names[n]) continue;
        parts[length++] = labels[i]!;
        parts[length++] = labels[i + 1]!;
        at = i + 2;
        break;
      }
    }
    return length;
  }
}

/** The group of each series of an operator. */
export function groupSeries(index: GroupIndex, count: number, labels: (series: number) => Labels): Int32Array {
  const groups = new Int32Array(count);
  if (index.isSingle) {
    if (count > 0) index.groupOf(EMPTY_LABELS);
    return groups;
  }
  for (let series = 0; series < count; series++) groups[series] = index.groupOf(labels(series));
  return groups;
}
