/**
 * Which series meet in a binary operator, found from labels alone before any value is read.
 *
 * Series of both sides with equal matching labels form a match group. One side (the "one" side) may have a single value per
 * group and step; the other (the "many" side) may have several if the query says so. What comes out is numbered here, so
 * that the rows only have to be combined.
 * Source: Prometheus, operators, "Vector matching".
 */
import { labelValue, withLabel, type Labels } from '../../../core/model/labels.ts';
import { isComparison } from '../parse/check.ts';
import type { JoinPlan } from '../plan/plan.ts';
import { GroupIndex, groupSeries } from './group-index.ts';
import { LabelSets } from './label-sets.ts';
import { withoutMetadata } from './metadata-labels.ts';
import type { VectorOperator } from './operator.ts';

/** One series of the result: a series of the many side with the one side's rows of equal copied labels. */
export interface Pairing {
  /** −1: the many side is filled in. */
  readonly many: number;
  /** A bundle of the one side; −1: the one side is filled in. */
  readonly bundle: number;
  readonly group: number;
}

/** Series of the one side that lead to the same result labels; at most one has a value at a step. */
export interface Bundle {
  readonly group: number;
  /** Any of its series. */
  readonly example: number;
}

const NONE: readonly number[] = [];

export class JoinLayout {
  readonly many: VectorOperator;
  readonly one: VectorOperator;
  readonly isSwapped: boolean;
  readonly groups: GroupIndex;
  readonly bundles: Bundle[] = [];
  readonly pairings: Pairing[] = [];
  readonly fillMany: number | null;
  readonly fillOne: number | null;
  #manyGroups: Int32Array = new Int32Array(0);
  #oneGroups: Int32Array = new Int32Array(0);
  #bundleOfOne: Int32Array = new Int32Array(0);
  #bundlesOfGroup: number[][] = [];
  #pairingsOfMany: (readonly number[])[] = [];
  #fillsOfGroup: number[][] = [];
  #collisions: Int32Array | null = null;
  #oneCounts: Int32Array = new Int32Array(0);
  #manyCounts: Int32Array = new Int32Array(0);
  readonly #plan: JoinPlan;

  constructor(plan: JoinPlan, left: VectorOperator, right: VectorOperator) {
    const { card, on, labels, fillLeft, fillRight } = plan.matching;
    this.#plan = plan;
    this.isSwapped = card === 'one-to-many';
    this.many = this.isSwapped ? right : left;
    this.one = this.isSwapped ? left : right;
    // `fill_left` stands in for the many side even where `group_right` makes that the right one: Prometheus swaps the sides
    // and not the fills.
    this.fillMany = fillLeft;
    this.fillOne = fillRight;
    this.groups = new GroupIndex(on, labels);
  }

  get isOneToOne(): boolean {
    return this.#plan.matching.card === 'one-to-one';
  }

  open(): void {
    const { many, one, groups } = this;
    many.open();
    one.open();
    this.#oneGroups = groupSeries(groups, one.seriesCount, (series) => one.labels(series));
    this.#findManyGroups();
    this.#oneCounts = countMembers(this.#oneGroups, groups.groupCount);
    this.#manyCounts = countMembers(this.#manyGroups, groups.groupCount);
    this.#bundleOnes();
    this.#pair();
    this.#findCollisions();
  }

  groupOfMany(series: number): number {
    return this.#manyGroups[series]!;
  }

  groupOfOne(series: number): number {
    return this.#oneGroups[series]!;
  }

  bundleOfOne(series: number): number {
    return this.#bundleOfOne[series]!;
  }

  /** How many series of the one side a group has. */
  oneCount(group: number): number {
    return this.#oneCounts[group]!;
  }

  manyCount(group: number): number {
    return this.#manyCounts[group]!;
  }

  pairingsOfMany(series: number): readonly number[] {
    return this.#pairingsOfMany[series]!;
  }

  /** Pairings that fill in the many side for a group. */
  fillsOfGroup(group: number): readonly number[] {
    return this.#fillsOfGroup[group] ?? NONE;
  }

  /** Series of the result with equal labels share a number ≥ 0; −1 where labels are unique. */
  collisionOf(pairing: number): number {
    return this.#collisions === null ? -1 : this.#collisions[pairing]!;
  }

  bundlesOfGroup(group: number): readonly number[] {
    return this.#bundlesOfGroup[group] ?? NONE;
  }

  /** Source: Prometheus, operators: what remains of both sides' labels. */
  labels(pairing: number): Labels {
    const { many, bundle, group } = this.pairings[pairing]!;
    const { op, matching, returnBool } = this.#plan;
    const { on, labels: names, include } = matching;
    const keepsName = isComparison(op) || op === '</' || op === '>/';
    let labels = many < 0 ? this.groups.labels(group) : this.many.labels(many);
    if (many >= 0) {
      if (!keepsName) labels = withoutMetadata(labels);
      if (this.isOneToOne) labels = restrict(labels, on, names);
    }
    if (bundle >= 0) {
      const other = this.one.labels(this.bundles[bundle]!.example);
      for (const name of include) labels = withLabel(labels, name, labelValue(other, name));
    }
    return returnBool ? withoutMetadata(labels) : labels;
  }

  dropsName(pairing: number): boolean {
    const { many } = this.pairings[pairing]!;
    return many >= 0 && this.many.dropsName(many);
  }

  /** Series of the many side without any partner need no group, unless they are to be filled in. */
  #findManyGroups(): void {
    const { many, groups } = this;
    const count = many.seriesCount;
    if (groups.isSingle || this.fillOne !== null) {
      this.#manyGroups = groupSeries(groups, count, (series) => many.labels(series));
      return;
    }
    this.#manyGroups = new Int32Array(count);
    for (let series = 0; series < count; series++) this.#manyGroups[series] = groups.find(many.labels(series));
  }

  #bundleOnes(): void {
    const { include } = this.#plan.matching;
    const { one, groups } = this;
    this.#bundlesOfGroup = Array.from({ length: groups.groupCount }, () => []);
    this.#bundleOfOne = new Int32Array(one.seriesCount);
    const copied = new GroupIndex(true, include);
    const known = new Map<string, number>();
    for (let series = 0; series < one.seriesCount; series++) {
      const group = this.#oneGroups[series]!;
      const siblings = this.#bundlesOfGroup[group]!;
      let bundle = siblings[0];
      if (include.length > 0) {
        const key = `${group} ${copied.groupOf(one.labels(series))}`;
        bundle = known.get(key);
        if (bundle === undefined) known.set(key, this.bundles.length);
      }
      if (bundle === undefined) {
        bundle = this.bundles.length;
        this.bundles.push({ group, example: series });
        siblings.push(bundle);
      }
      this.#bundleOfOne[series] = bundle;
    }
  }

  #pair(): void {
    const { include } = this.#plan.matching;
    const count = this.many.seriesCount;
    this.#pairingsOfMany = Array.from({ length: count }, () => NONE);
    for (let many = 0; many < count; many++) {
      const group = this.#manyGroups[many]!;
      if (group < 0) continue;
      const bundles = this.#bundlesOfGroup[group] ?? [];
      const made: number[] = [];
      for (const bundle of bundles) made.push(this.pairings.push({ many, bundle, group }) - 1);
      // Where labels are copied, a filled-in partner has none to copy: another series.
      if (this.fillOne !== null && (bundles.length === 0 || include.length > 0)) {
        made.push(this.pairings.push({ many, bundle: -1, group }) - 1);
      }
      this.#pairingsOfMany[many] = made;
    }
    if (this.fillMany === null) return;
    this.#fillsOfGroup = this.#bundlesOfGroup.map((bundles, group) =>
      bundles.map((bundle) => this.pairings.push({ many: -1, bundle, group }) - 1),
    );
  }

  /** Only grouped joins can make two series of the many side equal; one-to-one ones are watched per match group. */
  #findCollisions(): void {
    const { include } = this.#plan.matching;
    if (this.isOneToOne) return;
    const mayCollide =
      include.length > 0 || this.#plan.returnBool || !isComparison(this.#plan.op) || this.fillMany !== null;
    if (!mayCollide) return;
    const sets = new LabelSets();
    const firstOfSet: number[] = [];
    let next = 0;
    const collisions = new Int32Array(this.pairings.length).fill(-1);
    let any = false;
    for (let pairing = 0; pairing < this.pairings.length; pairing++) {
      const set = sets.add(this.labels(pairing));
      const first = firstOfSet[set];
      if (first === undefined) {
        firstOfSet[set] = pairing;
        continue;
      }
      if (collisions[first] === -1) collisions[first] = next++;
      collisions[pairing] = collisions[first]!;
      any = true;
    }
    if (any) this.#collisions = collisions;
  }
}

function restrict(labels: Labels, on: boolean, names: readonly string[]): Labels {
  const kept: string[] = [];
  for (let i = 0; i < labels.length; i += 2)
    if (names.includes(labels[i]!) === on) kept.push(labels[i]!, labels[i + 1]!);
  return kept;
}

function countMembers(groups: Int32Array, groupCount: number): Int32Array {
  const counts = new Int32Array(groupCount);
  for (const group of groups) if (group >= 0) counts[group]!++;
  return counts;
}
