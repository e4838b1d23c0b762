/**
 * How many threads of each kind.
 */
import { availableParallelism } from 'node:os';

/** Past this many, query workers only cost memory: each evaluates one query on one core. */
const MOST_QUERY_WORKERS = 16;

/** One query worker a core, since ingestion is rarely busy; never more than queries may run at once. */
export function defaultQueryWorkers(maxConcurrency: number, cores = availableParallelism()): number {
  return Math.max(1, Math.min(cores, maxConcurrency, MOST_QUERY_WORKERS));
}
