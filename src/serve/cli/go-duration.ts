/**
 * Durations as Go prints them, which promtool's tables show: `1h59m0.001s`, `1.5s`, `250ms`, `12.5µs`.
 */

const NS_PER_MS = 1_000_000;
/** Below a second: unit and its length in nanoseconds. */
const SMALL_UNITS: readonly (readonly [string, number])[] = [
  ['ms', NS_PER_MS],
  ['µs', 1000],
  ['ns', 1],
];

/** @param ms to the nanosecond */
export function formatGoDuration(ms: number): string {
  if (ms < 0) return `-${formatGoDuration(-ms)}`;
  // Whole milliseconds may be more than nanoseconds that a number holds exactly.
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  const restNs = Math.round((ms % 60_000) * NS_PER_MS);
  if (hours === 0 && minutes === 0 && restNs < 1000 * NS_PER_MS) {
    const [unit, unitNs] = SMALL_UNITS.find(([, length]) => restNs >= length) ?? ['s', 1];
    return decimal(restNs, unitNs) + unit;
  }
  const seconds = `${decimal(restNs, 1000 * NS_PER_MS)}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

/** `count / scale` with the digits that it has; `scale` is a power of ten. */
function decimal(count: number, scale: number): string {
  const digits = String(scale).length - 1;
  const fraction = String(count % scale).padStart(digits, '0').slice(0, digits).replace(/0+$/, '');
  return `${Math.floor(count / scale)}${fraction === '' ? '' : `.${fraction}`}`;
}
