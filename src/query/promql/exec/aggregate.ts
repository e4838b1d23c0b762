/**
 * sum, avg, count, min, max, group, stddev and stdvar: rows go into their group's row as they come.
 */
import { EMPTY_LABELS, type Labels } from '../../../core/model/labels.ts';
import { assert } from '../../../core/base/assert.ts';
import type { StepGrid } from '../plan/grid.ts';
import type { AggregatePlan } from '../plan/plan.ts';
import { createAccumulator, type Accumulator } from './accumulators.ts';
import type { Execution } from './execution.ts';
import { GroupIndex, groupSeries } from './group-index.ts';
import { GroupHistograms } from './group-histograms.ts';
import type { RowSink, VectorOperator } from './operator.ts';
import { ABSENT, FLOAT, RowBatch } from './row-batch.ts';
import { SlotBlocks } from './slot-blocks.ts';

/** Groups and their members, as all aggregations have them. */
export class Grouping {
  readonly #index: GroupIndex;
  readonly #input: VectorOperator;
  readonly #isDelayed: boolean;
  #groups: Int32Array = new Int32Array(0);
  #dropsName = new Uint8Array(0);

  constructor(execution: Execution, plan: AggregatePlan, input: VectorOperator) {
    this.#isDelayed = execution.delayedNameRemoval;
    this.#index = new GroupIndex(!plan.without, plan.grouping);
    this.#input = input;
  }

  open(): void {
    const input = this.#input;
    input.open();
    const count = input.seriesCount;
    this.#groups = groupSeries(this.#index, count, (series) => input.labels(series));
    this.#dropsName = new Uint8Array(this.#index.groupCount);
    if (!this.#isDelayed) return;
    for (let series = 0; series < count; series++) {
      if (input.dropsName(series)) this.#dropsName[this.#groups[series]!] = 1;
    }
  }

  get groupCount(): number {
    return this.#index.groupCount;
  }

  groupOf(series: number): number {
    return this.#groups[series]!;
  }

  labels(group: number): Labels {
    return this.#index.isSingle ? EMPTY_LABELS : this.#index.labels(group);
  }

  dropsName(group: number): boolean {
    return this.#dropsName[group] === 1;
  }
}

export class Aggregation implements VectorOperator {
  readonly grid: StepGrid;
  readonly mayRepeatLabels = false;
  readonly #execution: Execution;
  readonly #plan: AggregatePlan;
  readonly #input: VectorOperator;
  readonly #grouping: Grouping;

  constructor(execution: Execution, plan: AggregatePlan, input: VectorOperator) {
    this.grid = plan.grid;
    this.#execution = execution;
    this.#plan = plan;
    this.#input = input;
    this.#grouping = new Grouping(execution, plan, input);
  }

  get seriesCount(): number {
    return this.#grouping.groupCount;
  }

  open(): void {
    this.#grouping.open();
  }

  labels(series: number): Labels {
    return this.#grouping.labels(series);
  }

  dropsName(series: number): boolean {
    return this.#grouping.dropsName(series);
  }

  run(sink: RowSink): void {
    const { op } = this.#plan;
    const { stepCount } = this.grid;
    const { groupCount } = this.#grouping;
    const blocks = new SlotBlocks(groupCount, stepCount);
    const floats = createAccumulator(op);
    assert(floats !== null, `${op} adds rows one by one`);
    const histograms = new GroupHistograms(this.#execution, this.#plan, (series) => this.#input.labels(series));
    this.#input.run((input) => this.#add(input, blocks, floats, histograms));
    const batch = new RowBatch(stepCount);
    for (let group = 0; group < groupCount; group++) {
      if (!writeGroup(group, blocks, floats, histograms, batch)) continue;
      batch.series[batch.rows++] = group;
      if (!batch.isFull) continue;
      sink(batch);
      batch.clear();
    }
    if (batch.rows > 0) sink(batch);
    this.#execution.release(blocks.slotCount);
  }

  #add(input: RowBatch, blocks: SlotBlocks, floats: Accumulator, histograms: GroupHistograms): void {
    const { blocksPerRow, blockSteps } = blocks;
    for (let row = 0; row < input.rows; row++) {
      const group = this.#grouping.groupOf(input.series[row]!);
      for (let block = 0; block < blocksPerRow; block++) {
        const from = row * input.stepCount + block * blockSteps;
        const length = blocks.length(block);
        let base = blocks.base(group, block);
        if (base < 0) {
          if (!hasAny(input.present, from, length)) continue;
          base = blocks.claim(group, block);
          this.#execution.hold(blockSteps);
          floats.reserve(blocks.slotCount);
        }
        if (input.histograms !== null) histograms.add(input, row, from, base, length);
        floats.add(input.values, input.present, from, base, length);
      }
    }
  }
}

function hasAny(present: Uint8Array, from: number, length: number): boolean {
  for (let i = from; i < from + length; i++) if (present[i] !== ABSENT) return true;
  return false;
}

/** Writes a group's results as the next row of `batch`. @returns whether it has any */
function writeGroup(
  group: number,
  blocks: SlotBlocks,
  floats: Accumulator,
  histograms: GroupHistograms,
  batch: RowBatch,
): boolean {
  const row = batch.rows * blocks.stepCount;
  batch.present.fill(ABSENT, row, row + blocks.stepCount);
  let any = false;
  for (let block = 0; block < blocks.blocksPerRow; block++) {
    const base = blocks.base(group, block);
    if (base < 0) continue;
    const at = row + block * blocks.blockSteps;
    for (let i = 0; i < blocks.length(block); i++) {
      const hasFloat = floats.has(base + i);
      const histogram = histograms.result(base + i, hasFloat);
      if (histogram === 'mixed') continue;
      if (histogram !== null) batch.putHistogram(at + i, histogram);
      else if (hasFloat) {
        batch.values[at + i] = floats.result(base + i);
        batch.present[at + i] = FLOAT;
      } else continue;
      any = true;
    }
  }
  return any;
}
