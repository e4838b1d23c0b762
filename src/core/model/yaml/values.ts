/**
 * Configuration values that are text with a meaning: durations, sizes, URLs, names.
 *
 * Messages are those of the Go libraries that Prometheus reads them with.
 */
import { formatDuration, parseDuration } from '../duration.ts';
import { labelsFromPairs, quote, type Labels } from '../labels.ts';
import { isLabelName } from '../relabel.ts';
import { map, parsed, STRING, type Type } from './schema.ts';

/** Milliseconds. */
export const DURATION: Type<number> = parsed({
  goName: 'model.Duration',
  zero: 0,
  parse: parseDuration,
  format: formatDuration,
});

/** Bytes, a unit required; `KB` and `KiB` are both 1024. */
export const SIZE: Type<number> = parsed({ goName: 'units.Base2Bytes', zero: 0, parse: parseSize, format: formatSize });

/** An absolute or relative URL as text; a password in it is hidden when printed. */
export const URL_TEXT: Type<string> = {
  ...parsed({ goName: 'config.URL', zero: '', parse: checkUrl, format: hidePassword }),
};

export const LABEL_NAME: Type<string> = parsed({
  goName: 'model.LabelName',
  zero: '',
  parse(text) {
    if (!isLabelName(text, 'utf8')) throw new Error(`${showText(text)} is not a valid label name`);
    return text;
  },
  format: (value) => value,
});

const LABEL_MAP = map(STRING, (name) =>
  isLabelName(name, 'utf8') ? null : `${showText(name)} is not a valid label name`,
);

/** A label set; labels with empty values do not exist. */
export const LABELS: Type<Labels> = {
  goName: 'model.LabelSet',
  zero: [],
  decode: (node, reader) => labelsFromPairs(LABEL_MAP.decode(node, reader)),
  encode: (labels) => LABEL_MAP.encode(labelPairs(labels)),
  isZero: (labels) => labels.length === 0,
};

export function labelPairs(labels: Labels): Map<string, string> {
  const pairs = new Map<string, string>();
  for (let i = 0; i < labels.length; i += 2) pairs.set(labels[i]!, labels[i + 1]!);
  return pairs;
}

/** Quoted; bytes that are no UTF-8 (lone surrogates here) as Go shows them. */
export function showText(text: string): string {
  return quote(text).replaceAll(/\p{Surrogate}/gu, (half) => `\\x${(half.charCodeAt(0) & 0xff).toString(16)}`);
}

const SIZE_UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E'] as const;
const SIZE_PART = /^(\d+\.?\d*|\.\d+)([^\d.]*)/;

/** Of one or more numbers with units: `1GB`, `1GiB512MiB`. @throws Error */
export function parseSize(text: string): number {
  const negative = text.startsWith('-');
  let rest = text.replace(/^[-+]/, '');
  if (rest === '0') return 0;
  if (rest === '') throw new Error(`units: invalid ${text}`);
  let bytes = 0;
  while (rest !== '') {
    const match = SIZE_PART.exec(rest);
    if (match === null) throw new Error(`units: invalid ${text}`);
    const [whole, number, unit = ''] = match;
    const power = unitPower(unit);
    if (power < 0) throw new Error(`units: unknown unit ${unit} in ${text}`);
    bytes += Number(number) * 1024 ** power;
    rest = rest.slice(whole.length);
  }
  const size = Math.trunc(bytes);
  if (!Number.isSafeInteger(size)) throw new Error(`units: ${text} is more than ${Number.MAX_SAFE_INTEGER} bytes`);
  return negative ? -size : size;
}

/** `K`, `KB` or `KiB`: 1; no letter but `B`: 0; no unit at all: -1. */
function unitPower(unit: string): number {
  const match = /^([KMGTPE]?)(?:i?B)$/.exec(unit);
  return match === null || unit === 'iB' ? -1 : SIZE_UNITS.findIndex((letter) => letter === match[1]);
}

export function formatSize(bytes: number): string {
  if (bytes === 0) return '0B';
  let rest = Math.abs(bytes);
  const parts: string[] = [];
  for (const unit of SIZE_UNITS) {
    const part = rest % 1024;
    rest = Math.floor(rest / 1024);
    if (part > 0) parts.unshift(`${part}${unit === '' ? '' : `${unit}i`}B`);
  }
  return (bytes < 0 ? '-' : '') + parts.join('');
}

/** What Go's net/url refuses; relative references and bare hosts it takes. @throws Error */
function checkUrl(text: string): string {
  const fault = urlFault(text);
  if (fault !== null) throw new Error(`parse ${quote(text)}: ${fault}`);
  return text;
}

function urlFault(text: string): string | null {
  // oxlint-disable-next-line no-control-regex -- Control characters are what is looked for.
  if (/[\0-\x1f\x7f]/.test(text)) return 'net/url: invalid control character in URL';
  const escape = /%(?![\dA-Fa-f]{2}).{0,2}/.exec(text);
  if (escape !== null) return `invalid URL escape ${quote(escape[0])}`;
  if (text.startsWith(':')) return 'missing protocol scheme';
  const scheme = /^[A-Za-z][A-Za-z\d+.-]*:/.exec(text)?.[0] ?? '';
  const rest = text.slice(scheme.length);
  if (scheme === '' && /^[^/?#]*:/.test(rest)) return 'first path segment in URL cannot contain colon';
  const authority = /^\/\/([^/?#]*)/.exec(rest)?.[1] ?? '';
  const port = /:([^:\]@]*)$/.exec(authority.slice(authority.lastIndexOf('@') + 1))?.[1] ?? '';
  return /^\d*$/.test(port) ? null : `invalid port ${quote(`:${port}`)} after host`;
}

function hidePassword(url: string): string {
  return url.replace(/^([A-Za-z][A-Za-z\d+.-]*:\/\/[^/?#:@]*):[^/?#@]*@/, '$1:xxxxx@');
}

/** Scheme and host of a URL that must have both, for checks that name what is missing. */
export function urlParts(url: string): { readonly scheme: string; readonly host: string } {
  const match = /^([A-Za-z][A-Za-z\d+.-]*):(?:\/\/(?:[^/?#]*@)?([^/?#]*))?/.exec(url);
  return { scheme: match?.[1]?.toLowerCase() ?? '', host: match?.[2] ?? '' };
}
