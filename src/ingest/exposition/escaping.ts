/**
 * Metric and label names for readers that know only the classic character set, and back.
 *
 * Four schemes: `allow-utf-8` changes nothing; `underscores` loses what it replaces; `dots` keeps dots and underscores
 * apart; `values` keeps everything, as `U__` with code points in hexadecimal. Source: Prometheus, "Escaping schemes".
 */
import { unreachable } from '../../core/base/assert.ts';

export type EscapingScheme = 'allow-utf-8' | 'underscores' | 'dots' | 'values';

export const ESCAPING_SCHEMES: readonly EscapingScheme[] = ['allow-utf-8', 'underscores', 'dots', 'values'];

const VALUES_PREFIX = 'U__';
/** Longest run of hexadecimal digits that a code point needs. */
const MAX_CODE_DIGITS = 6;

/** The name in `scheme`. Names in the classic set stay, except that `dots` doubles their underscores. '' stays ''. */
export function escapeName(name: string, scheme: EscapingScheme): string {
  if (name === '') return name;
  switch (scheme) {
    case 'allow-utf-8':
      return name;
    case 'underscores':
      return isClassic(name) ? name : mapCharacters(name, (character, valid) => (valid ? character : '_'));
    case 'dots':
      return mapCharacters(name, (character, valid) => {
        if (character === '_') return '__';
        if (character === '.') return '_dot_';
        return valid ? character : '__';
      });
    case 'values':
      if (isClassic(name)) return name;
      return VALUES_PREFIX + mapCharacters(name, escapeValue);
    default:
      return unreachable(scheme);
  }
}

function escapeValue(character: string, valid: boolean): string {
  if (character === '_') return '__';
  if (valid) return character;
  // A lone surrogate has no UTF-8.
  return character.isWellFormed() ? `_${character.codePointAt(0)!.toString(16)}_` : '_FFFD_';
}

/** The name that `escapeName` turned into `name`; where `name` is not well escaped it stays as it is. */
export function unescapeName(name: string, scheme: EscapingScheme): string {
  switch (scheme) {
    case 'allow-utf-8':
    case 'underscores':
      return name;
    case 'dots':
      return name.replaceAll('_dot_', '.').replaceAll('__', '_');
    case 'values':
      return unescapeValues(name);
    default:
      return unreachable(scheme);
  }
}

function unescapeValues(name: string): string {
  if (!name.startsWith(VALUES_PREFIX)) return name;
  let out = '';
  for (let i = VALUES_PREFIX.length; i < name.length; ) {
    if (name[i] !== '_') {
      out += name[i]!;
      i++;
      continue;
    }
    if (name[i + 1] === '_') {
      out += '_';
      i += 2;
      continue;
    }
    const end = name.indexOf('_', i + 1);
    const digits = name.slice(i + 1, end);
    if (end < 0 || digits.length > MAX_CODE_DIGITS || !/^[\da-fA-F]+$/.test(digits)) return name;
    const code = Number.parseInt(digits, 16);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return name;
    out += String.fromCodePoint(code);
    i = end + 1;
  }
  return out;
}

/** Metric names may hold colons; so the escaped form of a label may too, as in Prometheus. */
const isClassic = (name: string): boolean => /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name);

function mapCharacters(name: string, map: (character: string, valid: boolean) => string): string {
  let out = '';
  let first = true;
  for (const character of name) {
    out += map(character, first ? /^[a-zA-Z_:]$/.test(character) : /^[a-zA-Z0-9_:]$/.test(character));
    first = false;
  }
  return out;
}
