/**
 * What discovery tells of itself, under Prometheus' names.
 */
import type { Counter, Gauge, Registry, Summary } from '../../core/base/metrics.ts';

export interface SdMetrics {
  readonly refreshFailures: Counter;
  readonly refreshDuration: Summary;
  readonly fileReadErrors: Counter;
  readonly fileScanDuration: Summary;
  readonly fileWatcherErrors: Counter;
  /** Unix seconds of the last change of each file that is read. */
  readonly fileTimestamp: Gauge;
  readonly httpFailures: Counter;
  readonly dnsLookups: Counter;
  readonly dnsLookupFailures: Counter;
  readonly discoveredTargets: Gauge;
  readonly receivedUpdates: Counter;
  readonly delayedUpdates: Counter;
  readonly sentUpdates: Counter;
  readonly failedConfigs: Gauge;
}

export function createSdMetrics(registry: Registry): SdMetrics {
  return {
    refreshFailures: registry.counter(
      'prometheus_sd_refresh_failures_total',
      'Number of refresh failures for the given SD mechanism.',
    ),
    refreshDuration: registry.summary(
      'prometheus_sd_refresh_duration_seconds',
      'The duration of a refresh in seconds for the given SD mechanism.',
      [0.5, 0.9, 0.99],
    ),
    fileReadErrors: registry.counter('prometheus_sd_file_read_errors_total', 'The number of File-SD read errors.'),
    fileScanDuration: registry.summary(
      'prometheus_sd_file_scan_duration_seconds',
      'The duration of the File-SD scan in seconds.',
      [0.5, 0.9, 0.99],
    ),
    fileWatcherErrors: registry.counter(
      'prometheus_sd_file_watcher_errors_total',
      'The number of File-SD errors caused by filesystem watch failures.',
    ),
    fileTimestamp: registry.gauge(
      'prometheus_sd_file_mtime_seconds',
      'Timestamp (mtime) of files read by FileSD. Timestamp is set at read time.',
    ),
    httpFailures: registry.counter(
      'prometheus_sd_http_failures_total',
      'Number of HTTP service discovery refresh failures.',
    ),
    dnsLookups: registry.counter('prometheus_sd_dns_lookups_total', 'The number of DNS-SD lookups.'),
    dnsLookupFailures: registry.counter(
      'prometheus_sd_dns_lookup_failures_total',
      'The number of DNS-SD lookup failures.',
    ),
    discoveredTargets: registry.gauge('prometheus_sd_discovered_targets', 'Current number of discovered targets.'),
    receivedUpdates: registry.counter(
      'prometheus_sd_received_updates_total',
      'Total number of update events received from the SD providers.',
    ),
    delayedUpdates: registry.counter(
      'prometheus_sd_updates_delayed_total',
      "Total number of update events that couldn't be sent immediately.",
    ),
    sentUpdates: registry.counter(
      'prometheus_sd_updates_total',
      'Total number of update events sent to the SD consumers.',
    ),
    failedConfigs: registry.gauge(
      'prometheus_sd_failed_configs',
      'Current number of service discovery configurations that failed to load.',
    ),
  };
}
