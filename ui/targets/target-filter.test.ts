import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsFromObject } from '../../src/core/model/labels.ts';
import type { Health, Target } from '../api/targets.ts';
import { countByHealth, decodeFilter, encodeFilter, groupTargets, type TargetFilter } from './target-filter.ts';

function target(pool: string, host: string, health: Health, lastError = ''): Target {
  return {
    pool,
    labels: labelsFromObject({ job: pool, instance: host }),
    discoveredLabels: [],
    scrapeUrl: `http://${host}/metrics`,
    globalUrl: `http://${host}/metrics`,
    lastError,
    lastScrapeMs: 1,
    lastScrapeDurationMs: 1,
    health,
    scrapeInterval: '15s',
    scrapeTimeout: '10s',
  };
}

const TARGETS = [
  target('node', 'alpha:1', 'up'),
  target('node', 'beta:1', 'down', 'Connection REFUSED'),
  target('node', 'gamma:1', 'unknown'),
  target('web', 'alpha:2', 'up'),
];
const ALL: TargetFilter = { pool: '', health: 'all', search: '' };

function shown(filter: Partial<TargetFilter>): string {
  return groupTargets(TARGETS, { ...ALL, ...filter })
    .map(({ pool, targets, upCount, totalCount }) => {
      const hosts = targets.map(({ scrapeUrl }) => new URL(scrapeUrl).host).join(' ');
      return `${pool} ${upCount}/${totalCount}: ${hosts}`;
    })
    .join('; ');
}

const cases: readonly (readonly [string, Partial<TargetFilter>, string])[] = [
  ['failing targets come first', {}, 'node 1/3: beta:1 gamma:1 alpha:1; web 1/1: alpha:2'],
  ['one pool', { pool: 'web' }, 'web 1/1: alpha:2'],
  ['one health; counts stay those of the pool', { health: 'down' }, 'node 1/3: beta:1'],
  ['words in labels', { search: 'JOB=web' }, 'web 1/1: alpha:2'],
  ['words in errors, in any case', { search: 'refused' }, 'node 1/3: beta:1'],
  ['all words must occur', { search: 'alpha node' }, 'node 1/3: alpha:1'],
  ['nothing matches', { search: 'omega' }, ''],
];
for (const [claim, filter, want] of cases) test(claim, () => assert.equal(shown(filter), want));

test('targets are counted by health', () => {
  assert.deepEqual(countByHealth(TARGETS), { all: 4, up: 2, down: 1, unknown: 1 });
});

test('the filter is in the address', () => {
  const filter: TargetFilter = { pool: 'a b', health: 'down', search: 'x=y&z' };
  assert.deepEqual(decodeFilter(encodeFilter(filter)), filter);
  assert.equal(encodeFilter(ALL), '');
  assert.deepEqual(decodeFilter('?health=odd'), ALL);
});
