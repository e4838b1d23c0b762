import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsFromObject } from '../../src/core/model/labels.ts';
import { decodeDiscovery, decodeSteps } from '../api/discovery.ts';
import {
  decodeDiscoveryFilter,
  encodeDiscoveryFilter,
  groupDiscovery,
  labelChanges,
  type DiscoveryFilter,
} from './discovery-filter.ts';

const ALL: DiscoveryFilter = { pool: '', state: 'all', search: '' };
const found = decodeDiscovery({
  activeTargets: [
    { scrapePool: 'a', discoveredLabels: { __address__: 'one:1' }, labels: { instance: 'one:1', zone: 'Eu' } },
    { scrapePool: 'b', discoveredLabels: { __address__: 'two:1' }, labels: { instance: 'two:1' } },
  ],
  droppedTargets: [{ scrapePool: 'a', discoveredLabels: { __address__: 'gone:1' } }],
  droppedTargetCounts: { a: 3, b: 0, c: 2, d: 0 },
});

/** A line a pool: name, active, dropped, forgotten, addresses that are shown. */
const shown = (filter: Partial<DiscoveryFilter>): string[] =>
  groupDiscovery(found, { ...ALL, ...filter }).map(
    ({ pool, activeCount, droppedCount, forgottenCount, targets }) =>
      `${pool} ${activeCount} ${droppedCount} ${forgottenCount} ${targets.map(({ discovered }) => discovered[1]).join()}`,
  );

// One row a filter.
const FILTERS: readonly (readonly [Partial<DiscoveryFilter>, readonly string[]])[] = [
  [{}, ['a 1 3 2 one:1,gone:1', 'b 1 0 0 two:1', 'c 0 2 2 ']],
  [{ state: 'dropped' }, ['a 1 3 2 gone:1', 'b 1 0 0 ', 'c 0 2 2 ']],
  [{ state: 'active' }, ['a 1 3 2 one:1', 'b 1 0 0 two:1', 'c 0 2 2 ']],
  [{ pool: 'a', search: 'zone=eu ONE' }, ['a 1 3 2 one:1']],
  [{ search: 'nothing' }, ['a 1 3 2 ', 'b 1 0 0 ', 'c 0 2 2 ']],
];
for (const [filter, want] of FILTERS) {
  test(`${JSON.stringify(filter)} shows`, () => assert.deepEqual(shown(filter), want));
  test(`${JSON.stringify(filter)} goes into the address and back`, () =>
    assert.deepEqual(decodeDiscoveryFilter(encodeDiscoveryFilter({ ...ALL, ...filter })), { ...ALL, ...filter }));
}

test('servers that do not count dropped targets, or have none', () => {
  assert.deepEqual(decodeDiscovery({ activeTargets: [], droppedTargets: null, droppedTargetCounts: null }), {
    targets: [],
    droppedCounts: new Map(),
  });
});

test('what a step changed', () => {
  const before = labelsFromObject({ a: '1', b: '2', c: '3' });
  const after = labelsFromObject({ b: '2', c: '4', d: '5' });
  assert.deepEqual(labelChanges(before, after), [
    { name: 'a', before: '1', after: null },
    { name: 'c', before: '3', after: '4' },
    { name: 'd', before: null, after: '5' },
  ]);
});

test('steps, with fields named as in the configuration', () => {
  const rule = { sourceLabels: ['a', 'b'], targetLabel: 'c', modulus: 4, action: 'hashmod' };
  assert.deepEqual(decodeSteps({ steps: [{ rule, output: { c: '1' }, keep: true }] }), [
    {
      rule: new Map([
        ['source_labels', '[a, b]'],
        ['target_label', 'c'],
        ['modulus', '4'],
        ['action', 'hashmod'],
      ]),
      output: ['c', '1'],
      keep: true,
    },
  ]);
});
