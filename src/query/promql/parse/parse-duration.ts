/**
 * Number and duration literals, and the expressions over them that stand in brackets and after `offset`.
 *
 * In brackets the whole arithmetic is allowed. After `offset` only a sign and one operand are: `foo offset 2 ^ 2` squares
 * the selected value. A literal with a sign is one literal, and parentheses around one are dropped, so that most texts come
 * out as plain literals.
 */
import { DurationError, parseDuration } from '../../../core/model/duration.ts';
import type { DurationExpr, Span } from './ast.ts';
import type { Token } from './lexer.ts';
import { NumberError, parseNumber } from './parse-number.ts';
import type { TokenStream } from './token-stream.ts';

/** Go's durations are int64 nanoseconds. */
const MAX_SECONDS = 2 ** 63 / 1e9;
const PRECEDENCE: Readonly<Record<string, number>> = { '+': 1, '-': 1, '*': 2, '/': 2, '%': 2, '^': 3 };
const SIGN_PRECEDENCE = 3; // A sign binds like `*`, so only `^` goes into its operand.

type DurationOp = Extract<DurationExpr, { kind: 'duration-binary' }>['op'];

export interface NumberOrDuration {
  readonly value: number;
  readonly isDuration: boolean;
}

/** Whether a number or duration literal comes next. */
export const atNumber = (tokens: TokenStream): boolean => isNumber(tokens.peek());

/** Takes a number or duration literal; durations are in seconds. */
export function takeNumber(tokens: TokenStream): NumberOrDuration & { readonly span: Span } {
  if (!atNumber(tokens)) tokens.unexpected();
  const token = tokens.next();
  const span = { start: token.start, end: token.end };
  try {
    if (token.kind === 'number') return { value: parseNumber(token.text), isDuration: false, span };
    return { value: parseDuration(token.text) / 1000, isDuration: true, span };
  } catch (error) {
    if (error instanceof NumberError) tokens.fail(`error parsing number: ${error.message}`, token);
    if (error instanceof DurationError) tokens.fail(error.message, token);
    throw error;
  }
}

/** What a bracket holds; a literal must be greater than 0. */
export function takeRange(tokens: TokenStream): DurationExpr {
  const range = takeExpr(tokens, 1);
  if (range.kind === 'duration' && !(range.seconds > 0)) tokens.fail('duration must be greater than 0', range.span);
  return range;
}

/** What stands after `offset`. */
export function takeOffset(tokens: TokenStream): DurationExpr {
  if (tokens.at('+') || tokens.at('-')) return withSign(tokens.next(), takeOperand(tokens));
  return takeOperand(tokens);
}

function takeExpr(tokens: TokenStream, minPrecedence: number): DurationExpr {
  return tokens.nested(() => {
    let left = takeSigned(tokens);
    for (;;) {
      const { kind, word } = tokens.peek();
      const precedence = kind === 'operator' && Object.hasOwn(PRECEDENCE, word) ? PRECEDENCE[word]! : 0;
      if (precedence === 0 || precedence < minPrecedence) return left;
      const operator = tokens.next();
      const op = operator.word as DurationOp; // The table holds no other.
      const right = takeExpr(tokens, op === '^' ? precedence : precedence + 1);
      if (right.kind === 'duration' && right.seconds === 0) {
        if (op === '/') tokens.fail('division by zero', operator);
        if (op === '%') tokens.fail('modulo by zero', operator);
      }
      left = { kind: 'duration-binary', span: { start: left.span.start, end: right.span.end }, op, left, right };
    }
  });
}

function takeSigned(tokens: TokenStream): DurationExpr {
  if (!tokens.at('+') && !tokens.at('-')) return takeOperand(tokens);
  return withSign(tokens.next(), takeExpr(tokens, SIGN_PRECEDENCE));
}

function takeOperand(tokens: TokenStream): DurationExpr {
  const token = tokens.peek();
  if (isNumber(token)) {
    const { value, isDuration, span } = takeNumber(tokens);
    if (!(Math.abs(value) <= MAX_SECONDS)) tokens.fail('duration out of range', span);
    return { kind: 'duration', span, seconds: value, isDuration };
  }
  if (tokens.accept('(')) {
    const inner = takeExpr(tokens, 1);
    const span = { start: token.start, end: tokens.expect(')').end };
    if (inner.kind === 'duration' || inner.kind === 'duration-paren') return { ...inner, span };
    return { kind: 'duration-paren', span, inner };
  }
  return takeCall(tokens);
}

function takeCall(tokens: TokenStream): DurationExpr {
  const name = tokens.peek();
  const func = name.text.toLowerCase();
  const isName = name.kind === 'identifier' || name.kind === 'preprocessor';
  if (!isName || (func !== 'step' && func !== 'range' && func !== 'min_of' && func !== 'max_of')) tokens.unexpected();
  tokens.next();
  tokens.expect('(');
  const args: DurationExpr[] = [];
  if (func === 'min_of' || func === 'max_of') {
    args.push(takeExpr(tokens, 1));
    tokens.expect(',');
    args.push(takeExpr(tokens, 1));
  }
  return { kind: 'duration-call', span: { start: name.start, end: tokens.expect(')').end }, func, args };
}

function withSign(sign: Token, operand: DurationExpr): DurationExpr {
  const span = { start: sign.start, end: operand.span.end };
  if (operand.kind === 'duration')
    return { ...operand, span, seconds: sign.word === '-' ? -operand.seconds : operand.seconds };
  return { kind: 'duration-unary', span, op: sign.word === '-' ? '-' : '+', operand };
}

const isNumber = (token: Token): boolean => token.kind === 'number' || token.kind === 'duration';
