/**
 * Errors as answers: the one place that knows which HTTP status an error type has and how the envelope looks.
 * Source: Prometheus, web/api/v1 (verified against 2.42).
 */
import { errorMessage } from '../../core/base/errors.ts';
import { RegexError } from '../../core/model/matcher.ts';
import {
  PromqlCanceledError,
  PromqlEvaluationError,
  PromqlSyntaxError,
  PromqlTimeoutError,
} from '../../query/promql/errors.ts';
import { ApiError, type ApiErrorType } from './backend.ts';
import { jsonText } from './json-text.ts';

const STATUS: Readonly<Record<ApiErrorType, number>> = {
  bad_data: 400,
  execution: 422,
  canceled: 499,
  timeout: 503,
  internal: 500,
  unavailable: 500,
  not_found: 404,
  not_acceptable: 406,
};

export const httpStatus = (type: ApiErrorType): number => STATUS[type];

/** The API's view of anything thrown: errors that no domain claims are `internal`. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof RegexError) return new ApiError('bad_data', error.message, error);
  if (
    error instanceof PromqlSyntaxError ||
    error instanceof PromqlEvaluationError ||
    error instanceof PromqlTimeoutError ||
    error instanceof PromqlCanceledError
  ) {
    return new ApiError(error.errorType, error.message, error);
  }
  return new ApiError('internal', errorMessage(error), error);
}

/** The body that goes with an error. */
export function errorEnvelope(error: ApiError): string {
  return `{"status":"error","errorType":"${error.errorType}","error":${jsonText(error.message)}}`;
}
