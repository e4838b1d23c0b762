/**
 * A tree as the JSON of the API's `parse_query`, which the query explainer of web interfaces reads.
 * Source: Prometheus 3.14, HTTP API, "Parsing a PromQL expression".
 */
import { unreachable } from '../../../core/base/assert.ts';
import type { Matcher } from '../../../core/model/matcher.ts';
import type { AtModifier, DurationExpr, Expr, VectorMatching, VectorSelector } from './ast.ts';
import { printNumber } from './print.ts';
import { secondsToMs } from './seconds.ts';
import { signatureOf } from './signatures.ts';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export function treeToJson(expr: Expr): JsonValue {
  switch (expr.kind) {
    case 'number':
      return { type: 'numberLiteral', val: printNumber(expr.value) };
    case 'string':
      return { type: 'stringLiteral', val: expr.value };
    case 'paren':
      return { type: 'parenExpr', expr: treeToJson(expr.inner) };
    case 'unary':
      return { type: 'unaryExpr', op: expr.op, expr: treeToJson(expr.operand) };
    case 'binary':
      return {
        type: 'binaryExpr',
        op: expr.op,
        lhs: treeToJson(expr.left),
        rhs: treeToJson(expr.right),
        matching: expr.matching === null ? null : matchingToJson(expr.matching),
        bool: expr.returnBool,
      };
    case 'call': {
      const signature = signatureOf(expr.func);
      return {
        type: 'call',
        func: {
          name: expr.func,
          argTypes: signature?.argTypes ?? [],
          variadic: signature?.variadic ?? 0,
          returnType: signature?.returnType ?? 'none',
        },
        args: expr.args.map(treeToJson),
      };
    }
    case 'aggregate':
      return {
        type: 'aggregation',
        op: expr.op,
        expr: treeToJson(expr.inner),
        param: expr.param === null ? null : treeToJson(expr.param),
        grouping: expr.grouping,
        without: expr.without,
      };
    case 'vector-selector':
      return { type: 'vectorSelector', ...selectorToJson(expr) };
    case 'matrix-selector':
      return {
        type: 'matrixSelector',
        ...selectorToJson(expr.selector),
        range: durationMs(expr.range),
        rangeExpr: durationToJson(expr.range),
      };
    case 'subquery':
      return {
        type: 'subquery',
        expr: treeToJson(expr.inner),
        range: durationMs(expr.range),
        rangeExpr: durationToJson(expr.range),
        step: durationMs(expr.step),
        stepExpr: durationToJson(expr.step),
        offset: durationMs(expr.offset),
        offsetExpr: durationToJson(expr.offset),
        ...atToJson(expr.at),
      };
    default:
      return unreachable(expr);
  }
}

function matchingToJson({ card, labels, on, include, fillLeft, fillRight }: VectorMatching): JsonValue {
  return { card, labels, on, include, fillValues: { lhs: fillLeft, rhs: fillRight } };
}

function selectorToJson({ name, matchers, offset, at, extension }: VectorSelector): Record<string, JsonValue> {
  return {
    name,
    offset: durationMs(offset),
    offsetExpr: durationToJson(offset),
    matchers: matchers.map(matcherToJson),
    ...atToJson(at),
    anchored: extension === 'anchored',
    smoothed: extension === 'smoothed',
  };
}

const matcherToJson = ({ name, op, value }: Matcher): JsonValue => ({ name, value, type: op });

function atToJson(at: AtModifier | null): Record<string, JsonValue> {
  const timestamp = at?.kind === 'time' ? at.timeMs : null;
  const startOrEnd = at === null || at.kind === 'time' ? null : at.kind;
  return { timestamp, startOrEnd };
}

/** Milliseconds of a literal; 0 where there is none, or where only the query's grid tells. */
const durationMs = (expr: DurationExpr | null): number => (expr?.kind === 'duration' ? secondsToMs(expr.seconds) : 0);

/** The expression where it is more than a literal, else null. */
function durationToJson(expr: DurationExpr | null): JsonValue {
  return expr === null || expr.kind === 'duration' ? null : durationNodeToJson(expr);
}

function durationNodeToJson(expr: DurationExpr): Record<string, JsonValue> {
  switch (expr.kind) {
    case 'duration':
      return { type: 'numberLiteral', val: printNumber(expr.seconds) };
    case 'duration-paren':
      return { ...durationNodeToJson(expr.inner), wrapped: true };
    case 'duration-unary':
      return durationOperation(expr.op, null, expr.operand);
    case 'duration-binary':
      return durationOperation(expr.op, expr.left, expr.right);
    case 'duration-call':
      return durationOperation(expr.func, expr.args[0] ?? null, expr.args[1] ?? null);
    default:
      return unreachable(expr);
  }
}

function durationOperation(
  op: string,
  left: DurationExpr | null,
  right: DurationExpr | null,
): Record<string, JsonValue> {
  return {
    type: 'durationExpr',
    op,
    lhs: left === null ? null : durationNodeToJson(left),
    rhs: right === null ? null : durationNodeToJson(right),
    wrapped: false,
  };
}
