/**
 * Functions of one value: mathematics and calendar. Calendar functions read seconds since the epoch, in UTC.
 */

const DAY_SECONDS = 86_400;

/** NaN for times that no date has. */
function date(seconds: number, read: (date: Date) => number): number {
  // Go truncates to whole seconds and has dates for all of them; JavaScript's end at ±8.64e15 ms.
  return read(new Date(Math.trunc(seconds) * 1000));
}

/** By name. */
export const ELEMENTWISE: ReadonlyMap<string, (value: number) => number> = new Map<string, (value: number) => number>([
  ['abs', Math.abs],
  ['ceil', Math.ceil],
  ['floor', Math.floor],
  ['exp', Math.exp],
  ['sqrt', Math.sqrt],
  ['ln', Math.log],
  ['log2', Math.log2],
  ['log10', Math.log10],
  ['sgn', (v) => (v < 0 ? -1 : v > 0 ? 1 : v)],
  ['sin', Math.sin],
  ['cos', Math.cos],
  ['tan', Math.tan],
  ['asin', Math.asin],
  ['acos', Math.acos],
  ['atan', Math.atan],
  ['sinh', Math.sinh],
  ['cosh', Math.cosh],
  ['tanh', Math.tanh],
  ['asinh', Math.asinh],
  ['acosh', Math.acosh],
  ['atanh', Math.atanh],
  ['rad', (v) => (v * Math.PI) / 180],
  ['deg', (v) => (v * 180) / Math.PI],
]);

/** By name: of seconds since the epoch. */
export const CALENDAR: ReadonlyMap<string, (seconds: number) => number> = new Map<string, (seconds: number) => number>([
  ['minute', (v) => date(v, (d) => d.getUTCMinutes())],
  ['hour', (v) => date(v, (d) => d.getUTCHours())],
  ['day_of_week', (v) => date(v, (d) => d.getUTCDay())],
  ['day_of_month', (v) => date(v, (d) => d.getUTCDate())],
  ['day_of_year', (v) => date(v, (d) => Math.floor((d.getTime() - Date.UTC(d.getUTCFullYear(), 0, 1)) / (DAY_SECONDS * 1000)) + 1)],
  ['days_in_month', (v) => date(v, (d) => new Date(Date.UTC(d.getUTCFullYear(), d.getUTCMonth() + 1, 0)).getUTCDate())],
  ['month', (v) => date(v, (d) => d.getUTCMonth() + 1)],
  ['year', (v) => date(v, (d) => d.getUTCFullYear())],
]);

/** Rounds to the nearest multiple of `to`, halves up. */
export function roundTo(value: number, to: number): number {
  // Division by the inverse keeps decimal multiples exact.
  const inverse = 1 / to;
  return Math.floor(value * inverse + 0.5) / inverse;
}
