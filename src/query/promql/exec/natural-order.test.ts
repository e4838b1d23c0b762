import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareNatural } from './natural-order.ts';

test('numbers inside names count as numbers', () => {
  const names = ['disk10', 'disk2', 'disk', 'cpu1', 'disk2a', '10', '9', 'disk02'];
  assert.deepEqual(names.sort(compareNatural), ['9', '10', 'cpu1', 'disk', 'disk2', 'disk02', 'disk2a', 'disk10']);
});
