/**
 * Sorting by keys that come piece by piece, as the bytes of a string or the pairs of a label set do (multikey quicksort).
 *
 * A range is split by the piece at one depth into smaller, equal and larger; only the equal ones are looked at one piece deeper. So
 * long common prefixes, which labels have, are read once for a group and not once for each comparison. Ranges wait in a list, so that
 * no depth of keys can exhaust the stack.
 * Source: Bentley and Sedgewick, Fast algorithms for sorting and searching strings (1997).
 */

/** The piece of an item's key at `depth`, a small number; 0 behind its end. Shorter keys come first. */
export type KeyAt = (item: number, depth: number) => number;

/** Ranges up to here are sorted by insertion. */
const FEW = 12;

/** Sorts in place. Items with equal keys are in no particular order. */
export function multikeySort(items: Uint32Array, keyAt: KeyAt): void {
  /** From, to, depth of the ranges that wait. */
  const waiting: number[] = [0, items.length, 0];
  while (waiting.length > 0) {
    const depth = waiting.pop()!;
    const to = waiting.pop()!;
    const from = waiting.pop()!;
    if (to - from <= FEW) {
      sortFew(items, from, to, depth, keyAt);
      continue;
    }
    const pivot = middleKey(items, from, to, depth, keyAt);
    let smaller = from;
    let larger = to;
    for (let i = from; i < larger; ) {
      const key = keyAt(items[i]!, depth);
      if (key < pivot) swap(items, smaller++, i++);
      else if (key > pivot) swap(items, i, --larger);
      else i++;
    }
    waiting.push(from, smaller, depth, larger, to, depth);
    if (pivot !== 0) waiting.push(smaller, larger, depth + 1);
  }
}

function sortFew(items: Uint32Array, from: number, to: number, depth: number, keyAt: KeyAt): void {
  for (let i = from + 1; i < to; i++) {
    const item = items[i]!;
    let at = i;
    while (at > from && isBefore(item, items[at - 1]!, depth, keyAt)) {
      items[at] = items[at - 1]!;
      at--;
    }
    items[at] = item;
  }
}

function isBefore(a: number, b: number, depth: number, keyAt: KeyAt): boolean {
  for (let at = depth; ; at++) {
    const left = keyAt(a, at);
    const right = keyAt(b, at);
    if (left !== right) return left < right;
    if (left === 0) return false;
  }
}

/** The median of three keys. */
function middleKey(items: Uint32Array, from: number, to: number, depth: number, keyAt: KeyAt): number {
  const a = keyAt(items[from]!, depth);
  const b = keyAt(items[(from + to) >>> 1]!, depth);
  const c = keyAt(items[to - 1]!, depth);
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

function swap(items: Uint32Array, a: number, b: number): void {
  const item = items[a]!;
  items[a] = items[b]!;
  items[b] = item;
}
