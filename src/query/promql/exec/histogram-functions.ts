/**
 * histogram_quantile, histogram_quantiles and histogram_fraction, over classic and native histograms alike.
 *
 * The series of one classic histogram differ in `le` alone. They are brought together, sorted by bound, before any value is
 * read; a native histogram is a series by itself. Where one name and label set has both, neither is used.
 */
import { parseFloatText } from '../../../core/model/float.ts';
import type { FloatHistogram } from '../../../core/model/histogram.ts';
import { METRIC_NAME, labelValue, labelsKey, withLabel, type Labels } from '../../../core/model/labels.ts';
import { PromqlEvaluationError } from '../errors.ts';
import { ClassicBuckets } from '../functions/classic-histogram.ts';
import { histogramFraction, histogramQuantile } from '../functions/histogram-statistics.ts';
import { quoteString } from '../parse/string-literal.ts';
import type { StepGrid } from '../plan/grid.ts';
import type { SeriesCallPlan } from '../plan/plan.ts';
import { forMetric } from './annotations.ts';
import type { Execution } from './execution.ts';
import { withoutMetadata } from './metadata-labels.ts';
import type { RowSink, ScalarOperator, VectorOperator } from './operator.ts';
import { warnQuantile } from './quantile-aggregation.ts';
import { FLOAT, HISTOGRAM, RowBatch } from './row-batch.ts';
import { Rows } from './rows.ts';

const BUCKET_LABEL = 'le';

/** A series of buckets, or of native histograms, of one histogram. */
interface Member {
  readonly series: number;
  readonly le: string;
  /** NaN if `le` is none. */
  readonly bound: number;
}

interface Group {
  /** Without `le`. */
  readonly labels: Labels;
  dropsName: boolean;
  /** By bound, ascending. */
  readonly members: Member[];
}

/** One series of the result: a classic group, or a native series; and which of several quantiles. */
interface Output {
  readonly labels: Labels;
  readonly dropsName: boolean;
}

export class HistogramFunction implements VectorOperator {
  readonly grid: StepGrid;
  readonly mayRepeatLabels = true;
  readonly #execution: Execution;
  readonly #plan: SeriesCallPlan;
  readonly #input: VectorOperator;
  readonly #args: readonly ScalarOperator[];
  readonly #groups: Group[] = [];
  readonly #outputs: Output[] = [];
  /** How many results each histogram has: one per quantile. */
  readonly #width: number;

  constructor(execution: Execution, plan: SeriesCallPlan, input: VectorOperator, args: readonly ScalarOperator[]) {
    this.grid = plan.grid;
    this.#execution = execution;
    this.#plan = plan;
    this.#input = input;
    this.#args = args;
    this.#width = plan.func === 'histogram_quantiles' ? args.length : 1;
  }

  get seriesCount(): number {
    return this.#outputs.length;
  }

  open(): void {
    const input = this.#input;
    input.open();
    const byKey = new Map<string, Group>();
    for (let series = 0; series < input.seriesCount; series++) {
      const labels = input.labels(series);
      const le = labelValue(labels, BUCKET_LABEL);
      const reduced = le === '' ? labels : withLabel(labels, BUCKET_LABEL, '');
      const key = labelsKey(reduced);
      let group = byKey.get(key);
      if (group === undefined) {
        group = { labels: reduced, dropsName: false, members: [] };
        byKey.set(key, group);
        this.#groups.push(group);
      }
      if (input.dropsName(series)) group.dropsName = true;
      group.members.push({ series, le, bound: parseFloatText(le) ?? Number.NaN });
    }
    for (const group of this.#groups) {
      group.members.sort((a, b) => a.bound - b.bound || a.series - b.series);
      for (let i = 0; i < this.#width; i++) this.#addOutput(group.labels, group.dropsName, i);
    }
    // Native histograms that carry `le` are series of their own.
    for (let series = 0; series < input.seriesCount; series++) {
      for (let i = 0; i < this.#width; i++) this.#addOutput(input.labels(series), input.dropsName(series), i);
    }
  }

  labels(series: number): Labels {
    return this.#outputs[series]!.labels;
  }

  dropsName(series: number): boolean {
    return this.#outputs[series]!.dropsName;
  }

  run(sink: RowSink): void {
    const { stepCount } = this.grid;
    this.#warnQuantiles();
    const rows = new Rows(this.#execution, this.#input.seriesCount, stepCount);
    this.#input.run((batch) => {
      for (let row = 0; row < batch.rows; row++) rows.merge(batch, row, batch.series[row]!);
    });
    const out = new OutputRows(stepCount, sink);
    const nativeBase = this.#groups.length * this.#width;
    for (const [number, group] of this.#groups.entries()) {
      const classic = this.#classicSteps(group, rows);
      for (const member of group.members) {
        if (rows.histograms !== null) this.#native(member, group, classic, rows, nativeBase, out);
      }
      if (classic !== null) this.#classic(number, group, classic, rows, out);
      this.#execution.checkpoint();
    }
    out.flush();
    rows.release();
  }

  /** Steps at which the group has classic buckets; warns of floats without a bound. */
  #classicSteps(group: Group, rows: Rows): Uint8Array | null {
    const { stepCount } = this.grid;
    const steps = new Uint8Array(stepCount);
    let any = false;
    for (const { series, le, bound } of group.members) {
      for (let step = 0; step < stepCount; step++) {
        if (rows.present[series * stepCount + step] !== FLOAT) continue;
        if (Number.isNaN(bound) && le.toLowerCase() !== 'nan') {
          const name = labelValue(group.labels, METRIC_NAME);
          this.#execution.annotations.warn(
            `bucket label "${BUCKET_LABEL}" is missing or has a malformed value of ${quoteString(le)}${forMetric(name)}`,
            this.#plan.innerSpan,
          );
          break;
        }
        steps[step] = 1;
        any = true;
      }
    }
    return any ? steps : null;
  }

  /** The native histograms of one series; takes away the steps at which there are classic buckets too. */
  #native(
    { series, le }: Member,
    group: Group,
    classic: Uint8Array | null,
    rows: Rows,
    base: number,
    out: OutputRows,
  ): void {
    const { stepCount } = this.grid;
    for (let i = 0; i < this.#width; i++) {
      let any = false;
      for (let step = 0; step < stepCount; step++) {
        const slot = series * stepCount + step;
        if (rows.present[slot] !== HISTOGRAM) continue;
        if (classic !== null && classic[step] !== 0 && le === '') {
          classic[step] = 2;
          const name = labelValue(group.labels, METRIC_NAME);
          this.#execution.annotations.warn(
            `vector contains a mix of classic and native histograms${forMetric(name)}`,
            this.#plan.innerSpan,
          );
          continue;
        }
        out.put(step, this.#readNative(rows.histograms![slot]!, step, i, labelValue(group.labels, METRIC_NAME)));
        any = true;
      }
      if (any) out.emit(base + series * this.#width + i);
    }
  }

  #classic(number: number, group: Group, steps: Uint8Array, rows: Rows, out: OutputRows): void {
    const { stepCount } = this.grid;
    const buckets = new ClassicBuckets();
    for (let i = 0; i < this.#width; i++) {
      for (let step = 0; step < stepCount; step++) {
        if (steps[step] !== 1) continue;
        buckets.clear();
        for (const { series, bound } of group.members) {
          if (!Number.isNaN(bound) && rows.present[series * stepCount + step] === FLOAT)
            buckets.push(bound, rows.values[series * stepCount + step]!);
        }
        out.put(step, this.#readClassic(buckets, step, i, group.labels));
      }
      out.emit(number * this.#width + i);
    }
  }

  #readClassic(buckets: ClassicBuckets, step: number, index: number, labels: Labels): number {
    const a = this.#args[index]!.values()[step]!;
    const isFraction = this.#plan.func === 'histogram_fraction';
    if (!isFraction) {
      if (Number.isNaN(a)) return Number.NaN;
      if (a < 0) return -Infinity;
      if (a > 1) return Infinity;
    }
    if (!buckets.settle()) return Number.NaN;
    if (isFraction) return buckets.fraction(a, this.#args[1]!.values()[step]!);
    if (buckets.wasForced) {
      const { func, innerSpan } = this.#plan;
      this.#execution.annotations.info(
        `input to ${func} needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)` +
          forMetric(labelValue(labels, METRIC_NAME)),
        innerSpan,
      );
    }
    return buckets.quantile(a);
  }

  #readNative(histogram: FloatHistogram, step: number, index: number, name: string): number {
    const { annotations } = this.#execution;
    const { func, innerSpan } = this.#plan;
    const a = this.#args[index]!.values()[step]!;
    if (func === 'histogram_fraction') {
      if (Number.isNaN(histogram.sum)) {
        annotations.info(
          `input to histogram_fraction has NaN observations, which are excluded from all fractions${forMetric(name)}`,
          innerSpan,
        );
      }
      return histogramFraction(a, this.#args[1]!.values()[step]!, histogram);
    }
    const { value, nan } = histogramQuantile(a, histogram);
    if (nan === 'result')
      annotations.info(`input to histogram_quantile has NaN observations, result is NaN${forMetric(name)}`, innerSpan);
    if (nan === 'skew')
      annotations.info(
        `input to histogram_quantile has NaN observations, result is skewed higher${forMetric(name)}`,
        innerSpan,
      );
    return value;
  }

  #warnQuantiles(): void {
    if (this.#plan.func === 'histogram_fraction') return;
    for (const [i, arg] of this.#args.entries()) {
      for (const q of arg.values())
        if (Number.isNaN(q) || q < 0 || q > 1) warnQuantile(this.#execution, q, this.#plan.argSpans[i]!);
    }
  }

  #addOutput(labels: Labels, inputDrops: boolean, index: number): void {
    const { delayedNameRemoval } = this.#execution;
    let own = delayedNameRemoval ? labels : withoutMetadata(labels);
    if (this.#plan.func === 'histogram_quantiles') {
      const name = this.#plan.texts[0] ?? '';
      if (name === '' || !name.isWellFormed())
        throw new PromqlEvaluationError(`invalid label name ${quoteString(name)}`);
      own = withLabel(own, name, formatQuantile(this.#args[index]!.values()[0] ?? 0));
    }
    this.#outputs.push({ labels: own, dropsName: delayedNameRemoval || inputDrops });
  }
}

/** Collects one row at a time and passes batches on. */
class OutputRows {
  readonly #batch: RowBatch;
  readonly #sink: RowSink;
  #isFresh = true;

  constructor(stepCount: number, sink: RowSink) {
    this.#batch = new RowBatch(stepCount);
    this.#sink = sink;
  }

  put(step: number, value: number): void {
    const batch = this.#batch;
    const at = batch.rows * batch.stepCount;
    if (this.#isFresh) batch.present.fill(0, at, at + batch.stepCount);
    this.#isFresh = false;
    batch.values[at + step] = value;
    batch.present[at + step] = FLOAT;
  }

  /** Ends the row, if anything was put in it. */
  emit(series: number): void {
    if (this.#isFresh) return;
    this.#isFresh = true;
    this.#batch.series[this.#batch.rows++] = series;
    if (this.#batch.isFull) this.flush();
  }

  flush(): void {
    if (this.#batch.rows > 0) this.#sink(this.#batch);
    this.#batch.clear();
  }
}

/** As OpenMetrics writes floats: never without a point or an exponent. */
function formatQuantile(q: number): string {
  if (q === Infinity) return '+Inf';
  if (q === -Infinity) return '-Inf';
  const text = String(q);
  return Number.isNaN(q) || /[.e]/.test(text) ? text : `${text}.0`;
}
