/**
 * Which functions take `anchored` and `smoothed` ranges.
 * Source: Prometheus, querying basics, "Extended range selectors".
 */
import { PromqlEvaluationError } from '../errors.ts';

const ANCHORED_FUNCTIONS: readonly string[] = ['changes', 'delta', 'increase', 'rate', 'resets'];
const SMOOTHED_FUNCTIONS: readonly string[] = ['delta', 'increase', 'rate'];

/** @throws PromqlEvaluationError where `func` does not take such a range */
export function refuseExtension(func: string, extension: 'anchored' | 'smoothed' | null): void {
  if (extension === null) return;
  const allowed = extension === 'anchored' ? ANCHORED_FUNCTIONS : SMOOTHED_FUNCTIONS;
  if (allowed.includes(func)) return;
  throw new PromqlEvaluationError(
    `${extension} modifier can only be used with: ${allowed.join(', ')} - not with ${func}`,
  );
}
