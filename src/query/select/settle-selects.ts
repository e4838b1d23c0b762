/**
 * Several selects at once, all or nothing.
 */
import type { SeriesSet } from '../../core/storage/querier.ts';

/**
 * Waits for all selects. If any fails, the sets of the others are closed, so that nothing stays open.
 * @throws what the first failing select threw
 */
export async function settleSelects(selects: readonly Promise<SeriesSet>[]): Promise<SeriesSet[]> {
  const outcomes = await Promise.allSettled(selects);
  const sets = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue;
    for (const set of sets) set.close();
    throw outcome.reason;
  }
  return sets;
}
