/**
 * PromQL text to a checked tree: a Pratt parser over a lexer that runs on demand.
 *
 * Faults of syntax stop at the first one, in reading order; faults of meaning (types, argument counts) are looked for only in
 * a text without the former. That order, and the wording, are Prometheus', because people and tools know its messages.
 * Source: Prometheus 3.14, querying basics and operators; messages compared with a running server.
 */
import type { Matcher } from '../../../core/model/matcher.ts';
import { PromqlSyntaxError } from '../errors.ts';
import type {
  Aggregate,
  AtModifier,
  BinaryOp,
  Expr,
  MatrixSelector,
  Span,
  SubqueryExpr,
  VectorMatching,
  VectorSelector,
} from './ast.ts';
import { check } from './check.ts';
import type { Token } from './lexer.ts';
import { atNumber, takeNumber, takeOffset, takeRange } from './parse-duration.ts';
import { isMetricName, takeLabelNames, takeSelector } from './parse-selector.ts';
import { signatureOf } from './signatures.ts';
import { quoteString, unquote } from './string-literal.ts';
import { TokenStream } from './token-stream.ts';

/** Parts of the language that are off unless a user turns them on. */
export interface ParseOptions {
  /** `promql-experimental-functions`: functions, `limitk` and `limit_ratio`. */
  readonly experimentalFunctions?: boolean;
  /** `promql-extended-range-selectors`: `anchored` and `smoothed`. */
  readonly extendedRangeSelectors?: boolean;
  /** `promql-binop-fill-modifiers`: `fill`, `fill_left`, `fill_right`. */
  readonly binopFillModifiers?: boolean;
  /** `use-start-timestamps`: the function `start_timestamp`. */
  readonly startTimestamps?: boolean;
}

/** Everything on, as tests and tools that only read a query want it. */
export const ALL_FEATURES: ParseOptions = {
  experimentalFunctions: true,
  extendedRangeSelectors: true,
  binopFillModifiers: true,
  startTimestamps: true,
};

/** Longest query taken, in UTF-16 units. */
export const MAX_QUERY_LENGTH = 1 << 20;

const PRECEDENCE: Readonly<Record<BinaryOp, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  '</': 3,
  '>/': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  atan2: 5,
  '^': 6,
};
/** A sign binds like `*`, so only `^` and what follows a selector go into its operand. */
const SIGN_PRECEDENCE = 6;
const PARAMETER_AGGREGATIONS = new Set(['topk', 'bottomk', 'quantile', 'count_values', 'limitk', 'limit_ratio']);
const EXPERIMENTAL_AGGREGATIONS = new Set(['limitk', 'limit_ratio']);

const DURATIONS = 'number, duration, step(), or range()';
/** Go's int64 milliseconds. */
const MAX_TIME_MS = 2 ** 63;

/** The tree of a query, its types checked. @throws PromqlSyntaxError */
export function parseExpr(text: string, options: ParseOptions = {}): Expr {
  const tokens = openText(text);
  if (tokens.peek().kind === 'eof') tokens.fail('no expression found in input', { start: 0, end: 0 });
  const parser = new Parser(tokens, options);
  const expr = parser.takeExpr(1);
  if (tokens.peek().kind !== 'eof') tokens.unexpected();
  return check(expr, text);
}

/**
 * A selector alone, as in `match[]` parameters: no offset, no range. The name before the braces comes last.
 * @throws PromqlSyntaxError
 */
export function parseSelector(text: string): readonly Matcher[] {
  const tokens = openText(text);
  const selector = takeSelector(tokens);
  if (tokens.peek().kind !== 'eof') tokens.unexpected();
  return selector.matchers;
}

function openText(text: string): TokenStream {
  if (text.length > MAX_QUERY_LENGTH) {
    throw new PromqlSyntaxError(`query is longer than ${MAX_QUERY_LENGTH} characters`, '', { start: 0, end: 0 });
  }
  return new TokenStream(text);
}

class Parser {
  readonly #tokens: TokenStream;
  readonly #options: ParseOptions;

  constructor(tokens: TokenStream, options: ParseOptions) {
    this.#tokens = tokens;
    this.#options = options;
  }

  /** An expression of operators that bind at least as tight as `minPrecedence`. */
  takeExpr(minPrecedence: number): Expr {
    return this.#tokens.nested(() => {
      let left = this.#takeSigned();
      for (;;) {
        const op = binaryOp(this.#tokens.peek());
        if (op === null || PRECEDENCE[op] < minPrecedence) return left;
        left = this.#takeBinary(left, op);
      }
    });
  }

  #takeBinary(left: Expr, op: BinaryOp): Expr {
    const { start, end } = this.#tokens.next();
    const returnBool = this.#tokens.accept('bool');
    const matching = this.#takeMatching();
    const right = this.takeExpr(op === '^' ? PRECEDENCE[op] : PRECEDENCE[op] + 1);
    const span = spanOf(left, right);
    const fills = matching.fillLeft !== null || matching.fillRight !== null;
    if (fills && this.#options.binopFillModifiers !== true) {
      this.#tokens.fail('binop fill modifiers are experimental and not enabled', span);
    }
    return { kind: 'binary', span, op, opSpan: { start, end }, left, right, returnBool, matching };
  }

  /** `on (a) group_left (b) fill (0)`, each part or none. */
  #takeMatching(): VectorMatching {
    const tokens: TokenStream = this.#tokens;
    let card: VectorMatching['card'] = 'one-to-one';
    let labels: readonly string[] = [];
    let include: readonly string[] = [];
    const on = tokens.at('on');
    if (on || tokens.at('ignoring')) {
      tokens.next();
      labels = takeLabelNames(tokens).names;
      if (tokens.at('group_left') || tokens.at('group_right')) {
        card = tokens.next().word === 'group_left' ? 'many-to-one' : 'one-to-many';
        if (tokens.at('(')) include = takeLabelNames(tokens).names;
      }
    }
    return { card, on, labels, include, ...this.#takeFills() };
  }

  #takeFills(): Pick<VectorMatching, 'fillLeft' | 'fillRight'> {
    const tokens: TokenStream = this.#tokens;
    let fillLeft: number | null = null;
    let fillRight: number | null = null;
    // `fill` without a parenthesis is a metric.
    while (tokens.peek().word.startsWith('fill') && tokens.peek().kind === 'keyword' && isOpen(tokens.peek(1))) {
      const { word } = tokens.peek();
      const isRepeated =
        word === 'fill'
          ? fillLeft !== null || fillRight !== null
          : (word === 'fill_left' ? fillLeft : fillRight) !== null;
      if (isRepeated) tokens.unexpected();
      tokens.next();
      const value = this.#takeFillValue();
      if (word !== 'fill_right') fillLeft = value;
      if (word !== 'fill_left') fillRight = value;
      if (word === 'fill') break;
    }
    return { fillLeft, fillRight };
  }

  #takeFillValue(): number {
    const tokens: TokenStream = this.#tokens;
    tokens.expect('(');
    const isNegative = tokens.at('-');
    if (isNegative || tokens.at('+')) tokens.next();
    const { value } = takeNumber(tokens);
    tokens.expect(')');
    return isNegative ? -value : value;
  }

  /** A number takes its sign in: `-1` is one literal. */
  #takeSigned(): Expr {
    const tokens: TokenStream = this.#tokens;
    if (!tokens.at('-') && !tokens.at('+')) return this.#takeModifiers(this.#takeOperand());
    const sign = tokens.next();
    const operand = this.takeExpr(SIGN_PRECEDENCE);
    const span = { start: sign.start, end: operand.span.end };
    const op = sign.word === '-' ? '-' : '+';
    if (operand.kind === 'number') return { ...operand, span, value: op === '-' ? -operand.value : operand.value };
    return { kind: 'unary', span, op, operand };
  }

  #takeOperand(): Expr {
    const tokens: TokenStream = this.#tokens;
    const token = tokens.peek();
    if (atNumber(tokens)) {
      const { value, isDuration, span } = takeNumber(tokens);
      return { kind: 'number', span, value, isDuration };
    }
    if (token.kind === 'string') {
      tokens.next();
      return { kind: 'string', span: { start: token.start, end: token.end }, value: unquote(token.text) };
    }
    if (tokens.accept('(')) {
      const inner = this.takeExpr(1);
      return { kind: 'paren', span: { start: token.start, end: tokens.expect(')').end }, inner };
    }
    if (!isMetricName(token) && !tokens.at('{')) tokens.unexpected();
    if (token.kind === 'aggregator' && isAggregationStart(tokens.peek(1))) return this.#takeAggregation();
    if ((token.kind === 'identifier' || token.kind === 'preprocessor') && isOpen(tokens.peek(1)))
      return this.#takeCall();
    return takeSelector(tokens);
  }

  #takeCall(): Expr {
    const name = this.#tokens.next();
    const { args, end } = this.#takeArgs();
    const signature = signatureOf(name.text);
    if (signature === undefined) this.#tokens.fail(`unknown function with name ${quoteString(name.text)}`, name);
    if (signature.feature !== null && this.#options[signature.feature] !== true) {
      this.#tokens.fail(`function ${quoteString(name.text)} is not enabled`, name);
    }
    return { kind: 'call', span: { start: name.start, end }, func: name.text, args };
  }

  #takeArgs(): { readonly args: readonly Expr[]; readonly end: number } {
    const tokens: TokenStream = this.#tokens;
    const args: Expr[] = [];
    tokens.expect('(');
    while (args.length > 0 || !tokens.at(')')) {
      args.push(this.takeExpr(1));
      if (!tokens.at(',')) break;
      const comma = tokens.next();
      if (tokens.at(')')) tokens.fail('trailing commas not allowed in function call args', comma);
    }
    return { args, end: tokens.expect(')').end };
  }

  #takeAggregation(): Aggregate {
    const tokens: TokenStream = this.#tokens;
    const name = tokens.next();
    return tokens.within({ place: 'aggregation', expected: '' }, () => {
      const before = this.#takeGrouping();
      const { args, end: argsEnd } = this.#takeArgs();
      const { without, names, end } = before ?? this.#takeGrouping() ?? { without: false, names: [], end: argsEnd };
      const span = { start: name.start, end: Math.max(argsEnd, end) };
      const op = name.word;
      if (args.length === 0) tokens.fail('no arguments for aggregate expression provided', span);
      if (EXPERIMENTAL_AGGREGATIONS.has(op) && this.#options.experimentalFunctions !== true) {
        tokens.fail(
          `${op}() is experimental and must be enabled with --enable-feature=promql-experimental-functions`,
          span,
        );
      }
      const wanted = PARAMETER_AGGREGATIONS.has(op) ? 2 : 1;
      if (args.length !== wanted) {
        tokens.fail(
          `wrong number of arguments for aggregate expression provided, expected ${wanted}, got ${args.length}`,
          span,
        );
      }
      const param = wanted === 2 ? args[0]! : null;
      return { kind: 'aggregate', span, op, param, inner: args.at(-1)!, without, grouping: names };
    });
  }

  #takeGrouping(): { readonly without: boolean; readonly names: readonly string[]; readonly end: number } | null {
    const tokens: TokenStream = this.#tokens;
    if (!tokens.at('by') && !tokens.at('without')) return null;
    return { without: tokens.next().word === 'without', ...takeLabelNames(tokens) };
  }

  /** Ranges, offsets and @ after an operand, in any order. */
  #takeModifiers(operand: Expr): Expr {
    const tokens: TokenStream = this.#tokens;
    let expr = operand;
    for (;;) {
      if (tokens.at('[')) expr = this.#takeBracket(expr);
      else if (tokens.at('offset')) expr = this.#takeOffset(expr);
      else if (tokens.at('@')) expr = this.#takeAt(expr);
      else if (tokens.at('anchored') || tokens.at('smoothed')) expr = this.#takeExtension(expr);
      else return expr;
    }
  }

  #takeBracket(expr: Expr): MatrixSelector | SubqueryExpr {
    const tokens: TokenStream = this.#tokens;
    const open = tokens.next();
    const place = 'subquery or range selector';
    const range = tokens.within({ place, expected: DURATIONS }, () => takeRange(tokens));
    if (tokens.at(']')) {
      const { end } = tokens.next();
      return this.#rangeOf(expr, range, { start: open.start, end });
    }
    tokens.within({ place, expected: '":" or "]"' }, () => tokens.expect(':'));
    const stepContext = { place: 'subquery selector', expected: 'number, duration, step(), range(), or "]"' };
    const step = tokens.within(stepContext, () => (tokens.at(']') ? null : takeRange(tokens)));
    const { end } = tokens.within({ place: 'subquery selector', expected: '"]"' }, () => tokens.expect(']'));
    return {
      kind: 'subquery',
      span: { start: expr.span.start, end },
      inner: expr,
      range,
      step,
      offset: null,
      at: null,
    };
  }

  #rangeOf(expr: Expr, range: MatrixSelector['range'], bracket: Span): MatrixSelector {
    if (expr.kind !== 'vector-selector') this.#tokens.fail('ranges only allowed for vector selectors', bracket);
    if (expr.offset !== null) this.#tokens.fail('no offset modifiers allowed before range', bracket);
    // Prometheus lets start() and end() stand here.
    if (expr.at?.kind === 'time') this.#tokens.fail('no @ modifiers allowed before range', bracket);
    return { kind: 'matrix-selector', span: { start: expr.span.start, end: bracket.end }, selector: expr, range };
  }

  #takeOffset(expr: Expr): Expr {
    const tokens: TokenStream = this.#tokens;
    tokens.next();
    const offset = tokens.within({ place: 'offset', expected: DURATIONS }, () => takeOffset(tokens));
    const target = targetOf(expr);
    if (target === null) tokens.fail(`offset modifier ${MUST_FOLLOW}`, expr.span);
    if (target.offset !== null) tokens.fail('offset may not be set multiple times', expr.span);
    return withModifier(expr, { offset }, offset.span.end);
  }

  #takeAt(expr: Expr): Expr {
    const tokens: TokenStream = this.#tokens;
    tokens.next();
    const taken = tokens.within({ place: '@', expected: 'timestamp' }, () => this.#takeTime());
    if (taken.at.kind === 'time' && !(Math.abs(taken.at.timeMs) < MAX_TIME_MS)) {
      tokens.fail(`timestamp out of bounds for @ modifier: ${formatFixed(taken.seconds)}`, expr.span);
    }
    const target = targetOf(expr);
    if (target === null) tokens.fail(`@ modifier ${MUST_FOLLOW}`, expr.span);
    if (target.at !== null) tokens.fail('@ <timestamp> may not be set multiple times', expr.span);
    return withModifier(expr, { at: taken.at }, taken.end);
  }

  #takeTime(): { readonly at: AtModifier; readonly seconds: number; readonly end: number } {
    const tokens: TokenStream = this.#tokens;
    if (tokens.at('start') || tokens.at('end')) {
      const kind = tokens.next().word === 'start' ? 'start' : 'end';
      tokens.expect('(');
      return { at: { kind }, seconds: 0, end: tokens.expect(')').end };
    }
    const isNegative = tokens.at('-');
    if (isNegative || tokens.at('+')) tokens.next();
    const { value, span } = takeNumber(tokens);
    const seconds = isNegative ? -value : value;
    return { at: { kind: 'time', timeMs: Math.round(seconds * 1000) }, seconds, end: span.end };
  }

  #takeExtension(expr: Expr): Expr {
    const tokens: TokenStream = this.#tokens;
    const { word, end } = tokens.next();
    const extension = word === 'anchored' ? 'anchored' : 'smoothed';
    if (this.#options.extendedRangeSelectors !== true) {
      tokens.fail(`${extension} modifier is experimental and not enabled`, expr.span);
    }
    if (expr.kind === 'subquery') tokens.fail(`${extension} modifier is not supported for subqueries`, expr.span);
    const target = targetOf(expr);
    if (target === null || target.kind === 'subquery') tokens.fail(`${extension} modifier not implemented`, expr.span);
    if (target.extension !== null && target.extension !== extension) {
      tokens.fail('anchored and smoothed modifiers cannot be used together', expr.span);
    }
    return withModifier(expr, { extension }, end);
  }
}

const MUST_FOLLOW = 'must be preceded by an instant vector selector or range vector selector or a subquery';

type Modifier = Partial<Pick<VectorSelector, 'offset' | 'at' | 'extension'>>;

/** The node that carries the modifiers of `expr`; null where none can stand. */
function targetOf(expr: Expr): VectorSelector | SubqueryExpr | null {
  if (expr.kind === 'matrix-selector') return expr.selector;
  return expr.kind === 'vector-selector' || expr.kind === 'subquery' ? expr : null;
}

function withModifier(expr: Expr, modifier: Modifier, end: number): Expr {
  const span = { start: expr.span.start, end };
  if (expr.kind === 'matrix-selector') return { ...expr, span, selector: { ...expr.selector, ...modifier } };
  return { ...expr, ...modifier, span };
}

const spanOf = (left: Expr, right: Expr): Span => ({ start: left.span.start, end: right.span.end });
const isOpen = (token: Token): boolean => token.kind === 'punctuation' && token.word === '(';
const isAggregationStart = (token: Token): boolean =>
  isOpen(token) || (token.kind === 'keyword' && (token.word === 'by' || token.word === 'without'));

function binaryOp({ kind, word }: Token): BinaryOp | null {
  return kind === 'operator' && Object.hasOwn(PRECEDENCE, word) ? (word as BinaryOp) : null;
}

/** Six decimals, as Go's `%f`. */
function formatFixed(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
}
