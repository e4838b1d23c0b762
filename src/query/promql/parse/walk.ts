/**
 * The tree as a graph: what hangs below a node.
 */
import { unreachable } from '../../../core/base/assert.ts';
import type { Expr } from './ast.ts';

/** The expressions directly below `expr`, in the order of the text. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'number':
    case 'string':
    case 'vector-selector':
      return [];
    case 'paren':
    case 'subquery':
      return [expr.inner];
    case 'unary':
      return [expr.operand];
    case 'binary':
      return [expr.left, expr.right];
    case 'call':
      return expr.args;
    case 'aggregate':
      return expr.param === null ? [expr.inner] : [expr.param, expr.inner];
    case 'matrix-selector':
      return [expr.selector];
    default:
      return unreachable(expr);
  }
}
