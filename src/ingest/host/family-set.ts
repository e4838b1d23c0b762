/**
 * Metric families under construction: samples come in any order, families go out whole.
 */
import type { MetricFamily, MetricLabels, MetricSample, MetricType } from '../../core/base/metrics.ts';

const NO_LABELS: MetricLabels = {};

/** Most samples that one collector may give; a host with more devices than that is cut off with an error. */
export const MAX_SAMPLES = 100_000;

export class FamilySet {
  readonly #families = new Map<
    string,
    { readonly help: string; readonly type: MetricType; readonly samples: MetricSample[] }
  >();
  #sampleCount = 0;

  gauge(name: string, help: string, value: number, labels: MetricLabels = NO_LABELS): void {
    this.#add(name, help, 'gauge', value, labels);
  }

  counter(name: string, help: string, value: number, labels: MetricLabels = NO_LABELS): void {
    this.#add(name, help, 'counter', value, labels);
  }

  /** Adds all that `other` holds. */
  merge(other: FamilySet): void {
    for (const { name, help, type, samples } of other.families()) {
      for (const { value, labels } of samples) this.#add(name, help, type, value, labels);
    }
  }

  /** Sorted by name. */
  families(): MetricFamily[] {
    return [...this.#families]
      .map(([name, family]) => ({ name, ...family }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #add(name: string, help: string, type: MetricType, value: number, labels: MetricLabels): void {
    if (++this.#sampleCount > MAX_SAMPLES) throw new Error(`more than ${MAX_SAMPLES} samples`);
    let family = this.#families.get(name);
    if (!family) {
      family = { help, type, samples: [] };
      this.#families.set(name, family);
    }
    family.samples.push({ suffix: '', labels, value });
  }
}
