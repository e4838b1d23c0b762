import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatLabels, labelsFromObject, type Labels } from '../../../core/model/labels.ts';
import { GroupIndex, groupSeries } from './group-index.ts';

const SERIES: readonly Labels[] = [
  { __name__: 'x', a: '1', b: '2' },
  { __name__: 'y', a: '1', b: '2' },
  { __name__: 'x', a: '1' },
  { __name__: 'x', b: '2' },
  { __name__: 'x', a: '12' },
  { __name__: 'x', a: '1', b: '2', c: '' },
].map(labelsFromObject);

// `by` or `without`, names, groups of the series above, labels of the groups.
const cases = [
  ['by', ['a'], [0, 0, 0, 1, 2, 0], ['{a="1"}', '{}', '{a="12"}']],
  ['by', ['b', 'a'], [0, 0, 1, 2, 3, 0], ['{a="1", b="2"}', '{a="1"}', '{b="2"}', '{a="12"}']],
  ['by', [], [0, 0, 0, 0, 0, 0], ['{}']],
  ['by', ['missing'], [0, 0, 0, 0, 0, 0], ['{}']],
  ['by', ['__name__'], [0, 1, 0, 0, 0, 0], ['x', 'y']],
  ['without', ['a'], [0, 0, 1, 0, 1, 0], ['{b="2"}', '{}']],
  ['without', [], [0, 0, 1, 2, 3, 0], ['{a="1", b="2"}', '{a="1"}', '{b="2"}', '{a="12"}']],
] as const;
for (const [word, names, groups, labels] of cases) {
  test(`${word} (${names.join(', ')})`, () => {
    const index = new GroupIndex(word === 'by', names);
    assert.deepEqual([...groupSeries(index, SERIES.length, (series) => SERIES[series]!)], groups);
    assert.deepEqual(
      Array.from({ length: index.groupCount }, (_, group) => formatLabels(index.labels(group))),
      labels,
    );
  });
}

test('a look-up makes no group', () => {
  const index = new GroupIndex(true, ['a', 'b']);
  index.groupOf(SERIES[0]!);
  assert.equal(index.find(SERIES[1]!), 0);
  assert.equal(index.find(SERIES[2]!), -1);
  assert.equal(index.groupCount, 1);
});

test('the ends of names and values are told apart', () => {
  const index = new GroupIndex(false, []);
  assert.notEqual(index.groupOf(['a', 'ab', 'b', 'c']), index.groupOf(['a', 'a', 'bb', 'c']));
});
