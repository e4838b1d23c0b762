/**
 * From a range answer to a chart: colours by position, so that a series keeps its own while others are hidden.
 */
import { labelsKey } from '../../src/core/model/labels.ts';
import type { Grid } from '../api/query.ts';
import type { Series } from '../api/query-result.ts';
import type { ChartData, ChartSeries } from '../chart/chart-data.ts';
import { seriesColor, type Scheme } from '../chart/palette.ts';
import { distinguishingLabels, seriesName, shortSeriesName } from '../model/series-name.ts';
import { gridTimes, onGrid } from '../model/step.ts';

/** Series that are drawn; more take the browser seconds and tell nobody anything. */
export const MAX_GRAPH_SERIES = 1000;

export interface GraphSeries extends ChartSeries {
  /** All labels, where `name` has only those that differ. */
  readonly fullName: string;
}

export interface GraphData {
  readonly timesMs: readonly number[];
  readonly series: readonly GraphSeries[];
  /** Series beyond the bound. */
  readonly leftOut: number;
  /** Series with nothing but histograms, which a line can't show. */
  readonly histogramCount: number;
}

export function graphData(answer: readonly Series[], grid: Grid, expr: string, scheme: Scheme): GraphData {
  const lines = answer.filter(({ values }) => values.length > 0);
  const shown = lines.slice(0, MAX_GRAPH_SERIES);
  const distinguishing = distinguishingLabels(shown.map(({ labels }) => labels));
  return {
    timesMs: gridTimes(grid),
    series: shown.map(({ labels, timesMs, values }, i) => ({
      key: labelsKey(labels),
      name: shortSeriesName(labels, distinguishing, expr),
      fullName: seriesName(labels, expr),
      color: seriesColor(i, scheme),
      values: onGrid(timesMs, values, grid),
    })),
    leftOut: lines.length - shown.length,
    histogramCount: answer.length - lines.length,
  };
}

/** Only the series whose keys are in `isolated`; all where it is empty. */
export function visibleData({ timesMs, series }: GraphData, isolated: ReadonlySet<string>): ChartData {
  return { timesMs, series: isolated.size === 0 ? series : series.filter(({ key }) => isolated.has(key)) };
}

/**
 * What stays visible after a click on a series: a plain click shows it alone, or all again if it was alone; one with a
 * modifier key adds or removes it.
 */
export function toggleIsolated(
  isolated: ReadonlySet<string>,
  key: string,
  isAdding: boolean,
  allKeys: readonly string[],
): ReadonlySet<string> {
  if (!isAdding) return isolated.size === 1 && isolated.has(key) ? new Set() : new Set([key]);
  const next = new Set(isolated.size === 0 ? allKeys : isolated);
  if (!next.delete(key)) next.add(key);
  return next.size === allKeys.length ? new Set() : next;
}
