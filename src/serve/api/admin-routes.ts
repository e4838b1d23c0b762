/**
 * Routes that change what is stored. Without `--web.enable-admin-api` they answer that they are off.
 * Source: Prometheus, HTTP API "TSDB Admin APIs" (verified against 2.42).
 */
import { quote } from '../../core/model/labels.ts';
import { compileMatcher } from '../../core/model/matcher.ts';
import { emptyAnswer, success, type Answer, type ApiRequest, type Handler } from './answer.ts';
import { ApiError } from './backend.ts';
import { checked } from './params.ts';
import { parsedSelector } from './query-routes.ts';
import { route, type Route, type RouteContext } from './server-options.ts';
import { MAX_TIME_MS, MIN_TIME_MS } from './time.ts';

/** Go's strconv.ParseBool. */
const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

export function adminRoutes(context: RouteContext): Route[] {
  const action = (name: string, run: (request: ApiRequest) => Promise<Answer>): Route => {
    const handler: Handler = (request) => {
      if (!context.options.enableAdminApi) throw new ApiError('unavailable', 'admin APIs disabled');
      return run(request);
    };
    return route(`/api/v1/admin/tsdb/${name}`, { POST: handler, PUT: handler });
  };
  return [
    action('snapshot', (request) => snapshot(context, request)),
    action('delete_series', (request) => deleteSeries(context, request)),
    action('clean_tombstones', () => cleanTombstones(context)),
  ];
}

async function deleteSeries({ backend }: RouteContext, { params }: ApiRequest): Promise<Answer> {
  const selectors = params.all('match[]');
  if (selectors.length === 0) throw new ApiError('bad_data', 'no match[] parameter provided');
  const startMs = params.timeOr('start', MIN_TIME_MS);
  const endMs = params.timeOr('end', MAX_TIME_MS);
  const matcherSets = checked('match[]', () => selectors.map(parsedSelector));
  for (const matcher of matcherSets.flat()) compileMatcher(matcher);
  if (backend.deleteSeries === undefined) throw cannot('delete series');
  await backend.deleteSeries({ matcherSets, startMs, endMs });
  return emptyAnswer(204);
}

async function cleanTombstones({ backend }: RouteContext): Promise<Answer> {
  if (backend.cleanTombstones === undefined) throw cannot('clean tombstones');
  await backend.cleanTombstones();
  return emptyAnswer(204);
}

async function snapshot({ backend }: RouteContext, { params }: ApiRequest): Promise<Answer> {
  const skipHead = checked('skip_head', () => boolean(params.get('skip_head')));
  if (backend.snapshot === undefined) throw cannot('take snapshots');
  return success({ name: await backend.snapshot({ skipHead }) });
}

/** '' is false. */
function boolean(text: string): boolean {
  if (TRUE.has(text)) return true;
  if (text === '' || FALSE.has(text)) return false;
  throw new ApiError('bad_data', `unable to parse boolean: strconv.ParseBool: parsing ${quote(text)}: invalid syntax`);
}

const cannot = (what: string): ApiError => new ApiError('unavailable', `this storage can not ${what}`);
