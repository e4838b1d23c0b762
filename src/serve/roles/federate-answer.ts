/**
 * What `/federate` shows: the newest sample of each matching series within the lookback, unless it is a stale marker or a native histogram.
 */
import { compareLabels, compareStrings, labelsKey, labelValue, METRIC_NAME, type Labels } from '../../core/model/labels.ts';
import { MixedSamples } from '../../core/model/mixed-samples.ts';
import type { Querier } from '../../core/storage/querier.ts';
import type { FederateQuery } from '../api/backend.ts';
import type { FederatedSamples } from '../api/federate-text.ts';

interface Newest {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number;
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
      // Text has no form for native histograms.
      if (last < 0 || buffer.isStale(last) || buffer.histogramAt(last) !== undefined) continue;
      const labels = set.labels(i);
      newest.set(labelsKey(labels), { labels, timeMs: buffer.times[last]!, value: buffer.values[last]! });
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
