/**
 * Sums that keep what floats lose: Kahan's method in Neumaier's form.
 *
 * The error of each addition is kept beside the sum and added at the end. Once the sum is infinite there is nothing to
 * compensate. Loops that add per slot write the same three lines out.
 */

/** One running sum; `value + compensation` is the result. */
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
