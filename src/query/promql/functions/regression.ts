/**
 * The straight line that fits the samples of a window best (least squares).
 */
import type { SampleBuffer } from '../../../core/model/samples.ts';
import { CompensatedSum } from './compensated-sum.ts';

export interface Line {
  /** Per second. */
  slope: number;
  /** Value at the reference time. */
  intercept: number;
}

const sumX = new CompensatedSum();
const sumY = new CompensatedSum();
const sumXY = new CompensatedSum();
const sumX2 = new CompensatedSum();
const line: Line = { slope: 0, intercept: 0 };

/** @returns one shared object, good until the next call */
export function linearRegression({ times, values }: SampleBuffer, from: number, to: number, referenceMs: number): Line {
  const firstValue = values[from]!;
  let isConstant = true;
  sumX.reset(0);
  sumY.reset(0);
  sumXY.reset(0);
  sumX2.reset(0);
  for (let i = from; i < to; i++) {
    const y = values[i]!;
    if (y !== firstValue) isConstant = false;
    const x = (times[i]! - referenceMs) / 1000;
    sumX.add(x);
    sumY.add(y);
    sumXY.add(x * y);
    sumX2.add(x * x);
  }
  if (isConstant) {
    line.slope = Math.abs(firstValue) === Infinity ? Number.NaN : 0;
    line.intercept = Math.abs(firstValue) === Infinity ? Number.NaN : firstValue;
    return line;
  }
  const n = to - from;
  const x = sumX.total;
  const y = sumY.total;
  const covariance = sumXY.total - (x * y) / n;
  const variance = sumX2.total - (x * x) / n;
  line.slope = covariance / variance;
  line.intercept = y / n - (line.slope * x) / n;
  return line;
}
