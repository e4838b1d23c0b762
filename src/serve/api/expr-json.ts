/**
 * A syntax tree as the JSON of `/api/v1/parse_query`.
 * Source: Prometheus 3, web/api/v1 translateAST.
 */
import { assert, unreachable } from '../../core/base/assert.ts';
import { formatFloat } from '../../core/model/float.ts';
import type { AtModifier, DurationExpr, Expr, VectorMatching, VectorSelector } from '../../query/promql/parse/ast.ts';
import { signatureOf } from '../../query/promql/parse/signatures.ts';

/** Plain data. Durations are milliseconds; one that depends on the query's grid is 0. */
export function exprJson(expr: Expr): object {
  switch (expr.kind) {
    case 'number':
      return { type: 'numberLiteral', val: formatFloat(expr.value) };
    case 'string':
      return { type: 'stringLiteral', val: expr.value };
    case 'paren':
      return { type: 'parenExpr', expr: exprJson(expr.inner) };
    case 'unary':
      return { type: 'unaryExpr', op: expr.op, expr: exprJson(expr.operand) };
    case 'binary':
      return {
        type: 'binaryExpr',
        op: expr.op,
        lhs: exprJson(expr.left),
        rhs: exprJson(expr.right),
        matching: expr.matching === null ? null : matchingJson(expr.matching),
        bool: expr.returnBool,
      };
    case 'call':
      return { type: 'call', func: functionJson(expr.func), args: expr.args.map(exprJson) };
    case 'aggregate':
      return {
        type: 'aggregation',
        op: expr.op,
        expr: exprJson(expr.inner),
        param: expr.param === null ? null : exprJson(expr.param),
        grouping: expr.grouping,
        without: expr.without,
      };
    case 'vector-selector':
      return { type: 'vectorSelector', ...selectorJson(expr) };
    case 'matrix-selector':
      return { type: 'matrixSelector', range: durationMs(expr.range), ...selectorJson(expr.selector) };
    case 'subquery':
      return {
        type: 'subquery',
        expr: exprJson(expr.inner),
        range: durationMs(expr.range),
        offset: durationMs(expr.offset),
        step: durationMs(expr.step),
        ...atJson(expr.at),
      };
    default:
      return unreachable(expr);
  }
}

function functionJson(func: string): object {
  const signature = signatureOf(func);
  assert(signature !== undefined, 'a parsed call names a known function');
  const { name, argTypes, variadic, returnType } = signature;
  return { name, argTypes, variadic, returnType };
}

function selectorJson(selector: VectorSelector): object {
  return {
    name: selector.name,
    offset: durationMs(selector.offset),
    matchers: selector.matchers.map(({ name, op, value }) => ({ name, value, type: op })),
    ...atJson(selector.at),
  };
}

function atJson(at: AtModifier | null): object {
  return {
    timestamp: at?.kind === 'time' ? at.timeMs : null,
    startOrEnd: at === null || at.kind === 'time' ? null : at.kind,
  };
}

function matchingJson({ card, labels, on, include, fillLeft, fillRight }: VectorMatching): object {
  return { card, labels, on, include, fillValues: { lhs: fillLeft, rhs: fillRight } };
}

function durationMs(expr: DurationExpr | null): number {
  const seconds = expr === null ? 0 : durationSeconds(expr);
  return Number.isFinite(seconds) ? Math.trunc(seconds * 1000) : 0;
}

/** NaN where the grid decides. */
function durationSeconds(expr: DurationExpr): number {
  switch (expr.kind) {
    case 'duration':
      return expr.seconds;
    case 'duration-paren':
      return durationSeconds(expr.inner);
    case 'duration-unary':
      return expr.op === '-' ? -durationSeconds(expr.operand) : durationSeconds(expr.operand);
    case 'duration-call': {
      const args = expr.args.map(durationSeconds);
      if (expr.func === 'min_of') return Math.min(...args);
      return expr.func === 'max_of' ? Math.max(...args) : Number.NaN;
    }
    case 'duration-binary':
      return arithmetic(expr.op, durationSeconds(expr.left), durationSeconds(expr.right));
    default:
      return unreachable(expr);
  }
}

function arithmetic(op: '+' | '-' | '*' | '/' | '%' | '^', left: number, right: number): number {
  switch (op) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    case '^':
      return left ** right;
    default:
      return unreachable(op);
  }
}
