/**
 * A tree as one line of PromQL, the canonical form that Prometheus shows of rules and in `format_query`.
 *
 * Reading the line back gives the same tree. Parentheses are nodes, so none are invented here.
 */
import { unreachable } from '../../../core/base/assert.ts';
import { formatDuration } from '../../../core/model/duration.ts';
import { compareStrings, isLegacyLabelName, METRIC_NAME } from '../../../core/model/labels.ts';
import type { Aggregate, AtModifier, BinaryExpr, DurationExpr, Expr, SubqueryExpr, VectorSelector } from './ast.ts';
import { secondsToMs } from './seconds.ts';
import { quoteString } from './string-literal.ts';

export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return expr.isDuration ? printSeconds(expr.value) : printNumber(expr.value);
    case 'string':
      return quoteString(expr.value);
    case 'paren':
      return `(${printExpr(expr.inner)})`;
    case 'unary':
      return `${expr.op}${printExpr(expr.operand)}`;
    case 'binary':
      return `${printExpr(expr.left)} ${printOperator(expr)} ${printExpr(expr.right)}`;
    case 'call':
      return `${expr.func}(${expr.args.map(printExpr).join(', ')})`;
    case 'aggregate': {
      const args = expr.param === null ? [expr.inner] : [expr.param, expr.inner];
      return `${printAggregation(expr)}(${args.map(printExpr).join(', ')})`;
    }
    case 'vector-selector':
      return printSelector(expr) + printModifiers(expr);
    case 'matrix-selector':
      return `${printSelector(expr.selector)}[${printDuration(expr.range)}]${printModifiers(expr.selector)}`;
    case 'subquery':
      return printExpr(expr.inner) + printBracket(expr);
    default:
      return unreachable(expr);
  }
}

/** The operator with `bool`, matching and fills: `== bool on (a) group_left (b)`. */
export function printOperator({ op, returnBool, matching }: BinaryExpr): string {
  const words: string[] = [op];
  if (returnBool) words.push('bool');
  if (matching === null) return words.join(' ');
  const { card, on, labels, include, fillLeft, fillRight } = matching;
  const isGrouped = card === 'many-to-one' || card === 'one-to-many';
  if (labels.length > 0 || on || isGrouped) words.push(on ? 'on' : 'ignoring', printLabelNames(labels));
  if (isGrouped) words.push(card === 'many-to-one' ? 'group_left' : 'group_right', printLabelNames(include));
  if (fillLeft !== null && Object.is(fillLeft, fillRight)) {
    words.push(`fill (${printNumber(fillLeft)})`);
  } else {
    if (fillLeft !== null) words.push(`fill_left (${printNumber(fillLeft)})`);
    if (fillRight !== null) words.push(`fill_right (${printNumber(fillRight)})`);
  }
  return words.join(' ');
}

/** What stands before an aggregation's parenthesis: `sum`, `sum by (a) `. */
export function printAggregation({ op, without, grouping }: Aggregate): string {
  if (without) return `${op} without ${printLabelNames(grouping)} `;
  return grouping.length > 0 ? `${op} by ${printLabelNames(grouping)} ` : op;
}

/** A subquery's bracket and modifiers. */
export function printBracket(expr: SubqueryExpr): string {
  const step = expr.step === null ? '' : printDuration(expr.step);
  return `[${printDuration(expr.range)}:${step}]${printAt(expr.at)}${printOffset(expr.offset)}`;
}

/** In decimal, all digits that tell the float from its neighbours, without an exponent. */
export function printNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const [mantissa, exponent] = String(value).split('e');
  if (exponent === undefined) return mantissa!;
  const sign = mantissa!.startsWith('-') ? '-' : '';
  const [whole, fraction = ''] = mantissa!.slice(sign.length).split('.');
  const digits = whole! + fraction;
  const point = whole!.length + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return sign + digits.padEnd(point, '0');
}

export function printDuration(expr: DurationExpr): string {
  return expr.kind === 'duration' ? printSeconds(expr.seconds) : printDurationTerm(expr);
}

/** Inside an expression a plain number stays one. */
function printDurationTerm(expr: DurationExpr): string {
  switch (expr.kind) {
    case 'duration':
      return expr.isDuration ? printSeconds(expr.seconds) : printNumber(expr.seconds);
    case 'duration-call':
      return `${expr.func}(${expr.args.map(printDurationTerm).join(', ')})`;
    case 'duration-unary':
      return `${expr.op}${printDurationTerm(expr.operand)}`;
    case 'duration-paren':
      return `(${printDurationTerm(expr.inner)})`;
    case 'duration-binary':
      return `${printDurationTerm(expr.left)} ${expr.op} ${printDurationTerm(expr.right)}`;
    default:
      return unreachable(expr);
  }
}

function printSelector({ name, matchers }: VectorSelector): string {
  const parts: string[] = [];
  for (const matcher of matchers) {
    if (name !== '' && matcher.name === METRIC_NAME && matcher.op === '=' && matcher.value === name) continue;
    const label = isLegacyLabelName(matcher.name) ? matcher.name : quoteString(matcher.name);
    parts.push(`${label}${matcher.op}${quoteString(matcher.value)}`);
  }
  return parts.length > 0 ? `${name}{${parts.sort(compareStrings).join(',')}}` : name === '' ? '{}' : name;
}

function printModifiers({ extension, at, offset }: VectorSelector): string {
  return `${extension === null ? '' : ` ${extension}`}${printAt(at)}${printOffset(offset)}`;
}

function printAt(at: AtModifier | null): string {
  if (at === null) return '';
  return at.kind === 'time' ? ` @ ${(at.timeMs / 1000).toFixed(3)}` : ` @ ${at.kind}()`;
}

/** An offset of nothing is left out. */
function printOffset(offset: DurationExpr | null): string {
  if (offset === null || (offset.kind === 'duration' && offset.seconds === 0)) return '';
  return ` offset ${printDuration(offset)}`;
}

const printLabelNames = (names: readonly string[]): string =>
  `(${names.map((name) => (isLegacyLabelName(name) ? name : quoteString(name))).join(', ')})`;

/** Durations have whole milliseconds. */
const printSeconds = (seconds: number): string => formatDuration(secondsToMs(seconds));
