/**
 * Syntax tree to plan: times, offsets and constants are resolved for one grid, step by step down the tree.
 *
 * A subquery opens a new grid for what is inside; `@` pins a selector's window, so that whole branches may not depend on the
 * step at all: those are planned for a single step.
 * Source: docs of Prometheus 3.14, querying basics ("Subquery", "@ modifier", "Duration expressions").
 */
import { unreachable } from '../../../core/base/assert.ts';
import { compareStrings, METRIC_NAME } from '../../../core/model/labels.ts';
import type { Matcher } from '../../../core/model/matcher.ts';
import { PromqlEvaluationError, TOO_MANY_SAMPLES } from '../errors.ts';
import { applyScalarOp } from '../functions/scalar-ops.ts';
import { isPointFunction } from '../functions/point-functions.ts';
import type {
  Aggregate,
  AtModifier,
  BinaryExpr,
  Call,
  DurationExpr,
  Expr,
  MatrixSelector,
  SubqueryExpr,
  VectorMatching,
  VectorSelector,
} from '../parse/ast.ts';
import { isComparison, isSetOperator, typeOf } from '../parse/check.ts';
import { offsetMs, positiveMs, type QuerySpan } from './duration-value.ts';
import { refuseExtension } from './extended-selectors.ts';
import { alignedGrid, endOfGrid, type StepGrid } from './grid.ts';
import type {
  InstantSelectPlan,
  JoinOp,
  Plan,
  RangePlan,
  ScalarOp,
  ScalarPlan,
  SelectOutput,
  SelectPlan,
  SetPlan,
  VectorPlan,
} from './plan.ts';
import { referenceTime } from './reference-time.ts';
import { isStepInvariant } from './step-invariance.ts';

export interface PlanOptions {
  /** The text, for positions in errors. */
  readonly query: string;
  readonly grid: StepGrid;
  readonly isInstant: boolean;
  /** Where a range query really ends, which need not be a step. */
  readonly endMs: number;
  readonly lookbackMs: number;
  /** Resolution of subqueries that name none. */
  readonly defaultStepMs: number;
  /** Most steps of a grid. Each operator has room for a value at every one. */
  readonly maxSteps: number;
}

const DATE_FUNCTIONS: ReadonlySet<string> = new Set([
  'minute',
  'hour',
  'day_of_week',
  'day_of_month',
  'day_of_year',
  'days_in_month',
  'month',
  'year',
]);
/** Functions that use nothing of a histogram but its count and sum, and those that need its buckets. */
const READS_STATISTICS: ReadonlySet<string> = new Set(['histogram_count', 'histogram_sum', 'histogram_avg']);
const READS_BUCKETS: ReadonlySet<string> = new Set(['histogram_quantile', 'histogram_quantiles', 'histogram_fraction']);
const PLAIN_MATCHING: VectorMatching = {
  card: 'one-to-one',
  on: false,
  labels: [],
  include: [],
  fillLeft: null,
  fillRight: null,
};
/** What `info` joins unless told otherwise. */
const DEFAULT_INFO_METRIC = 'target_info';
/** What names can be info metrics where the query says only which are not. */
const ANY_INFO_METRIC = '.+_info';

/** @throws PromqlSyntaxError for durations that come out wrong, PromqlEvaluationError */
export function buildPlan(expr: Expr, options: PlanOptions): Plan {
  const planner = new Planner(options);
  const { grid } = options;
  if (grid.stepCount > options.maxSteps) throw new PromqlEvaluationError(TOO_MANY_SAMPLES);
  const inner = withoutParens(expr);
  switch (typeOf(expr)) {
    case 'scalar':
      return { root: { type: 'scalar', scalar: planner.scalar(expr, grid) }, grid, selects: planner.selects };
    case 'string':
      return {
        root: { type: 'string', value: inner.kind === 'string' ? inner.value : '' },
        grid,
        selects: planner.selects,
      };
    case 'matrix':
      return { root: { type: 'matrix', range: planner.range(expr, grid, '') }, grid, selects: planner.selects };
    default:
      return { root: { type: 'vector', vector: planner.vector(expr, grid, '') }, grid, selects: planner.selects };
  }
}

class Planner {
  readonly selects: SelectPlan[] = [];
  readonly #options: PlanOptions;
  readonly #span: QuerySpan;
  readonly #selectByKey = new Map<string, number>();
  /** Whether the part being planned goes into a function that reads only counts and sums of histograms. */
  #isForStatistics = false;

  constructor(options: PlanOptions) {
    this.#options = options;
    const { grid, isInstant, endMs } = options;
    this.#span = isInstant ? { stepMs: 0, rangeMs: 0 } : { stepMs: grid.stepMs, rangeMs: endMs - grid.startMs };
  }

  scalar(expr: Expr, grid: StepGrid): ScalarPlan {
    switch (expr.kind) {
      case 'number':
        return { kind: 'constant', grid, value: expr.value };
      case 'paren':
        return this.scalar(expr.inner, grid);
      case 'unary': {
        const inner = this.scalar(expr.operand, grid);
        if (expr.op === '+') return inner;
        return inner.kind === 'constant' ? { ...inner, value: -inner.value } : { kind: 'scalar-negation', grid, inner };
      }
      case 'binary': {
        const op = expr.op as ScalarOp; // The checker lets no other through between scalars.
        const left = this.scalar(expr.left, grid);
        const right = this.scalar(expr.right, grid);
        if (left.kind === 'constant' && right.kind === 'constant') {
          return { kind: 'constant', grid, value: applyScalarOp(op, left.value, right.value) };
        }
        return { kind: 'scalar-binary', grid, op, left, right };
      }
      case 'call':
        return this.#scalarCall(expr, grid);
      default:
        throw new PromqlEvaluationError(`expected a scalar expression, got ${expr.kind}`);
    }
  }

  /** @param func the function or aggregation around it, for the store's hints */
  vector(expr: Expr, grid: StepGrid, func: string): VectorPlan {
    if (grid.stepCount > 1 && expr.kind !== 'paren' && isStepInvariant(expr)) {
      return { kind: 'step-invariant', grid, inner: this.#vector(expr, { ...grid, stepCount: 1 }, func) };
    }
    return this.#vector(expr, grid, func);
  }

  range(expr: Expr, grid: StepGrid, func: string): RangePlan {
    switch (expr.kind) {
      case 'paren':
        return this.range(expr.inner, grid, func);
      case 'matrix-selector':
        return this.#rangeSelect(expr, grid, func);
      case 'subquery':
        return this.#subquery(expr, grid);
      default:
        throw new PromqlEvaluationError(`expected a range vector, got ${expr.kind}`);
    }
  }

  #vector(expr: Expr, grid: StepGrid, func: string): VectorPlan {
    switch (expr.kind) {
      case 'paren':
        return this.vector(expr.inner, grid, func);
      case 'unary': {
        const inner = this.vector(expr.operand, grid, func);
        return expr.op === '+' ? inner : { kind: 'negation', grid, inner };
      }
      case 'vector-selector':
        return this.#instantSelect(expr, grid, func, 'value');
      case 'aggregate':
        return this.#aggregate(expr, grid);
      case 'binary':
        return this.#binary(expr, grid);
      case 'call':
        return this.#vectorCall(expr, grid);
      case 'number':
      case 'string':
      case 'matrix-selector':
      case 'subquery':
        throw new PromqlEvaluationError(`expected an instant vector, got ${expr.kind}`);
      default:
        return unreachable(expr);
    }
  }

  #scalarCall(expr: Call, grid: StepGrid): ScalarPlan {
    const { grid: top, endMs } = this.#options;
    switch (expr.func) {
      case 'time':
        return { kind: 'time', grid };
      case 'pi':
        return { kind: 'constant', grid, value: Math.PI };
      case 'start':
        return { kind: 'constant', grid, value: top.startMs / 1000 };
      case 'end':
        return { kind: 'constant', grid, value: endMs / 1000 };
      case 'step':
        return { kind: 'constant', grid, value: this.#span.stepMs / 1000 };
      case 'range':
        return { kind: 'constant', grid, value: this.#span.rangeMs / 1000 };
      case 'scalar':
        return { kind: 'scalar-of-vector', grid, inner: this.vector(expr.args[0]!, grid, 'scalar') };
      case 'min_of':
      case 'max_of': {
        const left = this.scalar(expr.args[0]!, grid);
        const right = this.scalar(expr.args[1]!, grid);
        return { kind: 'scalar-extreme', grid, func: expr.func, left, right };
      }
      default:
        throw new PromqlEvaluationError(`function ${expr.func} does not return a scalar`);
    }
  }

  #vectorCall(expr: Call, grid: StepGrid): VectorPlan {
    const { func } = expr;
    if (READS_STATISTICS.has(func)) return this.#within(true, () => this.#planCall(expr, grid));
    if (READS_BUCKETS.has(func)) return this.#within(false, () => this.#planCall(expr, grid));
    return this.#planCall(expr, grid);
  }

  #within<T>(isForStatistics: boolean, plan: () => T): T {
    const before = this.#isForStatistics;
    this.#isForStatistics = isForStatistics;
    const planned = plan();
    this.#isForStatistics = before;
    return planned;
  }

  #planCall(expr: Call, grid: StepGrid): VectorPlan {
    const { func, args } = expr;
    if (func === 'vector') return { kind: 'vector-of-scalar', grid, inner: this.scalar(args[0]!, grid) };
    if (func === 'info') return this.#infoCall(expr, grid);
    const rangeAt = args.findIndex((arg) => typeOf(arg) === 'matrix');
    if (rangeAt >= 0) return this.#rangeCall(expr, rangeAt, grid);
    if (func === 'timestamp' || func === 'start_timestamp') {
      const arg = withoutParens(args[0]!);
      if (arg.kind === 'vector-selector')
        return this.#instantSelect(arg, grid, func, func === 'timestamp' ? func : 'start-timestamp');
    }
    const scalars = args.filter((arg) => typeOf(arg) === 'scalar');
    const plans = scalars.map((arg) => this.scalar(arg, grid));
    const innerExpr = args.find((arg) => typeOf(arg) === 'vector');
    const inner: VectorPlan =
      innerExpr === undefined && DATE_FUNCTIONS.has(func)
        ? { kind: 'vector-of-scalar', grid, inner: { kind: 'time', grid } }
        : this.vector(innerExpr!, grid, func);
    if (isPointFunction(func)) return { kind: 'point-call', grid, func, inner, args: plans };
    const selector = innerExpr === undefined ? undefined : withoutParens(innerExpr);
    return {
      kind: 'series-call',
      grid,
      func,
      inner,
      args: plans,
      texts: args.map(withoutParens).flatMap((arg) => (arg.kind === 'string' ? [arg.value] : [])),
      span: expr.span,
      innerSpan: innerExpr?.span ?? expr.span,
      argSpans: scalars.map((arg) => arg.span),
      matchers: selector?.kind === 'vector-selector' ? selector.matchers : [],
    };
  }

  #rangeCall(expr: Call, rangeAt: number, grid: StepGrid): VectorPlan {
    const { func, args } = expr;
    const arg = args[rangeAt]!;
    const range = this.range(arg, grid, func);
    if (range.kind === 'range-select') refuseExtension(func, range.extension);
    const matrix = withoutParens(arg);
    if (func === 'absent_over_time') {
      return {
        kind: 'absent-over-time',
        grid,
        range,
        matchers: matrix.kind === 'matrix-selector' ? matrix.selector.matchers : [],
      };
    }
    const scalars = args.filter((_, i) => i !== rangeAt);
    return {
      kind: 'range-call',
      grid,
      func,
      range,
      args: scalars.map((scalar) => this.scalar(scalar, grid)),
      argSpan: arg.span,
      scalarSpan: scalars[0]?.span ?? expr.span,
    };
  }

  #infoCall(expr: Call, grid: StepGrid): VectorPlan {
    const base = expr.args[0]!;
    const selector = expr.args[1];
    let matchers: readonly Matcher[] = selector?.kind === 'vector-selector' ? selector.matchers : [];
    const names = matchers.filter((matcher) => matcher.name === METRIC_NAME);
    if (names.length === 0) matchers = [...matchers, { name: METRIC_NAME, op: '=', value: DEFAULT_INFO_METRIC }];
    else if (names.every(({ op }) => op === '!=' || op === '!~'))
      matchers = [...matchers, { name: METRIC_NAME, op: '=~', value: ANY_INFO_METRIC }];
    const time = referenceTime(base, (offset) => this.#offset(offset));
    const timeGrid = this.#timeGrid(grid, time.at, time.offsetMs);
    const { lookbackMs } = this.#options;
    // Which labels an info series carries is looked at after the join, so only names choose what is read.
    const select = this.#select(
      matchers.filter((matcher) => matcher.name === METRIC_NAME),
      timeGrid,
      lookbackMs,
      0,
      'info',
      0,
    );
    return { kind: 'info-call', grid, inner: this.vector(base, grid, 'info'), select, timeGrid, lookbackMs, matchers };
  }

  #aggregate(expr: Aggregate, grid: StepGrid): VectorPlan {
    const { op, param, without } = expr;
    const text = param === null ? null : withoutParens(param);
    return {
      kind: 'aggregate',
      grid,
      op,
      inner: this.vector(expr.inner, grid, op),
      param: param === null || text?.kind === 'string' ? null : this.scalar(param, grid),
      label: text?.kind === 'string' ? text.value : '',
      without,
      grouping: [...new Set(expr.grouping)].sort(compareStrings),
      span: expr.span,
      innerSpan: expr.inner.span,
      paramSpan: param?.span ?? expr.span,
    };
  }

  #binary(expr: BinaryExpr, grid: StepGrid): VectorPlan {
    const { op, returnBool, span } = expr;
    const isScalarLeft = typeOf(expr.left) === 'scalar';
    if (isScalarLeft || typeOf(expr.right) === 'scalar') {
      const [vector, scalar] = isScalarLeft ? [expr.right, expr.left] : [expr.left, expr.right];
      return {
        kind: 'vector-scalar',
        grid,
        op: op as JoinOp, // The checker refuses set operators here.
        vector: this.vector(vector, grid, ''),
        scalar: this.scalar(scalar, grid),
        isScalarLeft,
        returnBool: returnBool && isComparison(op),
        span,
      };
    }
    const matching = expr.matching ?? PLAIN_MATCHING;
    const left = this.vector(expr.left, grid, '');
    const right = this.vector(expr.right, grid, '');
    if (isSetOperator(op)) return { kind: 'set', grid, op: op as SetPlan['op'], left, right, matching };
    return { kind: 'join', grid, op: op as JoinOp, left, right, matching, returnBool, span };
  }

  #instantSelect(expr: VectorSelector, grid: StepGrid, func: string, output: SelectOutput): InstantSelectPlan {
    const timeGrid = this.#timeGrid(grid, expr.at, this.#offset(expr.offset));
    const { lookbackMs } = this.#options;
    const isSmoothed = expr.extension === 'smoothed';
    if (expr.extension === 'anchored')
      throw new PromqlEvaluationError('anchored modifier can only be used with range selectors');
    const select = this.#select(expr.matchers, timeGrid, lookbackMs, isSmoothed ? lookbackMs : 0, func, 0);
    return {
      kind: 'instant-select',
      grid,
      select,
      timeGrid,
      lookbackMs,
      output,
      isSmoothed,
      span: expr.span,
      detectsResets: this.#isForStatistics,
    };
  }

  #rangeSelect(expr: MatrixSelector, grid: StepGrid, func: string): RangePlan {
    const { selector } = expr;
    const timeGrid = this.#timeGrid(grid, selector.at, this.#offset(selector.offset));
    const rangeMs = positiveMs(expr.range, this.#span, this.#options.query);
    const { lookbackMs } = this.#options;
    const { extension } = selector;
    const beforeMs = extension === null ? rangeMs : rangeMs + lookbackMs;
    const select = this.#select(
      selector.matchers,
      timeGrid,
      beforeMs,
      extension === 'smoothed' ? lookbackMs : 0,
      func,
      rangeMs,
    );
    return {
      kind: 'range-select',
      grid,
      select,
      timeGrid,
      rangeMs,
      extension,
      lookbackMs,
      detectsResets: this.#isForStatistics,
    };
  }

  #subquery(expr: SubqueryExpr, grid: StepGrid): RangePlan {
    const { query, defaultStepMs } = this.#options;
    const timeGrid = this.#timeGrid(grid, expr.at, this.#offset(expr.offset));
    const rangeMs = positiveMs(expr.range, this.#span, query);
    const stepMs = expr.step === null ? defaultStepMs : positiveMs(expr.step, this.#span, query);
    const innerGrid = alignedGrid(timeGrid.startMs - rangeMs, endOfGrid(timeGrid), stepMs);
    if (innerGrid.stepCount > this.#options.maxSteps) throw new PromqlEvaluationError(TOO_MANY_SAMPLES);
    const isEmpty = grid.stepCount === 0;
    const inner = this.#within(false, () =>
      this.vector(expr.inner, isEmpty ? { ...innerGrid, stepCount: 0 } : innerGrid, ''),
    );
    return { kind: 'subquery', grid, inner, timeGrid, rangeMs };
  }

  #offset(expr: DurationExpr | null): number {
    return offsetMs(expr, this.#span, this.#options.query);
  }

  #timeGrid(grid: StepGrid, at: AtModifier | null, shiftMs: number): StepGrid {
    if (at === null) return { ...grid, startMs: grid.startMs - shiftMs };
    const top = this.#options;
    const atMs = at.kind === 'time' ? at.timeMs : at.kind === 'start' ? top.grid.startMs : top.endMs;
    return { startMs: atMs - shiftMs, stepMs: 0, stepCount: grid.stepCount };
  }

  /** The number of the select that reads (t − beforeMs, t + afterMs] for all times t of the grid. */
  #select(
    matchers: readonly Matcher[],
    timeGrid: StepGrid,
    beforeMs: number,
    afterMs: number,
    func: string,
    rangeMs: number,
  ): number {
    const startMs = timeGrid.startMs - beforeMs + 1;
    const endMs = endOfGrid(timeGrid) + afterMs;
    const key = JSON.stringify([startMs, endMs, matchers.map(({ name, op, value }) => [name, op, value])]);
    const known = this.#selectByKey.get(key);
    if (known !== undefined) return known;
    const number = this.selects.length;
    this.selects.push({ matchers, startMs, endMs, hints: { stepMs: timeGrid.stepMs, rangeMs, func } });
    this.#selectByKey.set(key, number);
    return number;
  }
}

function withoutParens(expr: Expr): Expr {
  return expr.kind === 'paren' ? withoutParens(expr.inner) : expr;
}
