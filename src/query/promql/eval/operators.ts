/**
 * Binary operators on two numbers.
 */
import { assert } from '../../../core/base/assert.ts';
import type { ArithmeticOp, BinaryOp, ComparisonOp } from '../parse/ast.ts';

type Numeric = (a: number, b: number) => number;
type Comparison = (a: number, b: number) => boolean;

const ARITHMETIC: Readonly<Record<ArithmeticOp, Numeric>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  // Go's math.Mod and math.Pow, which JavaScript's operators equal but for 1 ** NaN and (-1) ** Infinity.
  '%': (a, b) => a % b,
  '^': (a, b) => (a === 1 || (a === -1 && (b === Number.POSITIVE_INFINITY || b === Number.NEGATIVE_INFINITY)) ? 1 : a ** b),
  atan2: Math.atan2,
};

const COMPARISON: Readonly<Record<ComparisonOp, Comparison>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

export const comparisonOf = (op: BinaryOp): Comparison | null => (op in COMPARISON ? COMPARISON[op as ComparisonOp] : null);

export function arithmeticOf(op: BinaryOp): Numeric {
  assert(op in ARITHMETIC, 'the operator is arithmetic');
  return ARITHMETIC[op as ArithmeticOp];
}
