import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pointFunction } from './point-functions.ts';

const call = (name: string, x: number, a = 0, b = 0): number => pointFunction(name)!(x, a, b, 0);

test('calendar parts are those of Date, leap years and negative times included', () => {
  const startOfYear = (date: Date): number => Date.UTC(date.getUTCFullYear(), 0, 1);
  for (let seconds = -58_000_000_000; seconds < 70_000_000_000; seconds += 86_400 * 97 + 12_345) {
    const date = new Date(seconds * 1000);
    assert.equal(call('year', seconds), date.getUTCFullYear(), String(seconds));
    assert.equal(call('month', seconds), date.getUTCMonth() + 1);
    assert.equal(call('day_of_month', seconds), date.getUTCDate());
    assert.equal(call('day_of_week', seconds), date.getUTCDay());
    assert.equal(call('hour', seconds), date.getUTCHours());
    assert.equal(call('minute', seconds), date.getUTCMinutes());
    assert.equal(call('day_of_year', seconds), Math.floor((date.getTime() - startOfYear(date)) / 86_400_000) + 1);
    assert.equal(
      call('days_in_month', seconds),
      new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate(),
    );
  }
});

// Function, value, arguments, result.
const cases = [
  ['year', Number.NaN, 0, 0, 292_277_026_596],
  ['hour', Infinity, 0, 0, 15],
  ['round', -2.5, 1, 0, -2],
  ['round', 5.25, 0.1, 0, 5.3],
  ['sgn', -3, 0, 0, -1],
  ['sgn', Number.NaN, 0, 0, Number.NaN],
  ['clamp', 5, 1, 3, 3],
  ['clamp', Number.NaN, 1, 3, Number.NaN],
  ['clamp', Number.NaN, Infinity, Infinity, Infinity],
  ['clamp_min', -1, 0, 0, 0],
  ['clamp_max', 7, 2, 0, 2],
  ['ln', -1, 0, 0, Number.NaN],
  ['log2', 0, 0, 0, -Infinity],
  ['deg', Math.PI, 0, 0, 180],
] as const;
for (const [name, x, a, b, want] of cases) {
  test(`${name}(${x}, ${a}, ${b})`, () => assert.equal(call(name, x, a, b), want));
}
