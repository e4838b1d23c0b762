/**
 * Operators where a side may be a native histogram. What makes no sense has no result, and the user is told.
 */
import type { FloatHistogram } from '../../../core/model/histogram.ts';
import { divideHistogram, equalHistograms, scaleHistogram } from '../functions/histogram-arithmetic.ts';
import { HistogramSum, type SumFindings } from '../functions/histogram-sum.ts';
import { trimHistogram } from '../functions/histogram-trim.ts';
import { applyScalarOp } from '../functions/scalar-ops.ts';
import type { Span } from '../parse/ast.ts';
import { isComparison } from '../parse/check.ts';
import type { JoinOp } from '../plan/plan.ts';
import type { Annotations } from './annotations.ts';

type Kind = 'float' | 'histogram';
type Value = number | FloatHistogram;

export const describeMismatch = (op: JoinOp, left: Kind, right: Kind): string =>
  `incompatible sample types encountered for binary operator ${JSON.stringify(op)}: ${left} ${op} ${right}`;

/** A histogram and a float; null where the operator has no meaning for them. */
export function combineHistogramAndFloat(
  op: JoinOp,
  histogram: FloatHistogram,
  x: number,
  isFloatLeft: boolean,
): FloatHistogram | null {
  if (op === '*') return scaleHistogram(histogram, x);
  if (isFloatLeft) return null;
  if (op === '/') return divideHistogram(histogram, x);
  if (op === '</' || op === '>/') return trimHistogram(histogram, x, op === '</');
  return null;
}

/** Any two values of a join at one step; null where there is no result. */
export function combineMixed(
  op: JoinOp,
  a: Value,
  b: Value,
  returnBool: boolean,
  annotations: Annotations,
  span: Span,
): Value | null {
  if (typeof a === 'number' && typeof b === 'number') {
    if (op === '</' || op === '>/') {
      annotations.info(describeMismatch(op, 'float', 'float'), span);
      return null;
    }
    const result = applyScalarOp(op, a, b);
    if (!isComparison(op) || returnBool) return result;
    return result === 0 ? null : a;
  }
  if (typeof a === 'number' || typeof b === 'number') {
    const result =
      typeof a === 'number'
        ? combineHistogramAndFloat(op, b as FloatHistogram, a, true)
        : combineHistogramAndFloat(op, a, b as number, false);
    if (result === null) annotations.info(describeMismatch(op, kindOf(a), kindOf(b)), span);
    return result;
  }
  if (op === '==' || op === '!=') {
    const holds = equalHistograms(a, b) === (op === '==');
    if (returnBool) return holds ? 1 : 0;
    return holds ? a : null;
  }
  if (op === '+' || op === '-') return addHistograms(op, a, b, annotations, span);
  annotations.info(describeMismatch(op, 'histogram', 'histogram'), span);
  return null;
}

const kindOf = (value: Value): Kind => (typeof value === 'number' ? 'float' : 'histogram');

function addHistograms(
  op: '+' | '-',
  a: FloatHistogram,
  b: FloatHistogram,
  annotations: Annotations,
  span: Span,
): FloatHistogram | null {
  const sum = new HistogramSum(a);
  if (!sum.add(b, op === '+' ? 1 : -1)) {
    annotations.warn(`incompatible bucket layout encountered for binary operator ${op}`, span);
    return null;
  }
  reportSum(sum, op === '+' ? 'addition' : 'subtraction', annotations, span);
  return op === '+' ? sum.result() : { ...sum.result(), resetHint: 'gauge' };
}

/** Tells what adding histograms ran into. */
export function reportSum(
  sum: SumFindings,
  operation: 'addition' | 'subtraction' | 'aggregation',
  annotations: Annotations,
  span: Span,
): void {
  if (sum.hasCollision) annotations.warn(`conflicting counter resets during histogram ${operation}`, span);
  if (sum.hasReconciledBounds) annotations.info(`mismatched custom buckets were reconciled during ${operation}`, span);
}
