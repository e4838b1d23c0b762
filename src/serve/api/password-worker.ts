/**
 * The thread that compares passwords with bcrypt hashes, one after the other.
 */
import { parentPort } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';
import { assert } from '../../core/base/assert.ts';
import type { PasswordAnswer, PasswordQuestion } from './password-checker.ts';

const port = parentPort;
assert(port !== null, 'passwords are compared in a thread');
port.on('message', ({ id, password, hash }: PasswordQuestion) => {
  const answer: PasswordAnswer = { id, matches: compareSync(password, hash) };
  port.postMessage(answer);
});
