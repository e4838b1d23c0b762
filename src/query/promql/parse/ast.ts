/**
 * The syntax tree of PromQL, with positions.
 *
 * Positions are offsets into the query text, `start` in and `end` out, in UTF-16 units. Nodes are immutable. Fields that
 * a text may leave out are null, so that every node of a kind has the same shape.
 */
import type { Matcher } from '../../../core/model/matcher.ts';

export interface Span {
  readonly start: number;
  readonly end: number;
}

export type ValueType = 'scalar' | 'vector' | 'matrix' | 'string' | 'none';

export type Expr =
  | NumberLiteral
  | StringLiteral
  | ParenExpr
  | UnaryExpr
  | BinaryExpr
  | Call
  | Aggregate
  | VectorSelector
  | MatrixSelector
  | SubqueryExpr;

export interface NumberLiteral {
  readonly kind: 'number';
  readonly span: Span;
  readonly value: number;
  /** Written as a duration (`1h30m`), to print it back. */
  readonly isDuration: boolean;
}

export interface StringLiteral {
  readonly kind: 'string';
  readonly span: Span;
  readonly value: string;
}

export interface ParenExpr {
  readonly kind: 'paren';
  readonly span: Span;
  readonly inner: Expr;
}

export interface UnaryExpr {
  readonly kind: 'unary';
  readonly span: Span;
  readonly op: '+' | '-';
  readonly operand: Expr;
}

export type ArithmeticOp = '+' | '-' | '*' | '/' | '%' | '^' | 'atan2';
export type ComparisonOp = '==' | '!=' | '<' | '<=' | '>' | '>=';
/** Native histograms: keep the observations below, above. */
export type TrimOp = '</' | '>/';
export type SetOp = 'and' | 'or' | 'unless';
export type BinaryOp = ArithmeticOp | ComparisonOp | TrimOp | SetOp;

export interface VectorMatching {
  readonly card: 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many';
  /** `on(...)` if true, else `ignoring(...)` (also where neither was written). */
  readonly on: boolean;
  readonly labels: readonly string[];
  /** Labels of group_left / group_right. */
  readonly include: readonly string[];
  /** `fill`, `fill_left`, `fill_right`: the value that stands in for a missing side. */
  readonly fillLeft: number | null;
  readonly fillRight: number | null;
}

export interface BinaryExpr {
  readonly kind: 'binary';
  readonly span: Span;
  readonly op: BinaryOp;
  readonly opSpan: Span;
  readonly left: Expr;
  readonly right: Expr;
  readonly returnBool: boolean;
  /** Null unless both sides are vectors. */
  readonly matching: VectorMatching | null;
}

export interface Call {
  readonly kind: 'call';
  readonly span: Span;
  readonly func: string;
  readonly args: readonly Expr[];
}

export interface Aggregate {
  readonly kind: 'aggregate';
  readonly span: Span;
  readonly op: string;
  /** First argument of topk, quantile, count_values …; else null. */
  readonly param: Expr | null;
  readonly inner: Expr;
  readonly without: boolean;
  readonly grouping: readonly string[];
}

/** A duration expression (`[5m * 2]`, `offset step()`), evaluated once the query's grid is known. */
export type DurationExpr =
  | { readonly kind: 'duration'; readonly span: Span; readonly seconds: number; readonly isDuration: boolean }
  | { readonly kind: 'duration-call'; readonly span: Span; readonly func: 'step' | 'range' | 'min_of' | 'max_of'; readonly args: readonly DurationExpr[] }
  | { readonly kind: 'duration-unary'; readonly span: Span; readonly op: '+' | '-'; readonly operand: DurationExpr }
  | { readonly kind: 'duration-paren'; readonly span: Span; readonly inner: DurationExpr }
  | {
      readonly kind: 'duration-binary';
      readonly span: Span;
      readonly op: '+' | '-' | '*' | '/' | '%' | '^';
      readonly left: DurationExpr;
      readonly right: DurationExpr;
    };

/** `@ 1609746000`, `@ start()`, `@ end()`. */
export type AtModifier = { readonly kind: 'time'; readonly timeMs: number } | { readonly kind: 'start' } | { readonly kind: 'end' };

export interface VectorSelector {
  readonly kind: 'vector-selector';
  readonly span: Span;
  /** The name before the braces, '' where there is none. It is also among `matchers`. */
  readonly name: string;
  readonly matchers: readonly Matcher[];
  readonly offset: DurationExpr | null;
  readonly at: AtModifier | null;
  /** `anchored` / `smoothed` after the selector. */
  readonly extension: 'anchored' | 'smoothed' | null;
}

export interface MatrixSelector {
  readonly kind: 'matrix-selector';
  readonly span: Span;
  /** Carries offset, @ and extension. */
  readonly selector: VectorSelector;
  readonly range: DurationExpr;
}

export interface SubqueryExpr {
  readonly kind: 'subquery';
  readonly span: Span;
  readonly inner: Expr;
  readonly range: DurationExpr;
  /** Null: the default evaluation interval. */
  readonly step: DurationExpr | null;
  readonly offset: DurationExpr | null;
  readonly at: AtModifier | null;
}
