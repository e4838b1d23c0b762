/**
 * histogram_quantile and histogram_fraction over classic histograms: rows that differ only in `le` are the buckets of one histogram.
 */
import { formatFloat, parseFloatText } from '../../../core/model/float.ts';
import { labelsKey, labelValue, labelsWithout, METRIC_NAME, type Labels } from '../../../core/model/labels.ts';
import { bucketFraction, bucketQuantile } from './classic-buckets.ts';
import type { Call } from '../parse/ast.ts';
import type { Source } from './aggregate.ts';
import type { QueryContext } from './context.ts';
import { newRow, RowTable, type Grid, type RowSink } from './rows.ts';
import { RowMerger } from './same-labels.ts';

export interface HistogramInput {
  readonly expr: Call;
  readonly grid: Grid;
  readonly context: QueryContext;
  /** φ, or lower and upper bound, at each step. */
  readonly scalars: readonly Float64Array[];
  readonly source: Source;
}

interface Group {
  readonly labels: Labels;
  readonly dropName: boolean;
  /** Rows with their upper bounds, ascending. */
  readonly buckets: { readonly row: number; readonly bound: number }[];
  name: string;
}

const LE = new Set(['le']);
const LE_AND_NAME = new Set(['le', METRIC_NAME]);

export function classicHistogram(input: HistogramInput, sink: RowSink): void {
  const { expr, grid, context, scalars, source } = input;
  const { stepCount } = grid;
  const table = new RowTable(stepCount);
  const groups = new Map<string, Group>();
  source((row) => {
    const text = labelValue(row.labels, 'le');
    const bound = parseFloatText(text);
    if (bound === undefined) {
      context.warn(`bucket label "le" is missing or has a malformed value of "${text}" for metric name "${labelValue(row.labels, METRIC_NAME)}"`, expr.args.at(-1)!.span);
      return;
    }
    context.hold(stepCount);
    const labels = context.options.delayedNameRemoval ? labelsWithout(row.labels, LE) : labelsWithout(row.labels, LE_AND_NAME);
    const key = labelsKey(labels);
    let group = groups.get(key);
    if (group === undefined) {
      group = { labels, dropName: true, buckets: [], name: labelValue(row.labels, METRIC_NAME) };
      groups.set(key, group);
    }
    group.buckets.push({ row: table.add(row), bound });
  });
  if (expr.func === 'histogram_quantile') {
    for (const phi of new Set(scalars[0])) {
      if (Number.isNaN(phi) || phi < 0 || phi > 1) context.warn(`quantile value should be between 0 and 1, got ${formatFloat(phi)}`, expr.args[0]!.span);
    }
  }
  const merger = new RowMerger(stepCount);
  const out = newRow(stepCount);
  for (const { labels, dropName, buckets, name } of groups.values()) {
    buckets.sort((a, b) => a.bound - b.bound);
    const bounds = new Float64Array(buckets.length);
    const counts = new Float64Array(buckets.length);
    out.labels = labels;
    out.dropName = context.options.delayedNameRemoval && dropName;
    for (let i = 0; i < stepCount; i++) {
      let count = 0;
      for (const { row, bound } of buckets) {
        if (table.present[row * stepCount + i] === 0) continue;
        bounds[count] = bound;
        counts[count++] = table.values[row * stepCount + i]!;
      }
      out.present[i] = count === 0 ? 0 : 1;
      if (count === 0) continue;
      if (expr.func === 'histogram_fraction') {
        out.values[i] = bucketFraction(scalars[0]![i]!, scalars[1]![i]!, bounds, counts, count);
        continue;
      }
      const { value, forcedMonotonic } = bucketQuantile(scalars[0]![i]!, bounds, counts, count);
      out.values[i] = value;
      if (forcedMonotonic) {
        context.info(`input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) for metric name "${name}"`, expr.args[1]!.span);
      }
    }
    merger.add(out);
  }
  context.release(table.rowCount * stepCount);
  merger.forEach(sink);
}
