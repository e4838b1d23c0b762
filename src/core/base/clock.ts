/**
 * Time as an argument, so that tests drive it. Scheduling uses the monotonic reading, timestamps the wall clock.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump. */
  nowMs(): number;
  /** Milliseconds since some fixed instant; never goes back. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
