/**
 * Loads the series of a test script into memory, with what a store would add on the way: reset hints of histograms as chunks
 * give them, and custom-bucket histograms made of classic ones.
 */
import { CUSTOM_SCHEMA, type FloatHistogram } from '../../../core/model/histogram.ts';
import { METRIC_NAME, labelValue, labelsKey, withLabel, type Labels } from '../../../core/model/labels.ts';
import { detectReset } from '../functions/histogram-arithmetic.ts';
import type { MemoryStorage } from './memory-storage.ts';
import type { Command, LoadedSeries } from './script.ts';
import type { Point } from './series-notation.ts';

type LoadCommand = Extract<Command, { kind: 'load' }>;

export function load(storage: MemoryStorage, command: LoadCommand): void {
  const { series, startTimes, stepMs } = command;
  const offsetsByKey = new Map(startTimes.map(({ labels, offsetsMs }) => [labelsKey(labels), offsetsMs]));
  const all = command.withCustomBuckets ? [...series, ...customBucketSeries(series)] : series;
  for (const { labels, points } of all) {
    const samples = storage.samplesOf(labels);
    const offsets = offsetsByKey.get(labelsKey(labels));
    let before: FloatHistogram | null = null;
    for (const [i, point] of points.entries()) {
      if (point === null) continue;
      const timeMs = i * stepMs;
      if (point === 'stale') {
        samples.pushStale(timeMs);
        before = null;
      } else if (typeof point === 'number') {
        samples.push(timeMs, point);
        before = null;
      } else {
        samples.pushHistogram(timeMs, { ...point, resetHint: storedHint(point, before) });
        before = point;
      }
      const offsetMs = offsets?.[i] ?? null;
      if (offsetMs !== null) samples.setStartTime(timeMs + offsetMs);
    }
  }
}

/** What a chunk says of a histogram after the one before it. */
function storedHint(histogram: FloatHistogram, before: FloatHistogram | null): FloatHistogram['resetHint'] {
  if (histogram.resetHint === 'gauge') return 'gauge';
  if (before === null || before.resetHint === 'gauge') return 'unknown';
  // A reset begins a new chunk, and of the first sample of a chunk nothing is known.
  return detectReset({ ...histogram, resetHint: histogram.resetHint === 'reset' ? 'reset' : 'unknown' }, before)
    ? 'unknown'
    : 'not-reset';
}

interface ClassicParts {
  readonly labels: Labels;
  readonly buckets: { readonly bound: number; readonly points: readonly Point[] }[];
  sums: readonly Point[];
  counts: readonly Point[];
}

/** A series of custom-bucket histograms for each classic histogram among `series`. */
function customBucketSeries(series: readonly LoadedSeries[]): LoadedSeries[] {
  const parts = new Map<string, ClassicParts>();
  const partsOf = (labels: Labels, suffix: string): ClassicParts => {
    const name = labelValue(labels, METRIC_NAME);
    const base = withLabel(withLabel(labels, METRIC_NAME, name.slice(0, -suffix.length)), 'le', '');
    const key = labelsKey(base);
    let known = parts.get(key);
    if (known === undefined) parts.set(key, (known = { labels: base, buckets: [], sums: [], counts: [] }));
    return known;
  };
  for (const { labels, points } of series) {
    const name = labelValue(labels, METRIC_NAME);
    if (name.endsWith('_bucket'))
      partsOf(labels, '_bucket').buckets.push({ bound: parseBound(labelValue(labels, 'le')), points });
    else if (name.endsWith('_sum')) partsOf(labels, '_sum').sums = points;
    else if (name.endsWith('_count')) partsOf(labels, '_count').counts = points;
  }
  return [...parts.values()].filter(({ buckets }) => buckets.length > 0).map(toCustomBuckets);
}

function toCustomBuckets({ labels, buckets, sums, counts }: ClassicParts): LoadedSeries {
  const sorted = buckets.filter(({ bound }) => !Number.isNaN(bound)).sort((a, b) => a.bound - b.bound);
  const customBounds = sorted.map(({ bound }) => bound).filter((bound) => bound !== Infinity);
  const length = Math.max(...sorted.map(({ points }) => points.length));
  const points: Point[] = [];
  for (let i = 0; i < length; i++) {
    const cumulative = sorted.map(({ points }) => points[i]);
    if (cumulative.every((point) => typeof point !== 'number')) {
      points.push(null);
      continue;
    }
    const histogramCounts: number[] = [];
    let below = 0;
    for (const point of cumulative) {
      const count = typeof point === 'number' ? point : below;
      histogramCounts.push(count - below);
      below = count;
    }
    const count = counts[i];
    const total = typeof count === 'number' ? count : below;
    if (histogramCounts.length === customBounds.length) histogramCounts.push(total - below);
    const sum = sums[i];
    points.push({
      schema: CUSTOM_SCHEMA,
      zeroThreshold: 0,
      zeroCount: 0,
      count: total,
      sum: typeof sum === 'number' ? sum : 0,
      positive: { indexes: histogramCounts.map((_, index) => index), counts: histogramCounts },
      negative: { indexes: [], counts: [] },
      customBounds,
      resetHint: 'unknown',
    });
  }
  return { labels, points };
}

function parseBound(le: string): number {
  return le === '+Inf' ? Infinity : le === '' ? Number.NaN : Number(le);
}
