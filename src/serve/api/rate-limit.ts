/**
 * A token bucket: `burst` requests at once, and one more every interval.
 */
import type { Clock } from '../../core/base/clock.ts';

export class RateLimit {
  readonly #intervalMs: number;
  readonly #burst: number;
  readonly #clock: Clock;
  #tokens: number;
  #filledMs: number;

  /** @param intervalMs 0: no limit */
  constructor({ intervalMs, burst }: { readonly intervalMs: number; readonly burst: number }, clock: Clock) {
    this.#intervalMs = intervalMs;
    this.#burst = burst;
    this.#clock = clock;
    this.#tokens = burst;
    this.#filledMs = clock.monotonicMs();
  }

  /** Whether the request may go on. */
  take(): boolean {
    if (this.#intervalMs === 0) return true;
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#filledMs) / this.#intervalMs);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
