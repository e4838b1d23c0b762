/**
 * What a scrape pool is told: every option of a scrape job, as plain data that crosses threads.
 */
import type { HttpClientConfig } from '../../core/model/http-client-config.ts';
import type { NameValidationScheme, RelabelConfig } from '../../core/model/relabel.ts';
import type { EscapingScheme } from '../exposition/escaping.ts';
import type { ScrapeProtocol } from '../exposition/negotiate.ts';

/** Limits of 0 are off. Source: Prometheus, configuration "scrape_config". */
export interface ScrapePoolConfig {
  readonly jobName: string;
  readonly scrapeIntervalMs: number;
  readonly scrapeTimeoutMs: number;
  readonly metricsPath: string;
  readonly scheme: string;
  readonly params: ReadonlyMap<string, readonly string[]>;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  readonly enableCompression: boolean;
  readonly scrapeProtocols: readonly ScrapeProtocol[];
  /** '': an answer without a known content type fails. */
  readonly fallbackScrapeProtocol: ScrapeProtocol | '';
  readonly metricNameValidationScheme: NameValidationScheme;
  readonly metricNameEscapingScheme: EscapingScheme;
  readonly extraScrapeMetrics: boolean;
  /** Seen by target relabelling; histograms themselves are not read yet. */
  readonly scrapeNativeHistograms: boolean;
  readonly alwaysScrapeClassicHistograms: boolean;
  readonly convertClassicHistogramsToNhcb: boolean;
  /** '': none. */
  readonly scrapeFailureLogFile: string;
  /** Of the inflated body. */
  readonly bodySizeLimitBytes: number;
  readonly sampleLimit: number;
  readonly targetLimit: number;
  readonly labelLimit: number;
  readonly labelNameLengthLimit: number;
  readonly labelValueLengthLimit: number;
  readonly keepDroppedTargets: number;
  readonly httpClient: HttpClientConfig;
  readonly relabelConfigs: readonly RelabelConfig[];
  readonly metricRelabelConfigs: readonly RelabelConfig[];
}
