/**
 * Query answers, from JSON to columns.
 *
 * A range answer can hold a million values, so series become typed arrays at once and the JSON is let go.
 */
import { parseFloatText } from '../../src/core/model/float.ts';
import { labelsFromPairs, type Labels } from '../../src/core/model/labels.ts';
import { DecodeError, asList, asNumber, asObject, asText } from './decode.ts';

/** `[boundaries, lower, upper, count]`; boundaries: 0 open left, 1 open right, 2 both open, 3 both closed. */
export interface Bucket {
  readonly boundaries: number;
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
}

export interface Histogram {
  readonly count: number;
  readonly sum: number;
  readonly buckets: readonly Bucket[];
}

export interface VectorSample {
  readonly labels: Labels;
  readonly timeMs: number;
  /** Null where the sample is a histogram. */
  readonly value: number | null;
  readonly histogram: Histogram | null;
}

export interface Series {
  readonly labels: Labels;
  /** Milliseconds, ascending; as long as `values`. */
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  readonly histograms: readonly { readonly timeMs: number; readonly histogram: Histogram }[];
}

export type QueryResult =
  | { readonly kind: 'vector'; readonly samples: readonly VectorSample[] }
  | { readonly kind: 'matrix'; readonly series: readonly Series[] }
  | { readonly kind: 'scalar'; readonly timeMs: number; readonly value: number }
  | { readonly kind: 'string'; readonly timeMs: number; readonly text: string };

/** @throws DecodeError */
export function decodeQueryResult(data: unknown): QueryResult {
  const { resultType, result } = asObject(data, 'the result') as { resultType?: unknown; result?: unknown };
  switch (resultType) {
    case 'vector':
      return { kind: 'vector', samples: asList(result, 'the vector', decodeSample) };
    case 'matrix':
      return { kind: 'matrix', series: asList(result, 'the matrix', decodeSeries) };
    case 'scalar': {
      const [timeMs, text] = decodePoint(result);
      return { kind: 'scalar', timeMs, value: toFloat(text) };
    }
    case 'string': {
      const [timeMs, text] = decodePoint(result);
      return { kind: 'string', timeMs, text };
    }
    default:
      throw new DecodeError(`the result has an unknown type ${JSON.stringify(resultType)}`);
  }
}

export function decodeLabels(value: unknown): Labels {
  return labelsFromPairs(
    Object.entries(asObject(value, 'a label set')).map(
      ([name, text]) => [name, asText(text, `label ${name}`)] as const,
    ),
  );
}

function decodeSample(item: unknown): VectorSample {
  const { metric, value, histogram } = asObject(item, 'a sample') as {
    metric?: unknown;
    value?: unknown;
    histogram?: unknown;
  };
  const labels = decodeLabels(metric);
  if (histogram !== undefined) {
    const decoded = decodeTimedHistogram(histogram);
    return { labels, timeMs: decoded.timeMs, value: null, histogram: decoded.histogram };
  }
  const [timeMs, text] = decodePoint(value);
  return { labels, timeMs, value: toFloat(text), histogram: null };
}

function decodeSeries(item: unknown): Series {
  const { metric, values, histograms } = asObject(item, 'a series') as {
    metric?: unknown;
    values?: unknown;
    histograms?: unknown;
  };
  const points: readonly unknown[] = Array.isArray(values) ? values : [];
  const timesMs = new Float64Array(points.length);
  const floats = new Float64Array(points.length);
  for (let i = 0; i < points.length; i++) {
    const [timeMs, text] = decodePoint(points[i]);
    timesMs[i] = timeMs;
    floats[i] = toFloat(text);
  }
  return {
    labels: decodeLabels(metric),
    timesMs,
    values: floats,
    histograms: asList(histograms, 'histograms', decodeTimedHistogram),
  };
}

function decodeTimedHistogram(item: unknown): { timeMs: number; histogram: Histogram } {
  if (!Array.isArray(item)) throw new DecodeError('a histogram sample is not a pair');
  const [seconds, body] = item as unknown[];
  const { count, sum, buckets } = asObject(body, 'a histogram') as {
    count?: unknown;
    sum?: unknown;
    buckets?: unknown;
  };
  return {
    timeMs: toMs(seconds),
    histogram: {
      count: toFloat(asText(count, 'a histogram’s count')),
      sum: toFloat(asText(sum, 'a histogram’s sum')),
      buckets: asList(buckets, 'buckets', decodeBucket),
    },
  };
}

function decodeBucket(item: unknown): Bucket {
  if (!Array.isArray(item)) throw new DecodeError('a bucket is not a list');
  const [boundaries, lower, upper, count] = item as unknown[];
  return {
    boundaries: asNumber(boundaries, 'a bucket’s boundary rule'),
    lower: toFloat(asText(lower, 'a bucket’s bound')),
    upper: toFloat(asText(upper, 'a bucket’s bound')),
    count: toFloat(asText(count, 'a bucket’s count')),
  };
}

/** `[seconds, "text"]`. */
function decodePoint(item: unknown): readonly [timeMs: number, text: string] {
  if (!Array.isArray(item)) throw new DecodeError('a sample is not a pair');
  const [seconds, text] = item as unknown[];
  return [toMs(seconds), asText(text, 'a sample’s value')];
}

const toMs = (seconds: unknown): number => Math.round(asNumber(seconds, 'a time') * 1000);

function toFloat(text: string): number {
  const value = Number(text);
  return Number.isNaN(value) ? (parseFloatText(text) ?? Number.NaN) : value;
}
