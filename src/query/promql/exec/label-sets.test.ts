import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabelSets } from './label-sets.ts';

test('equal sets have one number, in the order in which they came', () => {
  const sets = new LabelSets();
  const all = [['a', '1'], ['a', '2'], [], ['a', '1', 'b', '2'], ['a', '1'], ['1', 'a'], []];
  assert.deepEqual(
    all.map((parts) => sets.add(parts)),
    [0, 1, 2, 3, 0, 4, 2],
  );
  assert.deepEqual(sets.at(3), ['a', '1', 'b', '2']);
});

test('only the first parts count', () => {
  const sets = new LabelSets();
  const parts = ['a', '1', 'left over'];
  assert.equal(sets.add(parts, 2), sets.add(['a', '1']));
  parts[1] = 'changed';
  assert.deepEqual(sets.at(0), ['a', '1']);
});

test('a look-up adds nothing', () => {
  const sets = new LabelSets();
  sets.add(['a', '1']);
  assert.deepEqual([sets.find(['a', '1']), sets.find(['a', '2']), sets.find(['1', 'a']), sets.size], [0, -1, -1, 1]);
});

test('many sets stay apart while the table grows', () => {
  const sets = new LabelSets();
  const parts = (i: number): string[] => ['instance', `host-${i % 500}`, 'job', `job-${Math.floor(i / 500)}`];
  for (let i = 0; i < 20_000; i++) assert.equal(sets.add(parts(i)), i);
  for (let i = 0; i < 20_000; i++) assert.equal(sets.find(parts(i)), i);
});
