import assert from 'node:assert/strict';
import { test } from 'node:test';
import { positionOf } from './position.ts';

const cases = [
  ['', 0, '1:1'],
  ['foo', 2, '1:3'],
  ['foo\nbar', 3, '1:4'],
  ['foo\nbar', 4, '2:1'],
  ['\n\n  x', 4, '3:3'],
  ['{a="ünïcode"} +', 15, '1:18'],
  ['{a="ü😀"}\n + ü', 13, '2:4'],
  ['"ü😀" + x', 8, '1:12'],
] as const;
for (const [text, offset, want] of cases) {
  test(`offset ${offset} of ${JSON.stringify(text)}`, () => {
    const { line, column } = positionOf(text, offset);
    assert.equal(`${line}:${column}`, want);
  });
}
