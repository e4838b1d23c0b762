/**
 * What all operators of one running query share: its limits, its annotations, its counts.
 */
import { PromqlCanceledError, PromqlEvaluationError, PromqlTimeoutError, TOO_MANY_SAMPLES } from '../errors.ts';
import { Annotations } from './annotations.ts';

export interface ExecutionOptions {
  readonly query: string;
  readonly isInstant: boolean;
  /** Most samples held at one time. */
  readonly maxSamples: number;
  /** Monotonic milliseconds after which the query has taken too long. */
  readonly deadlineMs: number;
  readonly monotonicMs: () => number;
  /** Whether nobody wants the answer any more. Cheap. */
  readonly shouldStop: () => boolean;
  readonly delayedNameRemoval: boolean;
  readonly typeAndUnitLabels: boolean;
  readonly startTimestamps: boolean;
}

export class Execution {
  readonly annotations: Annotations;
  readonly isInstant: boolean;
  readonly delayedNameRemoval: boolean;
  readonly typeAndUnitLabels: boolean;
  readonly startTimestamps: boolean;
  /** Samples that steps looked at, as `totalQueryableSamples` counts them. */
  queryableSamples = 0;
  peakSamples = 0;
  readonly #options: ExecutionOptions;
  #heldSamples = 0;

  constructor(options: ExecutionOptions) {
    this.#options = options;
    this.annotations = new Annotations(options.query);
    this.isInstant = options.isInstant;
    this.delayedNameRemoval = options.delayedNameRemoval;
    this.typeAndUnitLabels = options.typeAndUnitLabels;
    this.startTimestamps = options.startTimestamps;
  }

  /** Called for each batch of work. @throws PromqlCanceledError, PromqlTimeoutError */
  checkpoint(): void {
    if (this.#options.shouldStop()) throw new PromqlCanceledError('query was canceled in expression evaluation');
    if (this.#options.monotonicMs() > this.#options.deadlineMs) {
      throw new PromqlTimeoutError('query timed out in expression evaluation');
    }
  }

  /** Accounts for samples (or slots that can hold one) kept in memory. @throws PromqlEvaluationError past the limit */
  hold(count: number): void {
    this.#heldSamples += count;
    if (this.#heldSamples > this.peakSamples) this.peakSamples = this.#heldSamples;
    if (this.#heldSamples > this.#options.maxSamples) {
      throw new PromqlEvaluationError(TOO_MANY_SAMPLES);
    }
  }

  release(count: number): void {
    this.#heldSamples -= count;
  }

  /** Accounts for samples that are read, used and given up at once. @throws PromqlEvaluationError past the limit */
  pass(count: number): void {
    this.hold(count);
    this.release(count);
  }
}
