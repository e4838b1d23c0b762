/**
 * What a configuration asks for and the server does not do yet: read and checked, and said at start and at every reload, never silently
 * ignored.
 */
import type { Config } from '../config/config.ts';
import type { ScrapeConfig } from '../config/scrape-schema.ts';

/** @param jobs those of included files too @returns options by their path in the file, each once */
export function unusedSections(config: Config, jobs: readonly ScrapeConfig[]): string[] {
  const { global, storage, otlp, runtime } = config;
  const { outOfOrderTimeWindowMs, staleSeriesCompactionThreshold, chunkEncoding } = storage.tsdb;
  const asked: readonly (readonly [string, boolean])[] = [
    ['rule_files', config.ruleFiles.length > 0],
    ['alerting', config.alerting.alertmanagers.length > 0 || config.alerting.alertRelabelConfigs.length > 0],
    ['remote_write', config.remoteWrite.length > 0],
    ['remote_read', config.remoteRead.length > 0],
    ['tracing', config.tracing !== null],
    ['otlp', !isDefaultOtlp(otlp)],
    ['runtime.gogc', runtime.gogc !== 0 && runtime.gogc !== DEFAULT_GOGC],
    ['global.query_log_file', global.queryLogFile !== ''],
    ['storage.tsdb.out_of_order_time_window', outOfOrderTimeWindowMs > 0],
    ['storage.tsdb.stale_series_compaction_threshold', staleSeriesCompactionThreshold > 0],
    ['storage.tsdb.chunk_encoding.floats: xor2', chunkEncoding.floats === 'xor2'],
    ['storage.exemplars', storage.exemplars !== null],
    ['scrape_configs[].scrape_native_histograms', jobs.some((job) => job.scrapeNativeHistograms)],
    ['scrape_configs[].always_scrape_classic_histograms', jobs.some((job) => job.alwaysScrapeClassicHistograms)],
    ['scrape_configs[].convert_classic_histograms_to_nhcb', jobs.some((job) => job.convertClassicHistogramsToNhcb)],
    ['scrape_configs[].native_histogram_bucket_limit', jobs.some((job) => job.nativeHistogramBucketLimit > 0)],
    ['scrape_configs[].native_histogram_min_bucket_factor', jobs.some((job) => job.nativeHistogramMinBucketFactor > 0)],
    ['scrape_configs[].scrape_protocols: PrometheusProto', jobs.some((job) => job.scrapeProtocols.includes('PrometheusProto'))],
  ];
  return asked.flatMap(([name, isAsked]) => (isAsked ? [name] : []));
}

/** What the file prints where nothing was written. */
const DEFAULT_GOGC = 75;

/** Whether nothing of the block was written. */
function isDefaultOtlp(otlp: Config['otlp']): boolean {
  return (
    !otlp.promoteAllResourceAttributes &&
    otlp.promoteResourceAttributes.length === 0 &&
    otlp.ignoreResourceAttributes.length === 0 &&
    otlp.translationStrategy === 'UnderscoreEscapingWithSuffixes' &&
    !otlp.keepIdentifyingResourceAttributes &&
    !otlp.convertHistogramsToNhcb &&
    !otlp.promoteScopeMetadata
  );
}
