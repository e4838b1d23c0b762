/**
 * Scrape targets as the API lists them.
 */
import { labelsFromPairs, type Labels } from '../../src/core/model/labels.ts';
import { parseDuration } from '../../src/core/model/duration.ts';
import { DecodeError, asList, asNumber, asObject, asText, textOr } from './decode.ts';
import { askApi } from './http.ts';
import { decodeLabels } from './query-result.ts';

export type Health = 'up' | 'down' | 'unknown';

export interface Target {
  readonly pool: string;
  readonly labels: Labels;
  readonly discoveredLabels: Labels;
  readonly scrapeUrl: string;
  /** The address as other machines reach it. */
  readonly globalUrl: string;
  readonly lastError: string;
  /** Null: not scraped yet. */
  readonly lastScrapeMs: number | null;
  readonly lastScrapeDurationMs: number;
  readonly health: Health;
  /** As the configuration writes it: `15s`. */
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
}

/** Active targets. @param pool '' for all pools */
export async function fetchTargets(pool: string, signal: AbortSignal): Promise<readonly Target[]> {
  const params: Record<string, string> = { state: 'active' };
  if (pool !== '') params['scrapePool'] = pool;
  const { data } = await askApi('targets', params, decodeTargets, signal);
  return data;
}

/** Names of all pools, also of those without a target. */
export async function fetchPools(signal: AbortSignal): Promise<readonly string[]> {
  const decode = (data: unknown): string[] =>
    asList(asObject(data, 'the answer')['scrapePools'], 'the pools', (item) => asText(item, 'a pool'));
  const { data } = await askApi('scrape_pools', {}, decode, signal);
  return data;
}

/** How often a pool's targets are scraped, in milliseconds. @throws ApiFailure where there is no such pool */
export async function fetchPoolInterval(pool: string, signal: AbortSignal): Promise<number> {
  const decode = (data: unknown): number =>
    poolInterval(asText(asObject(data, 'the answer')['yaml'], 'the pool’s configuration'));
  const { data } = await askApi('scrape_pools/config', { scrapePool: pool }, decode, signal);
  return data;
}

/** @param yaml a scrape pool's configuration, defaults filled in */
export function poolInterval(yaml: string): number {
  const text = /^scrape_interval: (\S+)$/m.exec(yaml)?.[1];
  if (text === undefined) throw new DecodeError('the pool’s configuration has no interval');
  return parseDuration(text);
}

export function decodeTargets(data: unknown): Target[] {
  return asList(asObject(data, 'the answer')['activeTargets'], 'the targets', decodeTarget);
}

function decodeTarget(item: unknown): Target {
  const target = asObject(item, 'a target');
  const lastScrapeMs = Date.parse(asText(target['lastScrape'], 'the last scrape'));
  const health = target['health'];
  return {
    pool: asText(target['scrapePool'], 'the pool'),
    labels: decodeLabels(target['labels']),
    discoveredLabels: target['discoveredLabels'] ? decodeLabels(target['discoveredLabels']) : labelsFromPairs([]),
    scrapeUrl: asText(target['scrapeUrl'], 'the address'),
    globalUrl: textOr(target['globalUrl'], asText(target['scrapeUrl'], 'the address')),
    lastError: textOr(target['lastError'], ''),
    // Go's zero time stands for "never".
    lastScrapeMs: lastScrapeMs > 0 ? lastScrapeMs : null,
    lastScrapeDurationMs: asNumber(target['lastScrapeDuration'], 'the duration') * 1000,
    health: health === 'up' || health === 'down' ? health : 'unknown',
    scrapeInterval: textOr(target['scrapeInterval'], ''),
    scrapeTimeout: textOr(target['scrapeTimeout'], ''),
  };
}
