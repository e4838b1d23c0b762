/**
 * Which parts of a query do not depend on the step: everything they read is pinned by `@`.
 */
import { unreachable } from '../../../core/base/assert.ts';
import type { Expr } from '../parse/ast.ts';

/** Functions whose result depends on the evaluation time even over a pinned argument. */
const READS_EVALUATION_TIME: ReadonlySet<string> = new Set([
  'time',
  'timestamp',
  'start_timestamp',
  'predict_linear',
  'minute',
  'hour',
  'day_of_week',
  'day_of_month',
  'day_of_year',
  'days_in_month',
  'month',
  'year',
]);

/** Whether `expr` has the same value at every step of any grid. */
export function isStepInvariant(expr: Expr): boolean {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return true;
    case 'paren':
      return isStepInvariant(expr.inner);
    case 'unary':
      return isStepInvariant(expr.operand);
    case 'binary':
      return isStepInvariant(expr.left) && isStepInvariant(expr.right);
    case 'call':
      // The label selector of `info` reads at the time of the other argument.
      if (expr.func === 'info') return isStepInvariant(expr.args[0]!);
      return !READS_EVALUATION_TIME.has(expr.func) && expr.args.every(isStepInvariant);
    case 'aggregate':
      return isStepInvariant(expr.inner) && (expr.param === null || isStepInvariant(expr.param));
    case 'vector-selector':
    case 'subquery':
      return expr.at !== null;
    case 'matrix-selector':
      return expr.selector.at !== null;
    default:
      return unreachable(expr);
  }
}
