/**
 * Names of series in legends.
 */
import { METRIC_NAME, formatLabels, labelsOnly, type Labels } from '../../src/core/model/labels.ts';

/** As PromQL writes it; a series without labels is named by the query. */
export function seriesName(labels: Labels, expr: string): string {
  return labels.length === 0 ? expr : formatLabels(labels);
}

/** Names of the labels whose value is not the same in all sets, metric name included; all of them for a single set. */
export function distinguishingLabels(sets: readonly Labels[]): ReadonlySet<string> {
  const valuesByName = new Map<string, Set<string>>();
  const counts = new Map<string, number>();
  for (const labels of sets) {
    for (let i = 0; i < labels.length; i += 2) {
      const name = labels[i]!;
      valuesByName.set(name, (valuesByName.get(name) ?? new Set()).add(labels[i + 1]!));
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  const differing = [...valuesByName]
    .filter(([name, values]) => values.size > 1 || counts.get(name)! < sets.length)
    .map(([name]) => name);
  return new Set(sets.length <= 1 ? valuesByName.keys() : differing);
}

/** A name by the labels that tell the series from the others; the metric name stays where there is nothing else. */
export function shortSeriesName(labels: Labels, distinguishing: ReadonlySet<string>, expr: string): string {
  const short = labelsOnly(labels, distinguishing);
  if (short.length > 0) return formatLabels(short);
  return seriesName(labelsOnly(labels, new Set([METRIC_NAME])), expr);
}
