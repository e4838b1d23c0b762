/**
 * The time that `info` reads its info series at: that of the series it is given.
 */
import type { AtModifier, DurationExpr, Expr } from '../parse/ast.ts';
import { childrenOf } from '../parse/walk.ts';

export interface ReferenceTime {
  readonly at: AtModifier | null;
  readonly offsetMs: number;
}

const NOW: ReferenceTime = { at: null, offsetMs: 0 };

/**
 * The first `@` and offset found in `expr`, those of subqueries and selectors in them together.
 *
 * @param toMs the milliseconds of an offset
 */
export function referenceTime(expr: Expr, toMs: (offset: DurationExpr | null) => number): ReferenceTime {
  if (expr.kind === 'vector-selector') return { at: expr.at, offsetMs: toMs(expr.offset) };
  if (expr.kind === 'subquery') {
    const inner = referenceTime(expr.inner, toMs);
    return inner.at === null ? { at: expr.at, offsetMs: toMs(expr.offset) + inner.offsetMs } : inner;
  }
  const times = childrenOf(expr).map((child) => referenceTime(child, toMs));
  return times.find(({ at, offsetMs }) => at !== null || offsetMs !== 0) ?? NOW;
}
