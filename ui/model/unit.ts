/**
 * Numbers for people: a value and its unit in few characters, the same on axes, in tooltips and in headlines.
 */

export type Unit = 'none' | 'bytes' | 'bytes/s' | 'percent' | 'seconds' | 'per-second';

const BINARY_PREFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL_PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
/** From the largest down; the unit is the first that the value reaches. */
const TIME_UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
  [1e-3, 'ms'],
  [1e-6, 'µs'],
  [1e-9, 'ns'],
];
/** Below, a number is shown with an exponent. */
const SMALLEST_PLAIN = 1e-4;
/** Values are shown with three digits, or all digits before the point. */
const DIGITS = 3;
const MAX_TICK_DECIMALS = 10;
/** No-break space between number and unit. */
const SPACE = '\u00a0';

/** `1.23 GiB`, `45.6 ms`, `12 %`, `1.2k`. */
export function formatValue(value: number, unit: Unit): string {
  const { number, suffix } = splitValue(value, unit);
  return suffix === '' ? number : `${number}${SPACE}${suffix}`;
}

/** Number and unit apart, to print them in different sizes. */
export function splitValue(value: number, unit: Unit): { readonly number: string; readonly suffix: string } {
  if (Number.isNaN(value)) return { number: 'NaN', suffix: '' };
  if (!Number.isFinite(value)) return { number: value > 0 ? '+Inf' : '-Inf', suffix: '' };
  switch (unit) {
    case 'bytes':
    case 'bytes/s': {
      const { scaled, prefix } = scale(value, 1024, BINARY_PREFIXES);
      return { number: shortNumber(scaled), suffix: `${prefix}B${unit === 'bytes/s' ? '/s' : ''}` };
    }
    case 'percent':
      return { number: dropZeros(value.toFixed(1)), suffix: '%' };
    case 'seconds': {
      const [size, name] = timeUnitOf(value);
      return { number: shortNumber(value / size), suffix: name };
    }
    case 'per-second': {
      const { scaled, prefix } = scale(value, 1000, DECIMAL_PREFIXES);
      return { number: shortNumber(scaled) + prefix, suffix: '/s' };
    }
    default: {
      const { scaled, prefix } = scale(value, 1000, DECIMAL_PREFIXES);
      return { number: shortNumber(scaled) + prefix, suffix: '' };
    }
  }
}

/** Labels of axis ticks `increment` apart: enough digits to tell neighbours from each other, and no more. */
export function formatTick(value: number, increment: number, unit: Unit): string {
  if (value === 0) return unit === 'percent' ? `0${SPACE}%` : '0';
  switch (unit) {
    case 'bytes':
    case 'bytes/s': {
      const { scaled, prefix, size } = scale(value, 1024, BINARY_PREFIXES);
      return `${withDecimals(scaled, increment / size)}${SPACE}${prefix}B${unit === 'bytes/s' ? '/s' : ''}`;
    }
    case 'percent':
      return `${withDecimals(value, increment)}${SPACE}%`;
    case 'seconds': {
      const [size, name] = timeUnitOf(value);
      return `${withDecimals(value / size, increment / size)}${SPACE}${name}`;
    }
    default: {
      if (Math.abs(value) < SMALLEST_PLAIN) return shortNumber(value);
      const { scaled, prefix, size } = scale(value, 1000, DECIMAL_PREFIXES);
      return withDecimals(scaled, increment / size) + prefix;
    }
  }
}

/** Distances between ticks that give round labels: powers of two for bytes. Undefined: the chart's own decimal ones. */
export function tickIncrements(unit: Unit): readonly number[] | undefined {
  if (unit !== 'bytes' && unit !== 'bytes/s') return undefined;
  return Array.from({ length: 61 }, (_, power) => 2 ** power);
}

/** A whole number with separated groups: `1 234 567`. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

function scale(
  value: number,
  base: number,
  prefixes: readonly string[],
): { scaled: number; prefix: string; size: number } {
  if (Math.abs(value) >= base ** prefixes.length) return { scaled: value, prefix: '', size: 1 };
  let size = 1;
  let i = 0;
  // What would round to 1000 (or 1024) of one prefix is 1 of the next.
  while (i < prefixes.length - 1 && Math.abs(value) >= size * (base - 0.5)) {
    size *= base;
    i++;
  }
  return { scaled: value / size, prefix: prefixes[i]!, size };
}

function timeUnitOf(seconds: number): readonly [seconds: number, name: string] {
  const magnitude = Math.abs(seconds);
  if (magnitude === 0) return [1, 's'];
  return TIME_UNITS.find(([size]) => magnitude >= size * 0.9995) ?? [1e-9, 'ns'];
}

function shortNumber(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude === 0) return '0';
  if (magnitude < SMALLEST_PLAIN || magnitude >= 1e6) return value.toExponential(DIGITS - 1).replace(/\.?0*e\+?/, 'e');
  const whole = Math.max(1, Math.floor(Math.log10(magnitude)) + 1);
  const decimals = magnitude >= 1 ? Math.max(0, DIGITS - whole) : DIGITS - 1 - Math.floor(Math.log10(magnitude));
  return dropZeros(value.toFixed(Math.min(6, decimals)));
}

/** With as many decimals as a multiple of the increment needs. */
function withDecimals(value: number, increment: number): string {
  let decimals = 0;
  while (decimals < MAX_TICK_DECIMALS && !isWhole(increment * 10 ** decimals)) decimals++;
  return dropZeros(value.toFixed(decimals));
}

const isWhole = (value: number): boolean => value > 0.5 && Math.abs(value - Math.round(value)) < 1e-6 * value;

const dropZeros = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
