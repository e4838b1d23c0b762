import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../test/kernels.ts';
import { SampleBuffer, STALE_HIGH, STALE_LOW } from '../model/samples.ts';
import { ENCODING, chunkSampleCount, decodeChunk } from './chunk.ts';
import { ChunkError } from './chunk-error.ts';
import { decodeXor, encodeXor, MAX_CHUNK_BYTES, MAX_CHUNK_SAMPLES } from './xor.ts';

const SEED = 20261123;

function samples(...pairs: [number, number | 'stale'][]): SampleBuffer {
  const buffer = new SampleBuffer(1);
  for (const [time, value] of pairs) {
    if (value === 'stale') buffer.pushStale(time);
    else buffer.push(time, value);
  }
  return buffer;
}

function assertSame(got: SampleBuffer, from: number, want: SampleBuffer): void {
  assert.equal(got.length - from, want.length);
  assert.deepEqual(got.times.subarray(from, got.length), want.times.subarray(0, want.length));
  assert.deepEqual(got.valueBits.subarray(2 * from, 2 * got.length), want.valueBits.subarray(0, 2 * want.length));
}

// The bytes were worked out by hand from the format's description: hexadecimal bytes, then single bits.
const goldens: [string, SampleBuffer, string, string][] = [
  ['one sample', samples([0, 0]), '0001 00 0000000000000000', ''],
  ['a constant', samples([1, 1], [3, 1], [5, 1]), '0003 02 3ff0000000000000 02', '0 00'],
  // Sample 1: '0' same value. Sample 2: '10' and 14 bits of −1; 3ff0… xor 3fe0… has 11 leading zeros and one bit.
  ['a step and a change', samples([0, 1], [10, 1], [19, 0.5]), '0003 00 3ff0000000000000 0a', '0 10 11111111111111 11 01011 000001 1'],
];
for (const [claim, input, wholeBytes, bits] of goldens) {
  test(`${claim} as bytes`, () => {
    const bytes = encodeXor(input, 0, input.length);
    assert.deepEqual(bytes, chunkOf(wholeBytes, bits));
    const out = new SampleBuffer(1);
    assert.equal(decodeXor(bytes, 0, bytes.length, out), input.length);
    assertSame(out, 0, input);
  });
}

function chunkOf(hex: string, bits: string): Uint8Array {
  const rest = bits.replaceAll(' ', '').match(/.{1,8}/g) ?? [];
  return Uint8Array.from([...Buffer.from(hex.replaceAll(' ', ''), 'hex'), ...rest.map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2))]);
}

const roundTrips: [string, SampleBuffer][] = [
  ['stale markers among NaNs', samples([1, 1], [2, 'stale'], [3, Number.NaN], [4, 'stale'], [5, 2])],
  ['infinities, zeros, subnormals', samples([1, Infinity], [2, -Infinity], [3, 0], [4, -0], [5, 5e-324], [6, 1.7976931348623157e308])],
  ['negative times', samples([-100_000_000_000_000, 1], [-5, 2], [7, 3], [100_000_000_000_000, 4])],
  ['the widest jumps', samples([0, 1], [1, 2], [2 ** 50, 3], [2 ** 50 + 1, 4], [2 ** 51, 5])],
  // The ends of each width: changes of 2^(n−1), −(2^(n−1) − 1) and the next on both sides.
  ['all widths of change', changes([8192, 8193, -8191, -8192, 65536, 65537, -65535, -65536, 524288, 524289, -524287, -524288, 2 ** 31, -(2 ** 31), 2 ** 32, -(2 ** 32)])],
];
function changes(list: number[]): SampleBuffer {
  const buffer = samples([0, 1], [2 ** 34, 1]);
  let delta = 2 ** 34;
  for (const change of list) {
    delta += change;
    buffer.push(buffer.times[buffer.length - 1]! + delta, 1);
  }
  return buffer;
}
for (const [claim, input] of roundTrips) {
  test(`${claim} come back`, () => {
    const bytes = encodeXor(input, 0, input.length);
    const out = samples([1, 'stale']);
    decodeChunk(ENCODING.XOR, bytes, 0, bytes.length, out);
    assertSame(out, 1, input);
    assert.equal(chunkSampleCount(bytes, 0, bytes.length), input.length);
  });
}

/** Values of several kinds, times with jitter. */
function randomSamples(rand: () => number): SampleBuffer {
  const buffer = new SampleBuffer(130);
  const kind = Math.floor(rand() * 5);
  let time = Math.floor((rand() - 0.3) * 2e12);
  let value = 0;
  const count = 1 + Math.floor(rand() * 125);
  for (let i = 0; i < count; i++) {
    time += kind === 4 ? 1 + Math.floor(2 ** (rand() * 30)) : 15_000 + Math.floor((rand() - 0.5) * 20);
    if (kind === 0) value = 42;
    else if (kind === 1) value += Math.floor(rand() * 100);
    else if (kind === 2) value = Math.round(rand() * 10_000) / 100;
    if (rand() < 0.05) buffer.pushStale(time);
    else buffer.push(time, value);
    if (kind >= 3) {
      buffer.valueBits[2 * i] = Math.floor(rand() * 2 ** 32);
      buffer.valueBits[2 * i + 1] = Math.floor(rand() * 2 ** 32);
    }
  }
  return buffer;
}

test(`random chunks come back bit for bit, from the middle of an array (seed ${SEED})`, () => {
  const rand = seededRandom(SEED);
  for (let round = 0; round < 500; round++) {
    const input = randomSamples(rand);
    const bytes = encodeXor(input, 0, input.length);
    const around = new Uint8Array(bytes.length + 11).fill(0xff);
    around.set(bytes, 7);
    const out = new SampleBuffer(1);
    decodeXor(around, 7, 7 + bytes.length, out);
    assertSame(out, 0, input);
  }
});

test(`a cut chunk is refused and leaves the buffer as it was (seed ${SEED})`, () => {
  const rand = seededRandom(SEED + 1);
  for (let round = 0; round < 30; round++) {
    const whole = randomSamples(rand);
    for (const input of [encodeXor(whole, 0, 1), encodeXor(whole, 0, whole.length)]) {
      for (let to = 0; to < input.length; to++) {
        const out = samples([5, 5]);
        assert.throws(() => decodeXor(input, 0, to, out), ChunkError);
        assert.equal(out.length, 1);
      }
    }
  }
});

test(`flipped bits give samples or a ChunkError, never more than announced (seed ${SEED})`, () => {
  const rand = seededRandom(SEED + 2);
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    const input = randomSamples(rand);
    const bytes = encodeXor(input, 0, input.length);
    for (let flips = 1 + rand() * 4; flips > 0; flips--) bytes[Math.floor(rand() * bytes.length)]! ^= 1 << Math.floor(rand() * 8);
    const out = new SampleBuffer(1);
    try {
      const count = decodeXor(bytes, 0, bytes.length, out);
      assert.ok(count === out.length && count <= MAX_CHUNK_SAMPLES);
      for (let i = 1; i < count; i++) assert.ok(out.times[i]! > out.times[i - 1]!);
    } catch (error) {
      if (!(error instanceof ChunkError)) throw error;
      refused++;
    }
  }
  assert.ok(refused > 100, `${refused} refused`);
});

test('a window that is wider than a value is refused', () => {
  const chunk = chunkOf('0002 00 0000000000000000 01', `11 11111 000000 ${'1'.repeat(64)}`);
  assert.throws(() => decodeXor(chunk, 0, chunk.length, new SampleBuffer()), ChunkError);
});

test('an encoding that holds no floats is named', () => {
  assert.throws(() => decodeChunk(ENCODING.HISTOGRAM, new Uint8Array(4), 0, 4, new SampleBuffer()), /chunk encoding 2 \(histogram\) can't be read/);
  assert.throws(() => decodeChunk(99, new Uint8Array(4), 0, 4, new SampleBuffer()), /chunk encoding 99 \(unknown\)/);
});

test('a chunk has bounds', () => {
  const long = new Uint8Array(MAX_CHUNK_BYTES + 1);
  assert.throws(() => decodeXor(long, 0, long.length, new SampleBuffer()), /too long/);
  assert.throws(() => decodeXor(new Uint8Array(3), 0, 4, new SampleBuffer()), ChunkError);
  assert.throws(() => chunkSampleCount(new Uint8Array(3), 2, 3), ChunkError);
});

test('most samples that a chunk can count', () => {
  const input = new SampleBuffer(MAX_CHUNK_SAMPLES);
  for (let i = 0; i < MAX_CHUNK_SAMPLES; i++) input.push(i * 1000, i);
  input.valueBits[2] = STALE_LOW;
  input.valueBits[3] = STALE_HIGH;
  const bytes = encodeXor(input, 0, input.length);
  const out = new SampleBuffer();
  assert.equal(decodeXor(bytes, 0, bytes.length, out), MAX_CHUNK_SAMPLES);
  assertSame(out, 0, input);
});
