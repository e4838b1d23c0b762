/**
 * The Home page's clock and its sources: what is asked again and again while the page is seen.
 */
import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { labelValue, quote } from '../../src/core/model/labels.ts';
import { formatDuration } from '../../src/core/model/duration.ts';
import { queryInstant, queryRange, type Grid } from '../api/query.ts';
import type { QueryResult } from '../api/query-result.ts';
import { serverNowMs } from '../api/server-clock.ts';
import { fetchPoolInterval } from '../api/targets.ts';
import { rateWindowMs } from '../model/step.ts';
import { liveWindow, searchGrids, type LiveWindow } from './live-window.ts';
import { sourceSelector, type Panel, type Source } from './panels.ts';

export const REFRESH_MS = 5000;
/** While nothing is there yet the page looks more often. */
const EAGER_REFRESH_MS = 1000;
/** Until the targets are known. */
const DEFAULT_INTERVAL_MS = 15_000;
/** With longer steps a chart's newest step may be old, so its headline asks for itself. */
const HEADLINE_STEP_MS = 15_000;
const SOURCES_STALE_MS = 30_000;
/** Targets to choose from; those beyond are on the Targets page. */
export const MAX_SOURCES = 200;
/** Jobs of the built-in configuration, and of most others. */
export const MACHINE_JOB = 'node';
export const SERVER_JOB = 'coeus';

/** The server's time, anew every `periodMs` while the page is visible. */
export function useTick(periodMs: number): number {
  const [nowMs, setNowMs] = useState(serverNowMs);
  useEffect(() => {
    const tick = (): void => {
      if (document.visibilityState === 'visible') setNowMs(serverNowMs());
    };
    const timer = setInterval(tick, periodMs);
    document.addEventListener('visibilitychange', tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', tick);
    };
  }, [periodMs]);
  return nowMs;
}

export interface Sources {
  readonly machines: readonly Source[];
  readonly servers: readonly Source[];
  readonly isLoaded: boolean;
}

/** Targets that have a machine's or a server's metrics. Asked often until the first is there. */
export function useSources(): Sources {
  const ask = (metric: string, job: string) => ({
    queryKey: ['sources', job],
    queryFn: ({ signal }: { signal: AbortSignal }) => findSources(metric, job, signal),
    refetchInterval: ({ state }: { state: { data?: readonly Source[] | undefined } }) =>
      (state.data?.length ?? 0) === 0 ? EAGER_REFRESH_MS : SOURCES_STALE_MS,
  });
  const [machines, servers] = useQueries({
    queries: [ask('node_time_seconds', MACHINE_JOB), ask('prometheus_tsdb_head_series', SERVER_JOB)],
  });
  return {
    machines: machines.data ?? [],
    servers: servers.data ?? [],
    isLoaded: machines.isFetched && servers.isFetched,
  };
}

/** The customary job's targets come first, so that they are among the first of very many. */
async function findSources(metric: string, job: string, signal: AbortSignal): Promise<readonly Source[]> {
  const grouped = (selector: string): string => `group by (job, instance) (${metric}${selector})`;
  const expr = `${grouped(`{job=${quote(job)}}`)} or ${grouped('')}`;
  const { data } = await queryInstant(expr, serverNowMs(), signal, MAX_SOURCES);
  if (data.kind !== 'vector') return [];
  return data.samples.map(({ labels }) => ({
    job: labelValue(labels, 'job'),
    instance: labelValue(labels, 'instance'),
  }));
}

/** How often a source is scraped: as its job says, whose targets may be too many to list. */
export function useScrapeInterval(source: Source | undefined): number {
  const { data } = useQuery({
    queryKey: ['interval', source?.job],
    queryFn: ({ signal }) => fetchPoolInterval(source!.job, signal),
    enabled: source !== undefined,
    staleTime: SOURCES_STALE_MS,
    retry: false,
  });
  return data ?? DEFAULT_INTERVAL_MS;
}

/** The time that charts of a range show, moving with the clock. @param source whose data is looked for */
export function useLiveWindow(rangeMs: number, intervalMs: number, source: Source | undefined): LiveWindow {
  const [isEager, setIsEager] = useState(true);
  const nowMs = useTick(isEager ? EAGER_REFRESH_MS : REFRESH_MS);
  const expr = source === undefined ? 'count(up)' : `up{${sourceSelector(source)}}`;
  const { data: dataStartMs } = useQuery({
    queryKey: ['data-start', expr, rangeMs, Math.floor(nowMs / EAGER_REFRESH_MS)],
    queryFn: ({ signal }) => findDataStart(expr, nowMs, rangeMs, signal),
    placeholderData: keepPreviousData,
  });
  const window = useMemo(
    () => liveWindow({ nowMs, rangeMs, intervalMs, dataStartMs }),
    [nowMs, rangeMs, intervalMs, dataStartMs],
  );
  useEffect(() => setIsEager(window.age !== 'grown'), [window.age]);
  return window;
}

async function findDataStart(
  expr: string,
  nowMs: number,
  rangeMs: number,
  signal: AbortSignal,
): Promise<number | null> {
  const firstTime = async (grid: Grid): Promise<number | null> => {
    const { data } = await queryRange(expr, grid, signal);
    return data.kind === 'matrix' ? (data.series[0]?.timesMs[0] ?? null) : null;
  };
  const [whole, end] = searchGrids(nowMs, rangeMs);
  const found = await firstTime(whole);
  return found !== null && found < end.startMs ? found : await firstTime(end);
}

export interface PanelQueries {
  readonly exprs: readonly string[];
  readonly answers: readonly (QueryResult | undefined)[];
  /** The grid of the answers, which may be the one before the window's. */
  readonly grid: Grid;
  /** Instant answers, where the range's newest step is too old for a headline. */
  readonly current: readonly (QueryResult | undefined)[] | null;
  readonly error: Error | null;
  readonly isLoaded: boolean;
}

/** Asks what a panel shows; nothing while there is no source or no data. */
export function usePanelQueries(
  panel: Panel,
  source: Source | undefined,
  intervalMs: number,
  window: LiveWindow,
): PanelQueries {
  const { grid } = window;
  const rateWindow = formatDuration(rateWindowMs(intervalMs, grid.stepMs));
  const headlineWindow = formatDuration(rateWindowMs(intervalMs, intervalMs));
  const selector = source === undefined ? '' : sourceSelector(source);
  const isAsking = source !== undefined && (window.age === 'young' || window.age === 'grown');
  const exprs = panel.queries.map((query) => query.expr(selector, rateWindow));
  const range = useQuery({
    queryKey: ['panel', exprs, grid],
    queryFn: async ({ signal }) => {
      const replies = await Promise.all(exprs.map((expr) => queryRange(expr, grid, signal)));
      return { grid, answers: replies.map(({ data }) => data) };
    },
    enabled: isAsking,
    placeholderData: keepPreviousData,
  });
  const needsCurrent = isAsking && grid.stepMs > HEADLINE_STEP_MS;
  const currentMs = Math.floor(window.nowMs / 1000) * 1000;
  const instantExprs = panel.queries.map((query) => query.expr(selector, headlineWindow));
  const current = useQuery({
    queryKey: ['panel-now', instantExprs, currentMs],
    queryFn: async ({ signal }) => {
      const replies = await Promise.all(instantExprs.map((expr) => queryInstant(expr, currentMs, signal)));
      return replies.map(({ data }) => data);
    },
    enabled: needsCurrent,
    placeholderData: keepPreviousData,
  });
  return {
    exprs,
    answers: range.data?.answers ?? [],
    grid: range.data?.grid ?? grid,
    current: needsCurrent ? (current.data ?? []) : null,
    error: range.error,
    isLoaded: range.data !== undefined,
  };
}
