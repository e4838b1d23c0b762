import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retentionLimits, retentionText } from './retention-limits.ts';

const DAY_MS = 24 * 3600 * 1000;
const NONE = { timeMs: 0, sizeBytes: 0, percentage: 0 };
// Flags, configuration, what holds: days, bytes, percent.
const cases = [
  ['nothing given', {}, {}, [15, 0, 0]],
  ['a flag for the time', { timeMs: 30 * DAY_MS }, {}, [30, 0, 0]],
  ['a size alone limits no time', { sizeBytes: 1000 }, {}, [0, 1000, 0]],
  ['the file goes before the flag', { timeMs: 30 * DAY_MS }, { timeMs: 2 * DAY_MS }, [2, 0, 0]],
  ['each by itself', { timeMs: 30 * DAY_MS, sizeBytes: 1000 }, { sizeBytes: 2000 }, [30, 2000, 0]],
  ['a percentage alone limits no time', {}, { percentage: 80 }, [0, 0, 80]],
] as const;
for (const [claim, flags, config, [days, sizeBytes, diskPercentage]] of cases) {
  test(claim, () => {
    assert.deepEqual(retentionLimits({ timeMs: 0, sizeBytes: 0, ...flags }, { ...NONE, ...config }), { timeMs: days * DAY_MS, sizeBytes, diskPercentage });
  });
}

const texts = [
  [{ timeMs: 15 * DAY_MS, sizeBytes: 0, diskPercentage: 0 }, '15d'],
  [{ timeMs: DAY_MS, sizeBytes: 2 ** 30, diskPercentage: 0 }, '1d or 1GiB'],
  [{ timeMs: 0, sizeBytes: 2 ** 30, diskPercentage: 80 }, '80%'],
] as const;
for (const [limits, text] of texts) test(`limits are shown as ${text}`, () => assert.equal(retentionText(limits), text));
