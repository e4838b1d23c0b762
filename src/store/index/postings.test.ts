import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../test/kernels.ts';
import { gallop, intersect, intersects, union, without } from './postings.ts';

const SEED = 20261123;
const list = (...refs: number[]): Uint32Array => Uint32Array.from(refs);
const words = (text: string): Uint32Array => Uint32Array.from(text.split(' ').filter((word) => word !== ''), Number);

const intersections: [string, string[], string][] = [
  ['of nothing', [], ''],
  ['of one list', ['1 5 9'], '1 5 9'],
  ['of two', ['1 2 3 7', '2 3 4 7 9'], '2 3 7'],
  ['of three', ['1 2 3', '2 3', '3 4'], '3'],
  ['with an empty one', ['1 2 3', ''], ''],
  ['of strangers', ['1 3 5', '2 4 6'], ''],
  ['at both ends of the numbers', ['0 4294967295', '0 7 4294967295'], '0 4294967295'],
];
for (const [claim, lists, want] of intersections) test(`the intersection ${claim}`, () => assert.deepEqual(intersect(lists.map(words)), words(want)));

const unions: [string, string[], string][] = [
  ['of nothing', [], ''],
  ['of one list', ['1 5'], '1 5'],
  ['of several, some empty', ['1 5', '', '2 5 9', '0'], '0 1 2 5 9'],
];
for (const [claim, lists, want] of unions) test(`the union ${claim}`, () => assert.deepEqual(union(lists.map(words)), words(want)));

const differences: [string, string, string, string][] = [
  ['of nothing', '', '1', ''],
  ['without nothing', '1 2', '', '1 2'],
  ['without some', '1 2 3 9', '2 4 9', '1 3'],
  ['without all', '1 2', '0 1 2 3', ''],
];
for (const [claim, from, dropped, want] of differences) test(`the difference ${claim}`, () => assert.deepEqual(without(words(from), words(dropped)), words(want)));

test('galloping finds the first that is not below', () => {
  const numbers = list(2, 4, 6, 8, 10, 12, 14, 16, 18);
  for (let from = 0; from <= numbers.length; from++) {
    for (let ref = 0; ref < 20; ref++) {
      let want = from;
      while (want < numbers.length && numbers[want]! < ref) want++;
      assert.equal(gallop(numbers, from, ref), want, `${ref} from ${from}`);
    }
  }
});

test(`sets agree with plain ones (seed ${SEED})`, () => {
  const random = seededRandom(SEED);
  for (let round = 0; round < 500; round++) {
    const lists = Array.from({ length: 1 + Math.floor(random() * 5) }, () => {
      const density = random() ** 3;
      return Array.from({ length: 300 }, (_, i) => i).filter(() => random() < density);
    });
    const sets = lists.map((each) => new Set(each));
    const arrays = lists.map((each) => Uint32Array.from(each));
    const all = [...new Set(lists.flat())].sort((a, b) => a - b);
    assert.deepEqual([...union(arrays)], all);
    assert.deepEqual([...intersect(arrays)], all.filter((ref) => sets.every((set) => set.has(ref))));
    assert.deepEqual([...without(arrays[0]!, arrays.at(-1)!)], lists[0]!.filter((ref) => !sets.at(-1)!.has(ref)));
    assert.equal(intersects(arrays[0]!, arrays.at(-1)!), lists[0]!.some((ref) => sets.at(-1)!.has(ref)));
  }
});
