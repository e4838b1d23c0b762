/**
 * Instances of the kernels over one linear memory. Who loads the modules' bytes decides where they come from.
 */
import type { LinearMemory } from './linear-memory.ts';

/** First byte that the kernels' own static data leaves free: `scripts/kernels.ts` gives them the room below. */
export const KERNEL_RESERVED_BYTES = 128 * 1024;

/** Compiled modules; they can be posted to other threads. */
export interface KernelModules {
  readonly head: WebAssembly.Module;
  readonly exposition: WebAssembly.Module;
  readonly snappy: WebAssembly.Module;
}

/** Instantiates one module over `memory`. Its exports are typed by the caller, which knows the kernel's signatures. */
export function instantiateKernel<Exports>(module: WebAssembly.Module, memory: LinearMemory): Exports {
  const instance = new WebAssembly.Instance(module, { env: { memory: memory.memory, abort: onAbort } });
  return instance.exports as unknown as Exports;
}

function onAbort(): never {
  throw new Error('kernel aborted');
}
