/**
 * Selectors: a metric's name, label matchers in braces, and the lists of label names of `by`, `on` and their like.
 */
import { unreachable } from '../../../core/base/assert.ts';
import { METRIC_NAME } from '../../../core/model/labels.ts';
import { compileRegex, RegexError, type Matcher, type MatchOp } from '../../../core/model/matcher.ts';
import type { VectorSelector } from './ast.ts';
import type { Token } from './lexer.ts';
import { unquote } from './string-literal.ts';
import type { TokenStream } from './token-stream.ts';

/** Most matchers of one selector. */
export const MAX_MATCHERS = 10_000;

const OPERATOR_METRICS = new Set(['and', 'or', 'unless']);
const KEYWORD_METRICS = new Set(['by', 'without', 'offset', 'anchored', 'smoothed', 'fill', 'fill_left', 'fill_right']);
const MATCH_OPS: readonly string[] = ['=', '!=', '=~', '!~'];

/** Whether `token` can name a metric, which most keywords can. */
export function isMetricName({ kind, word }: Token): boolean {
  switch (kind) {
    case 'identifier':
    case 'metric-identifier':
    case 'aggregator':
    case 'preprocessor':
      return true;
    case 'keyword':
      return KEYWORD_METRICS.has(word);
    case 'operator':
      return OPERATOR_METRICS.has(word);
    case 'number':
    case 'duration':
    case 'string':
    case 'punctuation':
    case 'eof':
      return false;
    default:
      return unreachable(kind);
  }
}

/** `name`, `name{…}` or `{…}`. */
export function takeSelector(tokens: TokenStream): VectorSelector {
  const first = tokens.peek();
  const matchers: Matcher[] = [];
  let name = '';
  let { end } = first;
  if (isMetricName(first)) {
    name = tokens.next().text;
  } else if (!tokens.at('{')) {
    tokens.unexpected();
  }
  if (tokens.at('{')) end = takeMatchers(tokens, matchers);
  if (name !== '') matchers.push({ name: METRIC_NAME, op: '=', value: name });
  const span = { start: first.start, end };
  return { kind: 'vector-selector', span, name, matchers, offset: null, at: null, extension: null };
}

/** Takes `{…}` into `matchers`. @returns where it ends */
function takeMatchers(tokens: TokenStream, matchers: Matcher[]): number {
  tokens.expect('{');
  for (;;) {
    const close = tokens.within({ place: 'label matching', expected: 'identifier or "}"' }, () => {
      if (tokens.at('}')) return tokens.next();
      const label = tokens.peek();
      if (label.kind !== 'identifier' && label.kind !== 'string') tokens.unexpected();
      tokens.next();
      if (matchers.length >= MAX_MATCHERS) tokens.fail(`selector has more than ${MAX_MATCHERS} matchers`, label);
      matchers.push(takeMatcher(tokens, label));
      return null;
    });
    if (close) return close.end;
    const end = tokens.within({ place: 'label matching', expected: '"," or "}"' }, () => {
      if (tokens.at('}')) return tokens.next().end;
      tokens.expect(',');
      return 0;
    });
    if (end > 0) return end;
  }
}

/** After its label; a quoted string alone is the metric's name. */
function takeMatcher(tokens: TokenStream, label: Token): Matcher {
  const name = label.kind === 'string' ? unquote(label.text) : label.text;
  if (label.kind === 'string' && (tokens.at(',') || tokens.at('}'))) return { name: METRIC_NAME, op: '=', value: name };
  const expectsMore = label.kind === 'string' ? '"," or "}"' : 'label matching operator';
  const op = tokens.within({ place: 'label matching', expected: expectsMore }, () => {
    const token = tokens.peek();
    if (token.kind === 'string' || !MATCH_OPS.includes(token.word)) tokens.unexpected();
    return tokens.next().word as MatchOp; // One of MATCH_OPS.
  });
  const literal = tokens.within({ place: 'label matching', expected: 'string' }, () => {
    if (tokens.peek().kind !== 'string') tokens.unexpected();
    return tokens.next();
  });
  const value = unquote(literal.text);
  if (op === '=~' || op === '!~') {
    try {
      compileRegex(value);
    } catch (error) {
      if (error instanceof RegexError) tokens.fail(error.message, { start: label.start, end: literal.end });
      throw error;
    }
  }
  return { name, op, value };
}

/** Takes `(a, b)`. */
export function takeLabelNames(tokens: TokenStream): { readonly names: readonly string[]; readonly end: number } {
  const place = 'grouping opts';
  tokens.within({ place, expected: '"("' }, () => tokens.expect('('));
  const names: string[] = [];
  for (;;) {
    if (tokens.at(')')) return { names, end: tokens.next().end };
    names.push(tokens.within({ place, expected: 'label' }, () => takeLabelName(tokens)));
    const end = tokens.within({ place, expected: '"," or ")"' }, () => {
      if (tokens.at(')')) return tokens.next().end;
      tokens.expect(',');
      return 0;
    });
    if (end > 0) return { names, end };
  }
}

function takeLabelName(tokens: TokenStream): string {
  const token = tokens.peek();
  if (token.kind === 'string') {
    tokens.next();
    const name = unquote(token.text);
    if (name === '' || !name.isWellFormed()) tokens.fail(`invalid label name for grouping: ${token.text}`, token);
    return name;
  }
  const isWord = /^[a-zA-Z_]/.test(token.text) && token.kind !== 'number' && token.kind !== 'metric-identifier';
  if (!isWord || token.word === 'without') tokens.unexpected();
  return tokens.next().text;
}
