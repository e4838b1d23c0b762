/**
 * Compares results with what a test script expects. Values match within a relative 1e-6.
 */
import type { Buckets, FloatHistogram } from '../../../core/model/histogram.ts';
import { formatLabels, labelsKey, type Labels } from '../../../core/model/labels.ts';
import { sameBounds, compacted } from '../functions/histogram-buckets.ts';
import { formatHistogram } from '../functions/histogram-text.ts';
import type { QueryValue, ResultSeries } from '../result.ts';
import type { EvalCommand, ExpectedGrid, LoadedSeries } from './script.ts';
import type { Point } from './series-notation.ts';

const TOLERANCE = 1e-6;
const SMALLEST_NORMAL = 2.2250738585072014e-308;

/** What is wrong with the value of an instant query; null if nothing. */
export function compareInstant(value: QueryValue, command: EvalCommand): string | null {
  if (command.string !== null) {
    if (value.type !== 'string') return `expected a string, got a ${value.type}`;
    return value.value === command.string
      ? null
      : `expected ${JSON.stringify(command.string)}, got ${JSON.stringify(value.value)}`;
  }
  if (command.rangeVector !== null) {
    return value.type === 'matrix'
      ? compareMatrix(value.series, command.series, command.rangeVector)
      : `expected a matrix, got a ${value.type}`;
  }
  if (value.type === 'scalar') {
    if (command.scalar === null) return `expected ${command.series.length} series, got the scalar ${value.value}`;
    return isAlmostEqual(command.scalar, value.value) ? null : `expected ${command.scalar}, got ${value.value}`;
  }
  if (value.type !== 'vector') return `expected a vector, got a ${value.type}`;
  if (command.scalar !== null) return `expected a scalar, got a vector`;
  const elements = value.labels.map((labels, i) => ({ labels, point: value.histograms?.[i] ?? value.values[i]! }));
  return compareElements(elements, command);
}

interface Element {
  readonly labels: Labels;
  readonly point: number | FloatHistogram;
}

function compareElements(elements: readonly Element[], { series, isOrdered }: EvalCommand): string | null {
  const places = new Map(series.map(({ labels }, i) => [labelsKey(labels), i]));
  const seen = new Set<number>();
  for (const [i, { labels, point }] of elements.entries()) {
    const place = places.get(labelsKey(labels));
    if (place === undefined) return `unexpected ${formatLabels(labels)} ${show(point)}`;
    if (seen.has(place)) return `${formatLabels(labels)} twice`;
    seen.add(place);
    if (isOrdered && place !== i) return `${formatLabels(labels)} at position ${i}, expected at ${place}`;
    const expected = series[place]!.points[0] ?? null;
    if (!isSamePoint(expected, point))
      return `expected ${show(expected)} for ${formatLabels(labels)}, got ${show(point)}`;
  }
  const missing = series.find((_, i) => !seen.has(i));
  return missing === undefined ? null : `missing ${formatLabels(missing.labels)}`;
}

/** What is wrong with a matrix on `grid`; null if nothing. */
export function compareMatrix(
  result: readonly ResultSeries[],
  expected: readonly LoadedSeries[],
  grid: ExpectedGrid,
): string | null {
  const wanted = new Map(expected.map((series) => [labelsKey(series.labels), series]));
  for (const series of result) {
    const key = labelsKey(series.labels);
    const match = wanted.get(key);
    const name = formatLabels(series.labels);
    if (match === undefined) return `unexpected series ${name}`;
    wanted.delete(key);
    const got = pointsByTime(series);
    const count = Math.floor((grid.endMs - grid.startMs) / grid.stepMs) + 1;
    for (let i = 0; i < Math.max(count, match.points.length); i++) {
      const timeMs = grid.startMs + i * grid.stepMs;
      const want = match.points[i] ?? null;
      const point = got.get(timeMs) ?? null;
      got.delete(timeMs);
      if (!isSamePoint(want, point))
        return `expected ${show(want)} at ${timeMs / 1000} s of ${name}, got ${show(point)}`;
    }
    for (const [timeMs, point] of got) return `unexpected ${show(point)} at ${timeMs / 1000} s of ${name}`;
  }
  for (const { labels, points } of wanted.values()) {
    if (points.some((point) => point !== null)) return `missing series ${formatLabels(labels)}`;
  }
  return null;
}

function pointsByTime({ times, values, histograms }: ResultSeries): Map<number, number | FloatHistogram> {
  const points = new Map<number, number | FloatHistogram>();
  for (let i = 0; i < times.length; i++) points.set(times[i]!, values[i]!);
  for (const { timeMs, histogram } of histograms ?? []) points.set(timeMs, histogram);
  return points;
}

/** The elements of a matrix at one of its times. */
export function elementsAt(series: readonly ResultSeries[], timeMs: number): Element[] {
  return series.flatMap((one) => {
    const point = pointsByTime(one).get(timeMs);
    return point === undefined ? [] : [{ labels: one.labels, point }];
  });
}

export function compareRangeAt(series: readonly ResultSeries[], timeMs: number, command: EvalCommand): string | null {
  const elements = elementsAt(series, timeMs);
  if (command.scalar === null) return compareElements(elements, { ...command, isOrdered: false });
  const point = elements[0]?.point;
  return typeof point === 'number' && isAlmostEqual(command.scalar, point)
    ? null
    : `expected ${command.scalar}, got ${show(point ?? null)}`;
}

function isSamePoint(expected: Point, got: number | FloatHistogram | null): boolean {
  if (expected === null || got === null || expected === 'stale') return expected === got;
  if (typeof expected === 'number' || typeof got === 'number') {
    return typeof expected === 'number' && typeof got === 'number' && isAlmostEqual(expected, got);
  }
  return isSameHistogram(expected, got);
}

function isSameHistogram(expected: FloatHistogram, got: FloatHistogram): boolean {
  return (
    expected.schema === got.schema &&
    sameBounds(expected.customBounds, got.customBounds) &&
    isAlmostEqual(expected.count, got.count) &&
    isAlmostEqual(expected.sum, got.sum) &&
    isAlmostEqual(expected.zeroCount, got.zeroCount) &&
    expected.zeroThreshold === got.zeroThreshold &&
    areSameBuckets(expected.positive, got.positive) &&
    areSameBuckets(expected.negative, got.negative) &&
    (expected.resetHint === 'unknown' || expected.resetHint === got.resetHint)
  );
}

function areSameBuckets(expected: Buckets, got: Buckets): boolean {
  const a = compacted(expected);
  const b = compacted(got);
  return (
    a.indexes.length === b.indexes.length &&
    a.indexes.every((index, i) => index === b.indexes[i] && isAlmostEqual(a.counts[i]!, b.counts[i]!))
  );
}

function isAlmostEqual(a: number, b: number): boolean {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b);
  if (a === b) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < TOLERANCE * SMALLEST_NORMAL;
  return difference / Math.min(sum, Number.MAX_VALUE) < TOLERANCE;
}

function show(point: Point): string {
  if (point === null) return 'nothing';
  if (typeof point !== 'object') return String(point);
  return `${formatHistogram(point)} schema ${point.schema} zero ${point.zeroThreshold} ${point.resetHint} [${point.customBounds.join(' ')}]`;
}
