/**
 * What the scrape caches of one ingest worker share: the linear memory, its pool, the kernel and the sample columns.
 */
import type { ExpositionKernel } from '../../core/kernels/exposition-kernel.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { MemoryPool } from '../../core/kernels/memory-pool.ts';

/** One a worker. */
export class ExpositionWorkspace {
  readonly memory: LinearMemory;
  /** Also for the callers' body buffers: `take(length + BODY_PADDING_BYTES)`, then `give` with the same size. */
  readonly pool: MemoryPool;
  readonly kernel: ExpositionKernel;

  constructor(memory: LinearMemory, kernel: ExpositionKernel, pool: MemoryPool = new MemoryPool(memory)) {
    this.memory = memory;
    this.kernel = kernel;
    this.pool = pool;
  }
}
