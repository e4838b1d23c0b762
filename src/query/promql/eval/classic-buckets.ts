/**
 * Quantiles and fractions from the buckets of a classic histogram at one step.
 * Source: Prometheus, promql (bucketQuantile).
 */

/** Relative noise of float counts that is not a decrease. */
const NOISE = 1e-12;

/** @param bounds ascending @param counts cumulative; both are changed */
export function bucketQuantile(q: number, bounds: Float64Array, counts: Float64Array, n: number): { value: number; forcedMonotonic: boolean } {
  if (Number.isNaN(q)) return { value: Number.NaN, forcedMonotonic: false };
  if (q < 0) return { value: Number.NEGATIVE_INFINITY, forcedMonotonic: false };
  if (q > 1) return { value: Number.POSITIVE_INFINITY, forcedMonotonic: false };
  if (n === 0 || bounds[n - 1] !== Number.POSITIVE_INFINITY) return { value: Number.NaN, forcedMonotonic: false };
  const count = mergeEqual(bounds, counts, n);
  const forcedMonotonic = makeMonotonic(counts, count);
  const total = counts[count - 1]!;
  if (count < 2 || total === 0 || Number.isNaN(total)) return { value: Number.NaN, forcedMonotonic };
  let rank = q * total;
  let b = 0;
  while (b < count - 1 && counts[b]! < rank) b++;
  if (b === count - 1) return { value: bounds[count - 2]!, forcedMonotonic };
  if (b === 0 && bounds[0]! <= 0) return { value: bounds[0]!, forcedMonotonic };
  const end = bounds[b]!;
  let start = 0;
  let inside = counts[b]!;
  if (b > 0) {
    start = bounds[b - 1]!;
    inside -= counts[b - 1]!;
    rank -= counts[b - 1]!;
  }
  return { value: start + (end - start) * (rank / inside), forcedMonotonic };
}

export function bucketFraction(lower: number, upper: number, bounds: Float64Array, counts: Float64Array, n: number): number {
  if (n === 0 || bounds[n - 1] !== Number.POSITIVE_INFINITY) return Number.NaN;
  const count = mergeEqual(bounds, counts, n);
  makeMonotonic(counts, count);
  const total = counts[count - 1]!;
  if (count < 2 || total === 0 || Number.isNaN(total) || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  return (rankOf(upper, bounds, counts, count) - rankOf(lower, bounds, counts, count)) / total;
}

/** How many observations are at most `value`, linear inside buckets. */
function rankOf(value: number, bounds: Float64Array, counts: Float64Array, n: number): number {
  for (let b = 0; b < n; b++) {
    const end = bounds[b]!;
    if (value > end) continue;
    const before = b === 0 ? 0 : counts[b - 1]!;
    const start = b === 0 ? (end > 0 ? 0 : Number.NEGATIVE_INFINITY) : bounds[b - 1]!;
    if (value === end) return counts[b]!;
    if (end === Number.POSITIVE_INFINITY || start === Number.NEGATIVE_INFINITY) return before;
    if (value <= start) return before;
    return before + (counts[b]! - before) * ((value - start) / (end - start));
  }
  return counts[n - 1]!;
}

function mergeEqual(bounds: Float64Array, counts: Float64Array, n: number): number {
  let last = 0;
  for (let i = 1; i < n; i++) {
    if (bounds[i] === bounds[last]) counts[last]! += counts[i]!;
    else {
      last++;
      bounds[last] = bounds[i]!;
      counts[last] = counts[i]!;
    }
  }
  return n === 0 ? 0 : last + 1;
}

/** @returns whether a count fell by more than noise */
function makeMonotonic(counts: Float64Array, n: number): boolean {
  let forced = false;
  for (let i = 1; i < n; i++) {
    const before = counts[i - 1]!;
    const now = counts[i]!;
    if (Math.abs(now - before) <= NOISE * Math.max(Math.abs(now), Math.abs(before))) counts[i] = before;
    else if (now < before) {
      counts[i] = before;
      forced = true;
    }
  }
  return forced;
}
