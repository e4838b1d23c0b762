/**
 * JSON as Prometheus writes it: characters that could end a script element are escaped, so that an answer can be put
 * into a page. Any JSON parser reads the same text from both.
 */

const UNSAFE = /[<>&\u2028\u2029]/g;
const NEEDS_ESCAPE = /["\\<>&\u2028\u2029\p{Cc}\p{Cs}]/u;

/** Any plain value as JSON text. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, escapeUnit);
}

/** One string as JSON text, quotes included; the usual name or label value costs one scan. */
export function jsonString(text: string): string {
  return NEEDS_ESCAPE.test(text) ? jsonText(text) : `"${text}"`;
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
