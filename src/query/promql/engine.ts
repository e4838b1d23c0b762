/**
 * The query engine: text in, columns out.
 *
 * `text → tree → plan → selects (the only waiting) → operators → result`. One engine serves many queries, one after the other
 * or interleaved where they wait; a query's state lives in its Execution.
 */
import { unreachable } from '../../core/base/assert.ts';
import { systemClock, type Clock } from '../../core/base/clock.ts';
import type { Querier, SeriesSet } from '../../core/storage/querier.ts';
import { settleSelects } from '../select/settle-selects.ts';
import { OperatorBuilder } from './exec/build-operators.ts';
import { collectMatrix, collectRange, collectVector } from './exec/collect-result.ts';
import { Execution } from './exec/execution.ts';
import { PromqlTypeError } from './errors.ts';
import type { Expr } from './parse/ast.ts';
import { typeOf } from './parse/check.ts';
import { parseExpr, type ParseOptions } from './parse/parser.ts';
import { instantGrid, type StepGrid } from './plan/grid.ts';
import { buildPlan } from './plan/build-plan.ts';
import type { Plan } from './plan/plan.ts';
import type { QueryResult, QueryValue } from './result.ts';

export interface EngineOptions {
  /** How long a sample stays visible. */
  readonly lookbackMs: number;
  /** Most samples that one query may hold in memory. */
  readonly maxSamples: number;
  /** Resolution of subqueries that name none. */
  readonly defaultStepMs: number;
  /** Names as `--enable-feature` takes them; those that do not concern the engine are ignored. */
  readonly featureFlags: readonly string[];
  readonly clock?: Clock;
}

export interface QueryOptions {
  readonly query: string;
  /** 0 or left out: the engine's. */
  readonly lookbackMs?: number;
  /** Left out: no end. */
  readonly timeoutMs?: number;
  /** Polled often: whether nobody wants the answer any more. */
  readonly shouldStop?: () => boolean;
}

export interface InstantOptions extends QueryOptions {
  readonly timeMs: number;
}

/** Steps at `startMs`, `startMs + stepMs`, … up to `endMs`. */
export interface RangeOptions extends QueryOptions {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

interface Evaluation extends QueryOptions {
  readonly grid: StepGrid;
  readonly endMs: number;
  readonly isInstant: boolean;
}

export class Engine {
  readonly #options: EngineOptions;
  readonly #parseOptions: ParseOptions;
  readonly #clock: Clock;
  readonly #delayedNameRemoval: boolean;
  readonly #typeAndUnitLabels: boolean;
  readonly #startTimestamps: boolean;

  constructor(options: EngineOptions) {
    const flags = new Set(options.featureFlags);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#parseOptions = {
      experimentalFunctions: flags.has('promql-experimental-functions'),
      extendedRangeSelectors: flags.has('promql-extended-range-selectors'),
      binopFillModifiers: flags.has('promql-binop-fill-modifiers'),
      startTimestamps: flags.has('use-start-timestamps'),
    };
    this.#delayedNameRemoval = flags.has('promql-delayed-name-removal');
    this.#typeAndUnitLabels = flags.has('type-and-unit-labels');
    this.#startTimestamps = flags.has('use-start-timestamps');
  }

  /**
   * The value of a query at one time.
   * @throws PromqlSyntaxError, PromqlEvaluationError, PromqlTimeoutError, PromqlCanceledError, and what the querier throws
   */
  async instant(querier: Querier, options: InstantOptions): Promise<QueryResult> {
    const { timeMs } = options;
    return this.#run(querier, { ...options, grid: instantGrid(timeMs), endMs: timeMs, isInstant: true });
  }

  /** The values of a query at each step; a query for a scalar becomes a matrix of one series. @throws as `instant` */
  async range(querier: Querier, options: RangeOptions): Promise<QueryResult> {
    const { startMs, endMs, stepMs } = options;
    const stepCount = endMs < startMs ? 0 : Math.floor((endMs - startMs) / stepMs) + 1;
    return this.#run(querier, { ...options, grid: { startMs, stepMs, stepCount }, endMs, isInstant: false });
  }

  async #run(querier: Querier, evaluation: Evaluation): Promise<QueryResult> {
    const began = this.#clock.monotonicMs();
    const { query, grid, endMs, isInstant, timeoutMs, lookbackMs = 0, shouldStop = () => false } = evaluation;
    const expr = parseExpr(query, this.#parseOptions);
    if (!isInstant) refuseInRange(expr);
    const plan = buildPlan(expr, {
      query,
      grid,
      endMs,
      isInstant,
      lookbackMs: lookbackMs > 0 ? lookbackMs : this.#options.lookbackMs,
      defaultStepMs: this.#options.defaultStepMs,
      maxSteps: this.#options.maxSamples,
    });
    const execution = new Execution({
      query,
      isInstant,
      maxSamples: this.#options.maxSamples,
      deadlineMs: timeoutMs === undefined ? Infinity : began + timeoutMs,
      monotonicMs: () => this.#clock.monotonicMs(),
      shouldStop,
      delayedNameRemoval: this.#delayedNameRemoval,
      typeAndUnitLabels: this.#typeAndUnitLabels,
      startTimestamps: this.#startTimestamps,
    });
    const sets = await settleSelects(plan.selects.map((select) => querier.select(select)));
    try {
      execution.checkpoint();
      const prepared = this.#clock.monotonicMs();
      const value = evaluate(plan, execution, sets, isInstant);
      return {
        value,
        warnings: execution.annotations.warnings,
        infos: execution.annotations.infos,
        stats: {
          preparationMs: prepared - began,
          evaluationMs: this.#clock.monotonicMs() - prepared,
          sortMs: 0,
          totalQueryableSamples: execution.queryableSamples,
          peakSamples: execution.peakSamples,
        },
      };
    } finally {
      for (const set of sets) set.close();
    }
  }
}

function evaluate(plan: Plan, execution: Execution, sets: readonly SeriesSet[], isInstant: boolean): QueryValue {
  const { root, grid } = plan;
  const builder = new OperatorBuilder(execution, plan, sets);
  switch (root.type) {
    case 'string':
      return { type: 'string', timeMs: grid.startMs, value: root.value };
    case 'matrix':
      return collectRange(execution, builder.range(root.range), root.range);
    case 'vector': {
      const operator = builder.vector(root.vector);
      return isInstant ? collectVector(execution, operator, grid.startMs) : collectMatrix(execution, operator);
    }
    case 'scalar': {
      if (isInstant) return { type: 'scalar', timeMs: grid.startMs, value: builder.scalar(root.scalar).values()[0]! };
      return collectMatrix(execution, builder.vector({ kind: 'vector-of-scalar', grid, inner: root.scalar }));
    }
    default:
      return unreachable(root);
  }
}

/** @throws PromqlEvaluationError for what has no value per step */
function refuseInRange(expr: Expr): void {
  const type = typeOf(expr);
  if (type === 'scalar' || type === 'vector') return;
  const got = type === 'string' ? 'string' : 'range vector';
  throw new PromqlTypeError(`invalid expression type "${got}" for range query, must be Scalar or instant Vector`);
}
