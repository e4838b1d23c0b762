/**
 * Operators on two floats, with Go's results where JavaScript's differ.
 */
import { unreachable } from '../../../core/base/assert.ts';
import type { ArithmeticOp, ComparisonOp } from '../parse/ast.ts';

/** Go's math.Pow: 1 to any power and −1 to ±Inf are 1. */
export function power(base: number, exponent: number): number {
  if (base === 1) return 1;
  if (base === -1 && (exponent === Infinity || exponent === -Infinity)) return 1;
  return base ** exponent;
}

/** A comparison is 1 or 0. */
export function applyScalarOp(op: ArithmeticOp | ComparisonOp, a: number, b: number): number {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      return a % b;
    case '^':
      return power(a, b);
    case 'atan2':
      return Math.atan2(a, b);
    case '==':
      return a === b ? 1 : 0;
    case '!=':
      return a === b ? 0 : 1;
    case '<':
      return a < b ? 1 : 0;
    case '<=':
      return a <= b ? 1 : 0;
    case '>':
      return a > b ? 1 : 0;
    case '>=':
      return a >= b ? 1 : 0;
    default:
      return unreachable(op);
  }
}
