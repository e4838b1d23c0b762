/**
 * label_replace and label_join: new labels for the same values, worked out once per series.
 */
import { compileCapturingRegex, parseTemplate } from '../../../core/model/capturing-regex.ts';
import { METRIC_NAME, labelValue, withLabel, type Labels } from '../../../core/model/labels.ts';
import { RegexError } from '../../../core/model/matcher.ts';
import { PromqlEvaluationError } from '../errors.ts';
import { quoteString } from '../parse/string-literal.ts';
import type { StepGrid } from '../plan/grid.ts';
import type { RowSink, VectorOperator } from './operator.ts';

/** The value that `target` gets; null leaves the series as it is. */
export interface LabelRule {
  readonly target: string;
  apply(labels: Labels): string | null;
}

export class LabelChange implements VectorOperator {
  readonly grid: StepGrid;
  readonly mayRepeatLabels = true;
  readonly #input: VectorOperator;
  readonly #rule: LabelRule;
  readonly #labels = new Map<number, Labels>();

  constructor(input: VectorOperator, rule: LabelRule) {
    this.grid = input.grid;
    this.#input = input;
    this.#rule = rule;
  }

  get seriesCount(): number {
    return this.#input.seriesCount;
  }

  open(): void {
    this.#input.open();
  }

  labels(series: number): Labels {
    const known = this.#labels.get(series);
    if (known !== undefined) return known;
    const labels = this.#input.labels(series);
    const value = this.#rule.apply(labels);
    const changed = value === null ? labels : withLabel(labels, this.#rule.target, value);
    this.#labels.set(series, changed);
    return changed;
  }

  /** A name that was written anew stays. */
  dropsName(series: number): boolean {
    if (!this.#input.dropsName(series)) return false;
    return this.#rule.target !== METRIC_NAME || this.#rule.apply(this.#input.labels(series)) === null;
  }

  run(sink: RowSink): void {
    this.#input.run(sink);
  }
}

/** @throws PromqlEvaluationError for a bad target or regular expression */
export function replaceRule([target = '', replacement = '', source = '', regex = '']: readonly string[]): LabelRule {
  if (target === '' || !target.isWellFormed()) {
    throw new PromqlEvaluationError(`invalid destination label name in label_replace(): ${target}`);
  }
  let compiled: ReturnType<typeof compileCapturingRegex>;
  try {
    compiled = compileCapturingRegex(regex);
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    throw new PromqlEvaluationError(`invalid regular expression in label_replace(): ${regex}`, { cause: error });
  }
  const templates = [parseTemplate(replacement)];
  return { target, apply: (labels) => compiled.expand(labelValue(labels, source), templates)?.[0] ?? null };
}

/** @throws PromqlEvaluationError for a bad label name */
export function joinRule([target = '', separator = '', ...sources]: readonly string[]): LabelRule {
  for (const source of sources) {
    if (source === '' || !source.isWellFormed()) {
      throw new PromqlEvaluationError(`invalid source label name in label_join(): ${quoteString(source).slice(1, -1)}`);
    }
  }
  if (target === '' || !target.isWellFormed()) {
    throw new PromqlEvaluationError(`invalid destination label name in label_join(): ${target}`);
  }
  return { target, apply: (labels) => sources.map((source) => labelValue(labels, source)).join(separator) };
}
