/**
 * Compensated summation (Kahan, with Neumaier's improvement), in the order and with the special cases of Prometheus.
 */

/** A running sum: the value is `sum + compensation`. */
export class KahanSum {
  sum = 0;
  compensation = 0;

  reset(): void {
    this.sum = 0;
    this.compensation = 0;
  }

  add(value: number): void {
    const next = this.sum + value;
    if (next === Number.POSITIVE_INFINITY || next === Number.NEGATIVE_INFINITY) this.compensation = 0;
    else if (Math.abs(this.sum) >= Math.abs(value)) this.compensation += this.sum - next + value;
    else this.compensation += value - next + this.sum;
    this.sum = next;
  }

  get value(): number {
    return Number.isFinite(this.sum) ? this.sum + this.compensation : this.sum;
  }
}

/** A mean that sums directly until the sum would overflow, then goes on as a running mean. */
export class KahanMean {
  readonly #sum = new KahanSum();
  #count = 0;
  #isIncremental = false;

  reset(): void {
    this.#sum.reset();
    this.#count = 0;
    this.#isIncremental = false;
  }

  add(value: number): void {
    const sum = this.#sum;
    this.#count++;
    if (!this.#isIncremental) {
      const { sum: before, compensation } = sum;
      sum.add(value);
      if (Number.isFinite(sum.sum) || Number.isNaN(sum.sum) || this.#count === 1) return;
      this.#isIncremental = true;
      sum.sum = before / (this.#count - 1);
      sum.compensation = compensation / (this.#count - 1);
    }
    if (sum.sum === Number.POSITIVE_INFINITY || sum.sum === Number.NEGATIVE_INFINITY) {
      // An infinite mean stays, unless the opposite infinity or NaN joins.
      if (value === sum.sum || Number.isFinite(value)) return;
    }
    const { sum: mean, compensation } = sum;
    const share = (this.#count - 1) / this.#count;
    sum.sum = share * mean;
    sum.compensation = share * compensation;
    sum.add(value / this.#count);
  }

  get value(): number {
    const { sum, compensation } = this.#sum;
    if (this.#isIncremental) return Number.isFinite(sum) ? sum + compensation : sum;
    return Number.isFinite(sum) ? sum / this.#count + compensation / this.#count : sum / this.#count;
  }
}
