/**
 * What `/federate` shows: the newest sample of each matching series within the lookback, unless it is a stale marker. Native
 * histograms with custom bounds are classic ones there, others are not there.
 */
import { CUSTOM_SCHEMA, type FloatHistogram } from '../../core/model/histogram.ts';
import { compareLabels, compareStrings, labelsKey, labelValue, METRIC_NAME, withLabel, type Labels } from '../../core/model/labels.ts';
import { MixedSamples } from '../../core/model/mixed-samples.ts';
import type { Querier } from '../../core/storage/querier.ts';
import { formatOpenMetricsFloat } from '../../ingest/exposition/sample-float.ts';
import type { FederateQuery } from '../api/backend.ts';
import type { FederatedSamples } from '../api/federate-text.ts';

interface Newest {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number;
}

/**
 * A histogram with custom bounds as the series of a classic one. One with exponential buckets has no form in text, so no series here.
 * Bounds are written as scraping normalises them.
 */
function classicSeries(labels: Labels, { schema, customBounds, positive, count, sum }: FloatHistogram): [Labels, number][] {
  if (schema !== CUSTOM_SCHEMA) return [];
  const name = labelValue(labels, METRIC_NAME);
  const named = (suffix: string): Labels => withLabel(labels, METRIC_NAME, name + suffix);
  const series: [Labels, number][] = [
    [named('_count'), count],
    [named('_sum'), sum],
  ];
  let cumulative = 0;
  let next = 0;
  for (const [index, bound] of [...customBounds, Number.POSITIVE_INFINITY].entries()) {
    if (positive.indexes[next] === index) cumulative += positive.counts[next++]!;
    series.push([withLabel(named('_bucket'), 'le', formatOpenMetricsFloat(bound)), cumulative]);
  }
  return series;
}

/** @throws RegexError */
export async function federatedSamples(querier: Querier, request: FederateQuery, defaultLookbackMs: number): Promise<FederatedSamples> {
  const lookbackMs = request.lookbackMs || defaultLookbackMs;
  const newest = new Map<string, Newest>();
  const buffer = new MixedSamples();
  for (const matchers of request.matcherSets) {
    const set = await querier.select({ matchers, startMs: request.timeMs - lookbackMs + 1, endMs: request.timeMs });
    for (let i = 0; i < set.seriesCount; i++) {
      buffer.clear();
      set.read(i, buffer);
      const last = buffer.length - 1;
      if (last < 0 || buffer.isStale(last)) continue;
      const timeMs = buffer.times[last]!;
      const histogram = buffer.histogramAt(last);
      const shown: [Labels, number][] = histogram === undefined ? [[set.labels(i), buffer.values[last]!]] : classicSeries(set.labels(i), histogram);
      for (const [labels, value] of shown) newest.set(labelsKey(labels), { labels, timeMs, value });
    }
    set.close();
  }
  const sorted = [...newest.values()].sort(
    (a, b) => compareStrings(labelValue(a.labels, METRIC_NAME), labelValue(b.labels, METRIC_NAME)) || compareLabels(a.labels, b.labels),
  );
  return {
    labels: sorted.map(({ labels }) => labels),
    times: Float64Array.from(sorted, ({ timeMs }) => timeMs),
    values: Float64Array.from(sorted, ({ value }) => value),
  };
}
