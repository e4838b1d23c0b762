/**
 * What a command says when a server does not answer as it should.
 */

/** No answer, or one that says what was wrong. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
}
