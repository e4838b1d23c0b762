/**
 * The snappy kernel: encodes WAL records where they lie in linear memory, or from a copy. Its twin is SnappyEncoder.
 */
import { SnappyEncoder, snappyMaxEncodedLength } from '../bytes/snappy.ts';
import { instantiateKernel } from './kernels.ts';
import type { LinearMemory } from './linear-memory.ts';

/** Two bytes for each of 2^14 hashes. */
const TABLE_BYTES = 32 * 1024;
/** Longer inputs, which a WAL hardly ever has, go to the twin: linear memory that is taken stays taken. */
export const MAX_KERNEL_INPUT_BYTES = 2 * 1024 * 1024;

interface SnappyExports {
  encode(input: number, length: number, table: number, out: number): number;
}

export class SnappyKernel {
  readonly #memory: LinearMemory;
  readonly #exports: SnappyExports;
  readonly #twin = new SnappyEncoder();
  readonly #tableAt: number;
  #outAt = 0;
  #outRoom = 0;
  #inputAt = 0;
  #inputRoom = 0;

  /** @param memory the caller's to allocate from; inputs that are views of it are not copied */
  constructor(module: WebAssembly.Module, memory: LinearMemory) {
    this.#memory = memory;
    this.#exports = instantiateKernel<SnappyExports>(module, memory);
    this.#tableAt = memory.allocate(TABLE_BYTES);
  }

  /** @returns a view that is valid until the next call */
  encode(input: Uint8Array): Uint8Array {
    const { length } = input;
    if (length > MAX_KERNEL_INPUT_BYTES) return this.#twin.encode(input);
    const room = snappyMaxEncodedLength(length);
    if (room > this.#outRoom) {
      this.#outRoom = Math.max(room, this.#outRoom * 2);
      this.#outAt = this.#memory.allocate(this.#outRoom);
    }
    const written = this.#exports.encode(this.#place(input), length, this.#tableAt, this.#outAt);
    this.#memory.refresh();
    return this.#memory.u8.subarray(this.#outAt, this.#outAt + written);
  }

  #place(input: Uint8Array): number {
    if (this.#memory.owns(input.buffer)) return input.byteOffset;
    if (input.length > this.#inputRoom) {
      this.#inputRoom = Math.max(input.length, this.#inputRoom * 2);
      this.#inputAt = this.#memory.allocate(this.#inputRoom);
    }
    this.#memory.u8.set(input, this.#inputAt);
    return this.#inputAt;
  }
}
