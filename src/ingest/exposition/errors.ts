/**
 * What is wrong with an exposed body, in Prometheus' words and with the line.
 */

/** An exposed body breaks its format or a bound. The whole scrape fails. */
export class ExpositionError extends Error {
  override readonly name = 'ExpositionError';
  /** Without the line, as Prometheus says it. */
  readonly reason: string;
  /** Counted from 1; 0 where the fault is the body as a whole. */
  readonly line: number;

  constructor(reason: string, line: number) {
    super(line > 0 ? `line ${line}: ${reason}` : reason);
    this.reason = reason;
    this.line = line;
  }
}

/** Most bytes of a body that a message repeats. */
const MAX_EXCERPT_BYTES = 160;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes as Go's %q writes them: escapes for controls, \x for what is no UTF-8. Long ones are cut. */
export function quoteBytes(bytes: Uint8Array, start: number, end: number): string {
  const cut = end - start > MAX_EXCERPT_BYTES;
  const excerpt = bytes.slice(start, cut ? start + MAX_EXCERPT_BYTES : end);
  let out = '';
  for (let i = 0; i < excerpt.length; ) {
    const width = characterBytes(excerpt, i);
    out += width === 0 ? `\\x${hex(excerpt[i]!)}` : escapeCharacter(utf8.decode(excerpt.subarray(i, i + width)));
    i += Math.max(1, width);
  }
  return `"${out}${cut ? '…' : ''}"`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\f': '\\f',
  '\b': '\\b',
  '\u0007': '\\a',
};

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0)!;
  return ESCAPES[character] ?? (code < 0x20 || code === 0x7f ? `\\x${hex(code)}` : character);
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');

/** Length of the UTF-8 character at `index`, 0 where there is none. */
export function characterBytes(bytes: Uint8Array, index: number, end = bytes.length): number {
  const first = bytes[index]!;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const width = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (index + width > end) return 0;
  const second = bytes[index + 1]!;
  // The second byte excludes overlong forms, surrogates and what lies past U+10FFFF.
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most) return 0;
  for (let i = 2; i < width; i++) if ((bytes[index + i]! & 0xc0) !== 0x80) return 0;
  return width;
}

/** Whether the bytes are valid UTF-8 by RFC 3629. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; ) {
    if (bytes[i]! < 0x80) {
      i++;
      continue;
    }
    const width = characterBytes(bytes, i, end);
    if (width === 0) return false;
    i += width;
  }
  return true;
}
