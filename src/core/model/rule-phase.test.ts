import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextRuleTimeMs, rulePhaseMs } from './rule-phase.ts';

// First samples that promtool 2.42 makes from 1760000000 on for groups of the file rr.yml.
for (const [group, intervalMs, want] of [
  ['g', 300_000, 1_760_000_206_816],
  ['g2', 60_000, 1_760_000_030_872],
] as const) {
  test(`rule phase: group ${group}`, () => {
    const phaseMs = rulePhaseMs({ file: 'rr.yml', group }, intervalMs);
    assert.ok(phaseMs >= 0 && phaseMs < intervalMs);
    assert.equal(Math.round(nextRuleTimeMs(1_760_000_000_000, phaseMs, intervalMs)), want);
    assert.equal(Math.round(nextRuleTimeMs(want + 1, phaseMs, intervalMs)), want + intervalMs);
  });
}

test('rule phase: a time that is one stays', () => {
  assert.equal(nextRuleTimeMs(1000, 0, 500), 1000);
  assert.equal(nextRuleTimeMs(1001, 0, 500), 1500);
  assert.equal(nextRuleTimeMs(-1, 0.5, 500), 0.5);
});
