/**
 * Timers and a clock that a test moves by hand.
 */
import type { Clock } from '../../core/base/clock.ts';
import type { Timers } from './timers.ts';

export class ManualTimers implements Timers, Clock {
  #nowMs = 0;
  readonly #waits: { atMs: number; end: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) resolve();
      else this.#waits.push({ atMs: this.#nowMs + ms, end: resolve });
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Moves on by `ms`, waking who waits in the order of their times. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await settled();
      const next = this.#waits.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#nowMs = next.atMs;
      this.#waits.splice(this.#waits.indexOf(next), 1);
      next.end();
    }
    this.#nowMs = untilMs;
  }
}

/** Lets promises that are due run on. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
