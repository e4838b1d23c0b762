/**
 * Quantiles of a list of floats, by interpolation between the two nearest ranks. NaN counts as the smallest value.
 */

/** A sorted list that is filled again and again. */
export class SortedFloats {
  length = 0;
  #floats = new Float64Array(256);

  /** Takes `values[from…to)`. */
  fill(values: Float64Array, from: number, to: number): void {
    this.reserve(to - from);
    this.#floats.set(values.subarray(from, to));
    this.sort(to - from);
  }

  reserve(capacity: number): void {
    if (capacity > this.#floats.length) this.#floats = new Float64Array(capacity * 2);
  }

  /** Before `sort`: entry `index` of the list to be. */
  set(index: number, value: number): void {
    this.#floats[index] = value;
  }

  sort(length: number): void {
    this.length = length;
    const used = this.#floats.subarray(0, length).sort();
    // A typed array sorts NaN to the end; here it goes to the front.
    let nanCount = 0;
    while (nanCount < length && Number.isNaN(used[length - 1 - nanCount]!)) nanCount++;
    if (nanCount === 0 || nanCount === length) return;
    used.copyWithin(nanCount, 0, length - nanCount);
    used.fill(Number.NaN, 0, nanCount);
  }

  at(index: number): number {
    return this.#floats[index]!;
  }
}

/** The `q`-quantile; NaN of an empty list, ±Inf where `q` is out of [0, 1]. */
export function quantileOf(sorted: SortedFloats, q: number): number {
  const { length } = sorted;
  if (length === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  const rank = q * (length - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(length - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return sorted.at(lower) * (1 - weight) + sorted.at(upper) * weight;
}
