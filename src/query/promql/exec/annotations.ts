/**
 * Warnings and infos of one query: whole texts, each once.
 */
import type { Span } from '../parse/ast.ts';
import { positionOf } from '../parse/position.ts';

/** Distinct texts kept of each kind. A query over many metric names could make one for each. */
export const MAX_ANNOTATIONS = 1000;

export class Annotations {
  readonly #query: string;
  readonly #warnings = new Set<string>();
  readonly #infos = new Set<string>();

  constructor(query: string) {
    this.#query = query;
  }

  warn(text: string, span: Span): void {
    add(this.#warnings, `PromQL warning: ${text} ${this.#place(span)}`);
  }

  info(text: string, span: Span): void {
    add(this.#infos, `PromQL info: ${text} ${this.#place(span)}`);
  }

  get warnings(): string[] {
    return [...this.#warnings];
  }

  get infos(): string[] {
    return [...this.#infos];
  }

  #place(span: Span): string {
    const { line, column } = positionOf(this.#query, span.start);
    return `(${line}:${column})`;
  }
}

/** ` for metric name "x"`, or nothing without a name. */
export const forMetric = (name: string): string => (name === '' ? '' : ` for metric name ${JSON.stringify(name)}`);

function add(texts: Set<string>, text: string): void {
  if (texts.size < MAX_ANNOTATIONS) texts.add(text);
}
