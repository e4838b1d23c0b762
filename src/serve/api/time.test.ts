import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTime, MAX_TIME_MS, MIN_TIME_MS, parseDurationParam, parseTime } from './time.ts';

// One row a text: milliseconds, or null for a refused one.
const TIMES: readonly (readonly [string, number | null])[] = [
  ['0', 0],
  ['1.57', 1570],
  ['.5', 500],
  ['5.', 5000],
  ['+1', 1000],
  ['1e3', 1_000_000],
  ['1.0005', 1000],
  ['1.0015', 1002],
  ['-1.5555', -1556],
  ['1795423207.0829', 1_795_423_207_083],
  ['2015-07-01T20:10:30Z', 1_435_781_430_000],
  ['2015-07-01T20:10:30.7819Z', 1_435_781_430_781],
  ['2015-07-01T22:10:30.5+02:00', 1_435_781_430_500],
  ['2015-07-01T18:40:30-01:30', 1_435_781_430_000],
  ['2016-02-29T00:00:00Z', 1_456_704_000_000],
  ['0001-01-01T00:00:00Z', -62_135_596_800_000],
  ['-292273086-05-16T16:47:06Z', MIN_TIME_MS],
  ['292277025-08-18T07:12:54.999999999Z', MAX_TIME_MS],
  ['', null],
  [' 1', null],
  ['1 ', null],
  ['0x10', null],
  ['1e400', null],
  ['8640000000001', null],
  ['-8640000000001', null],
  ['NaN', null],
  ['Inf', null],
  ['2015-07-01', null],
  ['2015-02-29T00:00:00Z', null],
  ['2015-07-01T24:00:00Z', null],
  ['2015-07-01T20:60:00Z', null],
  ['2015-07-01T20:10:60Z', null],
  ['2015-07-01T20:10:30', null],
  ['2015-07-01T20:10:30+0200', null],
  ['2015-07-01T20:10:30+25:00', null],
];
for (const [text, want] of TIMES) {
  test(`the time "${text}" is ${want ?? 'refused'}`, () => {
    if (want === null) assert.throws(() => parseTime(text), { name: 'ApiError', message: `cannot parse "${text}" to a valid timestamp` });
    else assert.equal(parseTime(text), want);
  });
}

const DURATIONS: readonly (readonly [string, number | string])[] = [
  ['5', 5000],
  ['0.5', 500],
  ['0.0001', 0.1],
  ['-5', -5000],
  ['1e3', 1_000_000],
  ['9e9', 9e12],
  ['NaN', 0],
  ['1h30m', 5_400_000],
  ['1d2h', 93_600_000],
  ['0', 0],
  ['Inf', 'cannot parse "Inf" to a valid duration. It overflows int64'],
  ['1e10', 'cannot parse "1e10" to a valid duration. It overflows int64'],
  ['1e400', 'cannot parse "1e400" to a valid duration'],
  ['', 'cannot parse "" to a valid duration'],
  ['1.5h', 'cannot parse "1.5h" to a valid duration'],
  ['1h1h', 'cannot parse "1h1h" to a valid duration'],
  ['300y', 'cannot parse "300y" to a valid duration'],
];
for (const [text, want] of DURATIONS) {
  test(`the duration "${text}" is ${want}`, () => {
    if (typeof want === 'string') assert.throws(() => parseDurationParam(text), { name: 'ApiError', message: want });
    else assert.equal(parseDurationParam(text), want);
  });
}

test('times are printed without trailing zeros', () => {
  assert.equal(formatTime(0), '0001-01-01T00:00:00Z');
  assert.equal(formatTime(1_795_423_207_000), '2026-11-23T08:40:07Z');
  assert.equal(formatTime(1_795_423_207_080), '2026-11-23T08:40:07.08Z');
  assert.equal(formatTime(1_795_423_210_000), '2026-11-23T08:40:10Z');
});
