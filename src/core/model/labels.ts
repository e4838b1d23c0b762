/**
 * Label sets: what identifies a series.
 *
 * A label set is one flat array of strings, name before value, sorted by name in byte order: no object per label, cheap to
 * pass between threads, and equality is a walk. Labels with an empty value do not exist.
 */

/** `[name0, value0, name1, value1, …]`, names ascending in UTF-8 byte order and distinct, values not empty. */
export type Labels = readonly string[];

export const METRIC_NAME = '__name__';
export const EMPTY_LABELS: Labels = [];

/** Orders strings as their UTF-8 bytes do (JavaScript's own order differs for surrogate pairs). */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates (code points past U+FFFF) sort after every other UTF-16 unit in UTF-8.
    if (x >= 0xd800 && y >= 0xd800) {
      x = x >= 0xe000 ? x - 0x800 : x + 0x2000;
      y = y >= 0xe000 ? y - 0x800 : y + 0x2000;
    }
    return x - y;
  }
  return a.length - b.length;
}

/** The value of label `name`, or '' where the set has no such label. */
export function labelValue(labels: Labels, name: string): string {
  for (let i = 0; i < labels.length; i += 2) if (labels[i] === name) return labels[i + 1]!;
  return '';
}

/** Sorts pairs by name and leaves out empty values. Of a repeated name the last value stays. */
export function labelsFromPairs(pairs: Iterable<readonly [string, string]>): Labels {
  const byName = new Map<string, string>();
  for (const [name, value] of pairs) byName.set(name, value);
  const sorted = [...byName].filter(([, value]) => value !== '').sort(([a], [b]) => compareStrings(a, b));
  return sorted.flat();
}

/** From `{ name: value }`. */
export function labelsFromObject(object: Readonly<Record<string, string>>): Labels {
  return labelsFromPairs(Object.entries(object));
}

/** As `{ name: value }`, in label order. The object has no prototype keys to clash with. */
export function labelsToObject(labels: Labels): Record<string, string> {
  const object: Record<string, string> = {};
  for (let i = 0; i < labels.length; i += 2) {
    // `__proto__` is a legal label name.
    Object.defineProperty(object, labels[i]!, { value: labels[i + 1]!, enumerable: true, configurable: true, writable: true });
  }
  return object;
}

/** Orders label sets as Prometheus does: pair by pair, name first, then the shorter set. */
export function compareLabels(a: Labels, b: Labels): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    if (a[i] !== b[i]) return compareStrings(a[i]!, b[i]!);
  }
  return a.length - b.length;
}

export function labelsEqual(a: Labels, b: Labels): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A string that two label sets share exactly when they are equal: a key for maps. */
export function labelsKey(labels: Labels): string {
  // 0xFF never occurs in UTF-8, so U+00FF could; the pair lengths make the key unambiguous instead.
  let key = '';
  for (const part of labels) key += `${part.length}:${part}`;
  return key;
}

/** Without the labels that `names` has. */
export function labelsWithout(labels: Labels, names: ReadonlySet<string>): Labels {
  const kept: string[] = [];
  for (let i = 0; i < labels.length; i += 2) {
    if (!names.has(labels[i]!)) kept.push(labels[i]!, labels[i + 1]!);
  }
  return kept.length === labels.length ? labels : kept;
}

/** With only the labels that `names` has. */
export function labelsOnly(labels: Labels, names: ReadonlySet<string>): Labels {
  const kept: string[] = [];
  for (let i = 0; i < labels.length; i += 2) {
    if (names.has(labels[i]!)) kept.push(labels[i]!, labels[i + 1]!);
  }
  return kept.length === labels.length ? labels : kept;
}

/** With label `name` set to `value`; an empty value removes it. */
export function withLabel(labels: Labels, name: string, value: string): Labels {
  const changed: string[] = [];
  let placed = value === '';
  for (let i = 0; i < labels.length; i += 2) {
    const current = labels[i]!;
    if (!placed && compareStrings(name, current) < 0) {
      changed.push(name, value);
      placed = true;
    }
    if (current === name) {
      if (!placed) changed.push(name, value);
      placed = true;
      continue;
    }
    changed.push(current, labels[i + 1]!);
  }
  if (!placed) changed.push(name, value);
  return changed;
}

const LEGACY_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const LEGACY_METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

export const isLegacyLabelName = (name: string): boolean => LEGACY_LABEL.test(name);
export const isLegacyMetricName = (name: string): boolean => LEGACY_METRIC.test(name);

/**
 * As PromQL writes it: `name{a="b"}`; names outside the classic character set are quoted, the metric name then inside
 * the braces. Source: Prometheus, labels.String and the UTF-8 names proposal.
 */
export function formatLabels(labels: Labels): string {
  const name = labelValue(labels, METRIC_NAME);
  const parts: string[] = [];
  if (name !== '' && !isLegacyMetricName(name)) parts.push(quote(name));
  for (let i = 0; i < labels.length; i += 2) {
    if (labels[i] === METRIC_NAME) continue;
    const key = isLegacyLabelName(labels[i]!) ? labels[i]! : quote(labels[i]!);
    parts.push(`${key}=${quote(labels[i + 1]!)}`);
  }
  const head = isLegacyMetricName(name) ? name : '';
  return parts.length === 0 && head !== '' ? head : `${head}{${parts.join(', ')}}`;
}

/** A double-quoted string with Go's escapes, as PromQL and Prometheus' messages write it. */
export function quote(text: string): string {
  let out = '"';
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (char === '"' || char === '\\') out += `\\${char}`;
    else if (char === '\n') out += '\\n';
    else if (char === '\t') out += '\\t';
    else if (char === '\r') out += '\\r';
    else if (code === 0x07) out += '\\a';
    else if (code === 0x08) out += '\\b';
    else if (code === 0x0c) out += '\\f';
    else if (code === 0x0b) out += '\\v';
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else out += char;
  }
  return `${out}"`;
}
