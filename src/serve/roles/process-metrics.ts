/**
 * The process seen from inside, under the names of Prometheus' client libraries: `process_*`, and `nodejs_*` for the runtime.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import type { Registry } from '../../core/base/metrics.ts';

/** Spacing of the event-loop probe: each look wakes the process, so it is no finer than it must be. */
const PROBE_MS = 100;
const NANOSECONDS = 1e9;
const GC_SECONDS = [0.001, 0.01, 0.1, 1];
const GC_KINDS: Readonly<Record<number, string>> = { 1: 'minor', 4: 'major', 8: 'incremental', 16: 'weakcb' };

/** Registers the process' metrics in the registry of the main thread. */
export function registerProcessMetrics(registry: Registry): void {
  const startedSeconds = performance.timeOrigin / 1000;
  registry.observe('process_start_time_seconds', 'Start time of the process since unix epoch in seconds.', 'gauge', () => startedSeconds);
  registry.observe('process_cpu_seconds_total', 'Total user and system CPU time spent in seconds.', 'counter', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  registry.observe('process_resident_memory_bytes', 'Resident memory size in bytes.', 'gauge', () => process.memoryUsage.rss());
  if (process.platform === 'linux') registerLinux(registry);
  registerRuntime(registry);
}

function registerLinux(registry: Registry): void {
  registry.observe('process_virtual_memory_bytes', 'Virtual memory size in bytes.', 'gauge', () => {
    const pages = Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[0]);
    return pages * 4096;
  });
  registry.observe('process_open_fds', 'Number of open file descriptors.', 'gauge', () => readdirSync('/proc/self/fd').length);
  registry.observe('process_max_fds', 'Maximum number of open file descriptors.', 'gauge', () => softLimit('Max open files'));
  registry.observe('process_virtual_memory_max_bytes', 'Maximum amount of virtual memory available in bytes.', 'gauge', () => softLimit('Max address space'));
}

/** Without one, the largest number that Prometheus' client can tell. */
function softLimit(name: string): number {
  const line = readFileSync('/proc/self/limits', 'utf8').split('\n').find((each) => each.startsWith(name));
  const soft = line?.slice(name.length).trim().split(/\s+/)[0];
  return soft === undefined || soft === 'unlimited' ? 2 ** 64 : Number(soft);
}

function registerRuntime(registry: Registry): void {
  registry.observe('nodejs_version_info', 'Node.js version info.', 'gauge', () => [{ suffix: '', labels: { version: process.version }, value: 1 }]);
  registry.observe('nodejs_heap_size_total_bytes', 'Process heap size from Node.js in bytes.', 'gauge', () => process.memoryUsage().heapTotal);
  registry.observe('nodejs_heap_size_used_bytes', 'Process heap size used from Node.js in bytes.', 'gauge', () => process.memoryUsage().heapUsed);
  registry.observe('nodejs_external_memory_bytes', 'Node.js external memory size in bytes.', 'gauge', () => process.memoryUsage().external);
  const lag = monitorEventLoopDelay({ resolution: PROBE_MS });
  lag.enable();
  for (const quantile of [50, 90, 99]) {
    registry.observe(`nodejs_eventloop_lag_p${quantile}_seconds`, `The ${quantile}th percentile of the event loop delays of the main thread.`, 'gauge', () =>
      // The histogram counts the probe's own interval in.
      Math.max(0, lag.percentile(quantile) / NANOSECONDS - PROBE_MS / 1000),
    );
  }
  registry.observe('nodejs_eventloop_lag_max_seconds', 'The maximum event loop delay of the main thread.', 'gauge', () =>
    Math.max(0, lag.max / NANOSECONDS - PROBE_MS / 1000),
  );
  const pauses = registry.histogram('nodejs_gc_duration_seconds', 'Garbage collection duration of the main thread by kind.', GC_SECONDS);
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = ('detail' in entry && typeof entry.detail === 'object' && entry.detail !== null ? entry.detail : {}) as { kind?: number };
      pauses.record(entry.duration / 1000, { kind: GC_KINDS[kind ?? 0] ?? 'other' });
    }
  }).observe({ entryTypes: ['gc'] });
}
