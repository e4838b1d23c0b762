import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../test/kernels.ts';
import { multikeySort } from './multikey-sort.ts';

const SEED = 20261201;

/** Strings in the order of their bytes; key pieces are one byte and a mark that it is there. */
function sorted(strings: readonly string[]): string[] {
  const bytes = strings.map((text) => Buffer.from(text));
  const items = Uint32Array.from(strings, (_, i) => i);
  multikeySort(items, (item, depth) => (depth < bytes[item]!.length ? bytes[item]![depth]! + 1 : 0));
  return Array.from(items, (item) => strings[item]!);
}

const cases: [string, string[]][] = [
  ['nothing', []],
  ['one', ['a']],
  ['prefixes come first', ['abc', '', 'ab', 'a', 'abd', 'b']],
  ['a zero byte is more than an end', ['a\0', 'a', 'a\0\0', 'b']],
  ['equal ones stay together', Array.from({ length: 50 }, (_, i) => ['x', 'y', ''][i % 3]!)],
  ['already in order', Array.from({ length: 100 }, (_, i) => String(i).padStart(3, '0'))],
  ['in reverse', Array.from({ length: 100 }, (_, i) => String(999 - i))],
];
for (const [claim, strings] of cases) {
  test(`sorted by pieces: ${claim}`, () => {
    assert.deepEqual(sorted(strings), [...strings].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  });
}

test(`random strings with long common beginnings (seed ${SEED})`, () => {
  const random = seededRandom(SEED);
  for (let round = 0; round < 50; round++) {
    const strings = Array.from({ length: Math.floor(random() * 300) }, () => {
      const prefix = 'pod-'.repeat(Math.floor(random() * 4));
      return prefix + String(Math.floor(random() * 1000));
    });
    assert.deepEqual(sorted(strings), [...strings].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  }
});

test('keys of a hundred thousand pieces do not exhaust the stack', () => {
  const long = 'x'.repeat(100_000);
  const strings = Array.from({ length: 20 }, (_, i) => long + String.fromCharCode(97 + 19 - i));
  assert.deepEqual(sorted(strings), [...strings].reverse());
});
