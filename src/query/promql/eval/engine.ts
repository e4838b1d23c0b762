/**
 * The query engine: a text and a storage to an answer.
 */
import { compareLabels, labelsKey, type Labels } from '../../../core/model/labels.ts';
import type { Querier } from '../../../core/storage/querier.ts';
import { PromqlEvaluationError, PromqlSyntaxError } from '../errors.ts';
import type { Expr } from '../parse/ast.ts';
import { typeOf } from '../parse/check.ts';
import { parseExpr, type ParseOptions } from '../parse/parser.ts';
import type { QueryResult, QueryValue, ResultSeries } from '../result.ts';
import { dropMetricName, QueryContext } from './context.ts';
import { Evaluator } from './evaluator.ts';
import { type Grid, type Row } from './rows.ts';
import { closeSelections, selectSeries } from './select-series.ts';
import { rangeWindows } from './selectors.ts';

export interface EngineOptions {
  readonly lookbackMs: number;
  /** Most samples that one query may hold at once. */
  readonly maxSamples: number;
  /** Step of a subquery that names none. */
  readonly defaultStepMs: number;
  /** Prometheus' names: `promql-experimental-functions`, `promql-delayed-name-removal`, … */
  readonly featureFlags: readonly string[];
}

interface CommonOptions {
  readonly query: string;
  /** 0: the engine's. */
  readonly lookbackMs: number;
  /** Polled between batches of series; true ends the query as canceled. It may throw a PromqlTimeoutError. */
  readonly shouldStop: () => boolean;
}

export interface InstantOptions extends CommonOptions {
  readonly timeMs: number;
}

export interface RangeOptions extends CommonOptions {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

export class Engine {
  readonly #options: EngineOptions;
  readonly #parse: ParseOptions;
  readonly #delayedNameRemoval: boolean;

  constructor(options: EngineOptions) {
    this.#options = options;
    const has = (flag: string): boolean => options.featureFlags.includes(flag);
    this.#parse = {
      experimentalFunctions: has('promql-experimental-functions'),
      extendedRangeSelectors: has('promql-extended-range-selectors'),
      binopFillModifiers: has('promql-binop-fill-modifiers'),
      startTimestamps: has('use-start-timestamps'),
    };
    this.#delayedNameRemoval = has('promql-delayed-name-removal');
  }

  /** @throws PromqlSyntaxError, PromqlEvaluationError, PromqlTimeoutError, PromqlCanceledError, RegexError, CorruptError */
  async instant(querier: Querier, options: InstantOptions): Promise<QueryResult> {
    return this.#run(querier, options, { startMs: options.timeMs, stepMs: 0, stepCount: 1 }, true);
  }

  /** Throws as `instant` does. */
  async range(querier: Querier, options: RangeOptions): Promise<QueryResult> {
    const { startMs, endMs, stepMs } = options;
    return this.#run(querier, options, { startMs, stepMs, stepCount: Math.floor((endMs - startMs) / stepMs) + 1 }, false);
  }

  async #run(querier: Querier, options: CommonOptions, grid: Grid, isInstant: boolean): Promise<QueryResult> {
    const began = performance.now();
    const expr = parseExpr(options.query, this.#parse);
    const type = typeOf(expr);
    if (!isInstant && type !== 'vector' && type !== 'scalar') {
      const name = type === 'matrix' ? 'range vector' : type;
      throw new PromqlSyntaxError(`invalid expression type "${name}" for range query, must be Scalar or instant Vector`, options.query, expr.span);
    }
    const context = new QueryContext({
      query: options.query,
      grid,
      lookbackMs: options.lookbackMs || this.#options.lookbackMs,
      defaultStepMs: this.#options.defaultStepMs,
      maxSamples: this.#options.maxSamples,
      delayedNameRemoval: this.#delayedNameRemoval,
      shouldStop: options.shouldStop,
    });
    try {
      await selectSeries(expr, querier, context);
      const prepared = performance.now();
      const value = isInstant ? this.#instantValue(expr, grid, context) : this.#matrix(expr, grid, context);
      const evaluated = performance.now();
      if (value.type === 'matrix') (value.series as ResultSeries[]).sort((a, b) => compareLabels(a.labels, b.labels));
      return {
        value,
        warnings: [...context.warnings],
        infos: [...context.infos],
        stats: {
          preparationMs: prepared - began,
          evaluationMs: evaluated - prepared,
          sortMs: performance.now() - evaluated,
          totalQueryableSamples: context.totalSamples,
          peakSamples: context.peakSamples,
        },
      };
    } finally {
      closeSelections(context);
    }
  }

  #instantValue(expr: Expr, grid: Grid, context: QueryContext): QueryValue {
    const evaluator = new Evaluator(context);
    const timeMs = grid.startMs;
    const inner = expr.kind === 'paren' ? unwrap(expr) : expr;
    switch (typeOf(inner)) {
      case 'scalar':
        return { type: 'scalar', timeMs, value: evaluator.scalar(inner, grid)[0]! };
      case 'string':
        return { type: 'string', timeMs, value: inner.kind === 'string' ? inner.value : '' };
      case 'matrix':
        return this.#rangeVector(inner, grid, context, evaluator);
      default: {
        const labels: Labels[] = [];
        const values: number[] = [];
        const distinct = new FinalLabels(context);
        evaluator.vector(inner, grid, (row) => {
          if (row.present[0] === 0) return;
          context.hold(1);
          labels.push(distinct.of(row));
          values.push(row.values[0]!);
        });
        return { type: 'vector', timeMs, labels, values: Float64Array.from(values) };
      }
    }
  }

  /** A selector with a range: the samples themselves. */
  #rangeVector(expr: Expr, grid: Grid, context: QueryContext, evaluator: Evaluator): QueryValue {
    if (expr.kind !== 'matrix-selector' && expr.kind !== 'subquery') throw new PromqlEvaluationError(`unexpected ${expr.kind} where a range vector is expected`);
    const series: ResultSeries[] = [];
    const windows = rangeWindows(expr, grid, context, (inner, innerGrid, sink) => evaluator.vector(inner, innerGrid, sink));
    const startMs = windows.startMs - windows.rangeMs;
    windows.forEachSeries(({ labels, dropName, samples: { times, values, length } }) => {
      let from = 0;
      while (from < length && times[from]! <= startMs) from++;
      let to = from;
      while (to < length && times[to]! <= windows.startMs) to++;
      if (from === to) return;
      context.hold(to - from);
      series.push({ labels: dropName ? dropMetricName(labels) : labels, times: times.slice(from, to), values: values.slice(from, to) });
    });
    return { type: 'matrix', series };
  }

  #matrix(expr: Expr, grid: Grid, context: QueryContext): QueryValue {
    const series: ResultSeries[] = [];
    const distinct = new FinalLabels(context);
    const { stepCount } = grid;
    new Evaluator(context).vector(expr, grid, (row) => {
      let count = 0;
      for (let i = 0; i < stepCount; i++) count += row.present[i]!;
      if (count === 0) return;
      context.hold(count);
      const times = new Float64Array(count);
      const values = new Float64Array(count);
      for (let i = 0, to = 0; i < stepCount; i++) {
        if (row.present[i] === 0) continue;
        times[to] = grid.startMs + i * grid.stepMs;
        values[to++] = row.values[i]!;
      }
      series.push({ labels: distinct.of(row), times, values });
    });
    return { type: 'matrix', series };
  }
}

function unwrap(expr: Expr): Expr {
  return expr.kind === 'paren' ? unwrap(expr.inner) : expr;
}

/** The labels of result rows: the name goes where its removal was put off, and no two rows may then be alike. */
class FinalLabels {
  readonly #delayed: boolean;
  readonly #seen = new Set<string>();

  constructor(context: QueryContext) {
    this.#delayed = context.options.delayedNameRemoval;
  }

  of(row: Row): Labels {
    if (!this.#delayed) return row.labels;
    const labels = row.dropName ? dropMetricName(row.labels) : row.labels;
    const key = labelsKey(labels);
    if (this.#seen.has(key)) throw new PromqlEvaluationError('vector cannot contain metrics with the same labelset');
    this.#seen.add(key);
    return labels;
  }
}
