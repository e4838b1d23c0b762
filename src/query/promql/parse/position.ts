/**
 * Where in a query something stands, the way messages say it.
 */

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in bytes of UTF-8, as Prometheus counts. */
  readonly column: number;
}

const encoder = new TextEncoder();

/** Line and column of `offset`, which counts UTF-16 units, in `text`. */
export function positionOf(text: string, offset: number): Position {
  const lines = text.slice(0, offset).split('\n');
  return { line: lines.length, column: encoder.encode(lines.at(-1)).length + 1 };
}
