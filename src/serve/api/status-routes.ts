/**
 * Routes that say how the server is: configuration, flags, versions, storage; and what is not there yet, truthfully empty.
 * Source: Prometheus, web/api/v1 (verified against 2.42).
 */
import { availableParallelism, hostname } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { compareStrings, quote } from '../../core/model/labels.ts';
import { compileRegex } from '../../core/model/matcher.ts';
import { success, type Answer, type ApiRequest } from './answer.ts';
import { ApiError } from './backend.ts';
import { features } from './features.ts';
import { checked, integer } from './params.ts';
import { familyJson } from './self-metrics-json.ts';
import { route, type Route, type RouteContext } from './server-options.ts';
import { toApiError } from './status.ts';
import { formatTime } from './time.ts';

/** Entries of each list of `status/tsdb`. */
const DEFAULT_TSDB_LIMIT = 10;
export const MAX_TSDB_LIMIT = 10_000;

export function statusRoutes(context: RouteContext): Route[] {
  const { options, backend } = context;
  return [
    route('/api/v1/status/config', { GET: () => success({ yaml: backend.configYaml() }) }),
    route('/api/v1/status/flags', { GET: () => success(sortedByName(options.flags)) }),
    route('/api/v1/status/runtimeinfo', { GET: () => runtimeInfo(context) }),
    route('/api/v1/status/buildinfo', { GET: () => success(options.buildInfo) }),
    route('/api/v1/status/tsdb', { GET: (request) => tsdb(context, request) }),
    route('/api/v1/status/tsdb/blocks', { GET: async () => success({ blocks: (await backend.blocks?.()) ?? [] }) }),
    route('/api/v1/status/self_metrics', { GET: (request) => selfMetrics(context, request) }),
    route('/api/v1/features', { GET: () => success(features(context)) }),
    route('/api/v1/status/walreplay', { GET: () => success(backend.replayProgress()) }, { guarded: false }),
    route('/api/v1/rules', { GET: rules }),
    route('/api/v1/alerts', { GET: () => success({ alerts: [] }) }),
    route('/api/v1/alertmanagers', { GET: () => success({ activeAlertmanagers: [], droppedAlertmanagers: [] }) }),
  ];
}

/** No rule runs yet: rule files of a configuration are told as not acted on. */
function rules({ params }: ApiRequest): Answer {
  const type = params.get('type').toLowerCase();
  if (type !== '' && type !== 'alert' && type !== 'record') {
    throw new ApiError('bad_data', `invalid parameter "type": not supported value ${quote(type)}`);
  }
  return success({ groups: [] });
}

/** The runtime's figures under Go's names: what is closest in meaning, or empty where nothing is. */
function runtimeInfo({ backend, options }: RouteContext): Answer {
  const info = backend.runtimeInfo();
  return success({
    startTime: formatTime(info.startTimeMs),
    CWD: process.cwd(),
    hostname: hostname(),
    serverTime: formatTime(options.clock.nowMs()),
    reloadConfigSuccess: info.reloadConfigSuccess,
    lastConfigTime: formatTime(info.lastConfigTimeMs),
    corruptionCount: info.corruptionCount,
    goroutineCount: process.getActiveResourcesInfo().length,
    GOMAXPROCS: availableParallelism(),
    GOMEMLIMIT: getHeapStatistics().heap_size_limit,
    GOGC: '',
    GODEBUG: '',
    storageRetention: info.storageRetention,
  });
}

async function tsdb({ backend }: RouteContext, { params }: ApiRequest): Promise<Answer> {
  const status = await backend.tsdbStatus(tsdbLimit(params.get('limit')));
  const { head } = status;
  return success({
    headStats: {
      numSeries: head.seriesCount,
      numLabelPairs: head.labelPairCount,
      chunkCount: head.chunkCount,
      minTime: head.minTimeMs,
      maxTime: head.maxTimeMs,
    },
    seriesCountByMetricName: status.seriesCountByMetricName,
    labelValueCountByLabelName: status.labelValueCountByLabelName,
    memoryInBytesByLabelName: status.memoryInBytesByLabelName,
    seriesCountByLabelValuePair: status.seriesCountByLabelValuePair,
  });
}

async function selfMetrics({ backend }: RouteContext, { params }: ApiRequest): Promise<Answer> {
  const pattern = params.get('metric_name_pattern');
  const regex = checked('metric_name_pattern', () => compiledPattern(pattern === '' ? '.*' : pattern));
  const families = await backend.metrics();
  return success(families.filter(({ name }) => regex.matches(name)).map(familyJson));
}

function compiledPattern(pattern: string): ReturnType<typeof compileRegex> {
  try {
    return compileRegex(pattern);
  } catch (error) {
    throw toApiError(error);
  }
}

function tsdbLimit(text: string): number {
  if (text === '') return DEFAULT_TSDB_LIMIT;
  const limit = integer(text);
  if (limit === undefined || limit < 1) throw new ApiError('bad_data', 'limit must be a positive number');
  if (limit > MAX_TSDB_LIMIT) throw new ApiError('bad_data', `limit must not exceed ${MAX_TSDB_LIMIT}`);
  return limit;
}

function sortedByName(flags: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(flags).sort(([a], [b]) => compareStrings(a, b)));
}
