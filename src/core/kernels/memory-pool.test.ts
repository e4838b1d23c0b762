import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KERNEL_RESERVED_BYTES } from './kernels.ts';
import { LinearMemory, MemoryLimitError } from './linear-memory.ts';
import { blockBytes, MemoryPool } from './memory-pool.ts';

const newPool = (pages?: number): { memory: LinearMemory; pool: MemoryPool } => {
  const memory = LinearMemory.create(KERNEL_RESERVED_BYTES, pages);
  return { memory, pool: new MemoryPool(memory) };
};

test('a block is at most a fifth larger than asked for, and asking for its size gives the same', () => {
  for (let bytes = 1; bytes < 1e6; bytes += bytes < 4096 ? 1 : 509) {
    const size = blockBytes(bytes);
    assert.ok(size >= bytes && size % 64 === 0, `${bytes}`);
    if (bytes > 256) assert.ok((size - bytes) / size <= 0.2, `${bytes}: ${size}`);
    assert.equal(blockBytes(size), size);
  }
});

test('a block that was given back is taken again', () => {
  const { memory, pool } = newPool();
  const first = pool.take(1000);
  pool.give(first, 1000);
  const used = memory.usedBytes;
  assert.equal(pool.take(1020), first);
  assert.equal(memory.usedBytes, used);
  assert.equal(pool.heldBytes, blockBytes(1020));
});

test('a larger block is split and none of it is lost', () => {
  const { memory, pool } = newPool();
  const large = pool.take(64 * 1024);
  pool.give(large, 64 * 1024);
  const used = memory.usedBytes;
  pool.take(192);
  const rest = pool.freeBytes / 64;
  for (let i = 0; i < rest; i++) pool.take(64);
  assert.equal(pool.freeBytes, 0);
  assert.equal(memory.usedBytes, used);
  assert.equal(pool.heldBytes, 64 * 1024);
});

test('blocks never overlap, whatever is taken and given', () => {
  const { pool } = newPool();
  const held: { address: number; bytes: number }[] = [];
  let state = 7;
  for (let i = 0; i < 5000; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    if (state % 3 > 0) {
      const bytes = 1 + ((state >>> 8) % 20_000);
      held.push({ address: pool.take(bytes), bytes });
    } else if (held.length > 0) {
      const [block] = held.splice((state >>> 8) % held.length, 1);
      pool.give(block!.address, block!.bytes);
    }
  }
  const sorted = held.sort((a, b) => a.address - b.address);
  for (let i = 1; i < sorted.length; i++) {
    assert.ok(sorted[i - 1]!.address + blockBytes(sorted[i - 1]!.bytes) <= sorted[i]!.address, `block ${i}`);
  }
});

test('taking several blocks takes all or none', () => {
  const { pool } = newPool(8);
  assert.throws(() => pool.takeAll([1000, 1000, 10_000_000]), MemoryLimitError);
  assert.equal(pool.heldBytes, 0);
  assert.equal(pool.takeAll([1000, 1000]).length, 2);
});
