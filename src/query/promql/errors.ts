/**
 * How a query fails. `errorType` is the one of Prometheus' HTTP API.
 */
import type { Span } from './parse/ast.ts';
import { positionOf } from './parse/position.ts';

/**
 * The text is not PromQL or its types do not fit. The message begins with `line:col: parse error: `; columns count the bytes
 * of UTF-8. `span` counts UTF-16 units.
 */
export class PromqlSyntaxError extends Error {
  override readonly name = 'PromqlSyntaxError';
  readonly errorType = 'bad_data';
  readonly span: Span;

  constructor(what: string, query: string, span: Span) {
    const { line, column } = positionOf(query, span.start);
    super(`${line}:${column}: parse error: ${what}`);
    this.span = span;
  }
}

/** The expression's type is not one that can be asked for in this way. */
export class PromqlTypeError extends Error {
  override readonly name = 'PromqlTypeError';
  readonly errorType = 'bad_data';
}

/** The query is valid but can't be answered: bad matching, a limit, … */
export class PromqlEvaluationError extends Error {
  override readonly name = 'PromqlEvaluationError';
  readonly errorType = 'execution';
}

/** `query timed out in expression evaluation` */
export class PromqlTimeoutError extends Error {
  override readonly name = 'PromqlTimeoutError';
  readonly errorType = 'timeout';
}

/** The client went away or the server stops. */
export class PromqlCanceledError extends Error {
  override readonly name = 'PromqlCanceledError';
  readonly errorType = 'canceled';
}

/** Why a query that would hold more than its limit is ended. */
export const TOO_MANY_SAMPLES = 'query processing would load too many samples into memory in query execution';
