import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSnappyKernel, seededRandom } from '../../../test/kernels.ts';
import { SnappyEncoder } from '../bytes/snappy.ts';
import { KERNEL_RESERVED_BYTES } from './kernels.ts';
import { LinearMemory } from './linear-memory.ts';
import { MAX_KERNEL_INPUT_BYTES } from './snappy-kernel.ts';

/** Inputs that repeat near and far, and not at all. */
function inputs(seed: number): Uint8Array[] {
  const random = seededRandom(seed);
  const sizes = [0, 1, 3, 4, 15, 16, 17, 59, 60, 61, 62, 255, 256, 257, 4096, 65_535, 65_536, 65_537, 200_000];
  return sizes.flatMap((size) =>
    [0, 0.02, 0.3, 1].map((noise) => Uint8Array.from({ length: size }, (_, i) => (random() < noise ? random() * 256 : (i % 23) * ((i >> 12) + 1)))),
  );
}

test('the kernel writes the bytes that its twin writes, from its own memory and from elsewhere', () => {
  const memory = LinearMemory.create(KERNEL_RESERVED_BYTES);
  const kernel = createSnappyKernel(memory);
  const twin = new SnappyEncoder();
  for (const input of [...inputs(2), new Uint8Array(MAX_KERNEL_INPUT_BYTES + 1)]) {
    const want = twin.encode(input).slice();
    assert.deepEqual(kernel.encode(input).slice(), want);
    if (input.length === 0) continue;
    const at = memory.allocate(input.length);
    memory.u8.set(input, at);
    assert.deepEqual(kernel.encode(memory.u8.subarray(at, at + input.length)).slice(), want);
  }
});
