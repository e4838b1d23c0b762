/**
 * From discovered groups to targets: labels are merged, relabelled and checked; what is left says whom to scrape and how.
 *
 * Runs on the main thread; a target is plain data.
 * Source: Prometheus, configuration "relabel_config"; scrape.PopulateLabels.
 */
import { errorMessage } from '../../core/base/errors.ts';
import { DurationError, parseDuration, formatDuration } from '../../core/model/duration.ts';
import { labelsFromPairs, labelsKey, labelValue, quote, withLabel, type Labels } from '../../core/model/labels.ts';
import { compileRelabel, relabel, type RelabelRule } from '../../core/model/relabel.ts';
import type { ScrapePoolConfig } from './scrape-config.ts';

/** A group as discovery gives it; the fields of discovery's TargetGroup that count here. */
export interface DiscoveredGroup {
  readonly labels: Labels;
  readonly targets: readonly Labels[];
}

export interface ScrapeTarget {
  /** Equal for equal labels and URL: the identity of a target in its pool. */
  readonly key: string;
  /** What every series of the target carries. */
  readonly labels: Labels;
  readonly discoveredLabels: Labels;
  readonly url: string;
  /** Dial this instead of the URL's host; '' for none. */
  readonly unixSocket: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

export interface PoolTargets {
  readonly active: readonly ScrapeTarget[];
  /** Up to keep_dropped_targets. */
  readonly dropped: readonly Labels[];
  readonly droppedCount: number;
  /** One text for each target that can't be one. */
  readonly errors: readonly string[];
}

const ADDRESS = '__address__';
const SCHEME = '__scheme__';
const METRICS_PATH = '__metrics_path__';
const INTERVAL = '__scrape_interval__';
const TIMEOUT = '__scrape_timeout__';
const PARAM = '__param_';
const UNIX_SOCKET = '__unix_socket__';

class TargetError extends Error {
  override readonly name = 'TargetError';
}

/** Every target once: of those with equal labels and URL the first stays. */
export function targetsOf(groups: Iterable<DiscoveredGroup>, config: ScrapePoolConfig): PoolTargets {
  const rules = config.relabelConfigs.map((rule) => compileRelabel(rule, config.metricNameValidationScheme));
  const active = new Map<string, ScrapeTarget>();
  const dropped: Labels[] = [];
  const errors: string[] = [];
  let droppedCount = 0;
  for (const group of groups) {
    for (const own of group.targets) {
      const discovered = discoveredLabels(group.labels, own, config);
      try {
        const target = makeTarget(discovered, config, rules);
        if (target !== null) {
          if (!active.has(target.key)) active.set(target.key, target);
          continue;
        }
        droppedCount++;
        if (config.keepDroppedTargets === 0 || dropped.length < config.keepDroppedTargets) dropped.push(discovered);
      } catch (error) {
        if (!(error instanceof TargetError)) throw error;
        errors.push(`${labelValue(own, ADDRESS)}: ${errorMessage(error)}`);
      }
    }
  }
  return { active: [...active.values()], dropped, droppedCount, errors };
}

/** A target's labels before relabelling: its own over the group's over the job's. */
function discoveredLabels(group: Labels, own: Labels, config: ScrapePoolConfig): Labels {
  const pairs: [string, string][] = [
    ['job', config.jobName],
    [SCHEME, config.scheme],
    [METRICS_PATH, config.metricsPath],
    [INTERVAL, formatDuration(config.scrapeIntervalMs)],
    [TIMEOUT, formatDuration(config.scrapeTimeoutMs)],
  ];
  for (const [name, values] of config.params) if (values.length > 0) pairs.push([PARAM + name, values[0]!]);
  for (const labels of [group, own]) for (let i = 0; i < labels.length; i += 2) pairs.push([labels[i]!, labels[i + 1]!]);
  return labelsFromPairs(pairs);
}

/** @returns null where relabelling drops it @throws TargetError */
function makeTarget(discovered: Labels, config: ScrapePoolConfig, rules: readonly RelabelRule[]): ScrapeTarget | null {
  let labels = relabel(discovered, rules);
  if (labels === null) return null;
  const address = labelValue(labels, ADDRESS);
  if (address === '') throw new TargetError('no address');
  checkAddress(address);
  const intervalMs = readDuration(labelValue(labels, INTERVAL), 'scrape interval');
  const timeoutMs = readDuration(labelValue(labels, TIMEOUT), 'scrape timeout');
  if (timeoutMs > intervalMs) {
    throw new TargetError(`scrape timeout cannot be greater than scrape interval (${quote(formatDuration(timeoutMs))} > ${quote(formatDuration(intervalMs))})`);
  }
  const url = urlOf(labels, address, config);
  const unixSocket = labelValue(labels, UNIX_SOCKET);
  if (labelValue(labels, 'instance') === '') labels = withLabel(labels, 'instance', address);
  const visible: string[] = [];
  for (let i = 0; i < labels.length; i += 2) if (!labels[i]!.startsWith('__')) visible.push(labels[i]!, labels[i + 1]!);
  const key = `${labelsKey(visible)}${url}\0${unixSocket}`;
  return { key, labels: visible, discoveredLabels: discovered, url, unixSocket, intervalMs, timeoutMs };
}

/** Prometheus 3 adds no default port: whatever stands there is dialled. */
function checkAddress(address: string): void {
  if (address.includes('/')) throw new TargetError(`${quote(address)} is not a valid hostname`);
}

function readDuration(text: string, what: string): number {
  try {
    const ms = parseDuration(text);
    if (ms === 0) throw new TargetError(`${what} cannot be 0`);
    return ms;
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    throw new TargetError(`error parsing ${what}: ${error.message}`, { cause: error });
  }
}

function urlOf(labels: Labels, address: string, config: ScrapePoolConfig): string {
  const query = new URLSearchParams();
  const params = new Map([...config.params].map(([name, values]) => [name, [...values]]));
  for (let i = 0; i < labels.length; i += 2) {
    const label = labels[i]!;
    if (!label.startsWith(PARAM)) continue;
    const name = label.slice(PARAM.length);
    params.set(name, [labels[i + 1]!, ...(params.get(name) ?? []).slice(1)]);
  }
  for (const [name, values] of [...params].sort(([a], [b]) => (a < b ? -1 : 1))) for (const value of values) query.append(name, value);
  const path = labelValue(labels, METRICS_PATH);
  const text = `${labelValue(labels, SCHEME)}://${address}${path.startsWith('/') ? '' : '/'}${path}`;
  const search = query.toString();
  const url = search === '' ? text : `${text}${path.includes('?') ? '&' : '?'}${search}`;
  if (!URL.canParse(url)) throw new TargetError(`${quote(url)} is not a valid URL`);
  return url;
}
