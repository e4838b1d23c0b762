/**
 * Columns of text, as promtool aligns them.
 */

export interface TableStyle {
  /** Least width of a column, its padding included. */
  readonly minWidth: number;
  /** Blanks between the longest cell of a column and the next column. */
  readonly padding: number;
  /** Whether the last column is padded too. */
  readonly padsLast: boolean;
}

/** One line a row; all rows have the same number of cells. */
export function formatTable(rows: readonly (readonly string[])[], { minWidth, padding, padsLast }: TableStyle): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? minWidth, characterCount(cell) + padding);
  }
  return rows
    .map((row) => {
      const cells = row.map((cell, i) =>
        i === row.length - 1 && !padsLast ? cell : cell + ' '.repeat(widths[i]! - characterCount(cell)),
      );
      return `${cells.join('')}\n`;
    })
    .join('');
}

function characterCount(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
