/**
 * Times as text, on a 24-hour clock, in the browser's zone or in UTC.
 */

export type Zone = 'local' | 'utc';

const formats = new Map<string, Intl.DateTimeFormat>();

interface ClockParts {
  readonly year: string;
  readonly month: string;
  readonly day: string;
  readonly hour: string;
  readonly minute: string;
  readonly second: string;
}

/** `2026-11-23 09:08:07`. */
export function formatDateTime(timeMs: number, zone: Zone): string {
  const { year, month, day, hour, minute, second } = partsOf(timeMs, zone);
  return `${year}-${month}-${day} ${hour}:${minute}:${second}`;
}

/** `09:08:07`. */
export function formatClock(timeMs: number, zone: Zone): string {
  const { hour, minute, second } = partsOf(timeMs, zone);
  return `${hour}:${minute}:${second}`;
}

/** Of a time axis whose ticks are `incrementMs` apart: no finer than the ticks, the date where a day begins. */
export function formatTimeTick(timeMs: number, incrementMs: number, zone: Zone): string {
  const { year, month, day, hour, minute, second } = partsOf(timeMs, zone);
  const isMidnight = hour === '00' && minute === '00' && second === '00';
  if (incrementMs >= 360 * 86_400_000) return year;
  if (incrementMs >= 86_400_000 || isMidnight) return `${month}-${day}`;
  return incrementMs < 60_000 ? `${hour}:${minute}:${second}` : `${hour}:${minute}`;
}

const DATE_TIME = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?$/;

/** Reads `2026-11-23 09:08[:07]`, also without a time of day. @returns undefined for other text and dates that don't exist */
export function parseDateTime(text: string, zone: Zone): number | undefined {
  const match = DATE_TIME.exec(text.trim());
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return undefined;
  const daysInMonth = new Date(Date.UTC(year, month, 0)).getUTCDate();
  if (day > daysInMonth) return undefined;
  if (zone === 'utc') return Date.UTC(year, month - 1, day, hour, minute, second);
  return new Date(year, month - 1, day, hour, minute, second).getTime();
}

/** `3s ago`, `2m ago`, `5h ago`, `in 4s`; `just now` below a second. */
export function formatAgo(timeMs: number, nowMs: number): string {
  const seconds = (nowMs - timeMs) / 1000;
  const magnitude = Math.abs(seconds);
  if (magnitude < 1) return 'just now';
  const [count, unit] =
    magnitude < 120
      ? [magnitude, 's']
      : magnitude < 7200
        ? [magnitude / 60, 'm']
        : magnitude < 172_800
          ? [magnitude / 3600, 'h']
          : [magnitude / 86_400, 'd'];
  const text = `${Math.floor(count)}${unit}`;
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

function partsOf(timeMs: number, zone: Zone): ClockParts {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      ...(zone === 'utc' ? { timeZone: 'UTC' } : {}),
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formats.set(zone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(timeMs).map(({ type, value }) => [type, value]));
  return parts as unknown as ClockParts;
}
