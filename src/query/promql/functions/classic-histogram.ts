/**
 * Classic histograms: quantiles and fractions of cumulative buckets at one step, interpolated linearly.
 *
 * Buckets scraped or computed at different moments may not be cumulative; a bucket that is lower than the one before it is
 * lifted to that. Differences within float noise are ignored.
 * Source: Prometheus, functions histogram_quantile(), histogram_fraction().
 */

/** Relative difference that counts as noise. */
const NOISE = 1e-12;
const SMALLEST_NORMAL = 2.2250738585072014e-308;

/** The buckets of one histogram at one step; filled again and again. */
export class ClassicBuckets {
  length = 0;
  /** Whether a bucket had to be lifted. */
  wasForced = false;
  #bounds = new Float64Array(64);
  #counts = new Float64Array(64);

  clear(): void {
    this.length = 0;
    this.wasForced = false;
  }

  /** Bounds come in ascending; equal ones are added. */
  push(bound: number, count: number): void {
    if (this.length > 0 && this.#bounds[this.length - 1] === bound) {
      this.#counts[this.length - 1]! += count;
      return;
    }
    if (this.length === this.#bounds.length) this.#grow();
    this.#bounds[this.length] = bound;
    this.#counts[this.length++] = count;
  }

  /** Makes counts cumulative. @returns false if these are no histogram */
  settle(): boolean {
    if (this.length < 2 || this.#bounds[this.length - 1] !== Infinity) return false;
    const counts = this.#counts;
    let before = counts[0]!;
    for (let i = 1; i < this.length; i++) {
      const count = counts[i]!;
      if (count === before) continue;
      if (isNoise(before, count)) counts[i] = before;
      else if (count < before) {
        counts[i] = before;
        this.wasForced = true;
      } else before = count;
    }
    return true;
  }

  /** After `settle`. NaN for a histogram of nothing. */
  quantile(q: number): number {
    const bounds = this.#bounds;
    const counts = this.#counts;
    const last = this.length - 1;
    const total = counts[last]!;
    if (total === 0) return Number.NaN;
    let rank = q * total;
    let bucket = 0;
    while (bucket < last && !(counts[bucket]! >= rank)) bucket++;
    // In the last bucket all that is known is where it begins.
    if (bucket === last) return bounds[last - 1]!;
    const upper = bounds[bucket]!;
    if (bucket === 0 && upper <= 0) return upper;
    const lower = bucket === 0 ? 0 : bounds[bucket - 1]!;
    const below = bucket === 0 ? 0 : counts[bucket - 1]!;
    rank -= below;
    return lower + (upper - lower) * (rank / (counts[bucket]! - below));
  }

  /** After `settle`: the share of observations in [lower, upper]. */
  fraction(lower: number, upper: number): number {
    const total = this.#counts[this.length - 1]!;
    if (total === 0 || Number.isNaN(total) || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
    if (lower >= upper) return 0;
    return (Math.min(this.#countBelow(upper), total) - Math.min(this.#countBelow(lower), total)) / total;
  }

  #countBelow(value: number): number {
    let below = 0;
    let lower = this.#bounds[0]! > 0 ? 0 : -Infinity;
    for (let i = 0; i < this.length; i++) {
      const upper = this.#bounds[i]!;
      const count = this.#counts[i]!;
      if (lower >= value) return below;
      if (upper > value) {
        if (lower === -Infinity) return count;
        return upper === Infinity ? below : below + (count - below) * ((value - lower) / (upper - lower));
      }
      below = count;
      lower = upper;
    }
    return below;
  }

  #grow(): void {
    const bounds = new Float64Array(this.length * 2);
    const counts = new Float64Array(this.length * 2);
    bounds.set(this.#bounds);
    counts.set(this.#counts);
    this.#bounds = bounds;
    this.#counts = counts;
  }
}

function isNoise(a: number, b: number): boolean {
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < NOISE * SMALLEST_NORMAL;
  return difference / Math.min(sum, Number.MAX_VALUE) < NOISE;
}
