/**
 * Set operations on postings: ascending, distinct series numbers.
 */

export type Postings = Uint32Array;

export const NO_POSTINGS: Postings = new Uint32Array(0);

/** Those that all lists have. Without a list there are none. */
export function intersect(lists: readonly Postings[]): Postings {
  const [first, ...others] = lists.toSorted((a, b) => a.length - b.length);
  if (first === undefined) return NO_POSTINGS;
  let common = first;
  for (const other of others) {
    if (common.length === 0) return common;
    common = intersectTwo(common, other);
  }
  return common;
}

/** Those that any list has. */
export function union(lists: readonly Postings[]): Postings {
  // Two and two, so that a number is copied as often as the lists can be halved.
  let level: readonly Postings[] = lists.filter((list) => list.length > 0);
  while (level.length > 1) {
    const next: Postings[] = [];
    for (let i = 0; i < level.length; i += 2) next.push(i + 1 < level.length ? unionOfTwo(level[i]!, level[i + 1]!) : level[i]!);
    level = next;
  }
  return level[0] ?? NO_POSTINGS;
}

/** Those of `list` that `dropped` does not have. */
export function without(list: Postings, dropped: Postings): Postings {
  if (list.length === 0 || dropped.length === 0) return list;
  const kept = new Uint32Array(list.length);
  let count = 0;
  let at = 0;
  for (const ref of list) {
    at = gallop(dropped, at, ref);
    if (dropped[at] !== ref) kept[count++] = ref;
  }
  return kept.subarray(0, count);
}

/** Whether the lists have a number in common. */
export function intersects(a: Postings, b: Postings): boolean {
  const [small, large] = a.length <= b.length ? [a, b] : [b, a];
  let at = 0;
  for (const ref of small) {
    at = gallop(large, at, ref);
    if (at === large.length) return false;
    if (large[at] === ref) return true;
  }
  return false;
}

/** First index from `from` on whose number is not below `ref`: near ones are found in few steps, far ones in the logarithm. */
export function gallop(list: Postings, from: number, ref: number): number {
  if (from >= list.length || list[from]! >= ref) return from;
  let low = from;
  let step = 1;
  while (low + step < list.length && list[low + step]! < ref) {
    low += step;
    step *= 2;
  }
  // list[low] is below ref, list[high] is not.
  let high = Math.min(low + step, list.length);
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (list[middle]! < ref) low = middle;
    else high = middle;
  }
  return high;
}

function intersectTwo(small: Postings, large: Postings): Postings {
  const common = new Uint32Array(small.length);
  let count = 0;
  let at = 0;
  for (const ref of small) {
    at = gallop(large, at, ref);
    if (at === large.length) break;
    if (large[at] === ref) common[count++] = ref;
  }
  return common.subarray(0, count);
}

function unionOfTwo(a: Postings, b: Postings): Postings {
  const all = new Uint32Array(a.length + b.length);
  let count = 0;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const left = a[i]!;
    const right = b[j]!;
    all[count++] = left <= right ? left : right;
    if (left <= right) i++;
    if (right <= left) j++;
  }
  const rest = i < a.length ? a.subarray(i) : b.subarray(j);
  all.set(rest, count);
  return all.subarray(0, count + rest.length);
}
