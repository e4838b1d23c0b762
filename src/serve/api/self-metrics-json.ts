/**
 * Own metrics as JSON: the protobuf MetricFamily in its JSON form, where 64-bit counts are strings.
 * Source: Prometheus, HTTP API "Self metrics"; ProtoJSON.
 */
import type { MetricFamily, MetricLabels, MetricSample } from '../../core/base/metrics.ts';

interface ProtoMetric {
  readonly label: readonly { readonly name: string; readonly value: string }[];
  readonly [kind: string]: unknown;
}

export function familyJson(family: MetricFamily): object {
  const { name, help, type } = family;
  return {
    name,
    help,
    type: type.toUpperCase(),
    metric: type === 'counter' || type === 'gauge' ? singles(family) : groups(family),
  };
}

function singles({ type, samples }: MetricFamily): ProtoMetric[] {
  return samples.map(({ labels, value }) => ({ label: labelPairs(labels), [type]: { value: number(value) } }));
}

/** Lines of a histogram or summary that differ in `le` or `quantile` alone are one metric. */
function groups({ type, samples }: MetricFamily): ProtoMetric[] {
  const byLabels = new Map<string, { labels: MetricLabels; own: MetricSample[] }>();
  const own = type === 'histogram' ? 'le' : 'quantile';
  for (const sample of samples) {
    const labels = Object.fromEntries(Object.entries(sample.labels).filter(([name]) => name !== own));
    const key = JSON.stringify(labels);
    const group = byLabels.get(key) ?? { labels, own: [] };
    group.own.push(sample);
    byLabels.set(key, group);
  }
  return [...byLabels.values()].map(({ labels, own: lines }) => ({
    label: labelPairs(labels),
    [type]: {
      sampleCount: String(valueOf(lines, '_count')),
      sampleSum: number(valueOf(lines, '_sum')),
      ...(type === 'histogram'
        ? { bucket: lines.filter(isFiniteBucket).map(bucketJson) }
        : { quantile: lines.filter(({ suffix }) => suffix === '').map(quantileJson) }),
    },
  }));
}

/** The last bucket's count is the sample count, so it is left out. */
const isFiniteBucket = ({ suffix, labels }: MetricSample): boolean => suffix === '_bucket' && labels['le'] !== '+Inf';

const bucketJson = ({ labels, value }: MetricSample): object => ({
  cumulativeCount: String(value),
  upperBound: Number(labels['le']),
});

const quantileJson = ({ labels, value }: MetricSample): object => ({
  quantile: Number(labels['quantile']),
  value: number(value),
});

const valueOf = (samples: readonly MetricSample[], suffix: MetricSample['suffix']): number =>
  samples.find((sample) => sample.suffix === suffix)?.value ?? 0;

const labelPairs = (labels: MetricLabels): ProtoMetric['label'] =>
  Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({ name, value }));

/** JSON has no other floats. */
const number = (value: number): number | string => (Number.isFinite(value) ? value : String(value));
