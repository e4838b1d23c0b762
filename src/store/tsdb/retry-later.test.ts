import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetryLater } from './retry-later.ts';
import { ManualClock } from './_store-fixtures.ts';

test('after each failure it waits twice as long, up to ten minutes, and after a success not at all', async () => {
  const clock = new ManualClock();
  const waits: number[] = [];
  const retry = new RetryLater({ clock, isExpected: () => true, onFailure: ({ retryInMs }) => waits.push(retryInMs / 60_000) });
  const fail = (): Promise<void> => Promise.reject(new Error('no room'));
  let tries = 0;
  for (let minute = 0; minute < 40; minute++, clock.ms += 60_000) {
    await retry.attempt(() => {
      tries++;
      return fail();
    });
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 10, 10, 10]);
  assert.equal(tries, waits.length);
  assert.equal(retry.lastFailure, 'no room');
  clock.ms += 600_000;
  assert.equal(await retry.attempt(() => Promise.resolve()), true);
  assert.equal(retry.lastFailure, '');
  assert.equal(await retry.attempt(fail), false);
  assert.equal(waits.at(-1), 1);
});

test('a mistake of ours is not tried again', async () => {
  const retry = new RetryLater({ clock: new ManualClock(), isExpected: () => false, onFailure: () => assert.fail() });
  await assert.rejects(retry.attempt(() => Promise.reject(new TypeError('x is undefined'))), TypeError);
  assert.equal(await retry.attempt(() => Promise.resolve()), true);
});
