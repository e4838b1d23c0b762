import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFloat } from '../../core/model/float.ts';
import { ByteWriter, PIECE_BYTES } from './byte-writer.ts';

function written(write: (out: ByteWriter) => void): string {
  const out = new ByteWriter();
  write(out);
  return Buffer.from(out.take()).toString();
}

const FLOATS = [
  0, -0, 1, -1, 9, 10, 99, 100, 12_345, 999_999_999, 1e9, 1_000_000_001, 123_456_789_012, 999_999_999_999_999, 1e15, 1e15 + 1, 2 ** 53, 1e20, 123_456_789_012_345_680_000,
  1e21, 1e22, 0.1, 0.2, 0.3, 0.1 + 0.2, 0.5, 1.5, -2.25, 0.001, 0.0015, 0.00099, 0.000001, 1e-7, 5e-324, 1.7976931348623157e308, 1 / 3, 1e14 + 0.5, 123_456.789, 0.123456789, 0.1234567891,
  99.9999999, 999_999.999, Number.NaN, Infinity, -Infinity, 4.35, 2.675, 1.005, 8.41, 1_234_567.891_234_5,
];
test('floats are written as formatFloat prints them', () => {
  for (const value of FLOATS) assert.equal(written((out) => out.float(value)), formatFloat(value));
});

test('so are random floats of all kinds', () => {
  let seed = 4711;
  const random = (): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return seed / 2 ** 32;
  };
  const bits = new DataView(new ArrayBuffer(8));
  const values: number[] = [];
  for (let i = 0; i < 50_000; i++) {
    const digits = Math.floor(random() * 12);
    bits.setUint32(0, random() * 2 ** 32);
    bits.setUint32(4, random() * 2 ** 32);
    const decimal = Math.round(random() * 10 ** Math.floor(random() * 16)) / 10 ** digits;
    values.push(decimal, -decimal, bits.getFloat64(0));
  }
  const lines = written((out) => {
    for (const value of values) {
      out.float(value);
      out.byte(0x0a);
    }
  }).split('\n');
  for (const [i, value] of values.entries()) assert.equal(lines[i], formatFloat(value), `seed 4711, value ${i}`);
});

const TIMES: readonly (readonly [number, string])[] = [
  [0, '0'],
  [1, '0.001'],
  [10, '0.010'],
  [500, '0.500'],
  [1000, '1'],
  [-1500, '-1.500'],
  [1_795_423_207_082, '1795423207.082'],
  [8_640_000_000_000_000, '8640000000000'],
  [8_639_999_999_999_999, '8639999999999.999'],
];
test('times are seconds without a fraction or with three decimals', () => {
  for (const [ms, want] of TIMES) assert.equal(written((out) => out.timestamp(ms)), want);
});

test('a text larger than a piece is written whole', () => {
  const text = 'é'.repeat(PIECE_BYTES);
  assert.equal(written((out) => out.text(text)), text);
});
