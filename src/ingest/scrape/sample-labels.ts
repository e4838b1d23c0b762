/**
 * From a series as a target exposes it to a series as it is stored: target labels are merged in, metric relabelling runs, and
 * the result is checked.
 *
 * Runs once for each series that a target shows for the first time.
 * Source: Prometheus, configuration "scrape_config": honor_labels, metric_relabel_configs, label limits.
 */
import {
  compareStrings,
  formatLabels,
  isLegacyMetricName,
  labelValue,
  METRIC_NAME,
  quote,
  withLabel,
  type Labels,
} from '../../core/model/labels.ts';
import { compileRelabel, isLabelName, relabel, type RelabelRule } from '../../core/model/relabel.ts';
import type { ScrapePoolConfig } from './scrape-config.ts';

/** A series that can't be stored: the whole scrape fails. */
export class SampleLabelsError extends Error {
  override readonly name: string = 'SampleLabelsError';
}

/** A series breaks a label limit. */
export class LabelLimitError extends SampleLabelsError {
  override readonly name: string = 'LabelLimitError';
}

/** The part of a pool's configuration that decides which series a body stands for. */
export type SampleLabelsConfig = Pick<
  ScrapePoolConfig,
  | 'honorLabels'
  | 'metricRelabelConfigs'
  | 'metricNameValidationScheme'
  | 'labelLimit'
  | 'labelNameLengthLimit'
  | 'labelValueLengthLimit'
>;

/** Equal for configurations that make the same series of a body. */
export function sampleLabelsKey(config: SampleLabelsConfig): string {
  const {
    honorLabels,
    metricRelabelConfigs,
    metricNameValidationScheme,
    labelLimit,
    labelNameLengthLimit,
    labelValueLengthLimit,
  } = config;
  return JSON.stringify([
    honorLabels,
    metricRelabelConfigs,
    metricNameValidationScheme,
    labelLimit,
    labelNameLengthLimit,
    labelValueLengthLimit,
  ]);
}

export class SampleLabels {
  readonly #config: SampleLabelsConfig;
  readonly #target: Labels;
  readonly #rules: readonly RelabelRule[];

  /** @throws RegexError where a rule was not checked before */
  constructor(config: SampleLabelsConfig, targetLabels: Labels) {
    this.#config = config;
    this.#target = targetLabels;
    this.#rules = config.metricRelabelConfigs.map((rule) => compileRelabel(rule, config.metricNameValidationScheme));
  }

  /**
   * @param exposed sorted; may hold empty values
   * @returns the labels to store, or null where relabelling drops the series
   * @throws SampleLabelsError
   */
  resolve(exposed: Labels): Labels | null {
    const merged = this.#config.honorLabels
      ? mergeLabels(exposed, this.#target)
      : mergeLabels(this.#target, this.#renamed(exposed));
    const labels = relabel(merged, this.#rules);
    if (labels === null || labels.length === 0) return null;
    this.#check(labels);
    return labels;
  }

  /** Labels of one of the scrape's own series: name and target labels, neither relabelled nor limited. */
  report(name: string): Labels {
    return withLabel(this.#target, METRIC_NAME, name);
  }

  /** The target's labels win: exposed ones of the same name go on as `exported_…`. */
  #renamed(exposed: Labels): Labels {
    const clashing: string[] = [];
    for (let i = 0; i < this.#target.length; i += 2)
      if (labelValue(exposed, this.#target[i]!) !== '') clashing.push(this.#target[i]!);
    if (clashing.length === 0) return exposed;
    // Prometheus goes from the shortest name to the longest, which decides who gets which prefix.
    clashing.sort((a, b) => Buffer.byteLength(a) - Buffer.byteLength(b));
    let renamed = exposed;
    for (const name of clashing) {
      const value = labelValue(exposed, name);
      let free = `exported_${name}`;
      while (labelValue(renamed, free) !== '' || labelValue(this.#target, free) !== '') free = `exported_${free}`;
      renamed = withLabel(withLabel(renamed, name, ''), free, value);
    }
    return renamed;
  }

  #check(labels: Labels): void {
    const { labelLimit, labelNameLengthLimit, labelValueLengthLimit, metricNameValidationScheme } = this.#config;
    const name = labelValue(labels, METRIC_NAME);
    if (name === '') throw new SampleLabelsError(`missing metric name (${METRIC_NAME} label)`);
    const isValidName = metricNameValidationScheme === 'utf8' || isLegacyMetricName(name);
    if (!isValidName || !hasLabelNames(labels, metricNameValidationScheme)) {
      throw new SampleLabelsError(`invalid metric name or label names: ${cut(formatLabels(labels), MAX_SHOWN_LABELS)}`);
    }
    const count = labels.length / 2;
    if (labelLimit > 0 && count > labelLimit) {
      throw new LabelLimitError(
        `label_limit exceeded (metric: ${cut(name)}, number of labels: ${count}, limit: ${labelLimit})`,
      );
    }
    if (labelNameLengthLimit === 0 && labelValueLengthLimit === 0) return;
    for (let i = 0; i < labels.length; i += 2) {
      const [label, value] = [labels[i]!, labels[i + 1]!];
      const place = `metric: ${cut(name)}, label name: ${cut(label)}`;
      const nameLength = Buffer.byteLength(label);
      if (labelNameLengthLimit > 0 && nameLength > labelNameLengthLimit) {
        throw new LabelLimitError(
          `label_name_length_limit exceeded (${place}, length: ${nameLength}, limit: ${labelNameLengthLimit})`,
        );
      }
      const valueLength = Buffer.byteLength(value);
      if (labelValueLengthLimit > 0 && valueLength > labelValueLengthLimit) {
        const shown = `${place}, value: ${quote(cut(value))}`;
        throw new LabelLimitError(
          `label_value_length_limit exceeded (${shown}, length: ${valueLength}, limit: ${labelValueLengthLimit})`,
        );
      }
    }
  }
}

/** Names in messages come from the target: shown as far as they help. */
const MAX_SHOWN = 50;
const MAX_SHOWN_LABELS = 400;

const cut = (text: string, most = MAX_SHOWN): string =>
  text.length > most ? text.slice(0, most).toWellFormed() : text;

function hasLabelNames(labels: Labels, scheme: SampleLabelsConfig['metricNameValidationScheme']): boolean {
  for (let i = 0; i < labels.length; i += 2) if (!isLabelName(labels[i]!, scheme)) return false;
  return true;
}

/** All pairs of both; where both have a name, the winner's counts, even if it is empty. Empty ones are left out. */
function mergeLabels(winner: Labels, other: Labels): Labels {
  const merged: string[] = [];
  for (let i = 0, j = 0; i < winner.length || j < other.length;) {
    const order = i >= winner.length ? 1 : j >= other.length ? -1 : compareStrings(winner[i]!, other[j]!);
    const [labels, at] = order <= 0 ? [winner, i] : [other, j];
    if (labels[at + 1] !== '') merged.push(labels[at]!, labels[at + 1]!);
    if (order <= 0) i += 2;
    if (order >= 0) j += 2;
  }
  return merged;
}
