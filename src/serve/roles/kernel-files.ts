/**
 * Loads the kernels that `npm run build` made.
 */
import { readFileSync } from 'node:fs';
import type { KernelModules } from '../../core/kernels/kernels.ts';

/** Compiles the kernels from build/kernels. @throws Error naming the missing file */
export function loadKernelModules(): KernelModules {
  return { head: loadKernelModule('head'), exposition: loadKernelModule('exposition'), snappy: loadKernelModule('snappy') };
}

/** Compiles one kernel. */
export function loadKernelModule(name: keyof KernelModules): WebAssembly.Module {
  const file = new URL(`../../../build/kernels/${name}.wasm`, import.meta.url);
  return new WebAssembly.Module(readFileSync(file));
}
