/**
 * Metrics of the requests served, under Prometheus' names. The handler is the route, not the path, so that label values
 * and prefixes don't make series.
 */
import type { Counter, Histogram, Registry } from '../../core/base/metrics.ts';

const DURATION_BOUNDS = [0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120];
const SIZE_BOUNDS = [100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

export class HttpMetrics {
  readonly #requests: Counter;
  readonly #durations: Histogram;
  readonly #sizes: Histogram;

  constructor(registry: Registry) {
    this.#requests = registry.counter('prometheus_http_requests_total', 'Counter of HTTP requests.');
    this.#durations = registry.histogram(
      'prometheus_http_request_duration_seconds',
      'Histogram of latencies for HTTP requests.',
      DURATION_BOUNDS,
    );
    this.#sizes = registry.histogram(
      'prometheus_http_response_size_bytes',
      'Histogram of response size for HTTP requests.',
      SIZE_BOUNDS,
    );
  }

  /** Makes the route's counter exist before its first request. */
  announce(handler: string): void {
    this.#requests.add(0, { code: '200', handler });
  }

  /** @param bodyBytes as sent, after compression */
  record(handler: string, status: number, durationMs: number, bodyBytes: number): void {
    this.#requests.add(1, { code: String(status), handler });
    this.#durations.record(durationMs / 1000, { handler });
    this.#sizes.record(bodyBytes, { handler });
  }
}
