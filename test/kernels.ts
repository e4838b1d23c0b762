/**
 * The kernels for tests in any stage: WebAssembly as built, and the TypeScript twins.
 */
import { createHeadKernel, HeadKernelTwin, type HeadKernel } from '../src/core/kernels/head-kernel.ts';
import { KERNEL_RESERVED_BYTES } from '../src/core/kernels/kernels.ts';
import { LinearMemory } from '../src/core/kernels/linear-memory.ts';
import { SnappyKernel } from '../src/core/kernels/snappy-kernel.ts';
import { loadKernelModule } from '../src/serve/roles/kernel-files.ts';

const headModule = loadKernelModule('head');

/** Both implementations of the head's kernels, by name. */
export const HEAD_KERNELS: readonly (readonly [string, (memory: LinearMemory) => HeadKernel])[] = [
  ['WebAssembly', (memory) => createHeadKernel(headModule, memory)],
  ['TypeScript', (memory) => new HeadKernelTwin(memory)],
];

/** The snappy kernel over a memory of its own. */
export const createSnappyKernel = (memory = LinearMemory.create(KERNEL_RESERVED_BYTES)): SnappyKernel => new SnappyKernel(loadKernelModule('snappy'), memory);

/** A small seeded generator (mulberry32): floats in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
