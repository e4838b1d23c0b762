/**
 * Which names and values make the most series: the lists of `/api/v1/status/tsdb`.
 */
import type { LabelIndexReader } from '../../store/head/label-index-reader.ts';
import { METRIC_NAME } from '../../core/model/labels.ts';
import type { NamedCount, TsdbStatus } from '../api/backend.ts';

const utf8 = new TextEncoder();

/** @param limit entries of each list */
export function cardinality(index: LabelIndexReader, limit: number): Omit<TsdbStatus, 'head'> {
  index.sync();
  const valueCounts: NamedCount[] = [];
  const bytes: NamedCount[] = [];
  const pairs: NamedCount[] = [];
  const metrics: NamedCount[] = [];
  for (const name of index.labelNames()) {
    let count = 0;
    let size = 0;
    for (const value of index.labelValues(name)) {
      const series = index.seriesOfPair(name, value);
      count++;
      size += utf8.encode(value).length * series;
      pairs.push({ name: `${name}=${value}`, value: series });
      if (name === METRIC_NAME) metrics.push({ name: value, value: series });
    }
    valueCounts.push({ name, value: count });
    bytes.push({ name, value: size });
  }
  const top = (list: NamedCount[]): NamedCount[] => list.sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1)).slice(0, limit);
  return {
    seriesCountByMetricName: top(metrics),
    labelValueCountByLabelName: top(valueCounts),
    memoryInBytesByLabelName: top(bytes),
    seriesCountByLabelValuePair: top(pairs),
  };
}
