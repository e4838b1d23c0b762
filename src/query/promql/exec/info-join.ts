/**
 * info(v): series get the labels of the info metrics that describe the same thing.
 *
 * Series and info series meet where they agree on `instance` and `job`. Which info series is in force may change from step to
 * step, so a series may come out as several, each with the labels of its time.
 * Source: Prometheus, functions info().
 */
import {
  METRIC_NAME,
  compareStrings,
  labelValue,
  labelsFromPairs,
  labelsKey,
  type Labels,
} from '../../../core/model/labels.ts';
import { compileMatcher, type CompiledMatcher } from '../../../core/model/matcher.ts';
import { MixedSamples } from '../../../core/model/mixed-samples.ts';
import type { SeriesSet } from '../../../core/storage/querier.ts';
import { PromqlEvaluationError } from '../errors.ts';
import type { StepGrid } from '../plan/grid.ts';
import type { InfoCallPlan } from '../plan/plan.ts';
import type { Execution } from './execution.ts';
import type { RowSink, VectorOperator } from './operator.ts';
import { ABSENT, RowBatch } from './row-batch.ts';
import { Rows } from './rows.ts';

/** Labels that say what a series is about. */
const IDENTIFYING: readonly string[] = ['instance', 'job'];

/** One info series: at which steps it is seen, and when its sample was taken. */
interface InfoSeries {
  readonly name: string;
  readonly labels: Labels;
  /** By step; NaN where it is not seen. */
  readonly takenMs: Float64Array;
}

interface Output {
  readonly labels: Labels;
  readonly dropsName: boolean;
}

export class InfoJoin implements VectorOperator {
  readonly grid: StepGrid;
  readonly mayRepeatLabels = true;
  readonly #execution: Execution;
  readonly #plan: InfoCallPlan;
  readonly #input: VectorOperator;
  readonly #set: SeriesSet;
  readonly #nameMatchers: readonly CompiledMatcher[];
  readonly #dataMatchers: readonly CompiledMatcher[];
  readonly #outputs: Output[] = [];
  readonly #outputByKey = new Map<string, number>();
  /** Info series by what they identify. */
  readonly #infos = new Map<string, InfoSeries[]>();
  #rows: Rows | null = null;

  constructor(execution: Execution, plan: InfoCallPlan, input: VectorOperator, set: SeriesSet) {
    this.grid = plan.grid;
    this.#execution = execution;
    this.#plan = plan;
    this.#input = input;
    this.#set = set;
    const compiled = plan.matchers.map(compileMatcher);
    this.#nameMatchers = compiled.filter(({ name }) => name === METRIC_NAME);
    this.#dataMatchers = compiled.filter(({ name }) => name !== METRIC_NAME);
  }

  get seriesCount(): number {
    return this.#outputs.length;
  }

  /** Evaluates everything, since labels depend on the step. */
  open(): void {
    this.#input.open();
    this.#readInfos();
    const { stepCount } = this.grid;
    const rows: { readonly output: number; readonly batchRow: RowBatch }[] = [];
    this.#input.run((batch) => {
      this.#execution.checkpoint();
      for (let row = 0; row < batch.rows; row++) {
        const series = batch.series[row]!;
        const labels = this.#input.labels(series);
        const dropsName = this.#input.dropsName(series);
        const byOutput = new Map<number, RowBatch>();
        for (let step = 0; step < stepCount; step++) {
          const slot = row * stepCount + step;
          if (batch.present[slot] === ABSENT) continue;
          const enriched = this.#isInfo(labels) ? labels : this.#enrich(labels, step);
          if (enriched === null) continue;
          const output = this.#outputOf(enriched, dropsName);
          let own = byOutput.get(output);
          if (own === undefined) {
            own = new RowBatch(stepCount);
            own.rows = 1;
            byOutput.set(output, own);
            rows.push({ output, batchRow: own });
          }
          own.present[step] = batch.present[slot]!;
          own.values[step] = batch.values[slot]!;
          const histogram = batch.histograms?.[slot] ?? null;
          if (histogram !== null) own.ensureHistograms()[step] = histogram;
        }
      }
    });
    this.#rows = new Rows(this.#execution, this.#outputs.length, stepCount);
    for (const { output, batchRow } of rows) this.#rows.merge(batchRow, 0, output);
  }

  labels(series: number): Labels {
    return this.#outputs[series]!.labels;
  }

  dropsName(series: number): boolean {
    return this.#outputs[series]!.dropsName;
  }

  run(sink: RowSink): void {
    const rows = this.#rows;
    if (rows === null) return;
    const batch = new RowBatch(this.grid.stepCount);
    for (let series = 0; series < this.#outputs.length; series++) {
      batch.copyKept(rows, series, series);
      if (!batch.isFull) continue;
      sink(batch);
      batch.clear();
    }
    if (batch.rows > 0) sink(batch);
    rows.release();
  }

  /** Info metrics themselves are not enriched. */
  #isInfo(labels: Labels): boolean {
    const name = labelValue(labels, METRIC_NAME);
    const positive = this.#nameMatchers.filter(({ op }) => op === '=' || op === '=~');
    return positive.length > 0 && this.#nameMatchers.every((matcher) => matcher.matches(name));
  }

  #outputOf(labels: Labels, dropsName: boolean): number {
    const key = `${dropsName ? 'd' : 'k'}${labelsKey(labels)}`;
    const known = this.#outputByKey.get(key);
    if (known !== undefined) return known;
    const made = this.#outputs.push({ labels, dropsName }) - 1;
    this.#outputByKey.set(key, made);
    return made;
  }

  #readInfos(): void {
    const { timeGrid, lookbackMs } = this.#plan;
    const samples = new MixedSamples();
    for (let series = 0; series < this.#set.seriesCount; series++) {
      const labels = this.#set.labels(series);
      const name = labelValue(labels, METRIC_NAME);
      if (!this.#dataMatchers.every((matcher) => matcher.matches(labelValue(labels, matcher.name)))) continue;
      samples.clear();
      this.#set.read(series, samples);
      const takenMs = new Float64Array(timeGrid.stepCount).fill(Number.NaN);
      let next = 0;
      for (let step = 0; step < timeGrid.stepCount; step++) {
        const atMs = timeGrid.startMs + step * timeGrid.stepMs;
        while (next < samples.length && samples.times[next]! <= atMs) next++;
        const newest = next - 1;
        if (newest < 0 || atMs - samples.times[newest]! >= lookbackMs || samples.isStale(newest)) continue;
        if (samples.histogramAt(newest) !== undefined)
          throw new PromqlEvaluationError(`this should be an info metric, with float samples: ${name}`);
        takenMs[step] = samples.times[newest]!;
      }
      const key = identity(labels);
      const siblings = this.#infos.get(key) ?? [];
      siblings.push({ name, labels, takenMs });
      this.#infos.set(key, siblings);
    }
  }

  /** The labels of a series at a step; null if it is not to be there. */
  #enrich(labels: Labels, step: number): Labels | null {
    const newest = new Map<string, InfoSeries>();
    for (const info of this.#infos.get(identity(labels)) ?? []) {
      const takenMs = info.takenMs[step]!;
      if (Number.isNaN(takenMs)) continue;
      const known = newest.get(info.name);
      if (known === undefined || known.takenMs[step]! < takenMs) newest.set(info.name, info);
      else if (known.takenMs[step] === takenMs) {
        throw new PromqlEvaluationError(`found duplicate series for info metric: existing ${info.name}`);
      }
    }
    if (newest.size === 0) return this.#dataMatchers.every(({ matchesEmpty }) => matchesEmpty) ? labels : null;
    const added = new Map<string, string>();
    const wanted = new Set(this.#dataMatchers.map(({ name }) => name));
    for (const info of [...newest.values()].sort((a, b) => compareStrings(a.name, b.name))) {
      for (let i = 0; i < info.labels.length; i += 2) {
        const name = info.labels[i]!;
        const value = info.labels[i + 1]!;
        if (name === METRIC_NAME || IDENTIFYING.includes(name) || (wanted.size > 0 && !wanted.has(name))) continue;
        // What the series says of itself stands.
        if (labelValue(labels, name) !== '') continue;
        if (added.has(name) && added.get(name) !== value) throw new PromqlEvaluationError(`conflicting label: ${name}`);
        added.set(name, value);
      }
    }
    const pairs: [string, string][] = [];
    for (let i = 0; i < labels.length; i += 2) pairs.push([labels[i]!, labels[i + 1]!]);
    return labelsFromPairs([...pairs, ...added]);
  }
}

const identity = (labels: Labels): string => JSON.stringify(IDENTIFYING.map((name) => labelValue(labels, name)));
