/**
 * The server's time, as far as HTTP tells: "now" in a chart is the server's, or fresh samples would seem to be missing.
 *
 * Answers carry a `Date` header in whole seconds; differences below the tolerance are rounding and travel time.
 */
export const SKEW_TOLERANCE_MS = 3000;

let skewMs = 0;

export function noteServerDate(header: string | null, nowMs: number): void {
  const serverMs = header === null ? Number.NaN : Date.parse(header);
  if (Number.isNaN(serverMs)) return;
  // The header is cut to the second: on average half a second too early.
  const differenceMs = serverMs + 500 - nowMs;
  skewMs = Math.abs(differenceMs) < SKEW_TOLERANCE_MS ? 0 : differenceMs;
}

/** How far the server's clock is ahead of the browser's; 0 within the tolerance. */
export const clockSkewMs = (): number => skewMs;

export const serverNowMs = (): number => Date.now() + skewMs;
