/**
 * absent and absent_over_time: 1 at the steps where nothing is there.
 *
 * The one series of the result has the labels that the selector asks for by equality, each once.
 */
import { METRIC_NAME, labelsFromPairs, type Labels } from '../../../core/model/labels.ts';
import type { Matcher } from '../../../core/model/matcher.ts';
import { MixedSamples } from '../../../core/model/mixed-samples.ts';
import { Windows } from '../functions/windows.ts';
import type { StepGrid } from '../plan/grid.ts';
import type { RangePlan } from '../plan/plan.ts';
import type { Execution } from './execution.ts';
import type { RowSink, VectorOperator } from './operator.ts';
import type { RangeSource } from './range-source.ts';
import { FLOAT, RowBatch } from './row-batch.ts';

abstract class Absence implements VectorOperator {
  readonly grid: StepGrid;
  readonly mayRepeatLabels = false;
  readonly seriesCount = 1;
  readonly #labels: Labels;

  constructor(grid: StepGrid, matchers: readonly Matcher[]) {
    this.grid = grid;
    this.#labels = labelsOfMatchers(matchers);
  }

  abstract open(): void;

  labels(): Labels {
    return this.#labels;
  }

  dropsName(): boolean {
    return false;
  }

  run(sink: RowSink): void {
    const { stepCount } = this.grid;
    const seen = new Uint8Array(stepCount);
    this.look(seen);
    const batch = new RowBatch(stepCount);
    let any = false;
    for (let step = 0; step < stepCount; step++) {
      if (seen[step] !== 0) continue;
      batch.values[step] = 1;
      batch.present[step] = FLOAT;
      any = true;
    }
    if (!any) return;
    batch.rows = 1;
    sink(batch);
  }

  /** Marks the steps where something is. */
  protected abstract look(seen: Uint8Array): void;
}

export class Absent extends Absence {
  readonly #input: VectorOperator;

  constructor(input: VectorOperator, matchers: readonly Matcher[]) {
    super(input.grid, matchers);
    this.#input = input;
  }

  override open(): void {
    this.#input.open();
  }

  protected override look(seen: Uint8Array): void {
    const { stepCount } = this.grid;
    this.#input.run((batch) => {
      for (let slot = 0; slot < batch.rows * stepCount; slot++) seen[slot % stepCount]! |= batch.present[slot]!;
    });
  }
}

export class AbsentOverTime extends Absence {
  readonly #execution: Execution;
  readonly #source: RangeSource;
  readonly #range: RangePlan;

  constructor(
    execution: Execution,
    grid: StepGrid,
    source: RangeSource,
    range: RangePlan,
    matchers: readonly Matcher[],
  ) {
    super(grid, matchers);
    this.#execution = execution;
    this.#source = source;
    this.#range = range;
  }

  override open(): void {
    this.#source.open();
  }

  protected override look(seen: Uint8Array): void {
    const samples = new MixedSamples();
    const windows = new Windows(samples, this.#range.timeGrid, this.grid, this.#range.rangeMs);
    let looked = 0;
    this.#source.each(samples, () => {
      if (++looked % 256 === 0) this.#execution.checkpoint();
      windows.locate();
      this.#execution.queryableSamples += windows.sampleCount;
      for (let step = 0; step < seen.length; step++) if (windows.end[step]! > windows.first[step]!) seen[step] = 1;
    });
  }
}

function labelsOfMatchers(matchers: readonly Matcher[]): Labels {
  const values = new Map<string, string>();
  const refused = new Set<string>([METRIC_NAME]);
  for (const { name, op, value } of matchers) {
    if (refused.has(name)) continue;
    if (op === '=' && !values.has(name)) {
      values.set(name, value);
    } else {
      values.delete(name);
      refused.add(name);
    }
  }
  return labelsFromPairs(values);
}
