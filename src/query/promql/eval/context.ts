/**
 * What all operators of one query share: its text, its bounds, its annotations, and the series that its selectors found.
 */
import type { SeriesSet } from '../../../core/storage/querier.ts';
import { METRIC_NAME, type Labels } from '../../../core/model/labels.ts';
import { PromqlCanceledError, PromqlEvaluationError } from '../errors.ts';
import type { Span, VectorSelector } from '../parse/ast.ts';
import { positionOf } from '../parse/position.ts';
import type { Grid } from './rows.ts';

/** Labels that go together with the metric name. */
const METADATA_LABELS = new Set([METRIC_NAME, '__type__', '__unit__']);
/** Series between two looks at whether the query should stop. */
const STOP_EVERY = 64;

export interface ContextOptions {
  readonly query: string;
  /** The grid of the whole query: `start()`, `end()`, `step()`, `range()`. */
  readonly grid: Grid;
  readonly lookbackMs: number;
  readonly defaultStepMs: number;
  readonly maxSamples: number;
  readonly delayedNameRemoval: boolean;
  readonly shouldStop: () => boolean;
}

export class QueryContext {
  readonly options: ContextOptions;
  /** Filled before evaluation begins. */
  readonly selections = new Map<VectorSelector, SeriesSet>();
  readonly warnings = new Set<string>();
  readonly infos = new Set<string>();
  /** Samples decoded, and those held at once. */
  totalSamples = 0;
  peakSamples = 0;
  #held = 0;
  #sinceStop = 0;

  constructor(options: ContextOptions) {
    this.options = options;
  }

  /** Called once a series. @throws PromqlCanceledError, PromqlTimeoutError */
  tick(): void {
    if (++this.#sinceStop < STOP_EVERY) return;
    this.#sinceStop = 0;
    this.checkStop();
  }

  checkStop(): void {
    if (this.options.shouldStop()) throw new PromqlCanceledError('query was canceled in expression evaluation');
  }

  /** Counts samples that are held until `release`. @throws PromqlEvaluationError past the limit */
  hold(count: number): void {
    this.#held += count;
    if (this.#held > this.peakSamples) this.peakSamples = this.#held;
    if (this.#held > this.options.maxSamples) {
      throw new PromqlEvaluationError('query processing would load too many samples into memory in query execution');
    }
  }

  release(count: number): void {
    this.#held -= count;
  }

  /** `what` in Prometheus' words, without the prefix and the position. */
  warn(what: string, span: Span): void {
    this.warnings.add(`PromQL warning: ${what} (${this.#place(span)})`);
  }

  info(what: string, span: Span): void {
    this.infos.add(`PromQL info: ${what} (${this.#place(span)})`);
  }

  #place({ start }: Span): string {
    const { line, column } = positionOf(this.options.query, start);
    return `${line}:${column}`;
  }

  /** Labels without the metric name, or as they are where the name goes at the end of the query. */
  withoutName(labels: Labels): Labels {
    return this.options.delayedNameRemoval ? labels : dropMetricName(labels);
  }
}

/** Without the metric name, and the type and unit that belong to it. */
export function dropMetricName(labels: Labels): Labels {
  let found = false;
  for (let i = 0; i < labels.length; i += 2) if (METADATA_LABELS.has(labels[i]!)) found = true;
  if (!found) return labels;
  const kept: string[] = [];
  for (let i = 0; i < labels.length; i += 2) if (!METADATA_LABELS.has(labels[i]!)) kept.push(labels[i]!, labels[i + 1]!);
  return kept;
}
