/**
 * Runs a panel's query. A new run, or another expression, range or step, aborts the one that is under way.
 */
import { keepPreviousData, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { queryInstant, queryRange, type Grid } from '../api/query.ts';
import type { QueryResult } from '../api/query-result.ts';
import type { Reply } from '../api/http.ts';
import { serverNowMs } from '../api/server-clock.ts';
import { stepOf, type PanelState } from './url-state.ts';

/** Answers of a tab that is not shown are kept, to be there on return. */
const KEPT_MS = 300_000;

export interface PanelAnswer extends Reply<QueryResult> {
  /** What was asked; instant answers have a grid of one step. */
  readonly grid: Grid;
  readonly expr: string;
}

/** @param run counts up with each press of Run, so that the same query is asked again */
export function usePanelQuery(panelId: number, panel: PanelState, run: number): UseQueryResult<PanelAnswer> {
  const { expr, tab, rangeMs, endMs, momentMs } = panel;
  const stepMs = stepOf(panel);
  const key =
    tab === 'table' ? ['instant', panelId, run, expr, momentMs] : ['range', panelId, run, expr, rangeMs, endMs, stepMs];
  return useQuery({
    queryKey: key,
    queryFn: ({ signal }) =>
      tab === 'table' ? askInstant(expr, momentMs, signal) : askRange(expr, rangeMs, endMs, stepMs, signal),
    enabled: expr !== '',
    staleTime: Infinity,
    gcTime: KEPT_MS,
    placeholderData: (previous, previousQuery) =>
      previousQuery?.queryKey[0] === key[0] ? keepPreviousData(previous) : undefined,
  });
}

async function askInstant(expr: string, momentMs: number | null, signal: AbortSignal): Promise<PanelAnswer> {
  const timeMs = momentMs ?? serverNowMs();
  const reply = await queryInstant(expr, timeMs, signal);
  return { ...reply, expr, grid: { startMs: timeMs, endMs: timeMs, stepMs: 1 } };
}

async function askRange(
  expr: string,
  rangeMs: number,
  endMs: number | null,
  stepMs: number,
  signal: AbortSignal,
): Promise<PanelAnswer> {
  const end = endMs ?? Math.floor(serverNowMs() / 1000) * 1000;
  const grid = { startMs: end - rangeMs, endMs: end, stepMs };
  return { ...(await queryRange(expr, grid, signal)), expr, grid };
}
