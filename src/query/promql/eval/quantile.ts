/**
 * Quantiles of plain values. Source: Prometheus, promql (quantile): rank φ·(n−1), interpolated; NaN is the lowest value.
 */

/** Sorts `values[0, count)` in place. φ outside [0, 1] gives an infinity, no values NaN. */
export function quantileOf(phi: number, values: Float64Array, count: number): number {
  if (count === 0 || Number.isNaN(phi)) return Number.NaN;
  if (phi < 0) return Number.NEGATIVE_INFINITY;
  if (phi > 1) return Number.POSITIVE_INFINITY;
  const sorted = values.subarray(0, count);
  // Typed arrays sort NaN last; here it is the lowest.
  sorted.sort();
  let nanCount = 0;
  while (nanCount < count && Number.isNaN(sorted[count - 1 - nanCount]!)) nanCount++;
  const at = (rank: number): number => (rank < nanCount ? Number.NaN : sorted[rank - nanCount]!);
  const rank = phi * (count - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(count - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return at(lower) * (1 - weight) + at(upper) * weight;
}
