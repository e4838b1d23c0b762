import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from '../../../core/model/duration.ts';
import { secondsToMs } from './seconds.ts';

for (const text of ['1001ms', '1m1ms', '8y201d3h17m14s858ms', '292y']) {
  test(`${text} keeps its milliseconds`, () =>
    assert.equal(secondsToMs(parseDuration(text) / 1000), parseDuration(text)));
}

const cases = [
  [0.0019, 1],
  [-0.0019, -1],
  [0.0005, 0],
  [1.9999, 1999],
  [0, 0],
] as const;
for (const [seconds, want] of cases) {
  test(`${seconds} s is ${want} ms`, () => assert.equal(secondsToMs(seconds) + 0, want));
}
