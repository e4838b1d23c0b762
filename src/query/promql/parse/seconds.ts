/**
 * Seconds of literals as the whole milliseconds of the engine.
 */

/**
 * Cuts off what is less than a millisecond. A literal's milliseconds survive the way over float seconds: `1001ms` is
 * 1.001 s, and 1.001 × 1000 is less than 1001.
 */
export const secondsToMs = (seconds: number): number => Math.trunc(Math.round(seconds * 1e6) / 1e3);
