/**
 * The order in which people read names with numbers in them: `disk2` before `disk10`.
 */

const CHUNK = /\d+|\D+/g;
const DIGITS = /^\d/;

/** Runs of digits compare as numbers, the rest as text; 0 where only zeros before numbers differ. */
export function compareNatural(a: string, b: string): number {
  const left = a.match(CHUNK) ?? [];
  const right = b.match(CHUNK) ?? [];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const x = left[i]!;
    const y = right[i]!;
    if (x === y) continue;
    if (DIGITS.test(x) && DIGITS.test(y)) {
      const difference = compareDigits(x.replace(/^0+/, ''), y.replace(/^0+/, ''));
      if (difference !== 0) return difference;
      continue;
    }
    return x < y ? -1 : 1;
  }
  return left.length - right.length;
}

/** Without leading zeros the longer run is the larger number. */
function compareDigits(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
