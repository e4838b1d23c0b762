import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BODY_PADDING_BYTES } from '../exposition/scrape-cache.ts';
import { newWorkspace } from './_testing.ts';
import { GzipError, Inflater, MAX_IMMEDIATE_BYTES } from './inflate.ts';
import { ParseArea } from './parse-area.ts';
import {
  BodySizeLimitError,
  RECEIVE_BLOCK_BYTES,
  ReceiveBuffers,
  ReceivedBody,
  ReceiveMemoryError,
} from './receive-buffers.ts';
import { gzipSync } from 'node:zlib';

const bytesOf = (body: ReceivedBody): Buffer => Buffer.concat(body.parts());

// Sizes of pushes, in bytes.
for (const pushes of [
  [0],
  [1],
  [RECEIVE_BLOCK_BYTES],
  [RECEIVE_BLOCK_BYTES - 1, 2],
  [5, 3 * RECEIVE_BLOCK_BYTES, 7],
  [RECEIVE_BLOCK_BYTES, RECEIVE_BLOCK_BYTES],
]) {
  test(`a body pushed as ${pushes.join(' + ')} bytes comes back whole`, () => {
    const buffers = new ReceiveBuffers();
    const body = new ReceivedBody(buffers, 1e6);
    const pieces = pushes.map((size, i) => Buffer.from(Array.from({ length: size }, (_, j) => (i * 31 + j) & 255)));
    for (const piece of pieces) body.push(piece);
    const whole = Buffer.concat(pieces);
    assert.equal(body.length, whole.length);
    assert.ok(bytesOf(body).equals(whole));
    assert.equal(buffers.heldBytes, Math.ceil(whole.length / RECEIVE_BLOCK_BYTES) * RECEIVE_BLOCK_BYTES);
    body.clear();
    assert.equal(buffers.heldBytes, 0);
  });
}

test('a body that reaches its limit has exceeded it', () => {
  const body = new ReceivedBody(new ReceiveBuffers(), 10);
  body.push(Buffer.alloc(9));
  assert.throws(() => body.push(Buffer.alloc(1)), BodySizeLimitError);
});

test('all bodies together have a bound; those that are given back make room', () => {
  const buffers = new ReceiveBuffers(3 * RECEIVE_BLOCK_BYTES);
  const [first, second] = [new ReceivedBody(buffers, 1e6), new ReceivedBody(buffers, 1e6)];
  first.push(Buffer.alloc(2 * RECEIVE_BLOCK_BYTES));
  second.push(Buffer.alloc(1));
  assert.throws(() => second.push(Buffer.alloc(RECEIVE_BLOCK_BYTES)), ReceiveMemoryError);
  second.clear();
  first.push(Buffer.alloc(1));
  first.clear();
  assert.equal(buffers.heldBytes, 0);
});

test('the parse area holds one body after the other, and grows by doubling', () => {
  const workspace = newWorkspace();
  const area = new ParseArea(workspace);
  const addresses = new Set<number>();
  for (let size = 1; size < 4_000_000; size = Math.ceil(size * 1.1)) {
    const { address, length } = area.place([Buffer.alloc(size - 1, 'a'), Buffer.from('z')], size);
    assert.equal(length, size);
    assert.equal(workspace.memory.u8[address + size - 1], 0x7a);
    assert.ok(address + size + BODY_PADDING_BYTES <= workspace.memory.byteLength);
    addresses.add(address);
  }
  assert.ok(addresses.size <= 8, `${addresses.size} places`);
  const before = workspace.memory.usedBytes;
  for (const size of [3_000_000, 100, 2_000_000]) area.place([Buffer.alloc(size)], size);
  assert.equal(workspace.memory.usedBytes, before);
});

test('large bodies inflate off the thread, also where their trailer lies', async () => {
  const inflater = new Inflater();
  const large = Buffer.alloc(MAX_IMMEDIATE_BYTES + 1, 'x');
  const honest = gzipSync(large);
  // Two members: the last four bytes tell the size of the second only.
  const lying = Buffer.concat([honest, gzipSync('y')]);
  const [one, two, small] = await Promise.all([
    inflater.inflate(honest, 0, 1e9),
    inflater.inflate(lying, 0, 1e9),
    inflater.inflate(gzipSync('small'), 0, 1e9),
  ]);
  assert.equal(one.length, large.length);
  assert.equal(two.length, large.length + 1);
  assert.equal(Buffer.from(small).toString(), 'small');
});

test('a large body that fails does not harm the one behind it', async () => {
  const inflater = new Inflater();
  const large = gzipSync(Buffer.alloc(MAX_IMMEDIATE_BYTES + 1));
  const broken = Buffer.from(large);
  broken[20]! ^= 0xff;
  const [first, second, third] = await Promise.allSettled([
    inflater.inflate(broken, 0, 1e9),
    inflater.inflate(large, 0, MAX_IMMEDIATE_BYTES + 1),
    inflater.inflate(large, 0, 1e9),
  ]);
  assert.ok(first.status === 'rejected' && first.reason instanceof GzipError);
  assert.ok(second.status === 'rejected' && second.reason instanceof BodySizeLimitError);
  assert.equal(third.status, 'fulfilled');
});
