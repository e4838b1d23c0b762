/**
 * From discovered groups to targets: labels are merged, relabelled and checked; what is left says whom to scrape and how.
 *
 * Runs on the main thread; a target is plain data.
 * Source: Prometheus, configuration "scrape_config" and "relabel_config"; URLs as Go's net/url writes them.
 */
import { DurationError, formatDuration, parseDuration } from '../../core/model/duration.ts';
import {
  compareStrings,
  labelsFromPairs,
  labelsKey,
  labelValue,
  quote,
  withLabel,
  type Labels,
} from '../../core/model/labels.ts';
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
  /** Discovered labels, up to keep_dropped_targets. */
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

/** Labels that make no target. */
class TargetError extends Error {
  override readonly name = 'TargetError';
}

/** Every target once: of those with equal labels and URL the first stays. */
export function targetsOf(groups: Iterable<DiscoveredGroup>, config: ScrapePoolConfig): PoolTargets {
  const rules = config.relabelConfigs.map((rule) => compileRelabel(rule, config.metricNameValidationScheme));
  const defaults = defaultLabels(config);
  const active = new Map<string, ScrapeTarget>();
  const dropped: Labels[] = [];
  const errors: string[] = [];
  let droppedCount = 0;
  for (const group of groups) {
    for (const own of group.targets) {
      const discovered = discoveredLabels(group.labels, own, defaults);
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
        errors.push(`target ${quote(labelValue(own, ADDRESS))}: ${error.message}`);
      }
    }
  }
  return { active: [...active.values()], dropped, droppedCount, errors };
}

/** Why no target of a pool is scraped, or '' where there are few enough. @param targetLimit 0 is no limit */
export function targetLimitError(count: number, targetLimit: number): string {
  return targetLimit > 0 && count > targetLimit
    ? `target_limit exceeded (number of targets: ${count}, limit: ${targetLimit})`
    : '';
}

/** What the job gives to a target that does not say otherwise. */
function defaultLabels(config: ScrapePoolConfig): [string, string][] {
  const defaults: [string, string][] = [
    ['job', config.jobName],
    [SCHEME, config.scheme],
    [METRICS_PATH, config.metricsPath],
    [INTERVAL, formatDuration(config.scrapeIntervalMs)],
    [TIMEOUT, formatDuration(config.scrapeTimeoutMs)],
    ['__scrape_native_histograms__', String(config.scrapeNativeHistograms)],
    ['__always_scrape_classic_histograms__', String(config.alwaysScrapeClassicHistograms)],
    ['__convert_classic_histograms_to_nhcb__', String(config.convertClassicHistogramsToNhcb)],
  ];
  for (const [name, values] of config.params) if (values.length > 0) defaults.push([PARAM + name, values[0]!]);
  return defaults;
}

/** A target's labels before relabelling: its own over the group's, and where both say nothing the job's. */
function discoveredLabels(group: Labels, own: Labels, defaults: readonly [string, string][]): Labels {
  const byName = new Map<string, string>();
  for (const labels of [group, own]) for (let i = 0; i < labels.length; i += 2) byName.set(labels[i]!, labels[i + 1]!);
  for (const [name, value] of defaults) if ((byName.get(name) ?? '') === '') byName.set(name, value);
  return labelsFromPairs(byName);
}

/** @returns null where relabelling drops it @throws TargetError */
function makeTarget(discovered: Labels, config: ScrapePoolConfig, rules: readonly RelabelRule[]): ScrapeTarget | null {
  const labels = relabel(discovered, rules);
  if (labels === null) return null;
  const address = labelValue(labels, ADDRESS);
  if (address === '') throw new TargetError('no address');
  // No port is added: whatever stands there is dialled.
  if (address.includes('/')) throw new TargetError(`${quote(address)} is not a valid hostname`);
  const intervalMs = readDuration(labelValue(labels, INTERVAL), 'scrape interval');
  const timeoutMs = readDuration(labelValue(labels, TIMEOUT), 'scrape timeout');
  if (timeoutMs > intervalMs) {
    const [timeout, interval] = [quote(labelValue(labels, TIMEOUT)), quote(labelValue(labels, INTERVAL))];
    throw new TargetError(`scrape timeout cannot be greater than scrape interval (${timeout} > ${interval})`);
  }
  for (let i = 0; i < labels.length; i += 2) {
    if (!labels[i + 1]!.isWellFormed())
      throw new TargetError(`invalid label for ${quote(labels[i]!)}: ${quote(labels[i + 1]!)}`);
  }
  const url = urlOf(labels, address, config);
  const unixSocket = labelValue(labels, UNIX_SOCKET);
  const visible = visibleLabels(
    labelValue(labels, 'instance') === '' ? withLabel(labels, 'instance', address) : labels,
  );
  const key = `${labelsKey(visible)}${url}\0${unixSocket}`;
  return { key, labels: visible, discoveredLabels: discovered, url, unixSocket, intervalMs, timeoutMs };
}

/** Without what begins with two underscores: that served discovery and relabelling. */
function visibleLabels(labels: Labels): Labels {
  const visible: string[] = [];
  for (let i = 0; i < labels.length; i += 2) if (!labels[i]!.startsWith('__')) visible.push(labels[i]!, labels[i + 1]!);
  return visible;
}

function readDuration(text: string, what: string): number {
  let ms: number;
  try {
    ms = parseDuration(text);
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    throw new TargetError(`error parsing ${what}: ${error.message}`, { cause: error });
  }
  if (ms === 0) throw new TargetError(`${what} cannot be 0`);
  return ms;
}

function urlOf(labels: Labels, address: string, config: ScrapePoolConfig): string {
  const path = labelValue(labels, METRICS_PATH);
  const query = queryOf(labels, config.params);
  const url = `${labelValue(labels, SCHEME)}://${address}${path.startsWith('/') ? '' : '/'}${escapePath(path)}${query === '' ? '' : `?${query}`}`;
  if (!URL.canParse(url)) throw new TargetError(`${quote(url)} is not a valid URL`);
  return url;
}

/** The job's parameters, the first value of each replaced by its `__param_` label. */
function queryOf(labels: Labels, configured: ReadonlyMap<string, readonly string[]>): string {
  const params = new Map<string, readonly string[]>(configured);
  for (let i = 0; i < labels.length; i += 2) {
    if (!labels[i]!.startsWith(PARAM)) continue;
    const name = labels[i]!.slice(PARAM.length);
    params.set(name, [labels[i + 1]!, ...(params.get(name) ?? []).slice(1)]);
  }
  const sorted = [...params].sort(([a], [b]) => compareStrings(a, b));
  return sorted
    .flatMap(([name, values]) => values.map((value) => `${escapeQuery(name)}=${escapeQuery(value)}`))
    .join('&');
}

const escapeQuery = (text: string): string => escapeAll(text).replaceAll('%20', '+');

/** A question mark in a path is part of the path. */
const escapePath = (path: string): string =>
  escapeAll(path).replace(/%(?:24|26|2B|2C|2F|3A|3B|3D|40)/g, decodeURIComponent);

/** Everything but letters, digits and `-_.~`. */
const escapeAll = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
