import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAgo, formatClock, formatDateTime, formatTimeTick, parseDateTime } from './zone.ts';

const AT_MS = Date.UTC(2026, 10, 23, 9, 8, 7);
const DAY_MS = 86_400_000;

test('times are written on a 24-hour clock', () => {
  assert.equal(formatDateTime(AT_MS, 'utc'), '2026-11-23 09:08:07');
  assert.equal(formatClock(Date.UTC(2026, 0, 1, 23, 59, 59), 'utc'), '23:59:59');
  assert.equal(formatClock(Date.UTC(2026, 0, 1), 'utc'), '00:00:00');
});

test('ticks are no finer than their distance, and midnight shows the date', () => {
  assert.equal(formatTimeTick(AT_MS, 5000, 'utc'), '09:08:07');
  assert.equal(formatTimeTick(AT_MS, 60_000, 'utc'), '09:08');
  assert.equal(formatTimeTick(Date.UTC(2026, 10, 23), 60_000, 'utc'), '11-23');
  assert.equal(formatTimeTick(AT_MS, DAY_MS, 'utc'), '11-23');
  assert.equal(formatTimeTick(AT_MS, 366 * DAY_MS, 'utc'), '2026');
});

const texts: readonly (readonly [string, number | undefined])[] = [
  ['2026-11-23 09:08:07', AT_MS],
  ['2026-11-23T09:08:07', AT_MS],
  [' 2026-11-23 09:08 ', AT_MS - 7000],
  ['2026-11-23', Date.UTC(2026, 10, 23)],
  ['2028-02-29', Date.UTC(2028, 1, 29)],
  ['2026-02-29', undefined],
  ['2026-13-01', undefined],
  ['2026-00-01', undefined],
  ['2026-11-23 24:00', undefined],
  ['2026-11-23 09:60', undefined],
  ['now', undefined],
  ['', undefined],
  ['1700000000', undefined],
];
for (const [text, want] of texts) {
  test(`${JSON.stringify(text)} is ${want === undefined ? 'no time' : new Date(want).toISOString()}`, () => {
    assert.equal(parseDateTime(text, 'utc'), want);
  });
}

test('what is written in the local zone is read back', () => {
  assert.equal(parseDateTime(formatDateTime(AT_MS, 'local'), 'local'), AT_MS);
});

const ages: readonly (readonly [number, string])[] = [
  [0, 'just now'],
  [400, 'just now'],
  [3000, '3s ago'],
  [119_000, '119s ago'],
  [120_000, '2m ago'],
  [7_200_000, '2h ago'],
  [3 * DAY_MS, '3d ago'],
  [-4000, 'in 4s'],
];
for (const [ageMs, want] of ages)
  test(`${ageMs} ms ago reads ${want}`, () => assert.equal(formatAgo(AT_MS - ageMs, AT_MS), want));
