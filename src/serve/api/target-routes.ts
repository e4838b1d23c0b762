/**
 * Routes that show targets and what they say about their metrics.
 * Source: Prometheus, web/api/v1 (verified against 2.42; `scrapePool` and counts of dropped targets as in 3.x).
 */
import { formatDuration } from '../../core/model/duration.ts';
import { errorMessage } from '../../core/base/errors.ts';
import {
  compareStrings,
  EMPTY_LABELS,
  labelsFromPairs,
  labelsKey,
  labelsToObject,
  labelValue,
  quote,
  type Labels,
} from '../../core/model/labels.ts';
import { compileMatcher } from '../../core/model/matcher.ts';
import { compileRelabel, type RelabelConfig } from '../../core/model/relabel.ts';
import { formatScrapeConfig } from '../config/config.ts';
import type { ScrapeConfig } from '../config/scrape-schema.ts';
import { jsonAnswer, success, type Answer, type ApiRequest } from './answer.ts';
import { ApiError, type TargetMetadata, type TargetState } from './backend.ts';
import { jsonText } from './json-text.ts';
import { checked, integer } from './params.ts';
import { parsedSelector } from './query-routes.ts';
import { route, type Route, type RouteContext } from './server-options.ts';
import { formatTime } from './time.ts';

/** Hosts that mean the machine itself; users elsewhere need the external host instead. */
const LOCAL_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

export function targetRoutes(context: RouteContext): Route[] {
  const steps = (request: ApiRequest): Answer => relabelSteps(context, request);
  return [
    route('/api/v1/targets', { GET: (request) => targets(context, request) }),
    route('/api/v1/targets/metadata', { GET: (request) => targetMetadata(context, request) }),
    route('/api/v1/metadata', { GET: (request) => metadata(context, request) }),
    // Labels may be longer than proxies take in an address, so they may come as a form too.
    route('/api/v1/targets/relabel_steps', { GET: steps, POST: steps }),
    route('/api/v1/scrape_pools', { GET: () => scrapePools(context) }),
    route('/api/v1/scrape_pools/config', { GET: (request) => scrapePoolConfig(context, request) }),
  ];
}

async function scrapePools({ backend }: RouteContext): Promise<Answer> {
  const { pools } = await backend.targets();
  return success({ scrapePools: pools.toSorted(compareStrings) });
}

function scrapePoolConfig(context: RouteContext, request: ApiRequest): Answer {
  return success({ yaml: formatScrapeConfig(poolOf(context, request)) });
}

/** The job that `scrapePool` names. */
function poolOf({ backend }: RouteContext, { params }: ApiRequest): ScrapeConfig {
  const pool = params.get('scrapePool');
  if (pool === '') throw new ApiError('bad_data', 'no scrapePool parameter provided');
  const config = backend.scrapeConfig(pool);
  if (config === undefined)
    throw new ApiError('bad_data', `error getting scrape pool config: scrape pool ${quote(pool)} not found`);
  return config;
}

/** What each relabelling rule of a job makes of the labels that are given, and whether they are kept. */
function relabelSteps(context: RouteContext, request: ApiRequest): Answer {
  const given = request.params.get('labels');
  // In Prometheus' order: the pool's name, the labels, whether there is such a pool.
  if (request.params.get('scrapePool') === '') throw new ApiError('bad_data', 'no scrapePool parameter provided');
  let labels: Labels | null = labelsOf(given);
  const config = poolOf(context, request);
  const steps = config.relabelConfigs.map((rule) => {
    labels = labels && compileRelabel(rule, config.metricNameValidationScheme)(labels);
    return { rule: ruleJson(rule), output: labelsToObject(labels ?? EMPTY_LABELS), keep: labels !== null };
  });
  return success({ steps });
}

/** A JSON object of label values by name. */
function labelsOf(json: string): Labels {
  let parsed: unknown;
  try {
    parsed = json === '' ? {} : JSON.parse(json);
  } catch (error) {
    throw new ApiError('bad_data', `error parsing labels: ${errorMessage(error)}`, error);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new ApiError('bad_data', 'error parsing labels: they are not a JSON object');
  const pairs = Object.entries(parsed);
  if (pairs.length === 0) throw new ApiError('bad_data', 'no labels parameter provided');
  const odd = pairs.find(([, value]) => typeof value !== 'string');
  if (odd) throw new ApiError('bad_data', `error parsing labels: the value of ${quote(odd[0])} is not a string`);
  return labelsFromPairs(pairs as [string, string][]);
}

/** Without what says nothing, as Prometheus leaves it out. */
function ruleJson(rule: RelabelConfig): object {
  const { sourceLabels, separator, regex, modulus, targetLabel, replacement, action } = rule;
  const written = { separator, regex, modulus, targetLabel, replacement, action };
  const shown = Object.entries(written).filter(([, value]) => value !== '' && value !== 0);
  return { ...(sourceLabels.length > 0 ? { sourceLabels } : {}), ...Object.fromEntries(shown) };
}

async function targets({ backend, options }: RouteContext, { params }: ApiRequest): Promise<Answer> {
  const state = params.get('state').toLowerCase();
  const pool = params.get('scrapePool');
  const inPool = ({ scrapePool }: { scrapePool: string }): boolean => pool === '' || scrapePool === pool;
  const byPool = (a: { scrapePool: string }, b: { scrapePool: string }): number =>
    compareStrings(a.scrapePool, b.scrapePool);
  const showActive = state === '' || state === 'any' || state === 'active';
  const showDropped = state === '' || state === 'any' || state === 'dropped';
  const snapshot = await backend.targets();
  const active = showActive ? snapshot.active.filter(inPool).toSorted(byPool) : [];
  const dropped = showDropped ? snapshot.dropped.filter(inPool).toSorted(byPool) : [];
  return success({
    activeTargets: active.map((target) => targetJson(target, options.externalUrl, options.listenAddresses)),
    droppedTargets: dropped.map((target) => ({
      discoveredLabels: labelsToObject(target.discoveredLabels),
      scrapePool: target.scrapePool,
    })),
    droppedTargetCounts: showDropped ? snapshot.droppedCounts : null,
  });
}

function targetJson(target: TargetState, externalUrl: URL, listenAddresses: readonly string[]): object {
  return {
    discoveredLabels: labelsToObject(target.discoveredLabels),
    labels: labelsToObject(target.labels),
    scrapePool: target.scrapePool,
    scrapeUrl: target.scrapeUrl,
    globalUrl: globalUrl(target.scrapeUrl, externalUrl, listenAddresses),
    lastError: target.lastError,
    lastScrape: formatTime(target.lastScrapeMs),
    lastScrapeDuration: target.lastScrapeDurationMs / 1000,
    health: target.health,
    scrapeInterval: formatDuration(target.scrapeIntervalMs),
    scrapeTimeout: formatDuration(target.scrapeTimeoutMs),
  };
}

/** The scrape URL as others reach it: our own address becomes the external URL's, other local hosts get its host name. */
function globalUrl(scrapeUrl: string, externalUrl: URL, listenAddresses: readonly string[]): string {
  if (!URL.canParse(scrapeUrl)) return scrapeUrl;
  const url = new URL(scrapeUrl);
  if (!LOCAL_HOSTS.has(url.hostname)) return scrapeUrl;
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  if (listenAddresses.some((address) => address.endsWith(`:${port}`))) {
    url.protocol = externalUrl.protocol;
    url.host = externalUrl.host;
    if (externalUrl.port === '') url.port = '';
  } else {
    url.hostname = externalUrl.hostname;
  }
  return url.href;
}

async function targetMetadata({ backend }: RouteContext, { params }: ApiRequest): Promise<Answer> {
  const limit = countParam(params.get('limit'), 'limit');
  const matchTarget = params.get('match_target');
  const matchers =
    matchTarget === '' ? [] : checked('match_target', () => parsedSelector(matchTarget)).map(compileMatcher);
  const metric = params.get('metric');
  const found: object[] = [];
  for (const entries of byTarget(await backend.targetMetadata())) {
    // The limit is looked at between targets, so an answer may be longer by the entries of one.
    if (limit !== undefined && found.length >= limit) break;
    const { targetLabels } = entries[0]!;
    if (!matchers.every((matcher) => matcher.matches(labelValue(targetLabels, matcher.name)))) continue;
    const target = labelsToObject(targetLabels);
    for (const entry of entries) {
      if (metric !== '' && entry.metric !== metric) continue;
      const name = metric === '' ? { metric: entry.metric } : {};
      found.push({ target, ...name, type: entry.type, help: entry.help, unit: entry.unit });
    }
  }
  return success(found);
}

async function metadata({ backend }: RouteContext, { params }: ApiRequest): Promise<Answer> {
  const limit = countParam(params.get('limit'), 'limit');
  const limitPerMetric = countParam(params.get('limit_per_metric'), 'limit_per_metric');
  const metric = params.get('metric');
  const byMetric = new Map<string, Map<string, { type: string; help: string; unit: string }>>();
  for (const { metric: name, type, help, unit } of await backend.targetMetadata()) {
    if (metric !== '' && name !== metric) continue;
    const distinct = byMetric.get(name) ?? new Map<string, { type: string; help: string; unit: string }>();
    byMetric.set(name, distinct.set(JSON.stringify([type, help, unit]), { type, help, unit }));
  }
  const names = [...byMetric.keys()].sort(compareStrings).slice(0, limit);
  const shown = names.map((name) => {
    const entries = [...byMetric.get(name)!.values()];
    return `${jsonText(name)}:${jsonText(limitPerMetric === undefined || limitPerMetric === 0 ? entries : entries.slice(0, limitPerMetric))}`;
  });
  return jsonAnswer(`{"status":"success","data":{${shown.join(',')}}}`);
}

/** Entries of one target together, targets in the order of their first entry. */
function byTarget(entries: readonly TargetMetadata[]): TargetMetadata[][] {
  const groups = new Map<string, TargetMetadata[]>();
  for (const entry of entries) {
    const key = labelsKey(entry.targetLabels);
    const group = groups.get(key);
    if (group) group.push(entry);
    else groups.set(key, [entry]);
  }
  return [...groups.values()];
}

/** @returns undefined for no limit: missing or negative */
function countParam(text: string, name: string): number | undefined {
  if (text === '') return undefined;
  const count = integer(text);
  if (count === undefined) throw new ApiError('bad_data', `${name} must be a number`);
  return count < 0 ? undefined : count;
}
