/**
 * Duration expressions (`[5m * 2]`, `offset step()`) as milliseconds, once the query's grid is known.
 */
import { unreachable } from '../../../core/base/assert.ts';
import { PromqlSyntaxError } from '../errors.ts';
import type { DurationExpr } from '../parse/ast.ts';
import { secondsToMs } from '../parse/seconds.ts';

/** What `step()` and `range()` stand for, in milliseconds; 0 in an instant query. */
export interface QuerySpan {
  readonly stepMs: number;
  readonly rangeMs: number;
}

/** The place of a duration that is out of range, and what is wrong with it. */
type Refuse = (what: string, expr: DurationExpr) => never;

/** Go's durations are int64 nanoseconds. */
const MAX_SECONDS = 2 ** 63 / 1e9;

/** Whole milliseconds of an offset. @throws PromqlSyntaxError */
export function offsetMs(expr: DurationExpr | null, span: QuerySpan, query: string): number {
  if (expr === null) return 0;
  return secondsToMs(secondsOf(expr, span, refuser(query)));
}

/** Whole milliseconds of a range or resolution, which must be positive. @throws PromqlSyntaxError */
export function positiveMs(expr: DurationExpr, span: QuerySpan, query: string): number {
  const refuse = refuser(query);
  const seconds = secondsOf(expr, span, refuse);
  if (!(seconds > 0)) refuse('duration must be greater than 0', expr);
  // A positive duration below a millisecond still is a window.
  return Math.max(1, secondsToMs(seconds));
}

function refuser(query: string): Refuse {
  return (what, expr) => {
    throw new PromqlSyntaxError(what, query, expr.span);
  };
}

function secondsOf(expr: DurationExpr, span: QuerySpan, refuse: Refuse): number {
  const seconds = evaluate(expr, span, refuse);
  if (!(Math.abs(seconds) <= MAX_SECONDS)) refuse('duration is out of range', expr);
  return seconds;
}

function evaluate(expr: DurationExpr, span: QuerySpan, refuse: Refuse): number {
  switch (expr.kind) {
    case 'duration':
      return expr.seconds;
    case 'duration-paren':
      return evaluate(expr.inner, span, refuse);
    case 'duration-unary': {
      const value = evaluate(expr.operand, span, refuse);
      return expr.op === '-' ? -value : value;
    }
    case 'duration-call': {
      if (expr.func === 'step') return span.stepMs / 1000;
      if (expr.func === 'range') return span.rangeMs / 1000;
      const args = expr.args.map((arg) => evaluate(arg, span, refuse));
      return expr.func === 'min_of' ? Math.min(...args) : Math.max(...args);
    }
    case 'duration-binary': {
      const left = evaluate(expr.left, span, refuse);
      const right = evaluate(expr.right, span, refuse);
      const { op } = expr;
      switch (op) {
        case '+':
          return left + right;
        case '-':
          return left - right;
        case '*':
          return left * right;
        case '/':
          if (right === 0) refuse('division by zero', expr.right);
          return left / right;
        case '%':
          if (right === 0) refuse('modulo by zero', expr.right);
          return left % right;
        case '^':
          return left ** right;
        default:
          return unreachable(op);
      }
    }
    default:
      return unreachable(expr);
  }
}
