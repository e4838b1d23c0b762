/**
 * The program's own metrics: counters, gauges, histograms and summaries under the field's names.
 *
 * Each thread has a registry. A snapshot is plain data, so the main thread collects those of the workers and writes them
 * as one page.
 */

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary';
export type MetricLabels = Readonly<Record<string, string>>;

/** One line of a page: `name + suffix` with labels and value. */
export interface MetricSample {
  readonly suffix: '' | '_sum' | '_count' | '_bucket' | '_total';
  readonly labels: MetricLabels;
  readonly value: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly samples: readonly MetricSample[];
}

interface Instrument {
  collect(): MetricFamily;
}

export class Registry {
  readonly #instruments = new Map<string, Instrument>();

  counter(name: string, help: string): Counter {
    return this.#add(name, new Counter(name, help));
  }

  gauge(name: string, help: string): Gauge {
    return this.#add(name, new Gauge(name, help));
  }

  /** @param bounds ascending upper bounds, without +Inf */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    return this.#add(name, new Histogram(name, help, bounds));
  }

  /** @param quantiles each in [0, 1], over the last `windowSize` observations */
  summary(name: string, help: string, quantiles: readonly number[], windowSize = 500): Summary {
    return this.#add(name, new Summary(name, help, quantiles, windowSize));
  }

  /** A gauge or counter whose value is read when the page is made. */
  observe(name: string, help: string, type: 'counter' | 'gauge', read: () => number | readonly MetricSample[]): void {
    this.#add(name, {
      collect: () => {
        const value = read();
        return { name, help, type, samples: typeof value === 'number' ? [{ suffix: '', labels: {}, value }] : value };
      },
    });
  }

  /** All families, sorted by name. */
  snapshot(): MetricFamily[] {
    return [...this.#instruments.values()].map((instrument) => instrument.collect()).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #add<T extends Instrument>(name: string, instrument: T): T {
    if (this.#instruments.has(name)) throw new Error(`metric ${name} is registered twice`);
    this.#instruments.set(name, instrument);
    return instrument;
  }
}

/** A value for each label set. */
class ValueByLabels {
  readonly entries = new Map<string, { labels: MetricLabels; value: number }>();

  at(labels: MetricLabels): { labels: MetricLabels; value: number } {
    const key = JSON.stringify(labels);
    let entry = this.entries.get(key);
    if (!entry) {
      entry = { labels, value: 0 };
      this.entries.set(key, entry);
    }
    return entry;
  }

  samples(): MetricSample[] {
    return [...this.entries.values()].map(({ labels, value }) => ({ suffix: '', labels, value }));
  }
}

const NO_LABELS: MetricLabels = {};

export class Counter implements Instrument {
  readonly #name: string;
  readonly #help: string;
  readonly #values = new ValueByLabels();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  /** Also with 0, so that the series exists before the first event. */
  add(amount: number, labels: MetricLabels = NO_LABELS): void {
    this.#values.at(labels).value += amount;
  }

  collect(): MetricFamily {
    return { name: this.#name, help: this.#help, type: 'counter', samples: this.#values.samples() };
  }
}

export class Gauge implements Instrument {
  readonly #name: string;
  readonly #help: string;
  readonly #values = new ValueByLabels();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  set(value: number, labels: MetricLabels = NO_LABELS): void {
    this.#values.at(labels).value = value;
  }

  add(amount: number, labels: MetricLabels = NO_LABELS): void {
    this.#values.at(labels).value += amount;
  }

  /** Forgets all label sets. */
  reset(): void {
    this.#values.entries.clear();
  }

  collect(): MetricFamily {
    return { name: this.#name, help: this.#help, type: 'gauge', samples: this.#values.samples() };
  }
}

export class Histogram implements Instrument {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, { labels: MetricLabels; buckets: number[]; sum: number; count: number }>();

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
  }

  record(value: number, labels: MetricLabels = NO_LABELS): void {
    const key = JSON.stringify(labels);
    let series = this.#series.get(key);
    if (!series) {
      series = { labels, buckets: this.#bounds.map(() => 0), sum: 0, count: 0 };
      this.#series.set(key, series);
    }
    const bucket = this.#bounds.findIndex((bound) => value <= bound);
    if (bucket >= 0) series.buckets[bucket]!++;
    series.sum += value;
    series.count++;
  }

  collect(): MetricFamily {
    const samples: MetricSample[] = [];
    for (const { labels, buckets, sum, count } of this.#series.values()) {
      let cumulative = 0;
      for (const [i, bound] of this.#bounds.entries()) {
        cumulative += buckets[i]!;
        samples.push({ suffix: '_bucket', labels: { ...labels, le: String(bound) }, value: cumulative });
      }
      samples.push({ suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count });
      samples.push({ suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: count });
    }
    return { name: this.#name, help: this.#help, type: 'histogram', samples };
  }
}

export class Summary implements Instrument {
  readonly #name: string;
  readonly #help: string;
  readonly #quantiles: readonly number[];
  readonly #windowSize: number;
  readonly #series = new Map<string, { labels: MetricLabels; recent: number[]; next: number; sum: number; count: number }>();

  constructor(name: string, help: string, quantiles: readonly number[], windowSize: number) {
    this.#name = name;
    this.#help = help;
    this.#quantiles = quantiles;
    this.#windowSize = windowSize;
  }

  record(value: number, labels: MetricLabels = NO_LABELS): void {
    const key = JSON.stringify(labels);
    let series = this.#series.get(key);
    if (!series) {
      series = { labels, recent: [], next: 0, sum: 0, count: 0 };
      this.#series.set(key, series);
    }
    series.recent[series.next] = value;
    series.next = (series.next + 1) % this.#windowSize;
    series.sum += value;
    series.count++;
  }

  collect(): MetricFamily {
    const samples: MetricSample[] = [];
    for (const { labels, recent, sum, count } of this.#series.values()) {
      const sorted = recent.toSorted((a, b) => a - b);
      for (const quantile of this.#quantiles) {
        const index = Math.min(sorted.length - 1, Math.floor(quantile * sorted.length));
        samples.push({ suffix: '', labels: { ...labels, quantile: String(quantile) }, value: sorted[index] ?? Number.NaN });
      }
      samples.push({ suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: count });
    }
    return { name: this.#name, help: this.#help, type: 'summary', samples };
  }
}
