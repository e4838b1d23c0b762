/**
 * What to compute: a query as a tree of typed steps, every time resolved.
 *
 * The syntax tree says what was written; this says what it means on one grid. Offsets, `@`, `step()` and defaults are gone,
 * constants are folded, parts that do not depend on the step stand under `step-invariant` with a grid of one step, and each
 * selector points into one list of selects, so that equal ones are read from storage once.
 */
import type { Matcher } from '../../../core/model/matcher.ts';
import type { SelectHints } from '../../../core/storage/querier.ts';
import type { ArithmeticOp, BinaryOp, ComparisonOp, SetOp, Span, TrimOp, VectorMatching } from '../parse/ast.ts';
import type { StepGrid } from './grid.ts';

/** One read of storage; both ends are in. */
export interface SelectPlan {
  readonly matchers: readonly Matcher[];
  readonly startMs: number;
  readonly endMs: number;
  readonly hints: SelectHints;
}

export type ScalarOp = ArithmeticOp | ComparisonOp;
export type JoinOp = ArithmeticOp | ComparisonOp | TrimOp;

export type ScalarPlan =
  | { readonly kind: 'constant'; readonly grid: StepGrid; readonly value: number }
  | { readonly kind: 'time'; readonly grid: StepGrid }
  | { readonly kind: 'scalar-of-vector'; readonly grid: StepGrid; readonly inner: VectorPlan }
  | { readonly kind: 'scalar-negation'; readonly grid: StepGrid; readonly inner: ScalarPlan }
  | {
      readonly kind: 'scalar-binary';
      readonly grid: StepGrid;
      readonly op: ScalarOp;
      readonly left: ScalarPlan;
      readonly right: ScalarPlan;
    }
  | {
      readonly kind: 'scalar-extreme';
      readonly grid: StepGrid;
      readonly func: 'min_of' | 'max_of';
      readonly left: ScalarPlan;
      readonly right: ScalarPlan;
    };

/** What an instant selector puts out: the sample itself, when it was taken, or when its counter began. */
export type SelectOutput = 'value' | 'timestamp' | 'start-timestamp';

export interface InstantSelectPlan {
  readonly kind: 'instant-select';
  readonly grid: StepGrid;
  readonly select: number;
  /** Where each step looks: `grid` shifted by the offset or pinned by `@`. */
  readonly timeGrid: StepGrid;
  readonly lookbackMs: number;
  readonly output: SelectOutput;
  readonly isSmoothed: boolean;
  readonly span: Span;
  /** Whether resets between histograms are looked for while reading, since only counts and sums will be used. */
  readonly detectsResets: boolean;
}

export interface RangeSelectPlan {
  readonly kind: 'range-select';
  readonly grid: StepGrid;
  readonly select: number;
  readonly timeGrid: StepGrid;
  readonly rangeMs: number;
  readonly extension: 'anchored' | 'smoothed' | null;
  readonly detectsResets: boolean;
  /** How far before a window `anchored` and `smoothed` look, and `smoothed` after it. */
  readonly lookbackMs: number;
}

export interface SubqueryPlan {
  readonly kind: 'subquery';
  readonly grid: StepGrid;
  /** On the grid of the subquery's own resolution. */
  readonly inner: VectorPlan;
  readonly timeGrid: StepGrid;
  readonly rangeMs: number;
}

export type RangePlan = RangeSelectPlan | SubqueryPlan;

export interface RangeCallPlan {
  readonly kind: 'range-call';
  readonly grid: StepGrid;
  readonly func: string;
  readonly range: RangePlan;
  readonly args: readonly ScalarPlan[];
  /** Of the range argument, and of the first scalar one: where annotations point. */
  readonly argSpan: Span;
  readonly scalarSpan: Span;
}

export interface AggregatePlan {
  readonly kind: 'aggregate';
  readonly grid: StepGrid;
  readonly op: string;
  readonly inner: VectorPlan;
  readonly param: ScalarPlan | null;
  /** Label that `count_values` writes. */
  readonly label: string;
  readonly without: boolean;
  /** Sorted, distinct. */
  readonly grouping: readonly string[];
  readonly span: Span;
  readonly innerSpan: Span;
  readonly paramSpan: Span;
}

export interface JoinPlan {
  readonly kind: 'join';
  readonly grid: StepGrid;
  readonly op: JoinOp;
  readonly left: VectorPlan;
  readonly right: VectorPlan;
  readonly matching: VectorMatching;
  readonly returnBool: boolean;
  readonly span: Span;
}

export interface SetPlan {
  readonly kind: 'set';
  readonly grid: StepGrid;
  readonly op: SetOp;
  readonly left: VectorPlan;
  readonly right: VectorPlan;
  readonly matching: VectorMatching;
}

export interface VectorScalarPlan {
  readonly kind: 'vector-scalar';
  readonly grid: StepGrid;
  readonly op: Exclude<BinaryOp, SetOp>;
  readonly vector: VectorPlan;
  readonly scalar: ScalarPlan;
  readonly isScalarLeft: boolean;
  readonly returnBool: boolean;
  readonly span: Span;
}

/** A function that takes values one by one: `abs`, `clamp`, `hour` … */
export interface PointCallPlan {
  readonly kind: 'point-call';
  readonly grid: StepGrid;
  readonly func: string;
  readonly inner: VectorPlan;
  readonly args: readonly ScalarPlan[];
}

/** A function over whole series or groups of them, with string arguments beside the vector and scalars. */
export interface SeriesCallPlan {
  readonly kind: 'series-call';
  readonly grid: StepGrid;
  readonly func: string;
  readonly inner: VectorPlan;
  readonly args: readonly ScalarPlan[];
  readonly texts: readonly string[];
  readonly span: Span;
  readonly innerSpan: Span;
  /** Of the scalar arguments. */
  readonly argSpans: readonly Span[];
  /** Equality matchers of the selector that `absent` was given. */
  readonly matchers: readonly Matcher[];
}

export interface InfoCallPlan {
  readonly kind: 'info-call';
  readonly grid: StepGrid;
  readonly inner: VectorPlan;
  readonly select: number;
  readonly timeGrid: StepGrid;
  readonly lookbackMs: number;
  readonly matchers: readonly Matcher[];
}

export type VectorPlan =
  | InstantSelectPlan
  | RangeCallPlan
  | AggregatePlan
  | JoinPlan
  | SetPlan
  | VectorScalarPlan
  | PointCallPlan
  | SeriesCallPlan
  | InfoCallPlan
  | {
      readonly kind: 'absent-over-time';
      readonly grid: StepGrid;
      readonly range: RangePlan;
      readonly matchers: readonly Matcher[];
    }
  | { readonly kind: 'vector-of-scalar'; readonly grid: StepGrid; readonly inner: ScalarPlan }
  | { readonly kind: 'negation'; readonly grid: StepGrid; readonly inner: VectorPlan }
  /** `inner` has one step; each step of `grid` shows it. */
  | { readonly kind: 'step-invariant'; readonly grid: StepGrid; readonly inner: VectorPlan };

export interface Plan {
  readonly root:
    | { readonly type: 'scalar'; readonly scalar: ScalarPlan }
    | { readonly type: 'vector'; readonly vector: VectorPlan }
    | { readonly type: 'matrix'; readonly range: RangePlan }
    | { readonly type: 'string'; readonly value: string };
  readonly grid: StepGrid;
  readonly selects: readonly SelectPlan[];
}
