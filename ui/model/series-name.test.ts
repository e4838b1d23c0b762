import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsFromObject } from '../../src/core/model/labels.ts';
import { distinguishingLabels, seriesName, shortSeriesName } from './series-name.ts';

const sets = (...objects: Record<string, string>[]) => objects.map((object) => labelsFromObject(object));

function shortNames(...objects: Record<string, string>[]): string[] {
  const all = sets(...objects);
  const distinguishing = distinguishingLabels(all);
  return all.map((labels) => shortSeriesName(labels, distinguishing, 'the query'));
}

test('a series is named as PromQL writes it', () => {
  const [labels] = sets({ __name__: 'up', job: 'a "b"\n' });
  assert.equal(seriesName(labels!, 'x'), 'up{job="a \\"b\\"\\n"}');
});

test('a series without labels is named by its query', () => {
  assert.equal(seriesName([], 'sum(up)'), 'sum(up)');
});

test('labels that all series share are left out', () => {
  assert.deepEqual(shortNames({ __name__: 'up', job: 'a', env: 'x' }, { __name__: 'up', job: 'b', env: 'x' }), [
    '{job="a"}',
    '{job="b"}',
  ]);
});

test('a label that only some have tells them apart', () => {
  assert.deepEqual(shortNames({ __name__: 'up', job: 'a' }, { __name__: 'up', job: 'a', env: 'x' }), [
    'up',
    '{env="x"}',
  ]);
});

test('a single series keeps its whole name', () => {
  assert.deepEqual(shortNames({ __name__: 'up', job: 'a' }), ['up{job="a"}']);
});

test('markup in a label value stays text', () => {
  assert.deepEqual(shortNames({ a: '<img src=x onerror=alert(1)>' }), ['{a="<img src=x onerror=alert(1)>"}']);
});
