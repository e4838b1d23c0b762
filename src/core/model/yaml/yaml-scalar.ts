/**
 * What a YAML scalar is, as go-yaml resolves it: YAML 1.1 words and numbers, which count only where the field is no string.
 *
 * Source: yaml.org/type (bool, int, float, null, binary); gopkg.in/yaml.v2's choices among them.
 */
import type { ScalarNode, YamlNode } from './yaml-node.ts';

export type ResolvedScalar =
  | { readonly tag: '!!null' }
  | { readonly tag: '!!bool'; readonly value: boolean }
  | { readonly tag: '!!int' | '!!float'; readonly value: number }
  | { readonly tag: '!!str' | '!!timestamp' | '!!binary'; readonly value: string };

const TRUE = /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(?:n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;
const NULL = /^(?:|~|null|Null|NULL)$/;
const DECIMAL = /^[-+]?(?:0|[1-9]\d*)$/;
const RADIX = /^([-+]?)(0x[\da-fA-F]+|0b[01]+|0o?[0-7]+)$/;
const FLOAT = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/;
const INFINITY = /^[-+]?\.(?:inf|Inf|INF)$/;
const NAN = /^\.(?:nan|NaN|NAN)$/;
const TIMESTAMP = /^\d{4}-\d\d?-\d\d?(?:$|[Tt ])/;

export function isNullNode(node: YamlNode): boolean {
  if (node.kind !== 'scalar') return false;
  return node.tag === '!!null' || (node.tag === '' && node.isPlain && NULL.test(node.text));
}

/** The scalar's type and value; a tag that is written out wins over the form. */
export function resolveScalar(node: ScalarNode): ResolvedScalar {
  if (node.tag === '!!str' || node.tag === '!' || (node.tag === '' && !node.isPlain))
    return { tag: '!!str', value: node.text };
  if (node.tag === '!!binary') return { tag: '!!binary', value: node.text };
  return resolvePlain(node.text);
}

function resolvePlain(text: string): ResolvedScalar {
  if (NULL.test(text)) return { tag: '!!null' };
  if (TRUE.test(text)) return { tag: '!!bool', value: true };
  if (FALSE.test(text)) return { tag: '!!bool', value: false };
  if (NAN.test(text)) return { tag: '!!float', value: Number.NaN };
  if (INFINITY.test(text))
    return { tag: '!!float', value: text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY };
  const digits = /^[-+\d.]/.test(text) ? text.replaceAll('_', '') : '';
  if (DECIMAL.test(digits)) return { tag: '!!int', value: Number(digits) };
  const radix = RADIX.exec(digits);
  if (radix) {
    const [, sign, number = ''] = radix;
    // A leading zero alone is octal.
    const value = Number(/^0[0-7]/.test(number) ? `0o${number.slice(1)}` : number);
    return { tag: '!!int', value: sign === '-' ? -value : value };
  }
  if (FLOAT.test(digits)) return { tag: '!!float', value: Number(digits) };
  if (TIMESTAMP.test(text)) return { tag: '!!timestamp', value: text };
  return { tag: '!!str', value: text };
}

/**
 * The text of base64 content. Bytes that are no UTF-8 become lone surrogates U+DC80…U+DCFF, so that the text is not well
 * formed and fails every check for valid names and values. @returns null where `text` is no base64
 */
export function decodeBinary(text: string): string | null {
  const compact = text.replaceAll(/[\r\n]/g, '');
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return null;
  const bytes = Uint8Array.from(atob(compact), (character) => character.charCodeAt(0));
  const decoded = new TextDecoder().decode(bytes);
  if (!decoded.includes('\ufffd')) return decoded;
  return Array.from(bytes, (byte) => String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte)).join('');
}
