/**
 * Times and durations in request parameters: unix seconds or RFC 3339, float seconds or `1h30m`.
 * Source: Prometheus, web/api/v1 parseTime and parseDuration (verified against 2.42).
 */
import { DurationError, parseDuration } from '../../core/model/duration.ts';
import { quote } from '../../core/model/labels.ts';
import { ApiError } from './backend.ts';

/**
 * "Before and after everything": what an absent start and end mean. The bounds of JavaScript's dates (± 275,000 years)
 * leave room for exact arithmetic on milliseconds.
 */
export const MIN_TIME_MS = -8_640_000_000_000_000;
export const MAX_TIME_MS = 8_640_000_000_000_000;

/** Prometheus' own extreme times, which clients send back to it. */
const MIN_TIME_TEXT = '-292273086-05-16T16:47:06Z';
const MAX_TIME_TEXT = '292277025-08-18T07:12:54.999999999Z';

/** Go's durations are int64 nanoseconds. */
const MAX_DURATION_SECONDS = 2 ** 63 / 1e9;

const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const NOT_FINITE = /^(?:nan|[+-]?inf(?:inity)?)$/i;
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** @returns milliseconds, rounded for floats, cut for RFC 3339 @throws ApiError bad_data */
export function parseTime(text: string): number {
  if (FLOAT.test(text)) {
    const ms = secondsToMs(Number(text));
    if (ms >= MIN_TIME_MS && ms <= MAX_TIME_MS) return ms;
  }
  const ms = parseRfc3339(text);
  if (ms !== undefined) return ms;
  if (text === MIN_TIME_TEXT) return MIN_TIME_MS;
  if (text === MAX_TIME_TEXT) return MAX_TIME_MS;
  throw new ApiError('bad_data', `cannot parse ${quote(text)} to a valid timestamp`);
}

/** @returns milliseconds, possibly fractional or negative @throws ApiError bad_data */
export function parseDurationParam(text: string): number {
  if (FLOAT.test(text) || NOT_FINITE.test(text)) {
    const seconds = Number(text);
    // Go reads a float too large for 64 bits as no float at all.
    if (Number.isFinite(seconds) && Math.abs(seconds) <= MAX_DURATION_SECONDS) return seconds * 1000;
    if (text.toLowerCase() === 'nan') return 0;
    if (Number.isFinite(seconds) || NOT_FINITE.test(text)) {
      throw new ApiError('bad_data', `cannot parse ${quote(text)} to a valid duration. It overflows int64`);
    }
  }
  try {
    return parseDuration(text);
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    throw new ApiError('bad_data', `cannot parse ${quote(text)} to a valid duration`, error);
  }
}

/** RFC 3339 with the fraction's trailing zeros left out; 0 is Go's zero time, "never". */
export function formatTime(ms: number): string {
  if (ms === 0) return '0001-01-01T00:00:00Z';
  return new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z');
}

/** To the nearest millisecond, halves away from zero. */
function secondsToMs(seconds: number): number {
  const whole = Math.trunc(seconds);
  const fraction = seconds - whole;
  return whole * 1000 + Math.sign(fraction) * Math.round(Math.abs(fraction) * 1000);
}

function parseRfc3339(text: string): number | undefined {
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const fractionMs = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const offsetHours = Number(match[9] ?? 0);
  const offsetMinutes = Number(match[10] ?? 0);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!exists || hour > 23 || minute > 59 || second > 59 || offsetHours > 24 || offsetMinutes > 59) return undefined;
  const offsetMs = (offsetHours * 60 + offsetMinutes) * 60_000 * (match[8] === '-' ? -1 : 1);
  return date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 + fractionMs - offsetMs;
}
