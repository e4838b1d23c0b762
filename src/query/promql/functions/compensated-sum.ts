/**
 * Sums that keep what floats lose: Kahan's method in Neumaier's form.
 *
 * The error of each addition is kept beside the sum and added at the end. Neumaier finds it by looking which operand is
 * larger; Knuth's form, used in loops over rows, finds the same number without a branch:
 * `added = next − sum; error = (sum − (next − added)) + (x − added)`. Once a sum is infinite its error means nothing, so the
 * sum alone counts.
 */

/** The result of a sum and the errors kept beside it. */
export function withLost(sum: number, lost: number): number {
  // Infinity − Infinity and NaN − NaN are NaN: not equal to 0.
  return lost === 0 || sum - sum !== 0 ? sum : sum + lost;
}

/** One running sum. */
export class CompensatedSum {
  value = 0;
  compensation = 0;

  reset(value: number, compensation = 0): void {
    this.value = value;
    this.compensation = compensation;
  }

  add(x: number): void {
    const { value } = this;
    const sum = value + x;
    if (sum === Infinity || sum === -Infinity) this.compensation = 0;
    else if (Math.abs(value) >= Math.abs(x)) this.compensation += value - sum + x;
    else this.compensation += x - sum + value;
    this.value = sum;
  }

  get total(): number {
    return this.value + this.compensation;
  }
}

/** The sum of `values[from…to)`. */
export function sumOf(samples: Float64Array, from: number, to: number): number {
  let sum = -0;
  let lost = 0;
  for (let i = from; i < to; i++) {
    const x = samples[i]!;
    const next = sum + x;
    const added = next - sum;
    lost += sum - (next - added) + (x - added);
    sum = next;
  }
  return withLost(sum, lost);
}

/** The mean of `values[from…to)`: sums first and divides last; where the sum overflows, goes on with the mean of what it has. */
export function averageOf(values: Float64Array, from: number, to: number): number {
  const sum = new CompensatedSum();
  sum.reset(values[from]!);
  let isIncremental = false;
  for (let i = from + 1; i < to; i++) {
    const x = values[i]!;
    const count = i - from + 1;
    if (!isIncremental) {
      const { value, compensation } = sum;
      sum.add(x);
      if (Math.abs(sum.value) !== Infinity) continue;
      isIncremental = true;
      sum.reset(value / (count - 1), compensation / (count - 1));
    }
    const weight = (count - 1) / count;
    sum.reset(sum.value * weight, sum.compensation * weight);
    sum.add(x / count);
  }
  if (isIncremental) return sum.total;
  const count = to - from;
  return sum.value / count + sum.compensation / count;
}
