import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSize, parseSize, urlParts } from './values.ts';

const sizes = [
  ['1B', 1, '1B'],
  ['1KB', 1024, '1KiB'],
  ['1KiB', 1024, '1KiB'],
  ['15MB', 15 * 1024 ** 2, '15MiB'],
  ['1.5GB', 1.5 * 1024 ** 3, '1GiB512MiB'],
  ['1GiB512MiB', 1.5 * 1024 ** 3, '1GiB512MiB'],
  ['-1GB', -(1024 ** 3), '-1GiB'],
  ['0', 0, '0B'],
  ['0B', 0, '0B'],
] as const;
for (const [text, bytes, shown] of sizes) {
  test(`size ${text}`, () => {
    assert.equal(parseSize(text), bytes);
    assert.equal(formatSize(bytes), shown);
  });
}

for (const [text, message] of [
  ['100', /unknown unit {2}in 100/],
  ['5XB', /unknown unit XB/],
  ['1kb', /unknown unit kb/],
  ['1iB', /unknown unit iB/],
  ['', /invalid/],
  ['-', /invalid/],
  ['MB', /invalid MB/],
  ['100EB', /more than/],
] as const) {
  test(`size ${JSON.stringify(text)} is refused`, () => assert.throws(() => parseSize(text), message));
}

test('the parts of a URL that checks ask for', () => {
  assert.deepEqual(urlParts('HTTPS://u:p@h:1/x'), { scheme: 'https', host: 'h:1' });
  assert.deepEqual(urlParts('http://'), { scheme: 'http', host: '' });
  assert.deepEqual(urlParts('invalid'), { scheme: '', host: '' });
});
