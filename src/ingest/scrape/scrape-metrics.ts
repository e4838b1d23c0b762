/**
 * What scraping tells of itself, under Prometheus' names.
 */
import type { Counter, Registry } from '../../core/base/metrics.ts';

export type ScrapeMetrics = ReturnType<typeof createScrapeMetrics>;

export function createScrapeMetrics(registry: Registry) {
  const counter = (name: string, help: string): Counter => {
    const made = registry.counter(name, help);
    made.add(0);
    return made;
  };
  return {
    intervalLength: registry.summary(
      'prometheus_target_interval_length_seconds',
      'Actual intervals between scrapes.',
      [0.01, 0.05, 0.5, 0.9, 0.99],
    ),
    poolTargets: registry.gauge(
      'prometheus_target_scrape_pool_targets',
      'Current number of targets in this scrape pool.',
    ),
    poolTargetLimit: registry.gauge(
      'prometheus_target_scrape_pool_target_limit',
      'Maximum number of targets allowed in this scrape pool.',
    ),
    exceededTargetLimit: counter(
      'prometheus_target_scrape_pool_exceeded_target_limit_total',
      'Total number of times scrape pools hit the target limit, during sync or config reload.',
    ),
    exceededLabelLimits: counter(
      'prometheus_target_scrape_pool_exceeded_label_limits_total',
      'Total number of times scrape pools hit the label limits, during sync or config reload.',
    ),
    exceededSampleLimit: counter(
      'prometheus_target_scrapes_exceeded_sample_limit_total',
      'Total number of scrapes that hit the sample limit and were rejected.',
    ),
    exceededBodySize: counter(
      'prometheus_target_scrapes_exceeded_body_size_limit_total',
      'Total number of scrapes that hit the body size limit',
    ),
    duplicate: counter(
      'prometheus_target_scrapes_sample_duplicate_timestamp_total',
      'Total number of samples rejected due to duplicate timestamps but different values.',
    ),
    outOfOrder: counter(
      'prometheus_target_scrapes_sample_out_of_order_total',
      'Total number of samples rejected due to not being out of the expected order.',
    ),
    outOfBounds: counter(
      'prometheus_target_scrapes_sample_out_of_bounds_total',
      'Total number of samples rejected due to timestamp falling outside of the time bounds.',
    ),
    exemplarsDropped: counter(
      'coeus_scrape_exemplars_dropped_total',
      'Exemplars that were scraped and are not stored.',
    ),
    skipped: counter('coeus_scrapes_skipped_total', 'Scrapes that were due while the one before still ran.'),
  };
}

/** A duration as Go's time package prints it, which is what the label `interval` holds: 1m0s, 15s, 500ms. */
export function formatGoDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  const seconds = `${(ms % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
