/**
 * The notation for series in PromQL test scripts: `name{a="b"} 1+2x3 _ stale {{schema:0 count:1}}`.
 *
 * `a+bxn` stands for n + 1 values from a in steps of b, `axn` for n + 1 times a, `_xn` for n gaps.
 * Source: Prometheus, "Unit testing for rules" and promqltest.
 */
import { CUSTOM_SCHEMA, type Buckets, type FloatHistogram, type ResetHint } from '../../../core/model/histogram.ts';
import { METRIC_NAME, labelsFromPairs, type Labels } from '../../../core/model/labels.ts';
import { scaleHistogram } from '../functions/histogram-arithmetic.ts';
import { HistogramSum } from '../functions/histogram-sum.ts';
import { unquote } from '../parse/string-literal.ts';

/** `null`: a gap. */
export type Point = number | FloatHistogram | 'stale' | null;

export interface SeriesText {
  readonly labels: Labels;
  /** What stands after the labels. */
  readonly rest: string;
}

/** Text that is no series or no points. */
export class NotationError extends Error {
  override readonly name = 'NotationError';
}

/** Most values that one repetition may stand for. */
export const MAX_REPETITIONS = 100_000;

const NAME = /^[a-zA-Z_:][\w:]*/;
const LABEL = /^\s*(?:([a-zA-Z_]\w*)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))\s*/;
const VALUE = /^=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)\s*/;
const NUMBER = String.raw`(?:inf|nan|\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)`;
const REPEATED = new RegExp(String.raw`^([+-]?${NUMBER})(?:([+-])(${NUMBER}))?(?:x(\d+))?$`, 'i');
const GAPS = /^_(?:x(\d+))?$/;
const HISTOGRAM_POINT = /^\{\{(.*?)\}\}(?:([+-])\{\{(.*?)\}\})?(?:x(\d+))?$/;
const TOKEN = /\{\{.*?\}\}(?:[+-]\{\{.*?\}\})?(?:x\d+)?|\S+/g;
const FIELD = /([a-z_]+):(?:\[([^\]]*)\]|(\S+))/g;
const HINTS: Readonly<Record<string, ResetHint>> = {
  gauge: 'gauge',
  reset: 'reset',
  not_reset: 'not-reset',
  unknown: 'unknown',
};

/** Reads `name{…}` from the start of `text`. @throws NotationError */
export function takeSeries(text: string): SeriesText {
  const pairs: [string, string][] = [];
  let rest = text.trimStart();
  const name = NAME.exec(rest)?.[0] ?? '';
  if (name !== '') pairs.push([METRIC_NAME, name]);
  rest = rest.slice(name.length);
  if (rest.startsWith('{') && !rest.startsWith('{{')) {
    rest = rest.slice(1).trimStart();
    while (!rest.startsWith('}')) {
      const label = LABEL.exec(rest);
      if (label === null) throw new NotationError(`bad labels: ${text}`);
      rest = rest.slice(label[0].length);
      const key = label[1] ?? unquote(label[2]!);
      const value = VALUE.exec(rest);
      if (value !== null) rest = rest.slice(value[0].length);
      else if (label[2] === undefined) throw new NotationError(`label without a value: ${text}`);
      pairs.push(value === null ? [METRIC_NAME, key] : [key, unquote(value[1]!)]);
      if (rest.startsWith(',')) rest = rest.slice(1).trimStart();
      else if (!rest.startsWith('}')) throw new NotationError(`bad labels: ${text}`);
    }
    rest = rest.slice(1);
  } else if (name === '') throw new NotationError(`no series: ${text}`);
  return { labels: labelsFromPairs(pairs), rest };
}

/** @throws NotationError */
export function parsePoints(text: string): Point[] {
  const points: Point[] = [];
  for (const token of text.match(TOKEN) ?? []) takePoint(token, points);
  return points;
}

/** A single number, as scalar results are written; undefined if `text` is none. */
export function parseScalar(text: string): number | undefined {
  const match = REPEATED.exec(text.trim());
  if (match === null || match[2] !== undefined || match[4] !== undefined) return undefined;
  return toNumber(match[1]!);
}

function takePoint(token: string, points: Point[]): void {
  if (token === 'stale') {
    points.push('stale');
    return;
  }
  const gaps = GAPS.exec(token);
  if (gaps !== null) {
    for (let i = 0; i < repetitions(gaps[1] ?? '1'); i++) points.push(null);
    return;
  }
  const histogram = HISTOGRAM_POINT.exec(token);
  if (histogram !== null) {
    takeHistograms(histogram, points);
    return;
  }
  const match = REPEATED.exec(token);
  if (match === null) throw new NotationError(`bad point: ${token}`);
  const [, start, sign, step = '0', times = '0'] = match;
  if (sign !== undefined && match[4] === undefined) throw new NotationError(`bad point: ${token}`);
  const stride = toNumber(step) * (sign === '-' ? -1 : 1);
  let value = toNumber(start!);
  for (let i = 0; i <= repetitions(times); i++) {
    points.push(value);
    value += stride;
  }
}

function takeHistograms([, start, sign, step, times = '0']: RegExpExecArray, points: Point[]): void {
  let histogram = parseHistogram(start!);
  const stride = step === undefined ? null : parseHistogram(step);
  const { resetHint } = histogram;
  for (let i = 0; i <= repetitions(times); i++) {
    points.push(histogram);
    if (stride === null) continue;
    const sum = new HistogramSum(histogram);
    if (!sum.add(sign === '-' ? scaleHistogram(stride, -1) : stride))
      throw new NotationError('these histograms cannot be added');
    histogram = { ...sum.result(), resetHint };
  }
}

function parseHistogram(text: string): FloatHistogram {
  const fields = new Map([...text.matchAll(FIELD)].map(([, name, list, single]) => [name!, list ?? single!]));
  const number = (name: string): number => toNumber(fields.get(name) ?? '0');
  const numbers = (name: string): number[] =>
    (fields.get(name) ?? '')
      .split(/\s+/)
      .filter((word) => word !== '')
      .map(toNumber);
  const buckets = (counts: number[], offset: number): Buckets => ({
    indexes: counts.map((_, i) => offset + i),
    counts,
  });
  const schema = number('schema');
  return {
    schema,
    zeroThreshold: number('z_bucket_w'),
    zeroCount: number('z_bucket'),
    count: number('count'),
    sum: number('sum'),
    positive: buckets(numbers('buckets'), number('offset')),
    negative: buckets(numbers('n_buckets'), number('n_offset')),
    customBounds: schema === CUSTOM_SCHEMA ? numbers('custom_values') : [],
    resetHint: HINTS[fields.get('counter_reset_hint') ?? 'unknown'] ?? 'unknown',
  };
}

function repetitions(text: string): number {
  const times = Number(text);
  if (times > MAX_REPETITIONS) throw new NotationError(`more than ${MAX_REPETITIONS} repetitions`);
  return times;
}

function toNumber(text: string): number {
  const lower = text.toLowerCase();
  if (lower.endsWith('nan')) return Number.NaN;
  if (lower.endsWith('inf')) return lower.startsWith('-') ? -Infinity : Infinity;
  const value = Number(text);
  if (Number.isNaN(value)) throw new NotationError(`bad number: ${text}`);
  return value;
}
