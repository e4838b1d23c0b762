/**
 * Plan to running operators. Nothing is read yet.
 */
import { assert, unreachable } from '../../../core/base/assert.ts';
import { METRIC_NAME } from '../../../core/model/labels.ts';
import type { SeriesSet } from '../../../core/storage/querier.ts';
import { InfoJoin } from './info-join.ts';
import { defaultArgs, pointFunction } from '../functions/point-functions.ts';
import { isComparison } from '../parse/check.ts';
import type {
  AggregatePlan,
  Plan,
  PointCallPlan,
  RangePlan,
  ScalarPlan,
  SeriesCallPlan,
  VectorPlan,
} from '../plan/plan.ts';
import { Absent, AbsentOverTime } from './absent.ts';
import { Aggregation } from './aggregate.ts';
import { CountValues } from './count-values.ts';
import type { Execution } from './execution.ts';
import { HistogramFunction } from './histogram-functions.ts';
import { HistogramValues, histogramReading } from './histogram-values.ts';
import { InstantSelector } from './instant-selector.ts';
import { Join } from './join.ts';
import { LabelChange, joinRule, replaceRule } from './label-change.ts';
import type { ScalarOperator, VectorOperator } from './operator.ts';
import { EvaluationTimes, Negation, NoValues, PointCall, StepInvariant, VectorOfScalar } from './pass-through.ts';
import { QuantileAggregation } from './quantile-aggregation.ts';
import { RangeFunction } from './range-function.ts';
import { SelectedRanges, SubqueryRanges, type RangeSource } from './range-source.ts';
import { LimitK, LimitRatio, TopK } from './ranked.ts';
import { ConstantScalar, NegatedScalar, ScalarOfVector, ScalarPair, TimeScalar, scalarBinary } from './scalars.ts';
import { SetOperation } from './set-operation.ts';
import { Sort } from './sort.ts';
import { UniqueRows } from './unique-rows.ts';
import { VectorScalar } from './vector-scalar.ts';

/** Aggregations that put out series as they came in. */
const KEEPS_SERIES: ReadonlySet<string> = new Set(['topk', 'bottomk', 'limitk', 'limit_ratio']);
/** Functions that write labels, or bring series together. */
const CHANGES_LABELS: ReadonlySet<string> = new Set([
  'label_replace',
  'label_join',
  'histogram_quantile',
  'histogram_quantiles',
  'histogram_fraction',
]);

export class OperatorBuilder {
  readonly #execution: Execution;
  readonly #plan: Plan;
  readonly #sets: readonly SeriesSet[];

  /** @param sets what `plan.selects` found, in their order */
  constructor(execution: Execution, plan: Plan, sets: readonly SeriesSet[]) {
    this.#execution = execution;
    this.#plan = plan;
    this.#sets = sets;
  }

  scalar(plan: ScalarPlan): ScalarOperator {
    switch (plan.kind) {
      case 'constant':
        return new ConstantScalar(plan.grid, plan.value);
      case 'time':
        return new TimeScalar(plan.grid);
      case 'scalar-of-vector':
        return new ScalarOfVector(this.vector(plan.inner));
      case 'scalar-negation':
        return new NegatedScalar(this.scalar(plan.inner));
      case 'scalar-binary':
        return scalarBinary(plan.op, this.scalar(plan.left), this.scalar(plan.right));
      case 'scalar-extreme':
        return new ScalarPair(
          plan.func === 'min_of' ? Math.min : Math.max,
          this.scalar(plan.left),
          this.scalar(plan.right),
        );
      default:
        return unreachable(plan);
    }
  }

  range(plan: RangePlan): RangeSource {
    if (plan.kind === 'range-select') return new SelectedRanges(this.#sets[plan.select]!, plan.detectsResets);
    const inner = this.vector(plan.inner);
    return new SubqueryRanges(this.#execution, inner.mayRepeatLabels ? new UniqueRows(this.#execution, inner) : inner);
  }

  vector(plan: VectorPlan): VectorOperator {
    const operator = this.#vector(plan);
    return this.#mayCollide(plan) ? new UniqueRows(this.#execution, operator) : operator;
  }

  #vector(plan: VectorPlan): VectorOperator {
    const execution = this.#execution;
    switch (plan.kind) {
      case 'instant-select':
        return new InstantSelector(execution, plan, this.#sets[plan.select]!);
      case 'range-call':
        return new RangeFunction(execution, plan, this.range(plan.range), this.#scalars(plan.args));
      case 'absent-over-time':
        return new AbsentOverTime(execution, plan.grid, this.range(plan.range), plan.range, plan.matchers);
      case 'aggregate':
        return this.#aggregate(plan);
      case 'join':
        return new Join(execution, plan, this.vector(plan.left), this.vector(plan.right));
      case 'set':
        return new SetOperation(execution, plan, this.vector(plan.left), this.vector(plan.right));
      case 'vector-scalar':
        return new VectorScalar(execution, plan, this.vector(plan.vector), this.scalar(plan.scalar));
      case 'point-call':
        return this.#pointCall(plan);
      case 'series-call':
        return this.#seriesCall(plan);
      case 'info-call':
        return new InfoJoin(execution, plan, this.vector(plan.inner), this.#sets[plan.select]!);
      case 'vector-of-scalar':
        return new VectorOfScalar(plan.grid, this.scalar(plan.inner));
      case 'negation':
        return new Negation(execution, this.vector(plan.inner));
      case 'step-invariant':
        return new StepInvariant(plan.grid, this.vector(plan.inner));
      default:
        return unreachable(plan);
    }
  }

  #scalars(plans: readonly ScalarPlan[]): ScalarOperator[] {
    return plans.map((plan) => this.scalar(plan));
  }

  #aggregate(plan: AggregatePlan): VectorOperator {
    const execution = this.#execution;
    const inner = this.vector(plan.inner);
    const param = plan.param === null ? null : this.scalar(plan.param);
    if (plan.op === 'count_values') return new CountValues(execution, plan, inner);
    if (param === null) return new Aggregation(execution, plan, inner);
    switch (plan.op) {
      case 'quantile':
        return new QuantileAggregation(execution, plan, inner, param);
      case 'limitk':
        return new LimitK(execution, plan, inner, param);
      case 'limit_ratio':
        return new LimitRatio(execution, plan, inner, param);
      default:
        return new TopK(execution, plan, inner, param);
    }
  }

  #pointCall(plan: PointCallPlan): VectorOperator {
    const inner = this.vector(plan.inner);
    if (plan.func === 'timestamp') return new EvaluationTimes(this.#execution, inner);
    const map = pointFunction(plan.func);
    assert(map !== undefined, `${plan.func} is a function of one value`);
    const given = this.#scalars(plan.args);
    const defaults = defaultArgs(plan.func).slice(given.length);
    const args = [...given, ...defaults.map((value) => new ConstantScalar(plan.grid, value))];
    return new PointCall(this.#execution, inner, map, args, plan.func === 'clamp');
  }

  #seriesCall(plan: SeriesCallPlan): VectorOperator {
    const execution = this.#execution;
    const inner = this.vector(plan.inner);
    const reading = histogramReading(plan.func);
    if (reading !== undefined) return new HistogramValues(execution, inner, reading);
    switch (plan.func) {
      case 'absent':
        return new Absent(inner, plan.matchers);
      case 'label_replace':
        return new LabelChange(inner, replaceRule(plan.texts));
      case 'label_join':
        return new LabelChange(inner, joinRule(plan.texts));
      case 'histogram_quantile':
      case 'histogram_quantiles':
      case 'histogram_fraction':
        return new HistogramFunction(execution, plan, inner, this.#scalars(plan.args));
      case 'start_timestamp':
        // Of what is no selector nothing is known.
        return new NoValues(execution, inner);
      default:
        return new Sort(execution, plan, inner);
    }
  }

  /** Whether the operator may make two series equal that were not, so that each step has to be looked at. */
  #mayCollide(plan: VectorPlan): boolean {
    switch (plan.kind) {
      case 'series-call':
        return CHANGES_LABELS.has(plan.func) || this.#dropsNames(plan);
      case 'range-call':
      case 'point-call':
      case 'negation':
      case 'vector-scalar':
      case 'instant-select':
        return this.#dropsNames(plan);
      default:
        return false;
    }
  }

  /** Whether `plan` takes away the names of series that may have several. */
  #dropsNames(plan: VectorPlan): boolean {
    if (this.#execution.delayedNameRemoval) return false;
    switch (plan.kind) {
      case 'instant-select':
        return plan.output !== 'value' && !this.#hasOneName(plan);
      case 'range-call':
        return plan.func !== 'last_over_time' && plan.func !== 'first_over_time' && !this.#hasOneName(plan);
      case 'vector-scalar':
        return (plan.returnBool || !isComparison(plan.op)) && !this.#hasOneName(plan.vector);
      case 'point-call':
      case 'negation':
        return !this.#hasOneName(plan.inner);
      case 'series-call':
        return histogramReading(plan.func) !== undefined && !this.#hasOneName(plan.inner);
      default:
        return false;
    }
  }

  /** Whether all series of `plan` have one metric name, or none. Unknown counts as no. */
  #hasOneName(plan: VectorPlan): boolean {
    // Type and unit go with the name, and may differ where it does not.
    if (this.#execution.typeAndUnitLabels) return false;
    switch (plan.kind) {
      case 'instant-select':
        return this.#pinsName(plan.select);
      case 'range-call':
        return plan.range.kind === 'range-select'
          ? this.#pinsName(plan.range.select)
          : this.#hasOneName(plan.range.inner);
      case 'point-call':
      case 'negation':
      case 'step-invariant':
        return this.#hasOneName(plan.inner);
      case 'vector-scalar':
        return this.#hasOneName(plan.vector);
      case 'aggregate':
        if (KEEPS_SERIES.has(plan.op)) return this.#hasOneName(plan.inner);
        return plan.without || !plan.grouping.includes(METRIC_NAME) || this.#hasOneName(plan.inner);
      case 'join':
        return plan.returnBool || !isComparison(plan.op);
      case 'set':
        return plan.op !== 'or' && this.#hasOneName(plan.left);
      case 'vector-of-scalar':
      case 'absent-over-time':
        return true;
      default:
        return false;
    }
  }

  #pinsName(select: number): boolean {
    return this.#plan.selects[select]!.matchers.some(({ name, op }) => name === METRIC_NAME && op === '=');
  }
}
