/**
 * Numbers that stand in the WAL for series which the head no longer knows by them, and how long their series records are still needed.
 *
 * A series that was removed has samples in segments that no checkpoint covers yet: without its record a restart could not tell whose they
 * are. The same label set may also have been logged under a second number, by a process before this one; samples and chunks under it
 * belong to the series as long as they are not truncated.
 */

/** The oldest that is still needed. */
export interface CheckpointBounds {
  /** The newest segment that the checkpoint covers. */
  readonly lastSegment: number;
  readonly minTimeMs: number;
}

interface Batch {
  /** The newest segment and the newest time that samples under these numbers may have. */
  readonly untilSegment: number;
  readonly untilMs: number;
  readonly walRefs: readonly number[];
}

export class WalRefExpiries {
  #batches: Batch[] = [];

  add(batch: Batch): void {
    if (batch.walRefs.length > 0) this.#batches.push(batch);
  }

  /** The numbers whose series records a checkpoint must keep, beside those of the series that live. */
  needed(bounds: CheckpointBounds): Float64Array {
    return Float64Array.from(this.#batches.filter((batch) => isNeeded(batch, bounds)).flatMap(({ walRefs }) => walRefs));
  }

  /** Forgets what a checkpoint that has been written did not need. */
  expire(bounds: CheckpointBounds): void {
    this.#batches = this.#batches.filter((batch) => isNeeded(batch, bounds));
  }
}

const isNeeded = ({ untilSegment, untilMs }: Batch, { lastSegment, minTimeMs }: CheckpointBounds): boolean =>
  untilSegment > lastSegment || untilMs >= minTimeMs;
