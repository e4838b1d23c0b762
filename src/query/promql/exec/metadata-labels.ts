/**
 * The labels that describe the metric rather than the thing measured: name, type and unit. Computed values lose them.
 */
import { METRIC_NAME, isLegacyLabelName, quote, type Labels } from '../../../core/model/labels.ts';

export const METRIC_TYPE = '__type__';
export const METRIC_UNIT = '__unit__';

export const isMetadataLabel = (name: string): boolean =>
  name === METRIC_NAME || name === METRIC_TYPE || name === METRIC_UNIT;

/** `labels` without name, type and unit. */
export function withoutMetadata(labels: Labels): Labels {
  let first = 0;
  while (first < labels.length && !isMetadataLabel(labels[first]!)) first += 2;
  if (first === labels.length) return labels;
  const kept = labels.slice(0, first);
  for (let i = first + 2; i < labels.length; i += 2) {
    if (!isMetadataLabel(labels[i]!)) kept.push(labels[i]!, labels[i + 1]!);
  }
  return kept;
}

/** All labels in braces, the name among them, as messages about matching show them. */
export function bracedLabels(labels: Labels): string {
  const parts: string[] = [];
  for (let i = 0; i < labels.length; i += 2) {
    const name = labels[i]!;
    parts.push(`${isLegacyLabelName(name) ? name : quote(name)}=${quote(labels[i + 1]!)}`);
  }
  return `{${parts.join(', ')}}`;
}
