/**
 * Duration expressions once the query's grid is known.
 */
import { unreachable } from '../../../core/base/assert.ts';
import { PromqlEvaluationError } from '../errors.ts';
import type { DurationExpr } from '../parse/ast.ts';
import { secondsToMs } from '../parse/seconds.ts';
import { positionOf } from '../parse/position.ts';
import { gridEnd, type Grid } from './rows.ts';

/** @returns milliseconds, whole; may be negative or 0 @throws PromqlEvaluationError on a division by zero */
export function durationMs(expr: DurationExpr, grid: Grid, query: string): number {
  const ms = expr.kind === 'duration' ? secondsToMs(expr.seconds) : secondsToMs(seconds(expr, grid, query));
  if (!Number.isFinite(ms)) throw new PromqlEvaluationError('duration expression is not finite');
  return ms;
}

/** A range or a subquery's step. @throws PromqlEvaluationError unless it is longer than 0 */
export function positiveDurationMs(expr: DurationExpr, grid: Grid, query: string): number {
  const ms = durationMs(expr, grid, query);
  if (ms <= 0) {
    const { line, column } = positionOf(query, expr.span.start);
    throw new PromqlEvaluationError(`${line}:${column}: parse error: duration must be greater than 0`);
  }
  return ms;
}

function seconds(expr: DurationExpr, grid: Grid, query: string): number {
  switch (expr.kind) {
    case 'duration':
      return expr.seconds;
    case 'duration-paren':
      return seconds(expr.inner, grid, query);
    case 'duration-unary':
      return expr.op === '-' ? -seconds(expr.operand, grid, query) : seconds(expr.operand, grid, query);
    case 'duration-call': {
      if (expr.func === 'step') return grid.stepMs / 1000;
      if (expr.func === 'range') return (gridEnd(grid) - grid.startMs) / 1000;
      const values = expr.args.map((arg) => seconds(arg, grid, query));
      return expr.func === 'min_of' ? Math.min(...values) : Math.max(...values);
    }
    case 'duration-binary': {
      const left = seconds(expr.left, grid, query);
      const right = seconds(expr.right, grid, query);
      switch (expr.op) {
        case '+':
          return left + right;
        case '-':
          return left - right;
        case '*':
          return left * right;
        case '/':
        case '%':
          if (right === 0) throw new PromqlEvaluationError(expr.op === '/' ? 'division by zero' : 'modulo by zero');
          return expr.op === '/' ? left / right : left % right;
        case '^':
          return left ** right;
        default:
          return unreachable(expr);
      }
    }
    default:
      return unreachable(expr);
  }
}
