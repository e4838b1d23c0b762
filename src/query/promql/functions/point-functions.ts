/**
 * Functions of one value: mathematics, rounding, clamping and calendar parts. None keeps the metric name.
 *
 * The calendar is computed from the day number (proleptic Gregorian, UTC), so that no Date is made per sample.
 */
/** `a` and `b` are the scalar arguments at the same step, `seconds` is its evaluation time. */
export type PointFunction = (x: number, a: number, b: number, seconds: number) => number;

const DAY_SECONDS = 86_400;
const LAST_SECOND = 2 ** 63;
/** Days from 0000-03-01, where a leap day ends a cycle, to 1970-01-01. */
const EPOCH_DAYS = 719_468;
const DAYS_PER_400_YEARS = 146_097;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

interface CivilDate {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
}

const date: CivilDate = { year: 0, month: 0, day: 0 };

const POINT_FUNCTIONS: ReadonlyMap<string, PointFunction> = new Map<string, PointFunction>([
  ['abs', Math.abs],
  ['ceil', Math.ceil],
  ['floor', Math.floor],
  ['round', round],
  ['sgn', (x) => (x < 0 ? -1 : x > 0 ? 1 : x)],
  ['sqrt', Math.sqrt],
  ['exp', Math.exp],
  ['ln', Math.log],
  ['log2', Math.log2],
  ['log10', Math.log10],
  ['clamp', (x, low, high) => atLeast(atMost(x, high), low)],
  ['clamp_min', (x, low) => atLeast(x, low)],
  ['clamp_max', (x, high) => atMost(x, high)],
  ['deg', (x) => (x * 180) / Math.PI],
  ['rad', (x) => (x * Math.PI) / 180],
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
  ['timestamp', (_x, _a, _b, seconds) => seconds],
  ['minute', (x) => Math.floor(secondOfDay(x) / 60) % 60],
  ['hour', (x) => Math.floor(secondOfDay(x) / 3600)],
  ['day_of_week', (x) => modulo(dayNumber(x) + 4, 7)],
  ['day_of_month', (x) => civil(x).day],
  ['day_of_year', dayOfYear],
  ['days_in_month', (x) => daysInMonth(civil(x))],
  ['month', (x) => civil(x).month],
  ['year', (x) => civil(x).year],
]);

export const isPointFunction = (name: string): boolean => POINT_FUNCTIONS.has(name);

/** Scalar arguments that a call may leave out. */
export const defaultArgs = (name: string): readonly number[] => (name === 'round' ? [1] : []);

export const pointFunction = (name: string): PointFunction | undefined => POINT_FUNCTIONS.get(name);

/** Go's math.Max: +Inf wins even over NaN. */
const atLeast = (x: number, low: number): number => (x === Infinity || low === Infinity ? Infinity : Math.max(x, low));

/** Go's math.Min: −Inf wins even over NaN. */
const atMost = (x: number, high: number): number =>
  x === -Infinity || high === -Infinity ? -Infinity : Math.min(x, high);

/** To the nearest multiple, halves up; through the inverse, as Prometheus does it for accuracy. */
function round(x: number, nearest: number): number {
  const inverse = 1 / nearest;
  return Math.floor(x * inverse + 0.5) / inverse;
}

const modulo = (x: number, n: number): number => ((x % n) + n) % n;
/** What is no time of 64 bits becomes the last one, as it does in Go on x86-64. */
const wholeSeconds = (x: number): number => (Math.abs(x) < LAST_SECOND ? Math.trunc(x) : LAST_SECOND);
const dayNumber = (x: number): number => Math.floor(wholeSeconds(x) / DAY_SECONDS);
const secondOfDay = (x: number): number => modulo(wholeSeconds(x), DAY_SECONDS);

/** Fills and returns one shared object. */
function civil(seconds: number): CivilDate {
  const days = dayNumber(seconds) + EPOCH_DAYS;
  const cycle = Math.floor(days / DAYS_PER_400_YEARS);
  const dayOfCycle = days - cycle * DAYS_PER_400_YEARS;
  const yearOfCycle = Math.floor(
    (dayOfCycle - Math.floor(dayOfCycle / 1460) + Math.floor(dayOfCycle / 36_524) - Math.floor(dayOfCycle / 146_096)) /
      365,
  );
  const day = dayOfCycle - (365 * yearOfCycle + Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100));
  const monthFromMarch = Math.floor((5 * day + 2) / 153);
  date.day = day - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  date.month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  date.year = yearOfCycle + cycle * 400 + (date.month <= 2 ? 1 : 0);
  return date;
}

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

function daysInMonth({ year, month }: CivilDate): number {
  return month === 2 && isLeap(year) ? 29 : MONTH_DAYS[month - 1]!;
}

function dayOfYear(seconds: number): number {
  const { year, month, day } = civil(seconds);
  let days = day;
  for (let i = 0; i < month - 1; i++) days += MONTH_DAYS[i]!;
  return month > 2 && isLeap(year) ? days + 1 : days;
}
