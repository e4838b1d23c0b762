/**
 * Hosts that are not Linux: what Node and the library `systeminformation` know, under the same names.
 *
 * The library is loaded only here. On macOS and Windows it runs the system's own commands, which is why these collectors
 * take longer.
 */
import * as os from 'node:os';
import type { Collect } from './proc-text.ts';

const MODES: readonly (readonly [keyof os.CpuInfo['times'], string])[] = [
  ['user', 'user'],
  ['nice', 'nice'],
  ['sys', 'system'],
  ['idle', 'idle'],
  ['irq', 'irq'],
];

export const collectPortableCpu: Collect = (_, out) => {
  for (const [i, { times }] of os.cpus().entries()) {
    for (const [key, mode] of MODES) {
      out.counter('node_cpu_seconds_total', 'Seconds that a processor spent in each mode.', times[key] / 1000, {
        cpu: String(i),
        mode,
      });
    }
  }
  return Promise.resolve();
};

/** Load averages do not exist on Windows. */
export const collectPortableLoad: Collect = (_, out) => {
  if (os.platform() === 'win32') return Promise.resolve();
  for (const [i, name] of ['node_load1', 'node_load5', 'node_load15'].entries())
    out.gauge(name, 'Load average.', os.loadavg()[i]!);
  return Promise.resolve();
};

export const portableTimeCollector =
  (nowMs: () => number): Collect =>
  (_, out) => {
    const now = nowMs();
    out.gauge('node_time_seconds', 'The time of the host, in Unix time.', now / 1000);
    out.gauge('node_boot_time_seconds', 'When the host booted, in Unix time.', Math.round(now / 1000 - os.uptime()));
    return Promise.resolve();
  };

export const collectPortableUname: Collect = (_, out) => {
  const labels = {
    sysname: os.type(),
    release: os.release(),
    version: os.version(),
    machine: os.machine(),
    nodename: os.hostname(),
    domainname: '',
  };
  out.gauge('node_uname_info', 'Names and versions of the kernel and the host.', 1, labels);
  return Promise.resolve();
};

/** Under the names that node_exporter uses on macOS. */
export const collectPortableMemory: Collect = async (_, out) => {
  const { mem } = await import('systeminformation');
  const { total, free, active, available, swaptotal, swapused } = await mem();
  const fields = { total, free, active, available, swap_total: swaptotal, swap_used: swapused };
  for (const [field, bytes] of Object.entries(fields))
    out.gauge(`node_memory_${field}_bytes`, `Memory, ${field}, in bytes.`, bytes);
};

export const collectPortableFileSystems: Collect = async (_, out) => {
  const { fsSize } = await import('systeminformation');
  for (const { fs: device, type: fstype, mount: mountpoint, size, used, available, rw } of await fsSize()) {
    const labels = { device, fstype, mountpoint };
    out.gauge('node_filesystem_size_bytes', 'Size.', size, labels);
    out.gauge('node_filesystem_free_bytes', 'Free space.', size - used, labels);
    out.gauge('node_filesystem_avail_bytes', 'Space free for users.', available, labels);
    out.gauge('node_filesystem_readonly', 'Whether the mount is read-only.', rw === false ? 1 : 0, labels);
  }
};

export const collectPortableNetwork: Collect = async (_, out) => {
  const { networkStats } = await import('systeminformation');
  for (const stats of await networkStats('*')) {
    const device = stats.iface;
    const fields = {
      receive_bytes: stats.rx_bytes,
      receive_drop: stats.rx_dropped,
      receive_errs: stats.rx_errors,
      transmit_bytes: stats.tx_bytes,
      transmit_drop: stats.tx_dropped,
      transmit_errs: stats.tx_errors,
    };
    for (const [field, value] of Object.entries(fields)) {
      out.counter(`node_network_${field}_total`, `Network device statistic ${field}.`, value, { device });
    }
    out.gauge('node_network_up', 'Whether a device is operational.', stats.operstate === 'up' ? 1 : 0, { device });
  }
};
