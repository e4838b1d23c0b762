/**
 * Types and meaning of a tree that parsed: what the grammar cannot say.
 *
 * The walk goes in Prometheus' order (a call before its arguments, an operator after its operands), since the first fault
 * found is the one reported. The tree comes out as the engine wants it: set operators match many-to-many, and matching is
 * null unless both sides are vectors.
 */
import { unreachable } from '../../../core/base/assert.ts';
import { METRIC_NAME } from '../../../core/model/labels.ts';
import { compileMatcher } from '../../../core/model/matcher.ts';
import { PromqlSyntaxError } from '../errors.ts';
import type { BinaryExpr, BinaryOp, Call, Expr, Span, ValueType, VectorMatching, VectorSelector } from './ast.ts';
import { signatureOf } from './signatures.ts';
import { quoteString } from './string-literal.ts';
import { childrenOf } from './walk.ts';

/** Most nodes from the root to a leaf. A chain of operators is as deep as it is long; guards the stacks of all that follows. */
export const MAX_HEIGHT = 1000;

const COMPARISONS: ReadonlySet<BinaryOp> = new Set<BinaryOp>(['==', '!=', '<', '<=', '>', '>=']);
const SET_OPERATORS: ReadonlySet<BinaryOp> = new Set<BinaryOp>(['and', 'or', 'unless']);
const SCALAR_PARAMETERS = new Set(['topk', 'bottomk', 'quantile', 'limitk', 'limit_ratio']);

/** How messages call the types. */
const TYPE_NAMES: Readonly<Record<ValueType, string>> = {
  scalar: 'scalar',
  vector: 'instant vector',
  matrix: 'range vector',
  string: 'string',
  none: 'none',
};

export const isComparison = (op: BinaryOp): boolean => COMPARISONS.has(op);
export const isSetOperator = (op: BinaryOp): boolean => SET_OPERATORS.has(op);

/** The type of a tree's value, from its shape alone. */
export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'paren':
      return typeOf(expr.inner);
    case 'unary':
      return typeOf(expr.operand);
    case 'binary':
      return typeOf(expr.left) === 'scalar' && typeOf(expr.right) === 'scalar' ? 'scalar' : 'vector';
    case 'call':
      return signatureOf(expr.func)?.returnType ?? 'none';
    case 'aggregate':
    case 'vector-selector':
      return 'vector';
    case 'matrix-selector':
    case 'subquery':
      return 'matrix';
    default:
      return unreachable(expr);
  }
}

/**
 * Checks `expr` and completes it.
 *
 * @param text what it was parsed from, for positions
 * @throws PromqlSyntaxError
 */
export function check(expr: Expr, text: string): Expr {
  const checker = new Checker(text);
  checker.checkHeight(expr);
  return checker.check(expr);
}

class Checker {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Without recursion, since the tree may be too high for it. */
  checkHeight(root: Expr): void {
    const open: { readonly expr: Expr; readonly depth: number }[] = [{ expr: root, depth: 1 }];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { expr, depth } = next;
      if (depth > MAX_HEIGHT) this.#fail(`expression is nested deeper than ${MAX_HEIGHT} levels`, expr.span);
      for (const child of childrenOf(expr)) open.push({ expr: child, depth: depth + 1 });
    }
  }

  check(expr: Expr): Expr {
    switch (expr.kind) {
      case 'number':
      case 'string':
        return expr;
      case 'paren':
        return { ...expr, inner: this.check(expr.inner) };
      case 'unary': {
        const operand = this.check(expr.operand);
        const type = typeOf(operand);
        if (type !== 'scalar' && type !== 'vector') {
          const got = quoteString(TYPE_NAMES[type]);
          this.#fail(
            `unary expression only allowed on expressions of type scalar or instant vector, got ${got}`,
            expr.span,
          );
        }
        return { ...expr, operand };
      }
      case 'binary':
        return this.#checkBinary(expr);
      case 'call':
        return this.#checkCall(expr);
      case 'aggregate': {
        const inner = this.#expectType(expr.inner, 'vector', 'aggregation expression');
        if (expr.param === null) return { ...expr, inner };
        const wanted = SCALAR_PARAMETERS.has(expr.op) ? 'scalar' : 'string';
        return { ...expr, inner, param: this.#expectType(expr.param, wanted, 'aggregation parameter') };
      }
      case 'vector-selector':
        this.#checkSelector(expr);
        return expr;
      case 'matrix-selector':
        this.#checkSelector(expr.selector);
        return expr;
      case 'subquery': {
        const inner = this.check(expr.inner);
        const type = typeOf(inner);
        if (type !== 'vector') this.#fail(`subquery is only allowed on instant vector, got ${type} instead`, expr.span);
        return { ...expr, inner };
      }
      default:
        return unreachable(expr);
    }
  }

  #expectType(expr: Expr, wanted: ValueType, place: string): Expr {
    const checked = this.check(expr);
    const type = typeOf(checked);
    if (type !== wanted)
      this.#fail(`expected type ${TYPE_NAMES[wanted]} in ${place}, got ${TYPE_NAMES[type]}`, expr.span);
    return checked;
  }

  #checkBinary(expr: BinaryExpr): BinaryExpr {
    const { op, span, opSpan } = expr;
    const left = this.check(expr.left);
    const right = this.check(expr.right);
    const leftType = typeOf(left);
    const rightType = typeOf(right);
    const hasScalar = leftType === 'scalar' || rightType === 'scalar';
    if (expr.returnBool && !isComparison(op))
      this.#fail('bool modifier can only be used on comparison operators', opSpan);
    if (isComparison(op) && !expr.returnBool && leftType === 'scalar' && rightType === 'scalar') {
      this.#fail('comparisons between scalars must use BOOL modifier', opSpan);
    }
    const { matching } = expr;
    const shared =
      matching?.on === true ? matching.labels.find((label) => matching.include.includes(label)) : undefined;
    if (shared !== undefined)
      this.#fail(`label ${quoteString(shared)} must not occur in ON and GROUP clause at once`, opSpan);
    for (const [type, side] of [
      [leftType, left],
      [rightType, right],
    ] as const) {
      if (type === 'scalar' || type === 'vector') continue;
      this.#fail('binary expression must contain only scalar and instant vector types', side.span);
    }
    const fills = matching !== null && (matching.fillLeft !== null || matching.fillRight !== null);
    if (hasScalar) {
      if (matching !== null && matching.labels.length > 0)
        this.#fail('vector matching only allowed between instant vectors', span);
      if (fills) this.#fail('filling in missing series only allowed between instant vectors', span);
      if (isSetOperator(op)) this.#fail(`set operator "${op}" not allowed in binary scalar expression`, span);
      return { ...expr, left, right, matching: null };
    }
    if (matching === null || !isSetOperator(op)) return { ...expr, left, right };
    if (matching.card !== 'one-to-one' && matching.card !== 'many-to-many')
      this.#fail(`no grouping allowed for "${op}" operation`, span);
    if (fills) this.#fail('filling in missing series not allowed for set operators', span);
    const manyToMany: VectorMatching = { ...matching, card: 'many-to-many' };
    return { ...expr, left, right, matching: manyToMany };
  }

  #checkCall(expr: Call): Call {
    const signature = signatureOf(expr.func);
    if (signature === undefined) return expr; // The parser refused it.
    const { argTypes, variadic } = signature;
    const got = expr.args.length;
    const least = variadic === 0 ? argTypes.length : argTypes.length - 1;
    const most = variadic < 0 ? Number.POSITIVE_INFINITY : least + variadic;
    if (got < least || got > most) {
      const bound = variadic === 0 ? '' : got < least ? 'at least ' : 'at most ';
      const wanted = got < least ? least : most;
      this.#fail(`expected ${bound}${wanted} argument(s) in call to "${expr.func}", got ${got}`, expr.span);
    }
    const args = expr.args.map((arg, i) => {
      if (expr.func === 'info' && i === 1) return this.#checkInfoSelector(arg);
      return this.#expectType(arg, argTypes[Math.min(i, argTypes.length - 1)]!, `call to function "${expr.func}"`);
    });
    return { ...expr, args };
  }

  /** The second argument of `info` chooses labels: it may match the empty string and has no name before its braces. */
  #checkInfoSelector(arg: Expr): Expr {
    if (arg.kind !== 'vector-selector') this.#fail('expected label selectors only', arg.span);
    if (arg.name !== '') this.#fail('expected label selectors only, got vector selector instead', arg.span);
    return arg;
  }

  #checkSelector({ name, matchers, span }: VectorSelector): void {
    const named = matchers.filter((matcher) => matcher.name === METRIC_NAME && (name !== '' || matcher.op === '='));
    if (named.length > 1) {
      // The name before the braces is the last matcher and is named first.
      const values = named.map(({ value }) => quoteString(value));
      const both = name === '' ? `${values[0]} or ${values[1]}` : `${values.at(-1)} or ${values[0]}`;
      this.#fail(`metric name must not be set twice: ${both}`, span);
    }
    if (name !== '' || matchers.some((matcher) => !compileMatcher(matcher).matchesEmpty)) return;
    this.#fail('vector selector must contain at least one non-empty matcher', span);
  }

  #fail(what: string, span: Span): never {
    throw new PromqlSyntaxError(what, this.#text, span);
  }
}
