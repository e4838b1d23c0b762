/**
 * Aggregations. Those that fold (sum, avg, min …) keep a row of state for each group and see each series once; those that choose or sort
 * (topk, quantile …) keep the rows.
 */
import { compareLabels, EMPTY_LABELS, labelsKey, labelsOnly, labelsWithout, METRIC_NAME, withLabel, type Labels } from '../../../core/model/labels.ts';
import { formatFloat } from '../../../core/model/float.ts';
import { PromqlEvaluationError } from '../errors.ts';
import type { Aggregate } from '../parse/ast.ts';
import { KahanMean, KahanSum } from './kahan.ts';
import { quantileOf } from './quantile.ts';
import type { QueryContext } from './context.ts';
import { newRow, RowTable, type Grid, type Row, type RowSink } from './rows.ts';

/** Grouping of one aggregation: which group a label set belongs to. */
export class Groups {
  readonly #names: ReadonlySet<string>;
  readonly #without: boolean;
  readonly #isSingle: boolean;
  readonly #byKey = new Map<string, number>();
  readonly labels: Labels[] = [];
  readonly dropName: boolean[] = [];

  constructor(expr: Aggregate) {
    this.#without = expr.without;
    this.#names = new Set(expr.without ? [...expr.grouping, METRIC_NAME] : expr.grouping);
    this.#isSingle = !expr.without && expr.grouping.length === 0;
  }

  get count(): number {
    return this.labels.length;
  }

  /** @returns the group's index, new ones in order of appearance */
  indexOf(labels: Labels, dropName: boolean): number {
    if (this.#isSingle) {
      if (this.labels.length === 0) this.#add(EMPTY_LABELS, dropName);
      return 0;
    }
    const own = this.#without ? labelsWithout(labels, this.#names) : labelsOnly(labels, this.#names);
    const key = labelsKey(own);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    this.#byKey.set(key, this.labels.length);
    return this.#add(own, dropName);
  }

  #add(labels: Labels, dropName: boolean): number {
    this.dropName.push(dropName);
    return this.labels.push(labels) - 1;
  }
}

/** Folds one value into the state of a group at a step; `count` is how many came before. */
interface Fold {
  /** State columns beside the count. */
  readonly columns: number;
  add(state: Float64Array, at: number, value: number, count: number): void;
  /** `count` values came. */
  result(state: Float64Array, at: number, count: number): number;
}

const kahan = new KahanSum();

function kahanAdd(state: Float64Array, at: number, value: number): void {
  kahan.sum = state[at]!;
  kahan.compensation = state[at + 1]!;
  kahan.add(value);
  state[at] = kahan.sum;
  state[at + 1] = kahan.compensation;
}

const kahanValue = (state: Float64Array, at: number): number => (Number.isFinite(state[at]!) ? state[at]! + state[at + 1]! : state[at]!);

const SUM: Fold = { columns: 2, add: kahanAdd, result: kahanValue };
const COUNT: Fold = { columns: 0, add: () => {}, result: (_, __, count) => count };
const GROUP: Fold = { columns: 0, add: () => {}, result: () => 1 };

const extreme = (isMax: boolean): Fold => ({
  columns: 1,
  add: (state, at, value, count) => {
    const before = state[at]!;
    if (count === 0 || Number.isNaN(before) || (isMax ? value > before : value < before)) state[at] = value;
  },
  result: (state, at) => state[at]!,
});

/** Mean and sum of squares, Welford's method. */
const variance = (isDeviation: boolean): Fold => ({
  columns: 4,
  add: (state, at, value, count) => {
    const delta = value - (state[at]! + state[at + 1]!);
    kahanAdd(state, at, delta / (count + 1));
    kahanAdd(state, at + 2, delta * (value - (state[at]! + state[at + 1]!)));
  },
  result: (state, at, count) => {
    const value = (state[at + 2]! + state[at + 3]!) / count;
    return isDeviation ? Math.sqrt(value) : value;
  },
});

const FOLDS: ReadonlyMap<string, Fold> = new Map([
  ['sum', SUM],
  ['count', COUNT],
  ['group', GROUP],
  ['min', extreme(false)],
  ['max', extreme(true)],
  ['stddev', variance(true)],
  ['stdvar', variance(false)],
]);

/** Gives the rows of the aggregated expression, each once. */
export type Source = (sink: RowSink) => void;

export interface AggregateInput {
  readonly expr: Aggregate;
  readonly grid: Grid;
  readonly context: QueryContext;
  readonly source: Source;
  /** The parameter at each step, where the aggregation has a number as one. */
  readonly parameter: Float64Array | null;
  /** The label that count_values writes. */
  readonly label: string;
}

/** @throws PromqlEvaluationError */
export function aggregate(input: AggregateInput, sink: RowSink): void {
  const fold = FOLDS.get(input.expr.op);
  if (fold !== undefined) return foldRows(input, fold, sink);
  switch (input.expr.op) {
    case 'avg':
      return averageRows(input, sink);
    case 'topk':
    case 'bottomk':
    case 'limitk':
    case 'limit_ratio':
      return chooseRows(input, sink);
    case 'quantile':
      return quantileRows(input, sink);
    case 'count_values':
      return countValues(input, sink);
    default:
      throw new PromqlEvaluationError(`unknown aggregation ${input.expr.op}`);
  }
}

function foldRows({ expr, grid, context, source }: AggregateInput, fold: Fold, sink: RowSink): void {
  const { stepCount } = grid;
  const groups = new Groups(expr);
  const { columns } = fold;
  let state = new Float64Array(columns * stepCount);
  let counts = new Float64Array(stepCount);
  source(({ labels, dropName, values, present }) => {
    const group = groups.indexOf(labels, dropName);
    if ((group + 1) * stepCount > counts.length) {
      const size = Math.max(16, groups.count * 2);
      state = grown(state, size * columns * stepCount);
      counts = grown(counts, size * stepCount);
      context.hold(stepCount);
    }
    const from = group * stepCount;
    for (let i = 0; i < stepCount; i++) {
      if (present[i] === 0) continue;
      fold.add(state, (from + i) * columns, values[i]!, counts[from + i]!);
      counts[from + i]!++;
    }
  });
  const row = newRow(stepCount);
  for (let group = 0; group < groups.count; group++) {
    row.labels = groups.labels[group]!;
    row.dropName = groups.dropName[group]!;
    for (let i = 0; i < stepCount; i++) {
      const at = group * stepCount + i;
      row.present[i] = counts[at] === 0 ? 0 : 1;
      row.values[i] = counts[at] === 0 ? 0 : fold.result(state, at * columns, counts[at]!);
    }
    sink(row);
  }
}

function grown(column: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(length);
  larger.set(column);
  return larger;
}

/** The mean changes its method once a sum overflows, so each group and step has its own object. */
function averageRows({ expr, grid, source }: AggregateInput, sink: RowSink): void {
  const { stepCount } = grid;
  const groups = new Groups(expr);
  const means: (KahanMean | null)[][] = [];
  source(({ labels, dropName, values, present }) => {
    const group = groups.indexOf(labels, dropName);
    const steps = (means[group] ??= Array.from<KahanMean | null>({ length: stepCount }).fill(null));
    for (let i = 0; i < stepCount; i++) {
      if (present[i] !== 0) (steps[i] ??= new KahanMean()).add(values[i]!);
    }
  });
  const row = newRow(stepCount);
  for (const [group, steps] of means.entries()) {
    row.labels = groups.labels[group]!;
    row.dropName = groups.dropName[group]!;
    for (let i = 0; i < stepCount; i++) {
      const mean = steps[i];
      row.present[i] = mean ? 1 : 0;
      row.values[i] = mean ? mean.value : 0;
    }
    sink(row);
  }
}

/** Rows by group, kept. */
interface Kept {
  readonly table: RowTable;
  readonly groups: Groups;
  /** Row indexes of each group. */
  readonly members: number[][];
}

function keepRows({ expr, grid, context, source }: AggregateInput): Kept {
  const table = new RowTable(grid.stepCount);
  const groups = new Groups(expr);
  const members: number[][] = [];
  source((row) => {
    context.hold(grid.stepCount);
    const group = groups.indexOf(row.labels, row.dropName);
    (members[group] ??= []).push(table.add(row));
  });
  context.release(table.rowCount * grid.stepCount);
  return { table, groups, members };
}

/** topk, bottomk, limitk, limit_ratio: series as they are, at the steps where they are chosen. */
function chooseRows(input: AggregateInput, sink: RowSink): void {
  const { expr, grid, context, parameter } = input;
  const { stepCount } = grid;
  const k = readCounts(input, parameter!);
  const kept = keepRows(input);
  const { table, members } = kept;
  const { values, present } = table;
  const chosen = new Uint8Array(table.rowCount * stepCount);
  const order: number[] = [];
  const compare = expr.op === 'bottomk' ? ascending : descending;
  for (let i = 0; i < stepCount; i++) {
    context.checkStop();
    const valueOf = (row: number): number => values[row * stepCount + i]!;
    for (const rows of members) {
      const here = rows.filter((row) => present[row * stepCount + i] !== 0);
      let best: number[];
      if (expr.op === 'limitk') best = here.slice(0, Math.max(0, k[i]!));
      else if (expr.op === 'limit_ratio') best = here.filter((row) => ratioKeeps(parameter![i]!, table.labels[row]!));
      else best = k[i]! < 1 ? [] : here.sort((a, b) => compare(valueOf(a), valueOf(b)) || a - b).slice(0, k[i]);
      for (const row of best) chosen[row * stepCount + i] = 1;
      if (stepCount === 1) order.push(...best);
    }
  }
  const row = newRow(stepCount);
  const give = (index: number): void => {
    table.read(index, row);
    row.present.set(chosen.subarray(index * stepCount, (index + 1) * stepCount));
    if (row.present.includes(1)) sink(row);
  };
  // An instant answers in order of rank; a range is sorted by labels at the end anyway.
  if (stepCount === 1) for (const index of order) give(index);
  else for (let index = 0; index < table.rowCount; index++) give(index);
}

/** NaN is last in either order. */
const descending = (a: number, b: number): number => (Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : Number.isNaN(b) ? -1 : b - a || 0);
const ascending = (a: number, b: number): number => (Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : Number.isNaN(b) ? -1 : a - b || 0);

/** @throws PromqlEvaluationError where the parameter is no count */
function readCounts({ expr, context }: AggregateInput, parameter: Float64Array): number[] {
  return Array.from(parameter, (value) => {
    if (expr.op === 'limit_ratio') {
      if (Number.isNaN(value)) throw new PromqlEvaluationError('Ratio value is NaN');
      if (value < -1 || value > 1) {
        context.warn(`ratio value should be between -1 and 1, got ${formatFloat(value)}, capping to ${value > 1 ? 1 : -1}`, expr.param!.span);
      }
      return 0;
    }
    if (Number.isNaN(value)) throw new PromqlEvaluationError('Parameter value is NaN');
    if (value <= -(2 ** 63)) throw new PromqlEvaluationError(`Scalar value ${formatFloat(value)} underflows int64`);
    if (value >= 2 ** 63) throw new PromqlEvaluationError(`Scalar value ${formatFloat(value)} overflows int64`);
    return Math.trunc(value);
  });
}

/** A series' place in [0, 1) is fixed by its labels, so a ratio r and r − 1 divide the series between them. */
function ratioKeeps(ratio: number, labels: Labels): boolean {
  const r = Math.max(-1, Math.min(1, ratio));
  const place = placeOf(labels);
  return r >= 0 ? place < r : place >= 1 + r;
}

function placeOf(labels: Labels): number {
  let hash = 0x811c9dc5;
  for (const char of labelsKey(labels)) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return ((hash ^ (hash >>> 12)) >>> 0) / 4294967296;
}

function quantileRows(input: AggregateInput, sink: RowSink): void {
  const { expr, grid, context, parameter } = input;
  const { stepCount } = grid;
  const { table, groups, members } = keepRows(input);
  for (const phi of new Set(parameter!)) {
    if (Number.isNaN(phi) || phi < 0 || phi > 1) context.warn(`quantile value should be between 0 and 1, got ${formatFloat(phi)}`, expr.param!.span);
  }
  const row = newRow(stepCount);
  const column = new Float64Array(table.rowCount);
  for (const [group, rows] of members.entries()) {
    row.labels = groups.labels[group]!;
    row.dropName = groups.dropName[group]!;
    for (let i = 0; i < stepCount; i++) {
      let count = 0;
      for (const index of rows) if (table.present[index * stepCount + i] !== 0) column[count++] = table.values[index * stepCount + i]!;
      row.present[i] = count === 0 ? 0 : 1;
      row.values[i] = count === 0 ? 0 : quantileOf(parameter![i]!, column, count);
    }
    sink(row);
  }
}

function countValues({ expr, grid, context, source, label }: AggregateInput, sink: RowSink): void {
  const { stepCount } = grid;
  const groups = new Groups(expr);
  const table = new RowTable(stepCount);
  const rows = new Map<string, number>();
  source(({ labels, dropName, values, present }) => {
    const group = groups.indexOf(labels, dropName);
    for (let i = 0; i < stepCount; i++) {
      if (present[i] === 0) continue;
      const text = formatFloat(values[i]!);
      const key = `${group} ${text}`;
      let index = rows.get(key);
      if (index === undefined) {
        context.hold(stepCount);
        index = table.addEmpty(withLabel(groups.labels[group]!, label, text), groups.dropName[group]!);
        rows.set(key, index);
      }
      table.values[index * stepCount + i]!++;
      table.present[index * stepCount + i] = 1;
    }
  });
  // Groups that differ only in the label that is written become one.
  const byLabels = new Map<string, Row>();
  table.forEach((row) => {
    const key = labelsKey(row.labels);
    const known = byLabels.get(key);
    if (known === undefined) byLabels.set(key, { ...row, values: row.values.slice(), present: row.present.slice() });
    else for (let i = 0; i < stepCount; i++) {
      if (row.present[i] === 0) continue;
      known.values[i] = (known.present[i] === 0 ? 0 : known.values[i]!) + row.values[i]!;
      known.present[i] = 1;
    }
  });
  for (const row of [...byLabels.values()].sort((a, b) => compareLabels(a.labels, b.labels))) sink(row);
}
