/**
 * Query text to tokens.
 *
 * What a character means depends on where it stands, so the lexer has three modes: statements, inside braces, and where a
 * bracket wants a duration. It works on demand: a parser that stops at a wrong token never sees the faults behind it, which
 * is what makes the first error the one that people expect.
 * Source: Prometheus, querying basics; messages as Prometheus words them.
 */
import { PromqlSyntaxError } from '../errors.ts';
import { describeRune, quoteRune, quoteString } from './string-literal.ts';

export type TokenKind =
  | 'eof'
  | 'identifier'
  | 'metric-identifier' // With a colon, so no label.
  | 'keyword'
  | 'preprocessor' // start, end, step, range
  | 'aggregator'
  | 'operator'
  | 'number'
  | 'duration'
  | 'string'
  | 'punctuation';

export interface Token {
  readonly kind: TokenKind;
  /** As written. */
  readonly text: string;
  /** What the parser compares: keywords and word operators in lower case, else `text`. */
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

const WORD_KINDS: Readonly<Record<string, TokenKind>> = {
  ...kindOf(
    'keyword',
    'by without on ignoring group_left group_right bool offset anchored smoothed fill fill_left fill_right',
  ),
  ...kindOf('preprocessor', 'start end step range'),
  ...kindOf(
    'aggregator',
    'sum avg count min max group stddev stdvar topk bottomk count_values quantile limitk limit_ratio',
  ),
  ...kindOf('operator', 'and or unless atan2'),
  ...kindOf('number', 'inf nan'),
};
const DURATION_FUNCTIONS = new Set(['step', 'range', 'min_of', 'max_of']);

function kindOf(kind: TokenKind, words: string): Record<string, TokenKind> {
  return Object.fromEntries(words.split(' ').map((word) => [word, kind]));
}

const isSpace = (char: string): boolean => char === ' ' || char === '\t' || char === '\n' || char === '\r';
const isDigit = (char: string): boolean => char >= '0' && char <= '9';
const isAlpha = (char: string): boolean => char === '_' || (char >= 'a' && char <= 'z') || (char >= 'A' && char <= 'Z');
const isAlphaNumeric = (char: string): boolean => isAlpha(char) || isDigit(char);

export class Lexer {
  readonly #input: string;
  #mode: 'statement' | 'braces' | 'duration' = 'statement';
  #start = 0; // Of the token under way.
  #pos = 0;
  #parenDepth = 0;
  #bracketOpen = false;
  #gotDuration = false; // Since the bracket opened.
  #gotColon = false;

  constructor(input: string) {
    this.#input = input;
  }

  /** The next token, `eof` for ever after the last. @throws PromqlSyntaxError */
  next(): Token {
    this.#skipBlanks();
    if (this.#mode === 'braces') return this.#insideBraces();
    return this.#mode === 'duration' ? this.#durationStart() : this.#statement();
  }

  #statement(): Token {
    const char = this.#take();
    switch (char) {
      case '':
        if (this.#parenDepth !== 0) this.#fail('unclosed left parenthesis');
        if (this.#bracketOpen) this.#fail('unclosed left bracket');
        return this.#emit('eof');
      case ',':
        return this.#emit('punctuation');
      case '*':
      case '/':
      case '%':
      case '+':
      case '-':
      case '^':
      case '@':
        return this.#emit('operator');
      case '=':
        if (this.#peek() === '~') this.#fail(`unexpected character after '=': '~'`);
        return this.#accept('=') ? this.#emit('operator') : this.#emit('punctuation');
      case '!': {
        const after = this.#take();
        if (after !== '=') this.#fail(`unexpected character after '!': ${quoteRune(after)}`);
        return this.#emit('operator');
      }
      case '<':
        this.#accept('=/');
        return this.#emit('operator');
      case '>':
        this.#accept('=/');
        return this.#emit('operator');
      case '(':
      case ')':
        return this.#paren(char);
      case '{':
        this.#mode = 'braces';
        return this.#emit('punctuation');
      case '[':
        if (this.#bracketOpen) this.#fail(`unexpected left bracket ${quoteRune(char)}`);
        this.#bracketOpen = true;
        this.#gotDuration = false;
        this.#gotColon = false;
        this.#mode = 'duration';
        return this.#emit('punctuation');
      case ']':
        if (!this.#bracketOpen) this.#fail(`unexpected right bracket ${quoteRune(char)}`);
        return this.#closeBracket();
      case '"':
      case "'":
        return this.#string(char);
      case '`':
        return this.#rawString();
    }
    if (isDigit(char) || (char === '.' && isDigit(this.#peek()))) return this.#number();
    if (isAlpha(char) || char === ':') {
      if (!this.#bracketOpen) return this.#word();
      if (char === ':') {
        if (this.#gotColon) this.#fail(`unexpected colon ${quoteRune(char)}`);
        return this.#colon();
      }
      return this.#durationWord() ?? this.#fail(`unexpected character: ${quoteRune(char)}, expected ':'`);
    }
    return this.#fail(`unexpected character: ${quoteRune(char)}`);
  }

  #insideBraces(): Token {
    const char = this.#take();
    switch (char) {
      case '':
        return this.#fail('unexpected end of input inside braces');
      case ',':
        return this.#emit('punctuation');
      case '"':
      case "'":
        return this.#string(char);
      case '`':
        return this.#rawString();
      case '=':
        return this.#accept('~') ? this.#emit('operator') : this.#emit('punctuation');
      case '!': {
        const after = this.#take();
        if (after !== '~' && after !== '=')
          this.#fail(`unexpected character after '!' inside braces: ${quoteRune(after)}`);
        return this.#emit('operator');
      }
      case '{':
        return this.#fail(`unexpected left brace ${quoteRune(char)}`);
      case '}':
        this.#mode = 'statement';
        return this.#emit('punctuation');
    }
    if (!isAlpha(char)) this.#fail(`unexpected character inside braces: ${quoteRune(char)}`);
    while (isAlphaNumeric(this.#peek())) this.#pos++;
    return this.#emit('identifier');
  }

  /** Up to the first number in a bracket; from there on the rules of statements hold. */
  #durationStart(): Token {
    const char = this.#take();
    switch (char) {
      case '':
        return this.#fail('unexpected end of input in duration expression');
      case ']':
        return this.#closeBracket();
      case ':':
        if (!this.#gotDuration) this.#fail('unexpected colon before duration in duration expression');
        if (this.#gotColon) this.#fail('unexpected repeated colon in duration expression');
        return this.#colon();
      case '(':
      case ')':
        return this.#paren(char);
      case '+':
      case '-':
      case '*':
      case '/':
      case '%':
      case '^':
        return this.#emit('operator');
      case ',':
        return this.#emit('punctuation');
    }
    if (isDigit(char) || (char === '.' && isDigit(this.#peek()))) {
      this.#mode = 'statement';
      return this.#number();
    }
    const word = isAlpha(char) ? this.#durationWord() : null;
    return word ?? this.#fail(`unexpected character in duration expression: ${quoteRune(char)}`);
  }

  /** `step(`, `range(`, `min_of(`, `max_of(`, of which the first letter is taken; null, and nothing more taken, if it is none. */
  #durationWord(): Token | null {
    let end = this.#pos;
    while (isAlphaNumeric(this.#input.charAt(end))) end++;
    const word = this.#input.slice(this.#start, end).toLowerCase();
    let next = end;
    while (isSpace(this.#input.charAt(next))) next++;
    if (!DURATION_FUNCTIONS.has(word) || this.#input.charAt(next) !== '(') return null;
    this.#pos = end;
    this.#gotDuration = true;
    return this.#emit('identifier', word);
  }

  #colon(): Token {
    this.#gotColon = true;
    this.#mode = 'duration';
    return this.#emit('punctuation');
  }

  #closeBracket(): Token {
    this.#bracketOpen = false;
    this.#mode = 'statement';
    return this.#emit('punctuation');
  }

  #paren(char: '(' | ')'): Token {
    if (char === '(') {
      this.#parenDepth++;
    } else if (--this.#parenDepth < 0) {
      this.#start = this.#pos;
      this.#fail(`unexpected right parenthesis ${quoteRune(char)}`);
    }
    return this.#emit('punctuation');
  }

  #word(): Token {
    while (isAlphaNumeric(this.#peek()) || this.#peek() === ':') this.#pos++;
    const text = this.#input.slice(this.#start, this.#pos);
    const lower = text.toLowerCase();
    const kind = Object.hasOwn(WORD_KINDS, lower) ? WORD_KINDS[lower] : undefined;
    if (kind !== undefined) return this.#emit(kind, lower);
    return this.#emit(text.includes(':') ? 'metric-identifier' : 'identifier');
  }

  #number(): Token {
    this.#gotDuration = true;
    this.#pos = this.#start;
    if (this.#scanNumber()) return this.#emit('number');
    if (this.#scanRestOfDuration()) return this.#emit('duration');
    return this.#fail(`bad number or duration syntax: ${quoteString(this.#input.slice(this.#start, this.#pos))}`);
  }

  /** Decimal or hexadecimal, with `_` between digits. What it took stays taken where it answers false. */
  #scanNumber(): boolean {
    let digits = '0123456789';
    if (this.#accept('0') && this.#accept('xX')) {
      this.#accept('_');
      digits = '0123456789abcdefABCDEF';
    }
    const isHex = digits.length > 10;
    this.#accept('.');
    this.#acceptRun(digits);
    let sawDot = this.#input.slice(this.#start, this.#pos).includes('.');
    let sawExponent = false;
    for (;;) {
      const char = this.#peek();
      if (char === '.') {
        this.#pos++;
        if (sawDot || isHex || this.#accept('_.')) return false;
        sawDot = true;
      } else if (char === '_') {
        this.#pos++;
        if (this.#accept('._eE') || this.#peek() === '') return false;
      } else if (char !== '' && digits.includes(char)) {
        this.#acceptRun(digits);
      } else if (char === 'e' || char === 'E') {
        this.#pos++;
        if (sawExponent) return false;
        sawExponent = true;
        this.#accept('+-');
        if (this.#accept('._eE') || this.#peek() === '') return false;
      } else {
        return !isAlphaNumeric(char);
      }
    }
  }

  /** The units after the first number of a duration, and what follows them. */
  #scanRestOfDuration(): boolean {
    if (!this.#accept('smhdwy')) return false;
    this.#accept('s');
    while (this.#accept('0123456789')) {
      this.#acceptRun('0123456789');
      if (!this.#accept('smhdw')) return false;
      this.#accept('s');
    }
    if (!isAlphaNumeric(this.#peek())) return true;
    this.#pos++;
    return false;
  }

  #string(open: string): Token {
    for (;;) {
      const char = this.#take();
      if (char === '' || char === '\n') this.#fail('unterminated quoted string');
      if (char === open) return this.#emit('string');
      if (char === '\\') this.#escape(open);
    }
  }

  #rawString(): Token {
    for (;;) {
      const char = this.#take();
      if (char === '') this.#fail('unterminated raw string');
      if (char === '`') return this.#emit('string');
    }
  }

  /** After the backslash. */
  #escape(open: string): void {
    const kind = this.#take();
    if (kind === '') this.#fail('escape sequence not terminated');
    if (kind === open || 'abfnrtv\\'.includes(kind)) return;
    let digits = 2;
    let base = 16;
    if (kind >= '0' && kind <= '7') {
      this.#pos--;
      digits = 3;
      base = 8;
    } else if (kind === 'u') {
      digits = 4;
    } else if (kind === 'U') {
      digits = 8;
    } else if (kind !== 'x') {
      this.#fail(`unknown escape sequence ${describeRune(kind)}`);
    }
    let code = 0;
    for (let i = 0; i < digits; i++) {
      const char = this.#take();
      const digit = /^[0-9a-fA-F]$/.test(char) ? Number.parseInt(char, 16) : base;
      if (char === '') this.#fail('escape sequence not terminated');
      if (digit >= base) this.#fail(`illegal character ${describeRune(char)} in escape sequence`);
      code = code * base + digit;
    }
    const max = kind === 'u' || kind === 'U' ? 0x10ffff : 255;
    if (code > max || (code >= 0xd800 && code < 0xe000)) this.#fail('escape sequence is an invalid Unicode code point');
  }

  /** White space and comments. */
  #skipBlanks(): void {
    for (;;) {
      const char = this.#peek();
      if (char === '#' && this.#mode !== 'duration') {
        const newline = this.#input.indexOf('\n', this.#pos);
        this.#pos = newline < 0 ? this.#input.length : newline;
      } else if (isSpace(char)) {
        this.#pos++;
      } else {
        break;
      }
    }
    this.#start = this.#pos;
  }

  /** The next UTF-16 unit, '' at the end. */
  #peek(): string {
    return this.#input.charAt(this.#pos);
  }

  /** Takes a whole character, '' at the end. */
  #take(): string {
    const code = this.#input.codePointAt(this.#pos);
    if (code === undefined) return '';
    const char = String.fromCodePoint(code);
    this.#pos += char.length;
    return char;
  }

  #accept(set: string): boolean {
    const char = this.#peek();
    if (char === '' || !set.includes(char)) return false;
    this.#pos++;
    return true;
  }

  #acceptRun(set: string): void {
    while (this.#accept(set));
  }

  #emit(kind: TokenKind, word?: string): Token {
    const text = this.#input.slice(this.#start, this.#pos);
    return { kind, text, word: word ?? text, start: this.#start, end: this.#pos };
  }

  #fail(what: string): never {
    throw new PromqlSyntaxError(what, this.#input, { start: this.#start, end: this.#pos });
  }
}
