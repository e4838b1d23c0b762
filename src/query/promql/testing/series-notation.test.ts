import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatLabels } from '../../../core/model/labels.ts';
import { formatHistogram } from '../functions/histogram-text.ts';
import { MAX_REPETITIONS, NotationError, parsePoints, parseScalar, takeSeries } from './series-notation.ts';

const show = (text: string): string =>
  parsePoints(text)
    .map((point) => (point === null ? '_' : typeof point === 'object' ? formatHistogram(point) : String(point)))
    .join(' ');

const points = [
  ['1 -2 +3 1e3 .5', '1 -2 3 1000 0.5'],
  ['1+2x3', '1 3 5 7'],
  ['1-2x2', '1 -1 -3'],
  ['-1+0.5x2', '-1 -0.5 0'],
  ['7x2', '7 7 7'],
  ['0x2', '0 0 0'],
  ['1e+2+1x1', '100 101'],
  ['_ 1 _x3', '_ 1 _ _ _'],
  ['stale NaN Inf -Inf', 'stale NaN Infinity -Infinity'],
  ['{{count:2 sum:3 buckets:[1 1]}}x1', '{count:2, sum:3, (0.5,1]:1, (1,2]:1} {count:2, sum:3, (0.5,1]:1, (1,2]:1}'],
  ['{{count:1}}+{{count:2}}x2', '{count:1, sum:0} {count:3, sum:0} {count:5, sum:0}'],
  ['{{count:5}}-{{count:2}}x1', '{count:5, sum:0} {count:3, sum:0}'],
] as const;
for (const [text, want] of points) test(text, () => assert.equal(show(text), want));

const series = [
  ['x 1', 'x', ' 1'],
  ['x{a="b",c=\'d\'} 1', 'x{a="b", c="d"}', ' 1'],
  ['{"a.b", "x y"="z"} 1', '{"a.b", "x y"="z"}', ' 1'],
  ['{} {{count:1}}', '{}', ' {{count:1}}'],
  ['x {{count:1}}', 'x', ' {{count:1}}'],
  ['x{a="1"}@st _ 1s', 'x{a="1"}', '@st _ 1s'],
] as const;
for (const [text, labels, rest] of series) {
  test(text, () => {
    const taken = takeSeries(text);
    assert.deepEqual([formatLabels(taken.labels), taken.rest], [labels, rest]);
  });
}

for (const text of ['1+2', 'x', '1++2x3', '1x', `1x${MAX_REPETITIONS + 1}`, '{{schema:abc}}']) {
  test(`no points: ${text}`, () => assert.throws(() => parsePoints(text), NotationError));
}
for (const text of ['x{a} 1', 'x{a="b" 1', '1 2', '']) {
  test(`no series: ${text}`, () => assert.throws(() => takeSeries(text), NotationError));
}

test('a scalar is one number alone', () => {
  assert.equal(parseScalar('-0.5'), -0.5);
  assert.equal(parseScalar('1x2'), undefined);
  assert.equal(parseScalar('x'), undefined);
});
