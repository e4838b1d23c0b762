import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatGoDuration } from './go-duration.ts';

const cases: readonly (readonly [number, string])[] = [
  [0, '0s'],
  [0.000001, '1ns'],
  [0.0005, '500ns'],
  [0.410966, '410.966µs'],
  [1, '1ms'],
  [3.958308, '3.958308ms'],
  [999.999999, '999.999999ms'],
  [1000, '1s'],
  [1001, '1.001s'],
  [78_171, '1m18.171s'],
  [3_120_001, '52m0.001s'],
  [7_140_001, '1h59m0.001s'],
  [7_200_000, '2h0m0s'],
  [31 * 86_400_000, '744h0m0s'],
  [-1500, '-1.5s'],
  [8_640_000_000_000_001, '2400000000h0m0.001s'],
];
for (const [ms, want] of cases) test(`Go duration: ${want}`, () => assert.equal(formatGoDuration(ms), want));
