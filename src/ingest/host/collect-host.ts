/**
 * The host's own metrics, built in: processors, memory, disks, file systems and network under node_exporter's names, so that
 * its dashboards and alerts work without it.
 *
 * Each collector stands alone: it has its time, and where it fails or is late the others' families come all the same and
 * `node_scrape_collector_success` says 0. On Linux everything is read from /proc and /sys, without a process started.
 */
import { arch, platform } from 'node:os';
import type { Clock } from '../../core/base/clock.ts';
import { errorMessage } from '../../core/base/errors.ts';
import type { Logger } from '../../core/base/log.ts';
import type { MetricFamily } from '../../core/base/metrics.ts';
import { FamilySet } from './family-set.ts';
import { LocalReader, type HostReader } from './host-reader.ts';
import { collectCpuFrequency, collectPressure, collectStat, collectThermalZones, cpuCollector } from './linux-cpu.ts';
import { collectDisks, collectRaid } from './linux-disk.ts';
import { fileSystemCollector } from './linux-filesystem.ts';
import { collectMemory, collectVmstat } from './linux-memory.ts';
import { collectArp, collectBonding, collectNetworkAttributes, collectNetworkTraffic } from './linux-network.ts';
import {
  collectConntrack,
  collectNetstat,
  collectSockstat,
  collectSoftnet,
  collectUdpQueues,
} from './linux-protocols.ts';
import {
  collectEntropy,
  collectLoad,
  collectOpenFiles,
  collectOs,
  collectUname,
  timeCollector,
} from './linux-system.ts';
import {
  collectPortableCpu,
  collectPortableFileSystems,
  collectPortableLoad,
  collectPortableMemory,
  collectPortableNetwork,
  collectPortableUname,
  portableTimeCollector,
} from './portable.ts';
import { NoDataError, type Collect } from './proc-text.ts';

/** For one collector; late ones count as failed. */
export const COLLECTOR_TIMEOUT_MS = 2000;

/** What Go, and so the labels, call a system or a processor where Node has another word. */
const GO_NAMES: Readonly<Record<string, string>> = { win32: 'windows', x64: 'amd64', ia32: '386' };

export interface HostOptions {
  /** Of this program, for `node_exporter_build_info`. */
  readonly version: string;
  readonly clock: Clock;
  /** Hears of collectors that fail. */
  readonly log: Logger;
  /** The host; by default the one the process runs on. */
  readonly reader?: HostReader;
  /** By default chosen by the operating system. */
  readonly collectors?: ReadonlyMap<string, Collect>;
  readonly timeoutMs?: number;
}

/** Reads the host again and again. Keeps what must last between readings: counters that never fall, mounts that hang. */
export class HostCollector {
  readonly #options: HostOptions;
  readonly #reader: HostReader;
  readonly #collectors: ReadonlyMap<string, Collect>;
  readonly #timeoutMs: number;

  constructor(options: HostOptions) {
    const nowMs = (): number => options.clock.nowMs();
    this.#options = options;
    this.#reader = options.reader ?? new LocalReader();
    this.#collectors =
      options.collectors ?? (platform() === 'linux' ? linuxCollectors(nowMs) : portableCollectors(nowMs));
    this.#timeoutMs = options.timeoutMs ?? COLLECTOR_TIMEOUT_MS;
  }

  /** All families, sorted by name. Never rejects for a collector's sake. */
  async collect(): Promise<MetricFamily[]> {
    const all = new FamilySet();
    const runs = [...this.#collectors].map(([name, collect]) => this.#run(name, collect));
    for (const { name, families, seconds, success } of await Promise.all(runs)) {
      if (families) all.merge(families);
      const labels = { collector: name };
      all.gauge('node_scrape_collector_duration_seconds', 'Seconds that a collector took.', seconds, labels);
      all.gauge('node_scrape_collector_success', 'Whether a collector succeeded.', success ? 1 : 0, labels);
    }
    const build = {
      version: this.#options.version,
      goos: GO_NAMES[platform()] ?? platform(),
      goarch: GO_NAMES[arch()] ?? arch(),
    };
    all.gauge('node_exporter_build_info', 'The program that collects, and what it runs on.', 1, build);
    return all.families();
  }

  async #run(name: string, collect: Collect): Promise<CollectorRun> {
    const { clock, log } = this.#options;
    const startMs = clock.monotonicMs();
    const families = new FamilySet();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`took longer than ${this.#timeoutMs} ms`)), this.#timeoutMs);
    let success = true;
    try {
      await Promise.race([collect(this.#reader, families), late.promise]);
    } catch (error) {
      // A collector's failure is a fact about the host, told by the success metric; it must not cost the others.
      success = false;
      if (!(error instanceof NoDataError))
        log.warn('host collector failed', { collector: name, error: errorMessage(error) });
    } finally {
      clearTimeout(timer);
    }
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    return { name, families: success ? families : null, seconds, success };
  }
}

interface CollectorRun {
  readonly name: string;
  /** Null after a failure: half a collector's families would mislead. */
  readonly families: FamilySet | null;
  readonly seconds: number;
  readonly success: boolean;
}

/** Named as node_exporter names its own. */
export function linuxCollectors(nowMs: () => number): ReadonlyMap<string, Collect> {
  return new Map([
    ['arp', collectArp],
    ['bonding', collectBonding],
    ['conntrack', collectConntrack],
    ['cpu', cpuCollector()],
    ['cpufreq', collectCpuFrequency],
    ['diskstats', collectDisks],
    ['entropy', collectEntropy],
    ['filefd', collectOpenFiles],
    ['filesystem', fileSystemCollector()],
    ['loadavg', collectLoad],
    ['mdadm', collectRaid],
    ['meminfo', collectMemory],
    ['netclass', collectNetworkAttributes],
    ['netdev', collectNetworkTraffic],
    ['netstat', collectNetstat],
    ['os', collectOs],
    ['pressure', collectPressure],
    ['sockstat', collectSockstat],
    ['softnet', collectSoftnet],
    ['stat', collectStat],
    ['thermal_zone', collectThermalZones],
    ['time', timeCollector(nowMs)],
    ['udp_queues', collectUdpQueues],
    ['uname', collectUname],
    ['vmstat', collectVmstat],
  ]);
}

/** For macOS, Windows and the rest. */
export function portableCollectors(nowMs: () => number): ReadonlyMap<string, Collect> {
  return new Map([
    ['cpu', collectPortableCpu],
    ['filesystem', collectPortableFileSystems],
    ['loadavg', collectPortableLoad],
    ['meminfo', collectPortableMemory],
    ['netdev', collectPortableNetwork],
    ['time', portableTimeCollector(nowMs)],
    ['uname', collectPortableUname],
  ]);
}
