/**
 * `coeus check metrics`: lints what an exporter exposes, and counts its series.
 */
import { compareStrings } from '../../core/model/labels.ts';
import { MAX_BODY_BYTES } from '../../ingest/exposition/bounds.ts';
import { ExpositionError } from '../../ingest/exposition/errors.ts';
import { EXIT } from './exit-code.ts';
import { lintMetrics } from './lint-metrics.ts';
import { parseMetricFamilies, type MetricFamily } from './metric-families.ts';
import { formatTable } from './table.ts';
import { readInput, type Terminal } from './terminal.ts';

export interface CheckMetricsOptions {
  readonly lint: 'all' | 'none';
  /** Prints how many series each metric has. */
  readonly extended: boolean;
}

/** Reads the exposition from the terminal's input. @returns the exit code @throws InputTooLargeError */
export async function checkMetrics(terminal: Terminal, { lint, extended }: CheckMetricsOptions): Promise<number> {
  if (lint === 'none' && !extended) {
    terminal.err('error: at least one of --extended or linting must be enabled\n');
    return EXIT.failure;
  }
  let families: readonly MetricFamily[];
  try {
    families = parseMetricFamilies(await readInput(terminal, MAX_BODY_BYTES));
  } catch (error) {
    if (!(error instanceof ExpositionError)) throw error;
    terminal.err(`error while linting: text format parsing error in line ${error.line}: ${error.reason}\n`);
    return EXIT.failure;
  }
  const findings = lint === 'none' ? [] : lintMetrics(families);
  for (const { metric, text } of findings) terminal.err(`${metric} ${text}\n`);
  if (extended) terminal.out(cardinalityTable(families));
  return findings.length > 0 ? EXIT.finding : EXIT.ok;
}

function cardinalityTable(families: readonly MetricFamily[]): string {
  const total = families.reduce((sum, { seriesCount }) => sum + seriesCount, 0);
  const rows = families
    .toSorted((a, b) => b.seriesCount - a.seriesCount || compareStrings(a.name, b.name))
    .map(({ name, seriesCount }) => [name, String(seriesCount), `${((seriesCount / total) * 100).toFixed(2)}%`]);
  return formatTable([['Metric', 'Cardinality', 'Percentage'], ...rows, ['Total', String(total), '100%']], {
    minWidth: 4,
    padding: 4,
    padsLast: true,
  });
}
