/**
 * Routes that ask for series and samples. They check parameters; the answers come from the backend as finished bytes.
 * Source: Prometheus, web/api/v1 (texts and order of checks verified against 2.42).
 */
import { formatFloat } from '../../core/model/float.ts';
import { labelsToObject } from '../../core/model/labels.ts';
import { compileMatcher, type Matcher } from '../../core/model/matcher.ts';
import type { Expr } from '../../query/promql/parse/ast.ts';
import { ALL_FEATURES, parseExpr, parseSelector } from '../../query/promql/parse/parser.ts';
import { prettyExpr } from '../../query/promql/parse/pretty.ts';
import { treeToJson } from '../../query/promql/parse/tree-json.ts';
import { childrenOf } from '../../query/promql/parse/walk.ts';
import { bytesAnswer, JSON_TYPE, success, type Answer, type ApiRequest } from './answer.ts';
import { ApiError, type BackendQuery } from './backend.ts';
import { unescapeLabelName } from './label-name.ts';
import { checked, rangeParams, type FormParams } from './params.ts';
import { route, type Route, type RouteContext } from './server-options.ts';
import { toApiError } from './status.ts';
import { MAX_TIME_MS, MIN_TIME_MS, parseDurationParam } from './time.ts';

export function queryRoutes(context: RouteContext): Route[] {
  const instant = (request: ApiRequest): Promise<Answer> =>
    answerQuery(context, request, instantQuery(context, request.params));
  const range = (request: ApiRequest): Promise<Answer> =>
    answerQuery(context, request, rangeQuery(context, request.params));
  const series = (request: ApiRequest): Promise<Answer> => answerQuery(context, request, seriesQuery(request.params));
  const labels = (request: ApiRequest): Promise<Answer> =>
    answerQuery(context, request, labelQuery(request.params, 'labels', ''));
  const values = (request: ApiRequest): Promise<Answer> => {
    const label = unescapeLabelName(request.path['name'] ?? '');
    return answerQuery(context, request, labelQuery(request.params, 'values', label));
  };
  const format = (request: ApiRequest): Answer => success(prettyExpr(parsedQuery(request.params)));
  const parse = (request: ApiRequest): Answer => success(treeToJson(parsedQuery(request.params)));
  const exemplars = (request: ApiRequest): Promise<Answer> => queryExemplars(context, request);
  const dropSeries = (): Answer => {
    throw new ApiError('internal', 'not implemented');
  };
  return [
    route('/api/v1/query', { GET: instant, POST: instant }),
    route('/api/v1/query_range', { GET: range, POST: range }),
    route('/api/v1/query_exemplars', { GET: exemplars, POST: exemplars }),
    route('/api/v1/format_query', { GET: format, POST: format }),
    route('/api/v1/parse_query', { GET: parse, POST: parse }),
    route('/api/v1/series', { GET: series, POST: series, DELETE: dropSeries }),
    route('/api/v1/labels', { GET: labels, POST: labels }),
    route('/api/v1/label/:name/values', { GET: values }),
  ];
}

/** Matchers of `match[]` selectors, one set each. @throws ApiError bad_data */
export function matcherSets(selectors: readonly string[]): (readonly Matcher[])[] {
  return selectors.map((selector) => {
    const matchers = parsedSelector(selector);
    if (matchers.every((matcher) => compileMatcher(matcher).matchesEmpty)) {
      throw new ApiError('bad_data', 'match[] must contain at least one non-empty matcher');
    }
    return matchers;
  });
}

/** @throws ApiError bad_data */
export function parsedSelector(selector: string): readonly Matcher[] {
  return asApiError(() => parseSelector(selector));
}

async function answerQuery({ backend }: RouteContext, request: ApiRequest, query: BackendQuery): Promise<Answer> {
  return bytesAnswer(JSON_TYPE, await backend.query(query, request.signal));
}

function instantQuery({ options }: RouteContext, params: FormParams): BackendQuery {
  const limit = params.limit();
  const timeMs = params.timeOr('time', options.clock.nowMs());
  return {
    kind: 'instant',
    query: params.get('query'),
    timeMs,
    limit,
    ...queryOptions(options.queryTimeoutMs, params),
  };
}

function rangeQuery({ options }: RouteContext, params: FormParams): BackendQuery {
  const limit = params.limit();
  const range = rangeParams(params);
  return {
    kind: 'range',
    query: params.get('query'),
    ...range,
    limit,
    ...queryOptions(options.queryTimeoutMs, params),
  };
}

function queryOptions(
  defaultTimeoutMs: number,
  params: FormParams,
): { timeoutMs: number; lookbackMs: number; stats: boolean } {
  const timeoutMs = params.get('timeout') === '' ? defaultTimeoutMs : params.duration('timeout');
  if (timeoutMs <= 0) throw new ApiError('timeout', 'query timed out in query execution');
  return {
    timeoutMs: Math.min(timeoutMs, defaultTimeoutMs),
    lookbackMs: Math.max(0, lookback(params.get('lookback_delta'))),
    stats: params.get('stats') !== '',
  };
}

function lookback(text: string): number {
  if (text === '') return 0;
  try {
    return Math.trunc(parseDurationParam(text));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new ApiError('bad_data', `error parsing lookback delta duration: ${error.message}`, error);
  }
}

function seriesQuery(params: FormParams): BackendQuery {
  const selectors = params.all('match[]');
  if (selectors.length === 0) throw new ApiError('bad_data', 'no match[] parameter provided');
  const limit = params.limit();
  const times = { startMs: params.timeOr('start', MIN_TIME_MS), endMs: params.timeOr('end', MAX_TIME_MS) };
  const sets = checked('match[]', () => matcherSets(selectors));
  return { kind: 'series', label: '', matcherSets: sets, ...times, limit };
}

function labelQuery(params: FormParams, kind: 'labels' | 'values', label: string): BackendQuery {
  if (kind === 'values' && label === '') throw new ApiError('bad_data', 'invalid label name: ""');
  const limit = params.limit();
  const times = { startMs: params.timeOr('start', MIN_TIME_MS), endMs: params.timeOr('end', MAX_TIME_MS) };
  return { kind, label, matcherSets: matcherSets(params.all('match[]')), ...times, limit };
}

/** Takes every feature of the language: printing and explaining need none of them switched on. */
function parsedQuery(params: FormParams): Expr {
  return checked('query', () => asApiError(() => parseExpr(params.get('query'), ALL_FEATURES)));
}

/** Exemplars of the series that any selector of the query selects. */
async function queryExemplars({ backend }: RouteContext, { params, signal }: ApiRequest): Promise<Answer> {
  const startMs = params.timeOr('start', MIN_TIME_MS);
  const endMs = params.timeOr('end', MAX_TIME_MS);
  if (endMs < startMs) throw new ApiError('bad_data', 'end timestamp must not be before start timestamp');
  const matcherSets = asApiError(() => selectorsOf(parseExpr(params.get('query'), ALL_FEATURES)));
  if (matcherSets.length === 0 || backend.exemplars === undefined) return success([]);
  const found = await backend.exemplars({ matcherSets, startMs, endMs }, signal);
  return success(
    found.map(({ seriesLabels, exemplars }) => ({
      seriesLabels: labelsToObject(seriesLabels),
      exemplars: exemplars.map(({ labels, value, timeMs }) => ({
        labels: labelsToObject(labels),
        value: formatFloat(value),
        timestamp: timeMs / 1000,
      })),
    })),
  );
}

function selectorsOf(expr: Expr): (readonly Matcher[])[] {
  if (expr.kind === 'vector-selector') return [expr.matchers];
  return childrenOf(expr).flatMap(selectorsOf);
}

function asApiError<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw toApiError(error);
  }
}
