/**
 * From a panel's answers to its chart and headlines.
 */
import type { Grid } from '../api/query.ts';
import type { QueryResult } from '../api/query-result.ts';
import { labelValue } from '../../src/core/model/labels.ts';
import { latestValue, type ChartData, type ChartSeries } from '../chart/chart-data.ts';
import { seriesColor, type Scheme } from '../chart/palette.ts';
import { gridTimes, onGrid } from '../model/step.ts';
import type { Latest, Panel, PanelQuery } from './panels.ts';

/** Series that a card draws; more would be a tangle. */
export const MAX_CARD_SERIES = 8;

/** One answer per query of the panel; undefined where there is none yet. */
export type PanelAnswers = readonly (QueryResult | undefined)[];

export interface PanelView {
  readonly chart: ChartData;
  readonly latest: Latest;
  /** Series that did not fit. */
  readonly leftOut: number;
}

export function panelView(panel: Panel, answers: PanelAnswers, grid: Grid, scheme: Scheme): PanelView {
  const latest = new Map<string, number>();
  const drawn: ChartSeries[] = [];
  for (const [i, query] of panel.queries.entries()) {
    const answer = answers[i];
    if (answer?.kind !== 'matrix') continue;
    for (const { labels, timesMs, values } of answer.series) {
      const name = typeof query.name === 'string' ? query.name : labelValue(labels, query.name.label) || 'all';
      const column = onGrid(timesMs, values, grid);
      // A value counts as current while its series goes on.
      const newest = latestValue(column.slice(-2));
      if (newest !== null) latest.set(name, newest);
      if (query.isHidden === true || !column.some((value) => value !== null && Math.abs(value) > panel.negligible))
        continue;
      drawn.push({
        key: name,
        name,
        color: seriesColor(colorIndex(query, name, drawn.length), scheme),
        values: column,
      });
    }
  }
  const order = panel.queries.flatMap(({ known }) => known ?? []);
  drawn.sort((a, b) => rank(order, a.name) - rank(order, b.name));
  return {
    chart: { timesMs: gridTimes(grid), series: drawn.slice(0, MAX_CARD_SERIES) },
    latest,
    leftOut: Math.max(0, drawn.length - MAX_CARD_SERIES),
  };
}

function colorIndex({ color, known = [] }: PanelQuery, name: string, drawnCount: number): number {
  if (color !== undefined) return color;
  return known.includes(name) ? known.indexOf(name) : known.length + drawnCount;
}

/** Names outside the order come last. */
function rank(order: readonly string[], name: string): number {
  const index = order.indexOf(name);
  return index < 0 ? order.length : index;
}

/** Newest values of instant answers by series name. */
export function instantLatest(panel: Panel, answers: PanelAnswers): Latest {
  const latest = new Map<string, number>();
  for (const [i, query] of panel.queries.entries()) {
    const answer = answers[i];
    if (answer?.kind !== 'vector') continue;
    for (const { labels, value } of answer.samples) {
      const name = typeof query.name === 'string' ? query.name : labelValue(labels, query.name.label) || 'all';
      if (value !== null && Number.isFinite(value)) latest.set(name, value);
    }
  }
  return latest;
}
