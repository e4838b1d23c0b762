/**
 * Work that is tried about once a minute and may fail for a while: after a failure it waits, each time twice as long.
 */
import { errorMessage } from '../../core/base/errors.ts';
import type { Clock } from '../../core/base/clock.ts';

const FIRST_WAIT_MS = 60_000;
const MAX_WAIT_MS = 10 * 60_000;

export interface Failure {
  readonly message: string;
  readonly retryInMs: number;
}

export interface RetryOptions {
  readonly clock: Clock;
  /** What the world can do to the work. All else is a mistake of ours and goes on to the caller. */
  readonly isExpected: (error: unknown) => boolean;
  readonly onFailure: (failure: Failure) => void;
}

export class RetryLater {
  readonly #options: RetryOptions;
  #failures = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #message = '';

  constructor(options: RetryOptions) {
    this.#options = options;
  }

  /** Why it failed last; '' if it did not. */
  get lastFailure(): string {
    return this.#message;
  }

  /** Does the work, unless it failed a short while ago. @returns whether it is through */
  async attempt(work: () => Promise<void>): Promise<boolean> {
    const { clock, isExpected, onFailure } = this.#options;
    if (clock.monotonicMs() < this.#retryAtMs) return false;
    try {
      await work();
    } catch (error) {
      if (!isExpected(error)) throw error;
      const retryInMs = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures++);
      this.#retryAtMs = clock.monotonicMs() + retryInMs;
      this.#message = errorMessage(error);
      onFailure({ message: this.#message, retryInMs });
      return false;
    }
    this.#failures = 0;
    this.#message = '';
    return true;
  }
}
