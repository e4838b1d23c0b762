/**
 * Tokens with lookahead, and the wording of "unexpected …".
 *
 * Prometheus names the construct in which it stumbled ("in aggregation, expected …"), and an inner construct without words
 * of its own uses those of the one around it. So the stream carries the current context, and constructs set it for the time
 * they run.
 */
import { unreachable } from '../../../core/base/assert.ts';
import { PromqlSyntaxError } from '../errors.ts';
import type { Span } from './ast.ts';
import { Lexer, type Token } from './lexer.ts';
import { quoteString } from './string-literal.ts';

/** Where the parser is, for messages; both may be ''. */
export interface Context {
  readonly place: string;
  readonly expected: string;
}

const NOWHERE: Context = { place: '', expected: '' };
/** Longer token texts are cut in messages. */
const MAX_SHOWN = 10;
/** Levels of parentheses, calls and operators that wait for their right side. Guards the stack. */
export const MAX_NESTING = 400;

export class TokenStream {
  readonly text: string;
  readonly #lexer: Lexer;
  readonly #ahead: Token[] = [];
  #context = NOWHERE;
  #nesting = 0;

  constructor(text: string) {
    this.text = text;
    this.#lexer = new Lexer(text);
  }

  /** The token that `next` will take (0), or the one after it (1). */
  peek(distance: 0 | 1 = 0): Token {
    while (this.#ahead.length <= distance) this.#ahead.push(this.#lexer.next());
    return this.#ahead[distance]!;
  }

  next(): Token {
    const token = this.peek();
    this.#ahead.shift();
    return token;
  }

  /** Whether the next token is this keyword, operator or punctuation mark. */
  at(word: string): boolean {
    const token = this.peek();
    return token.word === word && token.kind !== 'string' && token.kind !== 'identifier';
  }

  /** Takes the next token if it is `word`. */
  accept(word: string): boolean {
    if (!this.at(word)) return false;
    this.next();
    return true;
  }

  /** Takes the next token, which must be `word`. */
  expect(word: string): Token {
    if (!this.at(word)) this.unexpected();
    return this.next();
  }

  /** Runs `parse` with other words for what is unexpected. */
  within<T>(context: Context, parse: () => T): T {
    const outer = this.#context;
    this.#context = context;
    const result = parse();
    this.#context = outer;
    return result;
  }

  /** Runs `parse` one level deeper. @throws PromqlSyntaxError beyond MAX_NESTING */
  nested<T>(parse: () => T): T {
    if (this.#nesting >= MAX_NESTING) this.fail(`expression is nested deeper than ${MAX_NESTING} levels`, this.peek());
    this.#nesting++;
    const result = parse();
    this.#nesting--;
    return result;
  }

  /** Refuses `token`. */
  unexpected(token: Token = this.peek()): never {
    const { place, expected } = this.#context;
    const where = place === '' ? '' : ` in ${place}`;
    const wanted = expected === '' ? '' : `, expected ${expected}`;
    this.fail(`unexpected ${describe(token)}${where}${wanted}`, token);
  }

  fail(what: string, span: Span): never {
    throw new PromqlSyntaxError(what, this.text, { start: span.start, end: span.end });
  }
}

function describe(token: Token): string {
  switch (token.kind) {
    case 'eof':
      return 'end of input';
    case 'identifier':
      return `identifier ${quoteString(token.text)}`;
    case 'metric-identifier':
      return `metric identifier ${quoteString(token.text)}`;
    case 'keyword':
      return `<${token.text}>`;
    case 'operator':
      return `<op:${token.text}>`;
    case 'aggregator':
      return `<aggr:${token.text}>`;
    case 'number':
    case 'duration':
    case 'string':
      return `${token.kind} ${shorten(token.text)}`;
    case 'preprocessor':
    case 'punctuation':
      return quoteString(token.text);
    default:
      return unreachable(token.kind);
  }
}

function shorten(text: string): string {
  const chars = Array.from(text);
  if (chars.length <= MAX_SHOWN) return quoteString(text);
  return `${quoteString(chars.slice(0, MAX_SHOWN).join(''))}...`;
}
