import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_WAITING, PasswordChecker, PasswordQueueError } from './password-checker.ts';

/** Of `secret`, cost 4. */
const HASH = '$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW';

const skip = isInstalled('bcryptjs') ? false : 'bcryptjs is not installed: run npm ci';

function isInstalled(name: string): boolean {
  try {
    return import.meta.resolve(name) !== '';
  } catch {
    return false;
  }
}

// One row a hash of `secret` in a form that tools write.
const FORMS = [HASH, HASH.replace('$2y', '$2a'), HASH.replace('$2y', '$2b')];
for (const hash of FORMS) {
  test(`compares with ${hash.slice(0, 4)}`, { skip }, async () => {
    const checker = new PasswordChecker();
    assert.equal(await checker.matches('secret', hash), true);
    assert.equal(await checker.matches('secre', hash), false);
    assert.equal(await checker.matches('', hash), false);
    await checker.close();
  });
}

test('equal questions wait for one comparison, and the line is bounded', { skip }, async () => {
  const checker = new PasswordChecker();
  const same = Array.from({ length: MAX_WAITING * 2 }, () => checker.matches('secret', HASH));
  const others = Array.from({ length: MAX_WAITING }, (_, i) => checker.matches(`wrong ${i}`, HASH));
  // All but the last found room beside the first.
  await assert.rejects(others.pop()!, PasswordQueueError);
  assert.deepEqual(new Set(await Promise.all(same)), new Set([true]));
  assert.deepEqual(new Set(await Promise.all(others)), new Set([false]));
  assert.equal(await checker.matches('wrong again', HASH), false);
  await checker.close();
});

test('who waits when it closes is told', { skip }, async () => {
  const checker = new PasswordChecker();
  const waiting = checker.matches('secret', HASH);
  const told = assert.rejects(waiting, /has ended/);
  await checker.close();
  await told;
});
