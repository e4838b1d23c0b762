/**
 * sum_over_time and avg_over_time of floats, four neighbouring windows at a time.
 *
 * A window cannot be had from its neighbour by adding and subtracting: floats would drift. Each is summed anew, in order and
 * with compensation, which is one long chain of dependent additions; so four chains run side by side.
 */
import { FLOAT } from '../exec/row-batch.ts';
import { averageOf, sumOf, withLost } from './compensated-sum.ts';
import type { Windows } from './windows.ts';

const LANES = 4;

/** Writes one row at `at`; every slot of `present` is written. @returns how many steps have a value */
export function sumWindows(
  isAverage: boolean,
  windows: Windows,
  values: Float64Array,
  present: Uint8Array,
  at: number,
): number {
  const { first, end, stepCount } = windows;
  const samples = windows.samples.values;
  let seen = 0;
  let step = 0;
  while (step < stepCount) {
    const size = windows.size(step);
    if (step + LANES <= stepCount && size > 0 && isBlock(windows, step, size)) {
      sumFour(samples, first, step, size, isAverage ? size : 1, values, at + step);
      for (let lane = step; lane < step + LANES; lane++) {
        present[at + lane] = FLOAT;
        // A mean that overflowed, or is of infinities, is computed in the way that avoids it.
        if (isAverage && !Number.isFinite(values[at + lane]))
          values[at + lane] = averageOf(samples, first[lane]!, first[lane]! + size);
      }
      seen += LANES;
      step += LANES;
      continue;
    }
    present[at + step] = size > 0 ? FLOAT : 0;
    if (size > 0) {
      values[at + step] = isAverage
        ? averageOf(samples, first[step]!, end[step]!)
        : sumOf(samples, first[step]!, end[step]!);
      seen++;
    }
    step++;
  }
  return seen;
}

/** Whether the next windows are as long as the first. */
function isBlock(windows: Windows, step: number, size: number): boolean {
  for (let lane = 1; lane < LANES; lane++) if (windows.size(step + lane) !== size) return false;
  return true;
}

/** Sums of `size` samples from the starts of four windows on, each divided by `divisor`. */
function sumFour(
  samples: Float64Array,
  first: Int32Array,
  step: number,
  size: number,
  divisor: number,
  values: Float64Array,
  at: number,
): void {
  const a = first[step]!;
  const b = first[step + 1]!;
  const c = first[step + 2]!;
  const d = first[step + 3]!;
  let sumA = -0;
  let sumB = -0;
  let sumC = -0;
  let sumD = -0;
  let lostA = 0;
  let lostB = 0;
  let lostC = 0;
  let lostD = 0;
  for (let i = 0; i < size; i++) {
    const xA = samples[a + i]!;
    const xB = samples[b + i]!;
    const xC = samples[c + i]!;
    const xD = samples[d + i]!;
    const nextA = sumA + xA;
    const nextB = sumB + xB;
    const nextC = sumC + xC;
    const nextD = sumD + xD;
    const addedA = nextA - sumA;
    const addedB = nextB - sumB;
    const addedC = nextC - sumC;
    const addedD = nextD - sumD;
    lostA += sumA - (nextA - addedA) + (xA - addedA);
    lostB += sumB - (nextB - addedB) + (xB - addedB);
    lostC += sumC - (nextC - addedC) + (xC - addedC);
    lostD += sumD - (nextD - addedD) + (xD - addedD);
    sumA = nextA;
    sumB = nextB;
    sumC = nextC;
    sumD = nextD;
  }
  values[at] = withLost(sumA / divisor, lostA / divisor);
  values[at + 1] = withLost(sumB / divisor, lostB / divisor);
  values[at + 2] = withLost(sumC / divisor, lostC / divisor);
  values[at + 3] = withLost(sumD / divisor, lostD / divisor);
}
