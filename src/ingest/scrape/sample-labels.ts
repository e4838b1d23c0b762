/**
 * From a series as a target exposes it to a series as it is stored: target labels are merged in, metric relabelling runs, and the
 * result is checked.
 *
 * Runs once for each series that a target shows for the first time.
 * Source: Prometheus, scrape (mutateSampleLabels, verifyLabelLimits).
 */
import { labelsFromPairs, labelValue, METRIC_NAME, isLegacyMetricName, quote, formatLabels, type Labels } from '../../core/model/labels.ts';
import { compileRelabel, isLabelName, relabel, type RelabelRule } from '../../core/model/relabel.ts';
import type { ScrapePoolConfig } from './scrape-config.ts';

/** A series breaks a label limit or has no valid name: the whole scrape fails. */
export class SampleLabelsError extends Error {
  override readonly name = 'SampleLabelsError';
  /** Whether it was a limit, which is counted. */
  readonly isLimit: boolean;

  constructor(message: string, isLimit: boolean) {
    super(message);
    this.isLimit = isLimit;
  }
}

const utf8 = new TextEncoder();

export class SampleLabels {
  readonly #config: ScrapePoolConfig;
  readonly #target: Labels;
  readonly #rules: readonly RelabelRule[];

  constructor(config: ScrapePoolConfig, targetLabels: Labels) {
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
    const merged = this.#config.honorLabels ? this.#honoured(exposed) : this.#renamed(exposed);
    const labels = relabel(merged, this.#rules);
    if (labels === null || labels.length === 0) return null;
    this.#check(labels);
    return labels;
  }

  /** Labels of one of the scrape's own series: name and target labels; clashes can't be. */
  report(name: string): Labels {
    return labelsFromPairs([[METRIC_NAME, name], ...pairsOf(this.#target)]);
  }

  /** The exposed label wins; one with an empty value takes the target's away. */
  #honoured(exposed: Labels): Labels {
    const own = new Set<string>();
    for (let i = 0; i < exposed.length; i += 2) own.add(exposed[i]!);
    return labelsFromPairs([...pairsOf(exposed), ...pairsOf(this.#target).filter(([name]) => !own.has(name))]);
  }

  /** The target's label wins; the exposed one goes on as `exported_…`. */
  #renamed(exposed: Labels): Labels {
    const target = new Map(pairsOf(this.#target));
    const kept = pairsOf(exposed).filter(([name, value]) => value !== '' && !target.has(name));
    const clashing = pairsOf(exposed).filter(([name, value]) => value !== '' && target.has(name));
    const taken = new Set([...target.keys(), ...kept.map(([name]) => name)]);
    const renamed = clashing.map(([name, value]): [string, string] => {
      let free = `exported_${name}`;
      while (taken.has(free)) free = `exported_${free}`;
      taken.add(free);
      return [free, value];
    });
    return labelsFromPairs([...kept, ...renamed, ...target]);
  }

  #check(labels: Labels): void {
    const { labelLimit, labelNameLengthLimit, labelValueLengthLimit, metricNameValidationScheme } = this.#config;
    const name = labelValue(labels, METRIC_NAME);
    if (name === '') throw new SampleLabelsError(`metric name is missing: ${formatLabels(labels)}`, false);
    if (metricNameValidationScheme === 'legacy' && !isLegacyMetricName(name)) throw new SampleLabelsError(`metric name ${quote(name)} is not valid`, false);
    const count = labels.length / 2;
    if (labelLimit > 0 && count > labelLimit) {
      throw new SampleLabelsError(`label_limit exceeded (metric: ${cut(name)}, number of labels: ${count}, limit: ${labelLimit})`, true);
    }
    for (let i = 0; i < labels.length; i += 2) {
      const label = labels[i]!;
      if (!isLabelName(label, metricNameValidationScheme)) throw new SampleLabelsError(`label name ${quote(cut(label))} of metric ${cut(name)} is not valid`, false);
      if (labelNameLengthLimit > 0 && utf8.encode(label).length > labelNameLengthLimit) {
        throw new SampleLabelsError(
          `label_name_length_limit exceeded (metric: ${cut(name)}, label name: ${cut(label)}, length: ${utf8.encode(label).length}, limit: ${labelNameLengthLimit})`,
          true,
        );
      }
      if (labelValueLengthLimit > 0 && utf8.encode(labels[i + 1]!).length > labelValueLengthLimit) {
        throw new SampleLabelsError(
          `label_value_length_limit exceeded (metric: ${cut(name)}, label name: ${cut(label)}, value: ${quote(cut(labels[i + 1]!))}, length: ${utf8.encode(labels[i + 1]!).length}, limit: ${labelValueLengthLimit})`,
          true,
        );
      }
    }
  }
}

/** Names in messages come from the target: shown as far as they help. */
const cut = (text: string): string => (text.length > 50 ? text.slice(0, 50) : text);

function pairsOf(labels: Labels): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < labels.length; i += 2) pairs.push([labels[i]!, labels[i + 1]!]);
  return pairs;
}
