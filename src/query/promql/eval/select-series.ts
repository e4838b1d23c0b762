/**
 * Before a query is evaluated: which samples each selector needs, and the series that have them. Selectors that need the same share one
 * selection.
 */
import { formatMatcher } from '../../../core/model/matcher.ts';
import type { Querier, SeriesSet } from '../../../core/storage/querier.ts';
import type { QueryContext } from './context.ts';
import { gridEnd, type Grid } from './rows.ts';
import type { AtModifier, DurationExpr, Expr, VectorSelector } from '../parse/ast.ts';
import { childrenOf } from '../parse/walk.ts';
import { durationMs, positiveDurationMs } from './durations.ts';

interface TimeRange {
  readonly startMs: number;
  readonly endMs: number;
}

interface Need extends TimeRange {
  readonly selector: VectorSelector;
  readonly rangeMs: number;
  readonly func: string;
}

/** Fills `context.selections`. @throws RegexError, CorruptError */
export async function selectSeries(expr: Expr, querier: Querier, context: QueryContext): Promise<void> {
  const { grid } = context.options;
  const needs: Need[] = [];
  collect(expr, { startMs: grid.startMs, endMs: gridEnd(grid) }, context, needs, '');
  const shared = new Map<string, SeriesSet>();
  for (const { selector, startMs, endMs, rangeMs, func } of needs) {
    context.checkStop();
    const key = `${startMs} ${endMs} ${selector.matchers.map(formatMatcher).join(',')}`;
    let set = shared.get(key);
    if (set === undefined) {
      set = await querier.select({ matchers: selector.matchers, startMs, endMs, hints: { stepMs: grid.stepMs, rangeMs, func } });
      shared.set(key, set);
    }
    context.selections.set(selector, set);
  }
}

/** Closes what `selectSeries` opened. */
export function closeSelections(context: QueryContext): void {
  for (const set of new Set(context.selections.values())) set.close();
}

function collect(expr: Expr, range: TimeRange, context: QueryContext, needs: Need[], func: string): void {
  const { grid, query, lookbackMs } = context.options;
  switch (expr.kind) {
    case 'vector-selector': {
      const shifted = shift(range, expr.at, expr.offset, context);
      needs.push({ selector: expr, startMs: shifted.startMs - lookbackMs + 1, endMs: shifted.endMs, rangeMs: 0, func });
      return;
    }
    case 'matrix-selector': {
      const { selector } = expr;
      const rangeMs = positiveDurationMs(expr.range, grid, query);
      const shifted = shift(range, selector.at, selector.offset, context);
      // Anchored and smoothed ranges look for a sample on either side of the window.
      const before = selector.extension === null ? -1 : lookbackMs;
      const after = selector.extension === 'smoothed' ? lookbackMs : 0;
      needs.push({ selector, startMs: shifted.startMs - rangeMs - before, endMs: shifted.endMs + after, rangeMs, func });
      return;
    }
    case 'subquery': {
      const inner = subqueryGrid(expr, range, context);
      if (inner.stepCount > 0) collect(expr.inner, { startMs: inner.startMs, endMs: gridEnd(inner) }, context, needs, '');
      return;
    }
    default:
      for (const child of childrenOf(expr)) collect(child, range, context, needs, expr.kind === 'call' ? expr.func : '');
  }
}

/** A time range moved by `@` and `offset`. */
function shift(range: TimeRange, at: AtModifier | null, offset: DurationExpr | null, context: QueryContext): TimeRange {
  const fixed = atMs(at, context.options.grid);
  const offsetMs = offset === null ? 0 : durationMs(offset, context.options.grid, context.options.query);
  return { startMs: (fixed ?? range.startMs) - offsetMs, endMs: (fixed ?? range.endMs) - offsetMs };
}

/** The instant that `@` names, or null. */
export function atMs(at: AtModifier | null, grid: Grid): number | null {
  if (at === null) return null;
  if (at.kind === 'time') return at.timeMs;
  return at.kind === 'start' ? grid.startMs : gridEnd(grid);
}

/** The steps of a subquery for outer steps in `range`: multiples of its step, the first after the window's open start. */
export function subqueryGrid(expr: Extract<Expr, { kind: 'subquery' }>, range: TimeRange, context: QueryContext): Grid {
  const { grid, query, defaultStepMs } = context.options;
  const { startMs, endMs } = shift(range, expr.at, expr.offset, context);
  const rangeMs = positiveDurationMs(expr.range, grid, query);
  const stepMs = expr.step === null ? defaultStepMs : positiveDurationMs(expr.step, grid, query);
  const first = (Math.floor((startMs - rangeMs) / stepMs) + 1) * stepMs;
  return { startMs: first, stepMs, stepCount: Math.max(0, Math.floor((endMs - first) / stepMs) + 1) };
}
