/**
 * Which targets are shown, and in which order.
 */
import type { Health, Target } from '../api/targets.ts';

export interface TargetFilter {
  /** '' for all. */
  readonly pool: string;
  readonly health: Health | 'all';
  /** Words that all must occur in the address, a label or the error, in any case. */
  readonly search: string;
}

export interface TargetGroup {
  readonly pool: string;
  /** That the filter lets through, failing ones first. */
  readonly targets: readonly Target[];
  /** Of all the pool's targets. */
  readonly upCount: number;
  readonly totalCount: number;
}

const HEALTH_ORDER: Readonly<Record<Health, number>> = { down: 0, unknown: 1, up: 2 };

/** By pool, in the order of the targets; pools of which nothing is left are left out. */
export function groupTargets(targets: readonly Target[], filter: TargetFilter): TargetGroup[] {
  const words = searchWords(filter.search);
  const byPool = new Map<string, Target[]>();
  for (const target of targets) {
    if (filter.pool !== '' && target.pool !== filter.pool) continue;
    const group = byPool.get(target.pool);
    if (group) group.push(target);
    else byPool.set(target.pool, [target]);
  }
  return [...byPool]
    .map(([pool, all]) => ({
      pool,
      targets: all
        .filter((target) => (filter.health === 'all' || target.health === filter.health) && hasWords(target, words))
        .sort((a, b) => HEALTH_ORDER[a.health] - HEALTH_ORDER[b.health]),
      upCount: all.filter(({ health }) => health === 'up').length,
      totalCount: all.length,
    }))
    .filter((group) => group.targets.length > 0);
}

export function countByHealth(targets: readonly Target[]): Readonly<Record<Health | 'all', number>> {
  const counts = { all: targets.length, up: 0, down: 0, unknown: 0 };
  for (const { health } of targets) counts[health]++;
  return counts;
}

/** In the page's address. */
export function decodeFilter(search: string): TargetFilter {
  const params = new URLSearchParams(search);
  const health = params.get('health');
  return {
    pool: params.get('pool') ?? '',
    health: health === 'up' || health === 'down' || health === 'unknown' ? health : 'all',
    search: params.get('search') ?? '',
  };
}

export function encodeFilter({ pool, health, search }: TargetFilter): string {
  const params = new URLSearchParams();
  if (pool !== '') params.set('pool', pool);
  if (health !== 'all') params.set('health', health);
  if (search !== '') params.set('search', search);
  return params.size === 0 ? '' : `?${params.toString()}`;
}

function searchWords(search: string): readonly string[] {
  return search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
}

function hasWords({ scrapeUrl, labels, lastError }: Target, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  let text = `${scrapeUrl}\n${lastError}`;
  for (let i = 0; i < labels.length; i += 2) text += `\n${labels[i]!}=${labels[i + 1]!}`;
  const lower = text.toLowerCase();
  return words.every((word) => lower.includes(word));
}
