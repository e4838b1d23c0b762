/**
 * A tree over several lines, as `format_query` and `promtool promql format` lay it out.
 *
 * What fits a line stays on it. What does not opens up: operands and arguments go to lines of their own, two spaces deeper.
 * Operators stand between their operands, so the eye finds them at the left. Selectors never break.
 */
import { unreachable } from '../../../core/base/assert.ts';
import type { Expr } from './ast.ts';
import { printAggregation, printBracket, printExpr, printOperator } from './print.ts';

/** A node's own text beyond which it opens up; its indentation is not counted. */
const MAX_LINE = 100;
const INDENT = '  ';

export function prettyExpr(expr: Expr): string {
  return layOut(expr, 0);
}

/** The lines of `expr`, the first one indented too. */
function layOut(expr: Expr, level: number): string {
  const indent = INDENT.repeat(level);
  const line = printExpr(expr);
  if (new TextEncoder().encode(line).length <= MAX_LINE) return indent + line;
  switch (expr.kind) {
    case 'number':
    case 'string':
    case 'vector-selector':
    case 'matrix-selector':
      return indent + line;
    case 'paren':
      return `${indent}(\n${layOut(expr.inner, level + 1)}\n${indent})`;
    case 'unary':
      return `${indent}${expr.op}${layOut(expr.operand, level).trimStart()}`;
    case 'binary':
      return [layOut(expr.left, level + 1), indent + printOperator(expr), layOut(expr.right, level + 1)].join('\n');
    case 'call':
      return `${indent}${expr.func}(\n${layOutArgs(expr.args, level + 1)}\n${indent})`;
    case 'aggregate': {
      const args = expr.param === null ? [expr.inner] : [expr.param, expr.inner];
      return `${indent}${printAggregation(expr)}(\n${layOutArgs(args, level + 1)}\n${indent})`;
    }
    case 'subquery':
      return layOut(expr.inner, level) + printBracket(expr);
    default:
      return unreachable(expr);
  }
}

const layOutArgs = (args: readonly Expr[], level: number): string => args.map((arg) => layOut(arg, level)).join(',\n');
