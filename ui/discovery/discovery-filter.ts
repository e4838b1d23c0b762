/**
 * Which discovered targets are shown, and what a relabelling step changed.
 */
import type { Labels } from '../../src/core/model/labels.ts';
import type { DiscoveredTarget, Discovery } from '../api/discovery.ts';

export interface DiscoveryFilter {
  /** '' for all. */
  readonly pool: string;
  readonly state: 'all' | 'active' | 'dropped';
  /** Words that all must occur in a label, in any case. */
  readonly search: string;
}

export interface DiscoveryGroup {
  readonly pool: string;
  /** That the filter lets through. */
  readonly targets: readonly DiscoveredTarget[];
  readonly activeCount: number;
  readonly droppedCount: number;
  /** Dropped targets that the server did not keep. */
  readonly forgottenCount: number;
}

/** By pool, in the order of the targets. Pools that have dropped targets only, none of them kept, come last. */
export function groupDiscovery({ targets, droppedCounts }: Discovery, filter: DiscoveryFilter): DiscoveryGroup[] {
  const words = filter.search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const byPool = new Map<string, DiscoveredTarget[]>();
  for (const target of targets) {
    const group = byPool.get(target.pool);
    if (group) group.push(target);
    else byPool.set(target.pool, [target]);
  }
  for (const [pool, count] of droppedCounts) if (count > 0 && !byPool.has(pool)) byPool.set(pool, []);
  const isShown = (target: DiscoveredTarget): boolean =>
    (filter.state === 'all' || (target.labels === null) === (filter.state === 'dropped')) && hasWords(target, words);
  return [...byPool]
    .filter(([pool]) => filter.pool === '' || pool === filter.pool)
    .map(([pool, all]) => {
      const activeCount = all.filter(({ labels }) => labels !== null).length;
      const listedCount = all.length - activeCount;
      const droppedCount = Math.max(listedCount, droppedCounts.get(pool) ?? 0);
      return {
        pool,
        targets: all.filter(isShown),
        activeCount,
        droppedCount,
        forgottenCount: droppedCount - listedCount,
      };
    });
}

/** In the page's address. */
export function decodeDiscoveryFilter(search: string): DiscoveryFilter {
  const params = new URLSearchParams(search);
  const state = params.get('state');
  return {
    pool: params.get('pool') ?? '',
    state: state === 'active' || state === 'dropped' ? state : 'all',
    search: params.get('search') ?? '',
  };
}

export function encodeDiscoveryFilter({ pool, state, search }: DiscoveryFilter): string {
  const params = new URLSearchParams();
  if (pool !== '') params.set('pool', pool);
  if (state !== 'all') params.set('state', state);
  if (search !== '') params.set('search', search);
  return params.size === 0 ? '' : `?${params.toString()}`;
}

export interface LabelChange {
  readonly name: string;
  /** Null: the label was not there. */
  readonly before: string | null;
  /** Null: it is gone. */
  readonly after: string | null;
}

/** Labels that differ, by name. */
export function labelChanges(before: Labels, after: Labels): LabelChange[] {
  const [old, now] = [valuesByName(before), valuesByName(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .sort()
    .map((name) => ({ name, before: old.get(name) ?? null, after: now.get(name) ?? null }))
    .filter((change) => change.before !== change.after);
}

function valuesByName(labels: Labels): Map<string, string> {
  const values = new Map<string, string>();
  for (let i = 0; i < labels.length; i += 2) values.set(labels[i]!, labels[i + 1]!);
  return values;
}

function hasWords({ discovered, labels }: DiscoveredTarget, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  let text = '';
  for (const each of [discovered, labels ?? []])
    for (let i = 0; i < each.length; i += 2) text += `${each[i]!}=${each[i + 1]!}\n`;
  const lower = text.toLowerCase();
  return words.every((word) => lower.includes(word));
}
