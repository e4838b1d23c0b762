import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualTime } from './_testing.ts';
import { nextDueMs, phaseMs, Schedule } from './schedule.ts';

test('a phase depends on the identity alone and lies within the interval', () => {
  assert.equal(phaseMs('a', 15_000), phaseMs('a', 15_000));
  assert.notEqual(phaseMs('a\0seed 1', 15_000), phaseMs('a\0seed 2', 15_000));
  for (let i = 0; i < 1000; i++) {
    const phase = phaseMs(`target ${i}`, 15_000);
    assert.ok(phase >= 0 && phase < 15_000);
  }
});

test('phases of like names spread evenly', () => {
  const tenths = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 10_000; i++) tenths[Math.floor(phaseMs(`10.0.${i >> 8}.${i & 255}:9100`, 10))]!++;
  for (const count of tenths) assert.ok(count > 850 && count < 1150, `${count} of 10,000 in a tenth`);
});

// after, interval, phase, then the next due time.
const due = [
  ['the first instant of the phase', 0, 100, 30, 30],
  ['strictly after: what is due now comes an interval later', 30, 100, 30, 130],
  ['absolute time decides, not when it was asked', 1_000_017, 100, 30, 1_000_030],
  ['before the epoch as after it', -95, 100, 30, -70],
] as const;
for (const [claim, afterMs, intervalMs, phase, want] of due) {
  test(`next due: ${claim}`, () => {
    assert.equal(nextDueMs(afterMs, intervalMs, phase), want);
  });
}

/** Due times relative to the target's phase, in intervals, as they are called. */
function record(schedule: Schedule, intervalMs: number, identity = 'x'): number[] {
  const ran: number[] = [];
  schedule.add(intervalMs, identity, (dueMs) => ran.push((dueMs - phaseMs(identity, intervalMs)) / intervalMs));
  return ran;
}

test('a target runs once in each interval, at its phase', () => {
  const time = new ManualTime(0);
  const ran = record(new Schedule(time, time), 10_000);
  time.advance(50_000);
  assert.deepEqual(ran, [0, 1, 2, 3, 4]);
});

test('a restart goes on at the same instants', () => {
  const time = new ManualTime(123_456);
  const ran = record(new Schedule(time, time), 10_000);
  time.advance(20_000);
  assert.deepEqual(ran.map(Number.isInteger), [true, true]);
});

test('what passed while the thread was busy is skipped, but for one', () => {
  const time = new ManualTime(0);
  const ran = record(new Schedule(time, time), 1000);
  time.advance(2000);
  time.stall(5000);
  time.advance(2000);
  assert.deepEqual(ran, [0, 1, 2, 7, 8]);
});

for (const [claim, jumpMs] of [
  ['forward', 3_600_000],
  ['back', -3_600_000],
] as const) {
  test(`a wall clock that is set ${claim} neither floods nor silences`, () => {
    const time = new ManualTime(7_200_000);
    const ran = record(new Schedule(time, time), 10_000);
    time.advance(30_000);
    assert.equal(ran.length, 3);
    time.jump(jumpMs);
    time.advance(30_000);
    assert.equal(ran.length, 6);
    assert.equal(ran[5]! - ran[0]!, 5 + jumpMs / 10_000);
    assert.ok(ran.every(Number.isInteger));
  });
}

test('a wall clock that is slewed is followed and no scrape is missed', () => {
  const time = new ManualTime(0);
  const ran = record(new Schedule(time, time), 10_000);
  for (let second = 0; second < 100; second++) {
    time.advance(1000);
    time.jump(0.5);
  }
  assert.deepEqual(ran, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('ten thousand targets wait on one timer, and each runs once an interval', () => {
  const time = new ManualTime(0);
  const schedule = new Schedule(time, time);
  const runs = Array.from({ length: 10_000 }, (): number[] => []);
  for (const [i, dues] of runs.entries()) schedule.add(10_000, `target ${i}`, (dueMs) => dues.push(dueMs));
  assert.equal(time.pendingCount, 1);
  assert.ok(time.setCount < 20, `${time.setCount} timers were set`);
  time.advance(31_000);
  assert.equal(time.pendingCount, 1);
  for (const dues of runs) {
    assert.ok(dues.length >= 3);
    for (let i = 1; i < dues.length; i++) assert.ok(Math.abs(dues[i]! - dues[i - 1]! - 10_000) < 1e-6);
  }
});

test('what is cancelled runs no more and leaves the heap', () => {
  const time = new ManualTime(0);
  const schedule = new Schedule(time, time);
  const ran = record(schedule, 10_000, 'stays');
  let cancelled = 0;
  const many = Array.from({ length: 1000 }, (_, i) => schedule.add(10_000, `goes ${i}`, () => cancelled++));
  for (const each of many) each.cancel();
  many[0]!.cancel();
  time.advance(20_000);
  assert.equal(cancelled, 0);
  assert.deepEqual(ran, [0, 1]);
});

test('one may cancel itself and add others while it runs', () => {
  const time = new ManualTime(0);
  const schedule = new Schedule(time, time);
  const ran: string[] = [];
  const first = schedule.add(1000, 'x', () => {
    ran.push('first');
    first.cancel();
    schedule.add(1000, 'x', () => ran.push('second'));
  });
  time.advance(3000);
  assert.deepEqual(ran, ['first', 'second', 'second']);
});

test('a closed schedule sets no timer', () => {
  const time = new ManualTime(0);
  const schedule = new Schedule(time, time);
  const ran = record(schedule, 1000);
  schedule.close();
  assert.equal(time.pendingCount, 0);
  time.advance(5000);
  assert.deepEqual(ran, []);
});
