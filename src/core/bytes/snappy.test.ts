import assert from 'node:assert/strict';
import { test } from 'node:test';
import oracle from 'snappyjs';
import { createSnappyKernel, seededRandom } from '../../../test/kernels.ts';
import { snappyDecode, snappyDecodedLength, SnappyEncoder, SnappyError, snappyMaxEncodedLength } from './snappy.ts';

const MAX = 1 << 24;
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const text = new TextEncoder();

/** Inputs that repeat near and far, and not at all. */
function inputs(seed: number): Uint8Array[] {
  const random = seededRandom(seed);
  const sizes = [0, 1, 3, 4, 15, 16, 17, 59, 60, 61, 62, 255, 256, 257, 4096, 65_535, 65_536, 65_537, 200_000];
  return sizes.flatMap((size) =>
    [0, 0.02, 0.3, 1].map((noise) => Uint8Array.from({ length: size }, (_, i) => (random() < noise ? random() * 256 : (i % 23) * ((i >> 12) + 1)))),
  );
}

for (const [name, encoder] of [['TypeScript', new SnappyEncoder()], ['WebAssembly', createSnappyKernel()]] as const) test(`${name}: what is encoded comes back, and a second implementation reads it`, () => {
  for (const input of inputs(1)) {
    const block = encoder.encode(input);
    assert.ok(block.length <= snappyMaxEncodedLength(input.length));
    assert.equal(snappyDecodedLength(block, MAX), input.length);
    assert.deepEqual(snappyDecode(block, MAX), input);
    assert.deepEqual(new Uint8Array(oracle.uncompress(block)), input);
    assert.deepEqual(snappyDecode(oracle.compress(input), MAX), input);
  }
});

test('what repeats gets smaller', () => {
  assert.ok(new SnappyEncoder().encode(new Uint8Array(100_000)).length < 5000);
  assert.ok(new SnappyEncoder().encode(text.encode('http_requests_total'.repeat(100))).length < 200);
});

test('a buffer of the caller is used as far as needed and not behind', () => {
  const input = text.encode('abcdefgh'.repeat(100));
  const out = new Uint8Array(input.length + 100).fill(7);
  const got = snappyDecode(new SnappyEncoder().encode(input), MAX, out);
  assert.equal(got.buffer, out.buffer);
  assert.deepEqual(got, input);
  assert.ok(out.subarray(input.length).every((byte) => byte === 7));
});

// By the format's description: a length, then elements.
const blocks: [string, string, string][] = [
  ['a literal', '03 08 616263', 'abc'],
  ['a literal with its length in one byte', '03 f0 02 616263', 'abc'],
  ['a literal with its length in four bytes', '03 fc 02000000 616263', 'abc'],
  ['a copy with an offset of 11 bits', '07 08 616263 01 03', 'abcabca'],
  ['a copy with an offset of 16 bits', '06 08 616263 0a 0300', 'abcabc'],
  ['a copy with an offset of 32 bits', '06 08 616263 0b 03000000', 'abcabc'],
  ['a copy that repeats one byte', '0a 00 61 22 0100', 'aaaaaaaaaa'],
];
for (const [claim, block, want] of blocks) {
  test(`${claim} is read`, () => assert.equal(Buffer.from(snappyDecode(bytes(block), MAX)).toString(), want));
}

const faults: [string, string, RegExp][] = [
  ['nothing', '', /no length/],
  ['a length that does not end', 'ff ff ff ff ff ff', /no length/],
  ['more than allowed', '81 80 80 08 00', /decoded block is 16777217 bytes, more than 16777216/],
  ['more than the bytes can hold', '80 80 80 04 00 61', /6 bytes can't hold 8388608/],
  ['a literal that is cut', '03 08 6162', /literal is too long/],
  ['a literal longer than announced', '02 08 616263', /literal is too long/],
  ['a cut literal length', '03 f4 02', /literal length is cut/],
  ['a copy from before the block', '06 08 616263 0a 0400', /copy outside/],
  ['a copy from nowhere', '06 08 616263 0a 0000', /copy outside/],
  ['a copy longer than announced', '05 08 616263 0a 0300', /copy outside/],
  ['a cut copy', '06 08 616263 0a 03', /copy outside/],
  ['less than announced', '07 08 616263', /3 bytes of 7/],
];
for (const [claim, block, want] of faults) {
  test(`${claim} is refused`, () => {
    assert.throws(() => snappyDecode(bytes(block), MAX), (error) => error instanceof SnappyError && want.test(error.message));
  });
}

test('flipped bits and cuts are refused or give as many bytes as announced (seed 2)', () => {
  const random = seededRandom(2);
  const encoder = new SnappyEncoder();
  for (const input of inputs(3).filter((each) => each.length < 5000)) {
    const block = encoder.encode(input).slice();
    for (let round = 0; round < 40; round++) {
      const damaged = block.slice(0, round % 2 === 0 ? block.length : Math.floor(random() * block.length));
      if (damaged.length > 0) damaged[Math.floor(random() * damaged.length)]! ^= 1 << Math.floor(random() * 8);
      try {
        const got = snappyDecode(damaged, MAX);
        assert.equal(got.length, snappyDecodedLength(damaged, MAX));
      } catch (error) {
        assert.ok(error instanceof SnappyError, String(error));
      }
    }
  }
});
