/**
 * `multipart/form-data` bodies: their fields, files left out.
 *
 * ```
 * --boundary CRLF
 * Content-Disposition: form-data; name="query" CRLF
 * CRLF
 * value CRLF
 * --boundary-- CRLF
 * ```
 * Lines may end in a bare LF, and text before the first boundary is skipped, as Go's reader takes it.
 * Source: RFC 7578, RFC 2046 §5.1.
 */

/** Longest boundary that RFC 2046 allows. */
const MAX_BOUNDARY = 70;

/** As Go has it: a backslash before any other character stands for itself, since browsers send paths of Windows. */
const ESCAPED = /\\([()<>@,;:\\"/[\]?=])/g;

/** @returns names and values in their order; null where the body is no whole form of that boundary */
export function multipartFields(body: Uint8Array, contentType: string): [name: string, value: string][] | null {
  const boundary = parameterOf(contentType, 'boundary');
  if (boundary === undefined || boundary === '' || boundary.length > MAX_BOUNDARY) return null;
  // A byte is a character here, so positions hold; names and values are decoded at the end.
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
  const delimiter = `--${boundary}`;
  const fields: [string, string][] = [];
  let at = text.startsWith(delimiter) ? 0 : text.indexOf(`\n${delimiter}`) + 1;
  if (at === 0 && !text.startsWith(delimiter)) return null;
  for (;;) {
    at += delimiter.length;
    if (text.startsWith('--', at)) return fields;
    const lineEnd = text.indexOf('\n', at);
    if (lineEnd < 0 || text.slice(at, lineEnd).trim() !== '') return null;
    const head = headOf(text, lineEnd + 1);
    // The line break before a delimiter is its own; a value may be empty, so it may be the one that ends the head.
    const next = head === null ? -1 : text.indexOf(`\n${delimiter}`, head.end - 1);
    if (head === null || next < 0) return null;
    const end = text[next - 1] === '\r' ? next - 1 : next;
    if (head.name !== undefined) fields.push([utf8(head.name), utf8(text.slice(head.end, Math.max(head.end, end)))]);
    at = next + 1;
  }
}

/** A part's header lines. `name` is undefined for files and other parts; `end` is where the value begins. */
function headOf(text: string, start: number): { readonly name: string | undefined; readonly end: number } | null {
  let name: string | undefined;
  for (let at = start; ;) {
    const lineEnd = text.indexOf('\n', at);
    if (lineEnd < 0) return null;
    const line = text.slice(at, lineEnd).trimEnd();
    at = lineEnd + 1;
    if (line === '') return { name, end: at };
    const value = /^content-disposition:\s*form-data\s*(;.*)$/i.exec(line)?.[1];
    if (value !== undefined && parameterOf(value, 'filename') === undefined) name = parameterOf(value, 'name');
  }
}

/** `; name=value` of a header, the value plain or quoted. */
function parameterOf(header: string, name: string): string | undefined {
  for (const [, key, quoted, plain] of header.matchAll(/;\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/g)) {
    if (key!.toLowerCase() === name) return quoted === undefined ? plain : quoted.replaceAll(ESCAPED, '$1');
  }
  return undefined;
}

const utf8 = (bytes: string): string => Buffer.from(bytes, 'latin1').toString();
