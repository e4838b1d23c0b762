/**
 * Label sets to group numbers: `by (a, b)` and `without (c)`, for aggregations and joins.
 *
 * A group is found by walking a tree of maps, one level per label, keyed by the label strings themselves. No key is put
 * together, and strings that the store hands out again and again have their hash already.
 */
import { EMPTY_LABELS, METRIC_NAME, compareStrings, type Labels } from '../../../core/model/labels.ts';

interface Level {
  /** Number of the group that ends here, −1 for none. */
  group: number;
  next: Map<string, Level> | null;
}

export class GroupIndex {
  readonly #isBy: boolean;
  /** Sorted. */
  readonly #names: readonly string[];
  readonly #nameSet: ReadonlySet<string>;
  readonly #root: Level = { group: -1, next: null };
  readonly #labels: Labels[] = [];

  /**
   * @param names labels that make the group (`by`, `on`), or that do not (`without`, `ignoring`; nor does the metric name)
   */
  constructor(isBy: boolean, names: readonly string[]) {
    this.#isBy = isBy;
    this.#names = [...new Set(isBy ? names : [...names, METRIC_NAME])].sort(compareStrings);
    this.#nameSet = new Set(this.#names);
  }

  get groupCount(): number {
    return this.#labels.length;
  }

  /** Whether all series are one group, so that their labels need not be looked at. */
  get isSingle(): boolean {
    return this.#isBy && this.#names.length === 0;
  }

  /** The labels that a group's members share. */
  labels(group: number): Labels {
    return this.#labels[group]!;
  }

  /** The group of `labels`, made if need be. */
  groupOf(labels: Labels): number {
    const end = this.#walk(labels, true);
    if (end!.group < 0) {
      end!.group = this.#labels.length;
      this.#labels.push(this.isSingle ? EMPTY_LABELS : this.#reduce(labels));
    }
    return end!.group;
  }

  /** The group of `labels`, or −1 if it has none. */
  find(labels: Labels): number {
    return this.#walk(labels, false)?.group ?? -1;
  }

  #walk(labels: Labels, create: boolean): Level | undefined {
    let level: Level | undefined = this.#root;
    const names = this.#names;
    if (this.#isBy) {
      let at = 0;
      for (let i = 0; i < names.length; i++) {
        const name = names[i]!;
        // Both lists ascend; where the label is not next it may still be further on.
        let value = '';
        for (let j = at; j < labels.length; j += 2) {
          if (labels[j] !== name) continue;
          value = labels[j + 1]!;
          at = j + 2;
          break;
        }
        level = step(level, value, create);
        if (level === undefined) return undefined;
      }
      return level;
    }
    const without = this.#nameSet;
    for (let i = 0; i < labels.length; i += 2) {
      if (without.has(labels[i]!)) continue;
      level = step(level, labels[i]!, create);
      if (level === undefined) return undefined;
      level = step(level, labels[i + 1]!, create);
      if (level === undefined) return undefined;
    }
    return level;
  }

  #reduce(labels: Labels): Labels {
    const kept: string[] = [];
    for (let i = 0; i < labels.length; i += 2) {
      if (this.#nameSet.has(labels[i]!) === this.#isBy) kept.push(labels[i]!, labels[i + 1]!);
    }
    return kept;
  }
}

function step(level: Level, key: string, create: boolean): Level | undefined {
  const known = level.next?.get(key);
  if (known !== undefined || !create) return known;
  const made: Level = { group: -1, next: null };
  level.next ??= new Map();
  level.next.set(key, made);
  return made;
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
