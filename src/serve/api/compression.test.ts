import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { chooseEncoding, ENCODINGS } from './compression.ts';
import { BodyBudget, readBody } from './request-body.ts';

const HEADERS: readonly (readonly [string, string | undefined])[] = [
  ['', undefined],
  ['gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['gzip, deflate', 'gzip'],
  ['gzip, deflate, br, zstd', 'zstd'],
  ['GZIP;q=0.5', 'gzip'],
  ['gzip;q=0, deflate', 'deflate'],
  ['gzip; q=0.000', undefined],
  ['*', undefined],
  ['identity', undefined],
  ['br', undefined],
  [',,;;', undefined],
];
for (const [header, want] of HEADERS) test(`Accept-Encoding "${header}" chooses ${want ?? 'nothing'}`, () => assert.equal(chooseEncoding(header, ENCODINGS), want));

test('bodies share a budget: one too many is told to try again, and nothing stays counted', async () => {
  const budget = new BodyBudget(100);
  const source = (size: number): Readable => Readable.from([Buffer.alloc(size / 2), Buffer.alloc(size / 2)]);
  assert.equal((await readBody(source(60), 80, budget)).length, 60);
  await assert.rejects(readBody(source(60), 80, budget), { name: 'BodyLimitError', status: 503 });
  assert.equal(budget.heldBytes, 60);
  await assert.rejects(readBody(source(30), 20, budget), { name: 'BodyLimitError', status: 413 });
  assert.equal(budget.heldBytes, 60);
  budget.release(60);
  assert.equal((await readBody(source(80), 80, budget)).length, 80);
});
