import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCount, formatTick, formatValue, splitValue, tickIncrements, type Unit } from './unit.ts';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ').replaceAll('\u202f', '_');

// One row a case: value, unit, what people read.
const values: readonly (readonly [number, Unit, string])[] = [
  [0, 'none', '0'],
  [1, 'none', '1'],
  [-1, 'none', '-1'],
  [12.345, 'none', '12.3'],
  [999, 'none', '999'],
  [999.7, 'none', '1k'],
  [1234, 'none', '1.23k'],
  [12_345_678, 'none', '12.3M'],
  [0.01234, 'none', '0.0123'],
  [0.000_012_3, 'none', '1.23e-5'],
  [5e20, 'none', '500E'],
  [1e21, 'none', '1e21'],
  [-1.25e30, 'none', '-1.25e30'],
  [Number.NaN, 'none', 'NaN'],
  [Number.POSITIVE_INFINITY, 'bytes', '+Inf'],
  [Number.NEGATIVE_INFINITY, 'seconds', '-Inf'],
  [0, 'bytes', '0 B'],
  [1023, 'bytes', '1023 B'],
  [1023.6, 'bytes', '1 KiB'],
  [1536, 'bytes', '1.5 KiB'],
  [-1536, 'bytes', '-1.5 KiB'],
  [7.8 * 2 ** 30, 'bytes', '7.8 GiB'],
  [2 ** 20, 'bytes/s', '1 MiB/s'],
  [0, 'percent', '0 %'],
  [0.04, 'percent', '0 %'],
  [12.34, 'percent', '12.3 %'],
  [100, 'percent', '100 %'],
  [0, 'seconds', '0 s'],
  [0.000_000_5, 'seconds', '500 ns'],
  [0.0139, 'seconds', '13.9 ms'],
  [0.9999, 'seconds', '1 s'],
  [90, 'seconds', '1.5 min'],
  [7200, 'seconds', '2 h'],
  [200_000, 'seconds', '2.31 d'],
  [189, 'per-second', '189 /s'],
  [123_456, 'per-second', '123k /s'],
];
for (const [value, unit, want] of values) {
  test(`${value} as ${unit} reads ${want}`, () => assert.equal(plain(formatValue(value, unit)), want));
}

// Value, distance between ticks, unit, label.
const ticks: readonly (readonly [number, number, Unit, string])[] = [
  [0, 0.2, 'none', '0'],
  [0.25, 0.25, 'none', '0.25'],
  [0.5, 0.25, 'none', '0.5'],
  [0.2, 0.2, 'none', '0.2'],
  [0.30000000000000004, 0.1, 'none', '0.3'],
  [2.5, 2.5, 'none', '2.5'],
  [5, 2.5, 'none', '5'],
  [1500, 500, 'none', '1.5k'],
  [1_000_000, 250_000, 'none', '1M'],
  [1_250_000, 250_000, 'none', '1.25M'],
  [0.000_02, 0.000_01, 'none', '2e-5'],
  [512, 512, 'bytes', '512 B'],
  [3 * 2 ** 29, 2 ** 29, 'bytes', '1.5 GiB'],
  [2 ** 20, 2 ** 20, 'bytes/s', '1 MiB/s'],
  [0, 25, 'percent', '0 %'],
  [75, 25, 'percent', '75 %'],
  [0.01, 0.005, 'seconds', '10 ms'],
  [0.0025, 0.0025, 'seconds', '2.5 ms'],
  [-0.2, 0.1, 'none', '-0.2'],
];
for (const [value, increment, unit, want] of ticks) {
  test(`a tick at ${value}, ${increment} apart, as ${unit} reads ${want}`, () => {
    assert.equal(plain(formatTick(value, increment, unit)), want);
  });
}

test('neighbouring ticks never read the same', () => {
  for (const unit of ['none', 'bytes', 'seconds', 'percent', 'per-second'] as const) {
    for (const increment of [0.0001, 0.00025, 0.001, 0.02, 0.25, 0.5, 1, 2.5, 20, 250, 5000]) {
      const labels = Array.from({ length: 8 }, (_, i) => formatTick(increment * (i + 1), increment, unit));
      assert.equal(new Set(labels).size, labels.length, `${unit} ${increment}: ${labels.join(' ')}`);
    }
  }
});

test('number and unit come apart for headlines', () => {
  assert.deepEqual(splitValue(1536, 'bytes'), { number: '1.5', suffix: 'KiB' });
  assert.deepEqual(splitValue(2500, 'per-second'), { number: '2.5k', suffix: '/s' });
});

test('bytes have ticks at powers of two', () => {
  assert.deepEqual(tickIncrements('bytes')?.slice(0, 4), [1, 2, 4, 8]);
  assert.equal(tickIncrements('none'), undefined);
});

test('counts have groups of three', () => {
  assert.equal(plain(formatCount(0)), '0');
  assert.equal(plain(formatCount(999)), '999');
  assert.equal(plain(formatCount(1000)), '1_000');
  assert.equal(plain(formatCount(12_345_678)), '12_345_678');
});
