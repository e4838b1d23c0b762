/**
 * Label names in paths: names outside the classic characters come escaped, `U__` in front, `_` doubled and any other
 * character as `_hex_`.
 * Source: prometheus/common, the values escaping scheme.
 */

const PREFIX = 'U__';
const ESCAPE = /__|_([\da-fA-F]{1,6})_/y;

/** The name that `text` stands for; text that is no whole escape stands for itself. */
export function unescapeLabelName(text: string): string {
  if (!text.startsWith(PREFIX)) return text;
  const escaped = text.slice(PREFIX.length);
  let name = '';
  for (let at = 0; at < escaped.length;) {
    if (escaped[at] !== '_') {
      name += escaped[at++];
      continue;
    }
    ESCAPE.lastIndex = at;
    const match = ESCAPE.exec(escaped);
    if (!match) return text;
    const code = match[1] === undefined ? 0x5f : Number.parseInt(match[1], 16);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return text;
    name += String.fromCodePoint(code);
    at += match[0].length;
  }
  return name;
}
