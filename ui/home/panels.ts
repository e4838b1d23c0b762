/**
 * The charts of the Home page: what each asks and how it says the answer in one line.
 *
 * The machine's expressions fit node_exporter as well as the built-in host collector; Coeus' own fit Prometheus too.
 */
import { quote } from '../../src/core/model/labels.ts';
import type { Unit } from '../model/unit.ts';

/** Which scrape target a group of charts is about. */
export interface Source {
  readonly job: string;
  readonly instance: string;
}

/** One query of a panel; the functions get what goes between the braces, and a window for rates. */
export interface PanelQuery {
  expr(selector: string, window: string): string;
  /** Of its series: a fixed name, or that of a label's value. */
  readonly name: string | { readonly label: string };
  /** Index into the palette; without it colours follow the order. */
  readonly color?: number;
  /** Of series that a label names: the customary ones in drawing order, each with a colour of its own. */
  readonly known?: readonly string[];
  /** Only a headline's figure, not drawn. */
  readonly isHidden?: boolean;
}

/** A figure above the chart. */
export interface Headline {
  /** Words before the value, or ''. */
  readonly lead: string;
  readonly value: number;
  readonly unit: Unit;
  /** Words after it, or ''. */
  readonly tail: string;
}

/** The newest values by series name. */
export type Latest = ReadonlyMap<string, number>;

export interface Panel {
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  readonly isStacked: boolean;
  /** The value axis reaches at least so far. */
  readonly leastMax: number;
  readonly queries: readonly PanelQuery[];
  /** Series that never exceed this are left out; negative keeps all. */
  readonly negligible: number;
  /** Said where nothing is drawn although data is there. */
  readonly emptyText: string;
  /** Main figure first; empty while its values are not there. */
  headlines(latest: Latest): readonly Headline[];
}

/** Interfaces and devices that are not hardware, or count the same bytes twice. */
const VIRTUAL_INTERFACES = 'lo|lo0|veth.*|docker.*|br-.*|virbr.*|cni.*|flannel.*|cali.*|ifb.*|tun.*|tap.*|utun.*';
const VIRTUAL_DISKS = 'ram.*|zram.*|loop.*|fd.*|sr.*|dm-.*|md.*';
export const VIRTUAL_FILESYSTEMS =
  'tmpfs|devtmpfs|ramfs|overlay|squashfs|autofs|nsfs|proc|sysfs|rootfs|fuse.lxcfs|efivarfs';

export const MACHINE_PANELS: readonly Panel[] = [
  {
    id: 'cpu',
    title: 'CPU',
    emptyText: 'No data in this time.',
    unit: 'percent',
    isStacked: true,
    leastMax: 10,
    negligible: 0.5,
    queries: [
      {
        expr: (selector, window) =>
          `100 * avg by (mode) (rate(node_cpu_seconds_total{${selector}, mode!="idle"}[${window}]))`,
        name: { label: 'mode' },
        known: ['user', 'system', 'iowait', 'nice', 'softirq', 'irq', 'steal'],
      },
    ],
    headlines: (latest) =>
      latest.size === 0 ? [] : [{ lead: '', value: sum(latest.values()), unit: 'percent', tail: 'in use' }],
  },
  {
    id: 'memory',
    title: 'Memory',
    emptyText: 'This machine does not tell its memory under names that are known here.',
    unit: 'bytes',
    isStacked: true,
    leastMax: 0,
    negligible: -1,
    queries: [
      {
        expr: (selector) =>
          memory(selector, ['MemTotal - MemAvailable', 'total - available', 'active + wired + compressed']),
        name: 'used',
      },
      {
        expr: (selector) => memory(selector, ['MemAvailable - MemFree', 'available - free', 'inactive']),
        name: 'cache',
      },
      { expr: (selector) => memory(selector, ['MemFree', 'free']), name: 'free', isHidden: true },
    ],
    headlines: (latest) => {
      const used = latest.get('used');
      if (used === undefined) return [];
      return [
        { lead: '', value: used, unit: 'bytes', tail: 'used' },
        { lead: 'of', value: sum(latest.values()), unit: 'bytes', tail: '' },
      ];
    },
  },
  {
    id: 'load',
    title: 'Load',
    emptyText: 'This machine has no load average; Windows does not.',
    unit: 'none',
    isStacked: false,
    leastMax: 1,
    negligible: -1,
    queries: [
      { expr: (selector) => `node_load1{${selector}}`, name: '1 min' },
      { expr: (selector) => `node_load5{${selector}}`, name: '5 min' },
      { expr: (selector) => `node_load15{${selector}}`, name: '15 min' },
      { expr: (selector) => `count(node_cpu_seconds_total{${selector}, mode="idle"})`, name: 'CPUs', isHidden: true },
    ],
    headlines: (latest) => [...figure(latest, '1 min', '', 'none'), ...figure(latest, 'CPUs', 'CPUs', 'none')],
  },
  {
    id: 'network',
    title: 'Network',
    emptyText: 'No data in this time.',
    unit: 'bytes/s',
    isStacked: false,
    leastMax: 1024,
    negligible: -1,
    queries: [
      {
        expr: (selector, window) =>
          `sum(rate(node_network_receive_bytes_total{${selector}, device!~"${VIRTUAL_INTERFACES}"}[${window}]))`,
        name: 'received',
      },
      {
        expr: (selector, window) =>
          `sum(rate(node_network_transmit_bytes_total{${selector}, device!~"${VIRTUAL_INTERFACES}"}[${window}]))`,
        name: 'sent',
      },
    ],
    headlines: (latest) => [
      ...figure(latest, 'received', 'in', 'bytes/s'),
      ...figure(latest, 'sent', 'out', 'bytes/s'),
    ],
  },
  {
    id: 'disk',
    title: 'Disk',
    emptyText: 'No data in this time.',
    unit: 'bytes/s',
    isStacked: false,
    leastMax: 1024,
    negligible: -1,
    queries: [
      {
        expr: (selector, window) =>
          `sum(rate(node_disk_read_bytes_total{${selector}, device!~"${VIRTUAL_DISKS}"}[${window}]))`,
        name: 'read',
      },
      {
        expr: (selector, window) =>
          `sum(rate(node_disk_written_bytes_total{${selector}, device!~"${VIRTUAL_DISKS}"}[${window}]))`,
        name: 'written',
      },
    ],
    headlines: (latest) => [
      ...figure(latest, 'read', 'read', 'bytes/s'),
      ...figure(latest, 'written', 'written', 'bytes/s'),
    ],
  },
];

export const SERVER_PANELS: readonly Panel[] = [
  {
    id: 'samples',
    title: 'Samples ingested',
    emptyText: 'No samples in this time.',
    unit: 'per-second',
    isStacked: false,
    leastMax: 0,
    negligible: -1,
    queries: [
      {
        expr: (selector, window) => `sum(rate(prometheus_tsdb_head_samples_appended_total{${selector}}[${window}]))`,
        name: 'samples',
      },
    ],
    headlines: (latest) => figure(latest, 'samples', '', 'per-second'),
  },
  {
    id: 'series',
    title: 'Series in the head',
    emptyText: 'No data in this time.',
    unit: 'none',
    isStacked: false,
    leastMax: 0,
    negligible: -1,
    queries: [{ expr: (selector) => `prometheus_tsdb_head_series{${selector}}`, name: 'series', color: 1 }],
    headlines: (latest) => figure(latest, 'series', '', 'none'),
  },
  {
    id: 'targets',
    title: 'Targets',
    emptyText: 'No data in this time.',
    unit: 'none',
    isStacked: true,
    leastMax: 0,
    negligible: -1,
    queries: [
      { expr: () => 'sum(up)', name: 'up', color: 5 },
      { expr: () => 'count(up) - sum(up)', name: 'down', color: 4 },
    ],
    headlines: (latest) => [...figure(latest, 'up', 'up', 'none'), ...figure(latest, 'down', 'down', 'none')],
  },
  {
    id: 'scrapes',
    title: 'Scrape duration',
    emptyText: 'No data in this time.',
    unit: 'seconds',
    isStacked: false,
    leastMax: 0,
    negligible: -1,
    queries: [{ expr: () => 'max by (job) (scrape_duration_seconds)', name: { label: 'job' } }],
    headlines: (latest) =>
      latest.size === 0 ? [] : [{ lead: '', value: Math.max(...latest.values()), unit: 'seconds', tail: 'slowest' }],
  },
  {
    id: 'latency',
    title: 'Query latency',
    emptyText: 'No query was answered in this time.',
    unit: 'seconds',
    isStacked: false,
    leastMax: 0,
    negligible: -1,
    queries: [
      {
        expr: (selector, window) => meanLatency(selector, window, '/api/v1/query_range'),
        name: 'range queries',
        color: 3,
      },
      { expr: (selector, window) => meanLatency(selector, window, '/api/v1/query'), name: 'instant queries', color: 8 },
    ],
    headlines: (latest) => [
      ...figure(latest, 'range queries', 'range', 'seconds'),
      ...figure(latest, 'instant queries', 'instant', 'seconds'),
    ],
  },
  {
    id: 'requests',
    title: 'API requests',
    emptyText: 'No data in this time.',
    unit: 'per-second',
    isStacked: false,
    leastMax: 0,
    negligible: -1,
    queries: [
      {
        expr: (selector, window) => `sum(rate(prometheus_http_requests_total{${selector}}[${window}]))`,
        name: 'requests',
        color: 8,
      },
    ],
    headlines: (latest) => figure(latest, 'requests', '', 'per-second'),
  },
  {
    id: 'server-memory',
    title: 'Memory of Coeus',
    emptyText: 'No data in this time.',
    unit: 'bytes',
    isStacked: false,
    leastMax: 0,
    negligible: -1,
    queries: [{ expr: (selector) => `process_resident_memory_bytes{${selector}}`, name: 'resident', color: 6 }],
    headlines: (latest) => figure(latest, 'resident', '', 'bytes'),
  },
  {
    id: 'server-cpu',
    title: 'CPU of Coeus',
    emptyText: 'No data in this time.',
    unit: 'percent',
    isStacked: false,
    leastMax: 5,
    negligible: -1,
    queries: [
      {
        expr: (selector, window) => `100 * rate(process_cpu_seconds_total{${selector}}[${window}])`,
        name: 'CPU',
        color: 2,
      },
    ],
    headlines: (latest) => figure(latest, 'CPU', 'of one CPU', 'percent'),
  },
];

/** What stands between the braces to mean one target. */
export function sourceSelector({ job, instance }: Source): string {
  return `job=${quote(job)}, instance=${quote(instance)}`;
}

/** The source that stands for "this machine" or "this server": the one of the customary job, else the first. */
export function preferredSource(sources: readonly Source[], job: string): Source | undefined {
  return sources.find((source) => source.job === job) ?? sources[0];
}

/**
 * Memory by the first way that has data: Linux, then the built-in collector elsewhere, then node_exporter on macOS. Each way is a sum of
 * `node_memory_…_bytes`.
 */
function memory(selector: string, ways: readonly string[]): string {
  const written = ways.map((way) => way.replaceAll(/\w+/g, (name) => `node_memory_${name}_bytes{${selector}}`));
  return written.map((way) => (way.includes(' ') ? `(${way})` : way)).join(' or ');
}

function meanLatency(selector: string, window: string, handler: string): string {
  const series = (part: string): string =>
    `rate(prometheus_http_request_duration_seconds_${part}{${selector}, handler="${handler}"}[${window}])`;
  return `sum(${series('sum')}) / sum(${series('count')})`;
}

function figure(latest: Latest, name: string, tail: string, unit: Unit): Headline[] {
  const value = latest.get(name);
  return value === undefined ? [] : [{ lead: '', value, unit, tail }];
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
