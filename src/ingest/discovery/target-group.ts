/**
 * What discovery gives: groups of targets that share labels, each group replaced as a whole.
 */
import type { Labels } from '../../core/model/labels.ts';

export interface TargetGroup {
  /** Names the group within its provider: a later group of the same source replaces it, an empty one removes it. */
  readonly source: string;
  /** Of all targets; a target's own label wins. */
  readonly labels: Labels;
  /** Each has at least `__address__`. */
  readonly targets: readonly Labels[];
}

export const ADDRESS_LABEL = '__address__';

/** Finds targets until its signal is aborted. */
export interface Discoverer {
  /**
   * @param emit takes groups that are new or changed; those of other sources stay
   * @returns when `signal` is aborted, or earlier where nothing can ever change
   */
  run(emit: (groups: readonly TargetGroup[]) => void, signal: AbortSignal): Promise<void>;
}
