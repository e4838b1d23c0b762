/**
 * Evaluates a syntax tree over a grid, row by row.
 */
import { assert } from '../../../core/base/assert.ts';
import { compareLabels, compareStrings, labelsFromPairs, labelValue, METRIC_NAME, type Labels } from '../../../core/model/labels.ts';
import { formatFloat } from '../../../core/model/float.ts';
import { PromqlEvaluationError } from '../errors.ts';
import type { Aggregate, BinaryExpr, Call, Expr, MatrixSelector, SubqueryExpr } from '../parse/ast.ts';
import { typeOf } from '../parse/check.ts';
import { childrenOf } from '../parse/walk.ts';
import { aggregate } from './aggregate.ts';
import { classicHistogram } from './classic-histogram-rows.ts';
import type { QueryContext } from './context.ts';
import { CALENDAR, ELEMENTWISE, roundTo } from './elementwise.ts';
import { joinVectors } from './join.ts';
import { joinLabels, replaceLabels } from './label-functions.ts';
import { arithmeticOf, comparisonOf } from './operators.ts';
import { RANGE_FUNCTIONS, RangeWindow } from './range.ts';
import { gridEnd, newRow, RowTable, type Grid, type Row, type RowSink } from './rows.ts';
import { DistinctLabels, RowMerger } from './same-labels.ts';
import { metricName, rangeWindows, selectInstants } from './selectors.ts';

/** Functions whose value depends on the step even where their arguments do not. */
const STEP_FUNCTIONS = new Set(['time', 'timestamp', 'predict_linear', 'minute', 'hour', 'day_of_week', 'day_of_month', 'day_of_year', 'days_in_month', 'month', 'year']);
const COUNTER_SUFFIXES = ['_total', '_sum', '_count', '_bucket'];

export class Evaluator {
  readonly #context: QueryContext;

  constructor(context: QueryContext) {
    this.#context = context;
  }

  /** The rows of an instant vector, or a scalar as a row without labels. */
  vector(expr: Expr, grid: Grid, sink: RowSink): void {
    if (grid.stepCount > 1 && isPinned(expr)) {
      this.#repeat(expr, grid, sink);
      return;
    }
    if (typeOf(expr) === 'scalar') {
      sink({ labels: [], dropName: false, values: this.scalar(expr, grid), present: new Uint8Array(grid.stepCount).fill(1) });
      return;
    }
    switch (expr.kind) {
      case 'paren':
        this.vector(expr.inner, grid, sink);
        return;
      case 'unary':
        if (expr.op === '+') this.vector(expr.operand, grid, sink);
        else this.#nameless(expr.operand, grid, sink, (row) => mapValues(row, (value) => -value));
        return;
      case 'vector-selector':
        selectInstants(expr, grid, this.#context, false, sink);
        return;
      case 'aggregate':
        this.#aggregate(expr, grid, sink);
        return;
      case 'binary':
        this.#binary(expr, grid, sink);
        return;
      case 'call':
        this.#call(expr, grid, sink);
        return;
      default:
        throw new PromqlEvaluationError(`unexpected ${expr.kind} where an instant vector is expected`);
    }
  }

  /** The value of a scalar expression at each step. */
  scalar(expr: Expr, grid: Grid): Float64Array {
    const values = new Float64Array(grid.stepCount);
    switch (expr.kind) {
      case 'number':
        return values.fill(expr.value);
      case 'paren':
        return this.scalar(expr.inner, grid);
      case 'unary': {
        const inner = this.scalar(expr.operand, grid);
        return expr.op === '-' ? inner.map((value) => -value) : inner;
      }
      case 'binary': {
        const left = this.scalar(expr.left, grid);
        const right = this.scalar(expr.right, grid);
        const comparison = comparisonOf(expr.op);
        if (comparison !== null) return left.map((value, i) => (comparison(value, right[i]!) ? 1 : 0));
        const numeric = arithmeticOf(expr.op);
        return left.map((value, i) => numeric(value, right[i]!));
      }
      case 'call':
        return this.#scalarCall(expr, grid, values);
      default:
        throw new PromqlEvaluationError(`unexpected ${expr.kind} where a scalar is expected`);
    }
  }

  #scalarCall(expr: Call, grid: Grid, values: Float64Array): Float64Array {
    const { grid: whole } = this.#context.options;
    switch (expr.func) {
      case 'time':
        return values.map((_, i) => (grid.startMs + i * grid.stepMs) / 1000);
      case 'pi':
        return values.fill(Math.PI);
      case 'start':
        return values.fill(whole.startMs / 1000);
      case 'end':
        return values.fill(gridEnd(whole) / 1000);
      case 'step':
        return values.fill(whole.stepMs / 1000);
      case 'range':
        return values.fill((gridEnd(whole) - whole.startMs) / 1000);
      case 'min_of':
      case 'max_of': {
        const a = this.scalar(expr.args[0]!, grid);
        const b = this.scalar(expr.args[1]!, grid);
        return values.map((_, i) => (expr.func === 'min_of' ? Math.min(a[i]!, b[i]!) : Math.max(a[i]!, b[i]!)));
      }
      case 'scalar': {
        // The value where exactly one series has one.
        const counts = new Uint32Array(grid.stepCount);
        this.vector(expr.args[0]!, grid, (row) => {
          for (let i = 0; i < grid.stepCount; i++) {
            if (row.present[i] === 0) continue;
            counts[i]!++;
            values[i] = row.values[i]!;
          }
        });
        return values.map((value, i) => (counts[i] === 1 ? value : Number.NaN));
      }
      default:
        throw new PromqlEvaluationError(`unknown scalar function ${expr.func}`);
    }
  }

  /** Evaluates once what is the same at every step. */
  #repeat(expr: Expr, grid: Grid, sink: RowSink): void {
    const row = newRow(grid.stepCount);
    this.vector(expr, { startMs: grid.startMs, stepMs: 0, stepCount: 1 }, (once) => {
      row.labels = once.labels;
      row.dropName = once.dropName;
      row.values.fill(once.values[0]!);
      row.present.fill(once.present[0]!);
      sink(row);
    });
  }

  /** Rows kept in a table, counted against the query's bound. */
  table(expr: Expr, grid: Grid): RowTable {
    const table = new RowTable(grid.stepCount);
    this.vector(expr, grid, (row) => {
      this.#context.hold(grid.stepCount);
      table.add(row);
    });
    return table;
  }

  /** Rows of `expr` changed by `change` and without their name; rows that become alike are joined. */
  #nameless(expr: Expr, grid: Grid, sink: RowSink, change: (row: Row) => void): void {
    const merge = this.#merging(expr, grid, sink);
    this.vector(expr, grid, (row) => {
      change(row);
      this.#dropName(row);
      merge.add(row);
    });
    merge.finish();
  }

  #dropName(row: Row): void {
    if (this.#context.options.delayedNameRemoval) row.dropName = true;
    else row.labels = this.#context.withoutName(row.labels);
  }

  /** Joins rows of equal labels, unless dropping the name can't make any: all series have one name, or keep theirs. */
  #merging(expr: Expr, grid: Grid, sink: RowSink): { add: RowSink; finish: () => void } {
    if (this.#context.options.delayedNameRemoval || hasOneName(expr)) return { add: sink, finish: () => {} };
    const merger = new RowMerger(grid.stepCount);
    return { add: (row) => merger.add(row), finish: () => merger.forEach(sink) };
  }

  #aggregate(expr: Aggregate, grid: Grid, sink: RowSink): void {
    const { param } = expr;
    const isLabel = expr.op === 'count_values';
    aggregate(
      {
        expr,
        grid,
        context: this.#context,
        source: (take) => this.vector(expr.inner, grid, take),
        parameter: param !== null && !isLabel ? this.scalar(param, grid) : null,
        label: isLabel ? stringOf(param!) : '',
      },
      sink,
    );
  }

  #binary(expr: BinaryExpr, grid: Grid, sink: RowSink): void {
    const leftIsScalar = typeOf(expr.left) === 'scalar';
    const rightIsScalar = typeOf(expr.right) === 'scalar';
    if (!leftIsScalar && !rightIsScalar) {
      const left = this.table(expr.left, grid);
      const right = this.table(expr.right, grid);
      joinVectors(expr, left, right, this.#context, sink);
      this.#context.release((left.rowCount + right.rowCount) * grid.stepCount);
      return;
    }
    const scalar = this.scalar(leftIsScalar ? expr.left : expr.right, grid);
    const vector = leftIsScalar ? expr.right : expr.left;
    const comparison = comparisonOf(expr.op);
    if (comparison === null) {
      const numeric = arithmeticOf(expr.op);
      this.#nameless(vector, grid, sink, ({ values, present }) => {
        for (let i = 0; i < values.length; i++) {
          if (present[i] !== 0) values[i] = leftIsScalar ? numeric(scalar[i]!, values[i]!) : numeric(values[i]!, scalar[i]!);
        }
      });
      return;
    }
    const compare = ({ values, present }: Row): void => {
      for (let i = 0; i < values.length; i++) {
        if (present[i] === 0) continue;
        const holds = leftIsScalar ? comparison(scalar[i]!, values[i]!) : comparison(values[i]!, scalar[i]!);
        if (expr.returnBool) values[i] = holds ? 1 : 0;
        else if (!holds) present[i] = 0;
      }
    };
    if (expr.returnBool) {
      this.#nameless(vector, grid, sink, compare);
      return;
    }
    this.vector(vector, grid, (row) => {
      compare(row);
      if (row.present.includes(1)) sink(row);
    });
  }

  #call(expr: Call, grid: Grid, sink: RowSink): void {
    const { func, args } = expr;
    const elementwise = ELEMENTWISE.get(func);
    if (elementwise !== undefined) {
      this.#nameless(args[0]!, grid, sink, (row) => mapValues(row, elementwise));
      return;
    }
    if (RANGE_FUNCTIONS.has(func)) {
      this.#rangeCall(expr, grid, sink);
      return;
    }
    const calendar = CALENDAR.get(func);
    if (calendar !== undefined) {
      if (args.length > 0) this.#nameless(args[0]!, grid, sink, (row) => mapValues(row, calendar));
      else sink({ ...newRow(grid.stepCount), values: timesOf(grid).map(calendar), present: new Uint8Array(grid.stepCount).fill(1) });
      return;
    }
    switch (func) {
      case 'vector':
        sink({ ...newRow(grid.stepCount), values: this.scalar(args[0]!, grid), present: new Uint8Array(grid.stepCount).fill(1) });
        return;
      case 'timestamp':
        this.#timestamp(expr, grid, sink);
        return;
      case 'round': {
        const to = args[1] === undefined ? new Float64Array(grid.stepCount).fill(1) : this.scalar(args[1], grid);
        this.#nameless(args[0]!, grid, sink, (row) => mapSteps(row, (value, i) => roundTo(value, to[i]!)));
        return;
      }
      case 'clamp':
      case 'clamp_min':
      case 'clamp_max':
        this.#clamp(expr, grid, sink);
        return;
      case 'absent':
      case 'absent_over_time':
        this.#absent(expr, grid, sink);
        return;
      case 'sort':
      case 'sort_desc':
      case 'sort_by_label':
      case 'sort_by_label_desc':
        this.#sort(expr, grid, sink);
        return;
      case 'label_replace':
      case 'label_join': {
        const merger = new RowMerger(grid.stepCount);
        const texts = args.slice(1).map(stringOf);
        const rewrite = func === 'label_replace' ? replaceLabels(texts) : joinLabels(texts);
        this.vector(args[0]!, grid, (row) => {
          row.labels = rewrite(row.labels);
          if (texts[0] === METRIC_NAME) row.dropName = false;
          merger.add(row);
        });
        merger.forEach(sink);
        return;
      }
      case 'histogram_quantile':
      case 'histogram_fraction':
        classicHistogram(
          {
            expr,
            grid,
            context: this.#context,
            scalars: args.slice(0, -1).map((arg) => this.scalar(arg, grid)),
            source: (take) => this.vector(args.at(-1)!, grid, take),
          },
          sink,
        );
        return;
      case 'histogram_avg':
      case 'histogram_count':
      case 'histogram_sum':
      case 'histogram_stddev':
      case 'histogram_stdvar':
        // Of native histograms alone, and there are none: floats give nothing.
        this.vector(args[0]!, grid, () => {});
        return;
      default:
        throw new PromqlEvaluationError(`function ${func} is not available`);
    }
  }

  #rangeCall(expr: Call, grid: Grid, sink: RowSink): void {
    const { evaluate, keepsName } = RANGE_FUNCTIONS.get(expr.func)!;
    const at = expr.args.findIndex((arg) => typeOf(arg) === 'matrix');
    const range = unwrap(expr.args[at]!);
    assert(range.kind === 'matrix-selector' || range.kind === 'subquery', 'a range function has a range');
    const scalars = expr.args.filter((_, i) => i !== at).map((arg) => this.scalar(arg, grid));
    this.#checkArguments(expr, scalars);
    const windows = rangeWindows(range, grid, this.#context, (inner, innerGrid, take) => this.vector(inner, innerGrid, take));
    const window = new RangeWindow();
    const args: number[] = [];
    window.args = args;
    const row = newRow(grid.stepCount);
    const distinct = keepsName || this.#context.options.delayedNameRemoval || hasOneName(range) ? null : new DistinctLabels();
    const isCounterFunction = expr.func === 'rate' || expr.func === 'increase' || expr.func === 'irate';
    const names = new Set<string>();
    windows.forEachSeries(({ labels, dropName, samples }) => {
      const { times, values, length } = samples;
      window.begin(times, values, length);
      let seen = 0;
      for (let i = 0; i < grid.stepCount; i++) {
        window.endMs = windows.startMs + i * windows.stepMs;
        window.startMs = window.endMs - windows.rangeMs;
        while (window.to < length && times[window.to]! <= window.endMs) window.to++;
        while (window.from < window.to && times[window.from]! <= window.startMs) window.from++;
        if (window.from === window.to) {
          row.present[i] = 0;
          continue;
        }
        for (let a = 0; a < scalars.length; a++) args[a] = scalars[a]![i]!;
        window.stepMs = grid.startMs + i * grid.stepMs;
        window.hasResult = true;
        row.values[i] = evaluate(window);
        row.present[i] = window.hasResult ? 1 : 0;
        if (window.hasResult) seen++;
      }
      if (seen === 0) return;
      if (isCounterFunction) names.add(metricName(labels));
      row.labels = labels;
      row.dropName = dropName;
      if (!keepsName) this.#dropName(row);
      distinct?.check(row);
      sink(row);
    });
    for (const name of names) {
      if (name !== '' && !COUNTER_SUFFIXES.some((suffix) => name.endsWith(suffix))) {
        this.#context.info(`metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "${name}"`, range.span);
      }
    }
  }

  #checkArguments(expr: Call, scalars: readonly Float64Array[]): void {
    if (expr.func === 'quantile_over_time') {
      for (const phi of new Set(scalars[0])) {
        if (Number.isNaN(phi) || phi < 0 || phi > 1) this.#context.warn(`quantile value should be between 0 and 1, got ${formatFloat(phi)}`, expr.args[0]!.span);
      }
    }
    if (expr.func === 'double_exponential_smoothing') {
      const [smoothing, trend] = scalars as [Float64Array, Float64Array];
      for (const value of smoothing) {
        if (value <= 0 || value >= 1) throw new PromqlEvaluationError(`invalid smoothing factor. Expected: 0 < sf < 1, got: ${value.toFixed(6)}`);
      }
      for (const value of trend) {
        if (value <= 0 || value >= 1) throw new PromqlEvaluationError(`invalid trend factor. Expected: 0 < tf < 1, got: ${value.toFixed(6)}`);
      }
    }
  }

  /** Of a selector the sample's own time, of anything else the time of evaluation. */
  #timestamp({ args }: Call, grid: Grid, sink: RowSink): void {
    const inner = unwrap(args[0]!);
    if (inner.kind === 'vector-selector') {
      const merge = this.#merging(inner, grid, sink);
      selectInstants(inner, grid, this.#context, true, (row) => {
        this.#dropName(row);
        merge.add(row);
      });
      merge.finish();
      return;
    }
    const times = timesOf(grid);
    this.#nameless(inner, grid, sink, (row) => mapSteps(row, (_, i) => times[i]!));
  }

  #clamp({ func, args }: Call, grid: Grid, sink: RowSink): void {
    const bounds = args.slice(1).map((arg) => this.scalar(arg, grid));
    const min = func === 'clamp_max' ? null : bounds[0]!;
    const max = func === 'clamp_min' ? null : bounds.at(-1)!;
    this.#nameless(args[0]!, grid, sink, (row) => {
      for (let i = 0; i < grid.stepCount; i++) {
        if (min !== null && max !== null && min[i]! > max[i]!) row.present[i] = 0;
        if (row.present[i] === 0) continue;
        let value = row.values[i]!;
        if (max !== null) value = Math.min(max[i]!, value);
        if (min !== null) value = Math.max(min[i]!, value);
        row.values[i] = value;
      }
    });
  }

  /** 1 at the steps where nothing is, with the labels that the selector's equality matchers fix. */
  #absent({ func, args }: Call, grid: Grid, sink: RowSink): void {
    const some = new Uint8Array(grid.stepCount);
    const inner = unwrap(args[0]!);
    if (func === 'absent') {
      this.vector(inner, grid, ({ present }) => {
        for (let i = 0; i < grid.stepCount; i++) if (present[i] !== 0) some[i] = 1;
      });
    } else {
      assert(inner.kind === 'matrix-selector' || inner.kind === 'subquery', 'absent_over_time has a range');
      this.#markPresent(inner, grid, some);
    }
    const row = newRow(grid.stepCount);
    row.labels = absentLabels(inner);
    for (let i = 0; i < grid.stepCount; i++) {
      row.present[i] = some[i] === 0 ? 1 : 0;
      row.values[i] = 1;
    }
    if (row.present.includes(1)) sink(row);
  }

  #markPresent(range: MatrixSelector | SubqueryExpr, grid: Grid, some: Uint8Array): void {
    const windows = rangeWindows(range, grid, this.#context, (inner, innerGrid, take) => this.vector(inner, innerGrid, take));
    windows.forEachSeries(({ samples: { times, length } }) => {
      let to = 0;
      for (let i = 0; i < grid.stepCount; i++) {
        const endMs = windows.startMs + i * windows.stepMs;
        while (to < length && times[to]! <= endMs) to++;
        if (to > 0 && times[to - 1]! > endMs - windows.rangeMs) some[i] = 1;
      }
    });
  }

  #sort(expr: Call, grid: Grid, sink: RowSink): void {
    const { func, args } = expr;
    if (this.#context.options.grid.stepCount > 1 || this.#context.options.grid.stepMs > 0) {
      this.#context.warn('sort is ineffective for range queries since results are always ordered by labels', expr.span);
      this.vector(args[0]!, grid, sink);
      return;
    }
    const table = this.table(args[0]!, grid);
    const order = Array.from({ length: table.rowCount }, (_, i) => i).filter((i) => table.present[i] !== 0);
    const { values, labels } = table;
    if (func === 'sort' || func === 'sort_desc') {
      const sign = func === 'sort' ? 1 : -1;
      order.sort((a, b) => {
        const [x, y] = [values[a]!, values[b]!];
        if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
        return sign * (x < y ? -1 : x > y ? 1 : 0) || compareLabels(labels[a]!, labels[b]!);
      });
    } else {
      const names = args.slice(1).map(stringOf);
      const sign = func === 'sort_by_label' ? 1 : -1;
      order.sort((a, b) => {
        for (const name of names) {
          const compared = compareNatural(labelValue(labels[a]!, name), labelValue(labels[b]!, name));
          if (compared !== 0) return sign * compared;
        }
        return sign * compareLabels(labels[a]!, labels[b]!);
      });
    }
    const row = newRow(grid.stepCount);
    for (const index of order) {
      table.read(index, row);
      sink(row);
    }
    this.#context.release(table.rowCount * grid.stepCount);
  }
}

function mapValues(row: Row, change: (value: number) => number): void {
  const { values, present } = row;
  for (let i = 0; i < values.length; i++) if (present[i] !== 0) values[i] = change(values[i]!);
}

function mapSteps(row: Row, change: (value: number, step: number) => number): void {
  const { values, present } = row;
  for (let i = 0; i < values.length; i++) if (present[i] !== 0) values[i] = change(values[i]!, i);
}

/** The times of the steps in seconds. */
function timesOf(grid: Grid): Float64Array {
  return Float64Array.from({ length: grid.stepCount }, (_, i) => (grid.startMs + i * grid.stepMs) / 1000);
}

/** Without parentheses. */
function unwrap(expr: Expr): Expr {
  return expr.kind === 'paren' ? unwrap(expr.inner) : expr;
}

function stringOf(expr: Expr): string {
  const inner = unwrap(expr);
  assert(inner.kind === 'string', 'the argument is a string');
  return inner.value;
}

/** Whether the value is the same at every step: all selectors have `@`, and nothing reads the time of evaluation. */
function isPinned(expr: Expr): boolean {
  switch (expr.kind) {
    case 'vector-selector':
      return expr.at !== null;
    case 'matrix-selector':
      return expr.selector.at !== null;
    case 'subquery':
      return expr.at !== null;
    case 'number':
    case 'string':
      return true;
    case 'call':
      return !STEP_FUNCTIONS.has(expr.func) && expr.args.every(isPinned);
    default:
      return childrenOf(expr).every(isPinned);
  }
}

/** Whether all series below have one metric name, so that dropping it makes no two alike. */
function hasOneName(expr: Expr): boolean {
  switch (expr.kind) {
    case 'vector-selector':
      return expr.matchers.some(({ name, op }) => name === METRIC_NAME && op === '=');
    case 'matrix-selector':
      return hasOneName(expr.selector);
    case 'paren':
    case 'subquery':
      return hasOneName(expr.inner);
    case 'aggregate':
      return !expr.grouping.includes(METRIC_NAME) && !['topk', 'bottomk', 'limitk', 'limit_ratio'].includes(expr.op);
    default:
      return false;
  }
}

/** Labels of an absent vector: those that an equality matcher fixes and no other matcher speaks of. */
function absentLabels(expr: Expr): Labels {
  const selector = expr.kind === 'matrix-selector' ? expr.selector : expr;
  if (selector.kind !== 'vector-selector') return [];
  const fixed = new Map<string, string>();
  const seen = new Set<string>();
  for (const { name, op, value } of selector.matchers) {
    if (name === METRIC_NAME) continue;
    if (op === '=' && !seen.has(name)) fixed.set(name, value);
    else fixed.delete(name);
    seen.add(name);
  }
  return labelsFromPairs(fixed);
}

/** Numbers inside strings compare as numbers. */
function compareNatural(a: string, b: string): number {
  const [x, y] = [a.match(/\d+|\D+/g) ?? [], b.match(/\d+|\D+/g) ?? []];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const [p, q] = [x[i]!, y[i]!];
    if (p === q) continue;
    if (/^\d/.test(p) && /^\d/.test(q) && Number(p) !== Number(q)) return Number(p) - Number(q);
    return compareStrings(p, q);
  }
  return x.length - y.length;
}
