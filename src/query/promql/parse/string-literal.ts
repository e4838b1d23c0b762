/**
 * String literals of PromQL: Go's three quotes and escapes, read and written.
 *
 * Escapes can spell bytes that are no UTF-8 (`"\xff"`), which a JavaScript string cannot hold. Such a byte becomes the lone
 * surrogate U+DC00 + byte: it cannot collide with text, shows as ill-formed to whoever asks (`isWellFormed`), and prints
 * back as `\xff`.
 * Source: the Go language specification, "String literals"; Prometheus, querying basics, "String literals".
 */
import { quote } from '../../../core/model/labels.ts';

const BYTE_ESCAPE_BASE = 0xdc00;
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
/** Control, separator and unassigned characters past ASCII, which Go's `%q` escapes. Lone surrogates are among them. */
const UNPRINTABLE = /[[\p{C}\p{Z}]--[\0-\x7f]]/v;
const ALL_UNPRINTABLE = new RegExp(UNPRINTABLE, 'gv');

/**
 * The text that a literal spells.
 *
 * @param raw with its quotes, as the lexer passed it: closed, and every escape well-formed
 */
export function unquote(raw: string): string {
  const body = raw.slice(1, -1);
  if (raw.startsWith('`')) return body.replaceAll('\r', '');
  if (!body.includes('\\')) return body;
  let text = '';
  const bytes: number[] = []; // A run of byte escapes, which may spell UTF-8 together.
  for (let i = 0; i < body.length; i++) {
    const char = body[i]!;
    if (char !== '\\') {
      text += takeBytes(bytes) + char;
      continue;
    }
    const kind = body[++i]!;
    if (kind === 'x') {
      bytes.push(Number.parseInt(body.slice(i + 1, i + 3), 16));
      i += 2;
    } else if (kind >= '0' && kind <= '7') {
      bytes.push(Number.parseInt(body.slice(i, i + 3), 8));
      i += 2;
    } else if (kind === 'u' || kind === 'U') {
      const digits = kind === 'u' ? 4 : 8;
      text += takeBytes(bytes) + String.fromCodePoint(Number.parseInt(body.slice(i + 1, i + 1 + digits), 16));
      i += digits;
    } else {
      text += takeBytes(bytes) + (SIMPLE_ESCAPES[kind] ?? kind);
    }
  }
  return text + takeBytes(bytes);
}

/** As a double-quoted literal that `unquote` reads back. */
export function quoteString(text: string): string {
  return quote(text).replaceAll(ALL_UNPRINTABLE, escapeRune);
}

/** A character in single quotes as Go's `%q` prints it, for messages. `''` is the end of input. */
export function quoteRune(char: string): string {
  if (char === '') return "'\ufffd'";
  if (char === "'") return String.raw`'\''`;
  if (char === '"') return `'"'`;
  return `'${quoteString(char).slice(1, -1)}'`;
}

/** A code point as Go's `%#U` prints it, for messages: `U+0071 'q'`. */
export function describeRune(char: string): string {
  const code = char.codePointAt(0) ?? 0xfffd;
  const isShown = code >= 0x20 && code !== 0x7f && !UNPRINTABLE.test(char);
  return `U+${hex(code, 4).toUpperCase()}${isShown ? ` '${char}'` : ''}`;
}

function escapeRune(char: string): string {
  const code = char.codePointAt(0)!;
  if (code > BYTE_ESCAPE_BASE + 0x7f && code <= BYTE_ESCAPE_BASE + 0xff) return `\\x${hex(code - BYTE_ESCAPE_BASE, 2)}`;
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
  return code <= 0xffff ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0');

/** Empties `bytes` into text: UTF-8 where it is valid, else byte by byte as lone surrogates. */
function takeBytes(bytes: number[]): string {
  if (bytes.length === 0) return '';
  const taken = Uint8Array.from(bytes);
  bytes.length = 0;
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text = '';
  for (let i = 0; i < taken.length;) {
    const length = sequenceLength(taken[i]!);
    try {
      text += decoder.decode(taken.subarray(i, i + length));
      i += length;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      text += String.fromCharCode(BYTE_ESCAPE_BASE + taken[i]!);
      i++;
    }
  }
  return text;
}

/** How many bytes the UTF-8 sequence takes that `first` begins. */
function sequenceLength(first: number): number {
  if (first >= 0xf0) return 4;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 1;
}
