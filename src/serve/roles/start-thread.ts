/**
 * Starts a worker thread from the module beside this one: TypeScript when run from source, JavaScript when compiled.
 */
import { Worker, type ResourceLimits } from 'node:worker_threads';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

export interface ThreadOptions {
  /** Of the module, without its ending. */
  readonly module: 'ingest-worker' | 'query-worker' | 'store-worker';
  /** For debuggers and reports. */
  readonly name: string;
  readonly data: unknown;
  /**
   * Bound of the heap's young part in MiB. The default of 48 is filled before the first collection, however little lives; what these threads
   * hold lies outside the heap.
   */
  readonly youngGenerationMb: number;
}

export function startThread({ module, name, data, youngGenerationMb }: ThreadOptions): Worker {
  const resourceLimits: ResourceLimits = { maxYoungGenerationSizeMb: youngGenerationMb };
  return new Worker(new URL(`./${module}.${extension}`, import.meta.url), { workerData: data, name, resourceLimits });
}
