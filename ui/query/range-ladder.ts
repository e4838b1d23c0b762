/**
 * The ranges that the plus and minus buttons step through.
 */
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const LADDER = [
  MINUTE_MS,
  5 * MINUTE_MS,
  15 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  DAY_MS,
  2 * DAY_MS,
  7 * DAY_MS,
  14 * DAY_MS,
  28 * DAY_MS,
  56 * DAY_MS,
  182 * DAY_MS,
  365 * DAY_MS,
  730 * DAY_MS,
];

/** The next larger range of the ladder; the same beyond its end. */
export const longerRange = (rangeMs: number): number => LADDER.find((each) => each > rangeMs) ?? rangeMs;

/** The next smaller one. */
export const shorterRange = (rangeMs: number): number => LADDER.findLast((each) => each < rangeMs) ?? rangeMs;
