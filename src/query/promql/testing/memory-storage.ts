/**
 * A querier over series in memory, for tests and for using the engine by itself.
 */
import type { FloatHistogram } from '../../../core/model/histogram.ts';
import { compareLabels, compareStrings, labelValue, labelsKey, type Labels } from '../../../core/model/labels.ts';
import { compileMatcher } from '../../../core/model/matcher.ts';
import { MixedSamples } from '../../../core/model/mixed-samples.ts';
import type { SampleBuffer } from '../../../core/model/samples.ts';
import type { LabelRequest, Querier, SelectRequest, SeriesSet } from '../../../core/storage/querier.ts';

interface StoredSeries {
  readonly labels: Labels;
  readonly samples: MixedSamples;
}

export class MemoryStorage implements Querier {
  readonly #series: StoredSeries[] = [];
  readonly #byKey = new Map<string, StoredSeries>();
  #isSorted = true;

  series(request: LabelRequest): Promise<Labels[]> {
    return Promise.resolve(this.#matching(request).map(({ labels }) => labels));
  }

  /** The samples of a series, made if need be, to append to in ascending time. */
  samplesOf(labels: Labels): MixedSamples {
    const key = labelsKey(labels);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known.samples;
    const made: StoredSeries = { labels, samples: new MixedSamples(16) };
    this.#byKey.set(key, made);
    this.#series.push(made);
    this.#isSorted = false;
    return made.samples;
  }

  append(labels: Labels, timeMs: number, value: number | FloatHistogram): void {
    const samples = this.samplesOf(labels);
    if (typeof value === 'number') samples.push(timeMs, value);
    else samples.pushHistogram(timeMs, value);
  }

  clear(): void {
    this.#series.length = 0;
    this.#byKey.clear();
  }

  select(request: SelectRequest): Promise<SeriesSet> {
    const found = this.#matching(request);
    return Promise.resolve({
      seriesCount: found.length,
      labels: (index) => found[index]!.labels,
      read: (index, out) => copyRange(found[index]!.samples, request, out),
      close: () => {},
    });
  }

  labelNames(request: LabelRequest): Promise<string[]> {
    const names = new Set(this.#matching(request).flatMap(({ labels }) => labels.filter((_, i) => i % 2 === 0)));
    return Promise.resolve([...names].sort(compareStrings));
  }

  labelValues(name: string, request: LabelRequest): Promise<string[]> {
    const values = new Set(this.#matching(request).map(({ labels }) => labelValue(labels, name)));
    values.delete('');
    return Promise.resolve([...values].sort(compareStrings));
  }

  /** Sorted by labels. */
  #matching({ matchers, startMs, endMs }: LabelRequest): StoredSeries[] {
    if (!this.#isSorted) this.#series.sort((a, b) => compareLabels(a.labels, b.labels));
    this.#isSorted = true;
    const compiled = matchers.map(compileMatcher);
    return this.#series.filter(({ labels, samples }) => {
      const { length, times } = samples;
      if (length === 0 || times[length - 1]! < startMs || times[0]! > endMs) return false;
      return compiled.every((matcher) => matcher.matches(labelValue(labels, matcher.name)));
    });
  }
}

function copyRange(samples: MixedSamples, { startMs, endMs }: LabelRequest, out: SampleBuffer): void {
  const { times, values, length } = samples;
  const from = firstNotBefore(times, length, startMs);
  const to = firstNotBefore(times, length, endMs + 1);
  const at = out.length;
  out.append(times, values, from, to - from);
  if (!(out instanceof MixedSamples)) return;
  if (samples.hasHistograms) {
    for (let i = from; i < to; i++) {
      const histogram = samples.histogramAt(i);
      if (histogram !== undefined) out.histograms[at + i - from] = histogram;
    }
  }
  if (samples.hasStartTimes) for (let i = from; i < to; i++) out.startTimes[at + i - from] = samples.startTimeAt(i);
}

function firstNotBefore(times: Float64Array, length: number, timeMs: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
