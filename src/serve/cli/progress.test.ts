import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestTerminal } from './_test-terminal.ts';
import { Progress, progressText, type ProgressOptions } from './progress.ts';

const BYTES: ProgressOptions = { label: 'reading', unit: 'bytes', total: 4e9 };
const SERIES: ProgressOptions = { label: 'checking', unit: 'series', total: 2000 };

// Claim, options, done, elapsed milliseconds, text.
const texts: readonly (readonly [string, ProgressOptions, number, number, string])[] = [
  ['bytes', BYTES, 1e9, 10_000, 'reading [######                  ] 25 %  1.00 GB of 4.00 GB, 100 MB/s, 30s left'],
  ['the beginning', BYTES, 0, 1000, 'reading [                        ] 0 %  0 B of 4.00 GB, 0 B/s'],
  ['the end', SERIES, 2000, 2000, 'checking [########################] 100 %  2.00 k of 2.00 k series, 1.00 k series/s, 0s left'],
  ['more than was thought', SERIES, 2001, 2000, 'checking [########################] 100 %  2.00 k of 2.00 k series, 1.00 k series/s, 0s left'],
  ['hours', SERIES, 1, 10_000, 'checking [                        ] 0 %  1 of 2.00 k series, 0 series/s, 5h33m left'],
  ['minutes', SERIES, 1500, 300_000, 'checking [##################      ] 75 %  1.50 k of 2.00 k series, 5 series/s, 1m40s left'],
  ['nothing to do', { ...SERIES, total: 0 }, 0, 0, 'checking [########################] 100 %  0 of 0 series, 0 series/s'],
  ['no total', { ...SERIES, total: null }, 12_345, 1000, 'checking  12.3 k series, 12.3 k series/s'],
];
for (const [claim, options, done, elapsedMs, text] of texts) {
  test(`progress: ${claim}`, () => assert.equal(progressText(options, done, elapsedMs), text));
}

/** What is printed when the command reports at these times. */
function printed(isWatched: boolean, times: readonly number[]): string {
  const terminal = new TestTerminal({ isWatched });
  let nowMs = 5000;
  const progress = new Progress(terminal, { nowMs: () => 0, monotonicMs: () => nowMs }, SERIES);
  for (const [i, timeMs] of times.entries()) {
    nowMs = 5000 + timeMs;
    progress.report(i, i === 3 ? 'block b' : '');
  }
  progress.end();
  assert.equal(terminal.stdout, '');
  return terminal.stderr.replaceAll('\r\u001B[K', '^').replaceAll(/\[[ #]*\]/g, '[]');
}

test('progress: short runs show nothing', () => {
  for (const isWatched of [true, false]) assert.equal(printed(isWatched, [0, 500, 999]), '');
});

test('progress: a line that is watched is drawn over itself and wiped away', () => {
  assert.equal(
    printed(true, [0, 999, 1000, 1150, 1200]),
    '^checking [] 0 %  2 of 2.00 k series, 2 series/s, 16m39s left^checking [] 0 %  3 of 2.00 k series, 3 series/s, 12m46s left  block b^',
  );
});

test('progress: logs get a line now and then', () => {
  assert.equal(
    printed(false, [0, 1000, 1100, 11_000, 12_000]),
    'checking [] 0 %  1 of 2.00 k series, 1 series/s, 33m19s left\nchecking [] 0 %  3 of 2.00 k series, 0 series/s, 2h2m left  block b\n',
  );
});
