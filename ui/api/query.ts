/**
 * Instant and range queries.
 */
import { askApi, type Reply } from './http.ts';
import { decodeQueryResult, type QueryResult } from './query-result.ts';
import { asText } from './decode.ts';

/** A range query's evenly spaced steps; both ends are steps. */
export interface Grid {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

/** @param limit most series of the answer; 0 for all */
export function queryInstant(
  expr: string,
  timeMs: number,
  signal: AbortSignal,
  limit = 0,
): Promise<Reply<QueryResult>> {
  const params = { query: expr, time: seconds(timeMs), ...(limit > 0 ? { limit: String(limit) } : {}) };
  return askApi('query', params, decodeQueryResult, signal);
}

export function queryRange(expr: string, grid: Grid, signal: AbortSignal): Promise<Reply<QueryResult>> {
  const params = { query: expr, start: seconds(grid.startMs), end: seconds(grid.endMs), step: seconds(grid.stepMs) };
  return askApi('query_range', params, decodeQueryResult, signal);
}

/** The query laid out over lines. @throws ApiFailure if it does not parse */
export async function formatQuery(expr: string): Promise<string> {
  const { data } = await askApi('format_query', { query: expr }, (data) => asText(data, 'the formatted query'));
  return data;
}

const seconds = (ms: number): string => String(ms / 1000);
