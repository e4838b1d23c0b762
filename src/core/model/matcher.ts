/**
 * Label matchers: one `name op value` test, compiled to the cheapest predicate that decides it.
 *
 * re2js decides which regular expressions are valid and is the general engine, so matching is linear in the value's length.
 * In front of it stand the shapes that people write: a literal, an alternation of literals, prefix, suffix, contains, `.*`, `.+`.
 * Source: Prometheus, model/labels (anchored, dot matches newline).
 */
import { RE2JS } from 're2js';
import { quote } from './labels.ts';

export type MatchOp = '=' | '!=' | '=~' | '!~';

export interface Matcher {
  readonly name: string;
  readonly op: MatchOp;
  readonly value: string;
}

/** A regular expression that RE2 refuses. The message is the one Go prints. */
export class RegexError extends Error {
  override readonly name = 'RegexError';
}

/** An anchored regular expression over a whole string. */
export interface AnchoredRegex {
  readonly source: string;
  readonly matches: (text: string) => boolean;
  /** All strings that match, where they are finitely many and known; else null. */
  readonly literals: readonly string[] | null;
}

export interface CompiledMatcher extends Matcher {
  /** Tests a label's value; an absent label is ''. */
  matches(value: string): boolean;
  readonly matchesEmpty: boolean;
  /** The only values that can match (`=`, or `=~` of literals); null where that is not known or the op is negative. */
  readonly literals: readonly string[] | null;
}

/** Longest regular expression taken, in UTF-16 units. */
export const MAX_REGEX_LENGTH = 65_536;

const META = /[\\.+*?()|[\]{}^$]/;

/** @throws RegexError */
export function compileRegex(source: string): AnchoredRegex {
  if (source.length > MAX_REGEX_LENGTH) throw new RegexError(`regular expression is longer than ${MAX_REGEX_LENGTH} characters`);
  if (!META.test(source)) return { source, literals: [source], matches: (text) => text === source };
  let re: ReturnType<typeof RE2JS.compile>;
  try {
    re = RE2JS.compile(`^(?s:${source})$`);
    RE2JS.compile(source, RE2JS.DOTALL); // `a)(b` is balanced only inside the group.
  } catch (error) {
    throw new RegexError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  if (source === '.*') return { source, literals: null, matches: () => true };
  if (source === '.+') return { source, literals: null, matches: (text) => text !== '' };
  const parts = source.split('|');
  if (parts.every((part) => !META.test(part))) {
    const set = new Set(parts);
    return { source, literals: [...set], matches: (text) => set.has(text) };
  }
  const shape = /^(\.\*|\.\+)?([^\\.+*?()|[\]{}^$]+)(\.\*|\.\+)?$/.exec(source);
  if (shape) {
    const [, before, middle, after] = shape;
    return { source, literals: null, matches: (text) => matchesShape(text, before, middle!, after) };
  }
  return { source, literals: null, matches: (text) => re.testExact(text) };
}

/** @throws RegexError */
export function compileMatcher(matcher: Matcher): CompiledMatcher {
  const { name, op, value } = matcher;
  if (op === '=') return { name, op, value, matches: (text) => text === value, matchesEmpty: value === '', literals: [value] };
  if (op === '!=') return { name, op, value, matches: (text) => text !== value, matchesEmpty: value !== '', literals: null };
  const regex = compileRegex(value);
  if (op === '=~') {
    return { name, op, value, matches: regex.matches, matchesEmpty: regex.matches(''), literals: regex.literals };
  }
  return { name, op, value, matches: (text) => !regex.matches(text), matchesEmpty: !regex.matches(''), literals: null };
}

export function formatMatcher(matcher: Matcher): string {
  return `${matcher.name}${matcher.op}${quote(matcher.value)}`;
}

function matchesShape(text: string, before: string | undefined, middle: string, after: string | undefined): boolean {
  if (before === undefined && after === undefined) return text === middle;
  const minBefore = before === '.+' ? 1 : 0;
  const minAfter = after === '.+' ? 1 : 0;
  if (before === undefined) return text.startsWith(middle) && text.length >= middle.length + minAfter;
  if (after === undefined) return text.endsWith(middle) && text.length >= middle.length + minBefore;
  const at = text.indexOf(middle, minBefore);
  return at >= 0 && at + middle.length + minAfter <= text.length;
}
