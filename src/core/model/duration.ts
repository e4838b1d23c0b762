/**
 * Durations as Prometheus writes them: `1h30m`, units `y w d h m s ms` descending, each at most once.
 * Source: prometheus/common, model.ParseDuration and Duration.String.
 */

const UNITS: readonly (readonly [string, number])[] = [
  ['y', 365 * 24 * 3600 * 1000],
  ['w', 7 * 24 * 3600 * 1000],
  ['d', 24 * 3600 * 1000],
  ['h', 3600 * 1000],
  ['m', 60 * 1000],
  ['s', 1000],
  ['ms', 1],
];
const PATTERN = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
/** Go's durations are int64 nanoseconds. */
const MAX_MS = 9_223_372_036_854;

/** Text that is no duration. The message is Prometheus'. */
export class DurationError extends Error {
  override readonly name = 'DurationError';
}

/** @returns milliseconds @throws DurationError */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  if (text === '') throw new DurationError('empty duration string');
  const match = PATTERN.exec(text);
  if (!match) throw new DurationError(`not a valid duration string: ${JSON.stringify(text)}`);
  let ms = 0;
  for (const [i, [, unitMs]] of UNITS.entries()) ms += Number(match[i + 1] ?? 0) * unitMs;
  if (ms > MAX_MS) throw new DurationError('duration out of range');
  return ms;
}

/** The shortest exact form; years and weeks only where they divide evenly, as Prometheus prints them. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  let rest = Math.abs(ms);
  let out = ms < 0 ? '-' : '';
  for (const [unit, unitMs] of UNITS) {
    const exactOnly = unit === 'y' || unit === 'w';
    if (exactOnly && rest % unitMs !== 0) continue;
    const count = Math.floor(rest / unitMs);
    if (count > 0) {
      out += `${count}${unit}`;
      rest -= count * unitMs;
    }
  }
  return out;
}
