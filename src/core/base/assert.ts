/**
 * Checks of our own reasoning. A failed assertion is a bug here, never a fault of input: it ends the query or,
 * where data is written, the process.
 */

/** Thrown by `assert` alone. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws an AssertionError unless `claim` holds. `what` states the claim. */
export function assert(claim: boolean, what: string): asserts claim {
  if (!claim) throw new AssertionError(`assertion failed: ${what}`);
}

/** For the default branch of a switch over a union: reaching it is a type error and, at run time, a bug. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`);
}
