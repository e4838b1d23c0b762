/**
 * Operators between two rows of floats, a whole row at a time.
 *
 * Arithmetic runs over all slots, present or not: what is absent computes to something that nobody reads, and the loops
 * have no branches.
 */
import { unreachable } from '../../../core/base/assert.ts';
import { power } from '../functions/scalar-ops.ts';
import type { ArithmeticOp, ComparisonOp } from '../parse/ast.ts';

/** `out[o + i] = left[a + i] op right[b + i]`. `out` may be either side. */
export function arithmeticRows(
  op: ArithmeticOp,
  left: Float64Array,
  a: number,
  right: Float64Array,
  b: number,
  out: Float64Array,
  o: number,
  length: number,
): void {
  switch (op) {
    case '+':
      for (let i = 0; i < length; i++) out[o + i] = left[a + i]! + right[b + i]!;
      return;
    case '-':
      for (let i = 0; i < length; i++) out[o + i] = left[a + i]! - right[b + i]!;
      return;
    case '*':
      for (let i = 0; i < length; i++) out[o + i] = left[a + i]! * right[b + i]!;
      return;
    case '/':
      for (let i = 0; i < length; i++) out[o + i] = left[a + i]! / right[b + i]!;
      return;
    case '%':
      for (let i = 0; i < length; i++) out[o + i] = left[a + i]! % right[b + i]!;
      return;
    case '^':
      for (let i = 0; i < length; i++) out[o + i] = power(left[a + i]!, right[b + i]!);
      return;
    case 'atan2':
      for (let i = 0; i < length; i++) out[o + i] = Math.atan2(left[a + i]!, right[b + i]!);
      return;
    default:
      unreachable(op);
  }
}

/** `holds[o + i]` is 1 where `left[a + i] op right[b + i]`, else 0. */
export function compareRows(
  op: ComparisonOp,
  left: Float64Array,
  a: number,
  right: Float64Array,
  b: number,
  holds: Uint8Array,
  o: number,
  length: number,
): void {
  switch (op) {
    case '==':
      for (let i = 0; i < length; i++) holds[o + i] = left[a + i] === right[b + i] ? 1 : 0;
      return;
    case '!=':
      for (let i = 0; i < length; i++) holds[o + i] = left[a + i] === right[b + i] ? 0 : 1;
      return;
    case '<':
      for (let i = 0; i < length; i++) holds[o + i] = left[a + i]! < right[b + i]! ? 1 : 0;
      return;
    case '<=':
      for (let i = 0; i < length; i++) holds[o + i] = left[a + i]! <= right[b + i]! ? 1 : 0;
      return;
    case '>':
      for (let i = 0; i < length; i++) holds[o + i] = left[a + i]! > right[b + i]! ? 1 : 0;
      return;
    case '>=':
      for (let i = 0; i < length; i++) holds[o + i] = left[a + i]! >= right[b + i]! ? 1 : 0;
      return;
    default:
      unreachable(op);
  }
}
