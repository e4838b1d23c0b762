/**
 * What service discovery found, and what relabelling made of it.
 */
import { labelsToObject, type Labels } from '../../src/core/model/labels.ts';
import { asList, asNumber, asObject, asText } from './decode.ts';
import { askApi } from './http.ts';
import { decodeLabels } from './query-result.ts';

export interface DiscoveredTarget {
  readonly pool: string;
  readonly discovered: Labels;
  /** Labels of the target that it became; null where relabelling dropped it. */
  readonly labels: Labels | null;
}

export interface Discovery {
  /** Active ones first. */
  readonly targets: readonly DiscoveredTarget[];
  /** By pool, those that are not listed too. */
  readonly droppedCounts: ReadonlyMap<string, number>;
}

export interface RelabelStep {
  /** The rule's fields, as the configuration names them. */
  readonly rule: ReadonlyMap<string, string>;
  readonly output: Labels;
  readonly keep: boolean;
}

/** @param pool '' for all pools */
export async function fetchDiscovery(pool: string, signal: AbortSignal): Promise<Discovery> {
  const params: Record<string, string> = pool === '' ? {} : { scrapePool: pool };
  const { data } = await askApi('targets', params, decodeDiscovery, signal);
  return data;
}

export async function fetchRelabelSteps(
  pool: string,
  labels: Labels,
  signal: AbortSignal,
): Promise<readonly RelabelStep[]> {
  const params = { scrapePool: pool, labels: JSON.stringify(labelsToObject(labels)) };
  const { data } = await askApi('targets/relabel_steps', params, decodeSteps, signal);
  return data;
}

export function decodeDiscovery(data: unknown): Discovery {
  const answer = asObject(data, 'the answer');
  const decode = (item: unknown, isActive: boolean): DiscoveredTarget => {
    const target = asObject(item, 'a target');
    return {
      pool: asText(target['scrapePool'], 'the pool'),
      discovered: decodeLabels(target['discoveredLabels']),
      labels: isActive ? decodeLabels(target['labels']) : null,
    };
  };
  const counts = Object.entries(asObject(answer['droppedTargetCounts'] ?? {}, 'the counts'));
  return {
    targets: [
      ...asList(answer['activeTargets'], 'the targets', (item) => decode(item, true)),
      ...asList(answer['droppedTargets'], 'the dropped targets', (item) => decode(item, false)),
    ],
    droppedCounts: new Map(counts.map(([pool, count]) => [pool, asNumber(count, 'a count')])),
  };
}

export function decodeSteps(data: unknown): RelabelStep[] {
  return asList(asObject(data, 'the answer')['steps'], 'the steps', (item) => {
    const step = asObject(item, 'a step');
    return {
      rule: new Map(
        Object.entries(asObject(step['rule'], 'a rule')).map(([name, value]) => [snakeCase(name), fieldText(value)]),
      ),
      output: decodeLabels(step['output']),
      keep: step['keep'] === true,
    };
  });
}

/** As YAML in one line. */
function fieldText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(String).join(', ')}]`;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `sourceLabels` is `source_labels` in the configuration. */
const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
