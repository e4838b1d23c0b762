/**
 * `global` and `scrape_configs`: how a job scrapes, and what it inherits.
 *
 * A job is read with blanks and filled from `global` afterwards, because the global section may stand behind it. A zero in
 * a job means "inherit".
 * Source: Prometheus, configuration "scrape_config" and "configuration file".
 */
import type { HttpClientConfig } from '../../core/model/http-client-config.ts';
import { quote, type Labels } from '../../core/model/labels.ts';
import type { NameValidationScheme, RelabelConfig } from '../../core/model/relabel.ts';
import type { SdConfig } from '../../ingest/discovery/sd-config.ts';
import { DISCOVERY } from './discovery-schema.ts';
import { httpClientPart } from './http-client-schema.ts';
import { checkRelabelRules, relabelRules } from './relabel-schema.ts';
import {
  BOOL,
  field,
  FLOAT,
  list,
  map,
  optional,
  oneOf,
  shownField,
  STRING,
  struct,
  UINT,
  type Reader,
  type StructPlace,
  type Type,
} from '../../core/model/yaml/schema.ts';
import { DURATION, LABELS, SIZE } from '../../core/model/yaml/values.ts';
import { PATH } from './path.ts';

export const SCRAPE_PROTOCOLS = [
  'OpenMetricsText0.0.1',
  'OpenMetricsText1.0.0',
  'PrometheusProto',
  'PrometheusText0.0.4',
  'PrometheusText1.0.0',
] as const;
export type ScrapeProtocol = (typeof SCRAPE_PROTOCOLS)[number];
export type EscapingScheme = 'allow-utf-8' | 'underscores' | 'dots' | 'values';

const DEFAULT_PROTOCOLS: readonly ScrapeProtocol[] = [
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
];
/** Native histograms travel only as protobuf. */
const PROTO_FIRST_PROTOCOLS: readonly ScrapeProtocol[] = ['PrometheusProto', ...DEFAULT_PROTOCOLS];

/** Limits that a job inherits one by one; 0 is none. */
interface Limits {
  readonly bodySizeLimitBytes: number;
  readonly sampleLimit: number;
  readonly targetLimit: number;
  readonly labelLimit: number;
  readonly labelNameLengthLimit: number;
  readonly labelValueLengthLimit: number;
  readonly keepDroppedTargets: number;
}

export interface GlobalConfig extends Limits {
  readonly scrapeIntervalMs: number;
  readonly scrapeTimeoutMs: number;
  /** Empty: as each job's other options demand. */
  readonly scrapeProtocols: readonly ScrapeProtocol[];
  readonly evaluationIntervalMs: number;
  readonly ruleQueryOffsetMs: number;
  readonly queryLogFile: string;
  readonly scrapeFailureLogFile: string;
  readonly externalLabels: Labels;
  readonly metricNameValidationScheme: NameValidationScheme;
  /** '': as the validation scheme of each job demands. */
  readonly metricNameEscapingScheme: EscapingScheme | '';
  readonly scrapeNativeHistograms: boolean;
  readonly alwaysScrapeClassicHistograms: boolean;
  readonly convertClassicHistogramsToNhcb: boolean;
  readonly extraScrapeMetrics: boolean;
}

/** One job, everything filled in. */
export interface ScrapeConfig extends Limits {
  readonly jobName: string;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  readonly params: ReadonlyMap<string, readonly string[]>;
  readonly scrapeIntervalMs: number;
  readonly scrapeTimeoutMs: number;
  /** Not empty. */
  readonly scrapeProtocols: readonly ScrapeProtocol[];
  /** '': an answer without a known content type fails the scrape. */
  readonly fallbackScrapeProtocol: ScrapeProtocol | '';
  readonly scrapeNativeHistograms: boolean;
  readonly alwaysScrapeClassicHistograms: boolean;
  readonly convertClassicHistogramsToNhcb: boolean;
  readonly extraScrapeMetrics: boolean;
  readonly scrapeFailureLogFile: string;
  readonly metricsPath: string;
  readonly scheme: string;
  readonly enableCompression: boolean;
  readonly nativeHistogramBucketLimit: number;
  readonly nativeHistogramMinBucketFactor: number;
  readonly metricNameValidationScheme: NameValidationScheme;
  readonly metricNameEscapingScheme: EscapingScheme;
  readonly httpClient: HttpClientConfig;
  readonly relabelConfigs: readonly RelabelConfig[];
  readonly metricRelabelConfigs: readonly RelabelConfig[];
  readonly serviceDiscovery: readonly SdConfig[];
}

/** As read: '' and null are inherited. */
interface WrittenScrapeConfig extends Omit<
  ScrapeConfig,
  | 'scrapeNativeHistograms'
  | 'alwaysScrapeClassicHistograms'
  | 'convertClassicHistogramsToNhcb'
  | 'extraScrapeMetrics'
  | 'metricNameValidationScheme'
  | 'metricNameEscapingScheme'
> {
  readonly scrapeNativeHistograms: boolean | null;
  readonly alwaysScrapeClassicHistograms: boolean | null;
  readonly convertClassicHistogramsToNhcb: boolean | null;
  readonly extraScrapeMetrics: boolean | null;
  readonly metricNameValidationScheme: NameValidationScheme | '';
  readonly metricNameEscapingScheme: EscapingScheme | '';
}

const PROTOCOL: Type<ScrapeProtocol | ''> = oneOf(
  'config.ScrapeProtocol',
  ['', ...SCRAPE_PROTOCOLS],
  '',
  (text) => `unknown scrape protocol ${text}, supported: [${SCRAPE_PROTOCOLS.join(' ')}]`,
);

const PROTOCOLS: Type<readonly ScrapeProtocol[]> = {
  ...list(PROTOCOL, { goName: '[]config.ScrapeProtocol' }),
  zero: [],
  decode(node, reader) {
    const protocols: ScrapeProtocol[] = [];
    for (const protocol of list(PROTOCOL).decode(node, reader)) {
      if (protocol === '')
        return reader.fail(node, `unknown scrape protocol , supported: [${SCRAPE_PROTOCOLS.join(' ')}]`);
      if (protocols.includes(protocol))
        reader.fail(node, `duplicated protocol in scrape_protocols, got [${[...protocols, protocol].join(' ')}]`);
      protocols.push(protocol);
    }
    if (node.kind === 'sequence' && protocols.length === 0) reader.fail(node, 'scrape_protocols cannot be empty');
    return protocols;
  },
};

const VALIDATION = oneOf<NameValidationScheme | ''>(
  'string',
  ['', 'utf8', 'legacy'],
  '',
  (text) => `unknown name validation method specified, must be either '', 'legacy' or 'utf8', got ${text}`,
);
const ESCAPING = oneOf<EscapingScheme | ''>(
  'string',
  ['', 'allow-utf-8', 'underscores', 'dots', 'values'],
  '',
  (text) =>
    `unknown name escaping method specified, must be one of 'allow-utf-8', 'underscores', 'dots', or 'values', got ${text}`,
);
/** The global section has no one to inherit from. */
const GLOBAL_VALIDATION: Type<NameValidationScheme> = {
  ...VALIDATION,
  zero: 'utf8',
  decode: (node, reader) => VALIDATION.decode(node, reader) || 'utf8',
  isZero: () => false,
};

const LIMITS = {
  bodySizeLimitBytes: field('body_size_limit', SIZE),
  sampleLimit: field('sample_limit', UINT),
  targetLimit: field('target_limit', UINT),
  labelLimit: field('label_limit', UINT),
  labelNameLengthLimit: field('label_name_length_limit', UINT),
  labelValueLengthLimit: field('label_value_length_limit', UINT),
  keepDroppedTargets: field('keep_dropped_targets', UINT),
};

const DEFAULT_INTERVAL_MS = 60_000;
const DEFAULT_TIMEOUT_MS = 10_000;

const GLOBAL_FIELDS = struct<GlobalConfig>('config.plain', {
  scrapeIntervalMs: field('scrape_interval', DURATION),
  scrapeTimeoutMs: field('scrape_timeout', DURATION),
  scrapeProtocols: field('scrape_protocols', PROTOCOLS),
  evaluationIntervalMs: field('evaluation_interval', DURATION),
  ruleQueryOffsetMs: field('rule_query_offset', DURATION),
  queryLogFile: field('query_log_file', PATH),
  scrapeFailureLogFile: field('scrape_failure_log_file', PATH),
  externalLabels: field('external_labels', LABELS),
  ...LIMITS,
  metricNameValidationScheme: field('metric_name_validation_scheme', GLOBAL_VALIDATION),
  metricNameEscapingScheme: field('metric_name_escaping_scheme', ESCAPING),
  scrapeNativeHistograms: field('scrape_native_histograms', BOOL),
  alwaysScrapeClassicHistograms: field('always_scrape_classic_histograms', BOOL),
  convertClassicHistogramsToNhcb: field('convert_classic_histograms_to_nhcb', BOOL),
  extraScrapeMetrics: field('extra_scrape_metrics', BOOL),
});

/** The global section with Prometheus' defaults where it says nothing. */
export const GLOBAL: Type<GlobalConfig> = {
  ...GLOBAL_FIELDS,
  zero: withGlobalDefaults(GLOBAL_FIELDS.zero),
  decode(node, reader) {
    const before = reader.issueCount;
    const written = GLOBAL_FIELDS.decode(node, reader);
    if (reader.issueCount > before) return written;
    const config = withGlobalDefaults(written);
    const place = reader.placeOf(written);
    reader.setPlace(config, place);
    if (config.scrapeTimeoutMs > config.scrapeIntervalMs)
      place.fail('scrape_timeout', 'global scrape timeout greater than scrape interval');
    if (config.metricNameEscapingScheme === 'allow-utf-8' && config.metricNameValidationScheme !== 'utf8') {
      place.fail('metric_name_escaping_scheme', 'utf8 metric names requested but validation scheme is not set to UTF8');
    }
    return config;
  },
};

function withGlobalDefaults(written: GlobalConfig): GlobalConfig {
  const scrapeIntervalMs = written.scrapeIntervalMs || DEFAULT_INTERVAL_MS;
  return {
    ...written,
    scrapeIntervalMs,
    scrapeTimeoutMs: written.scrapeTimeoutMs || Math.min(DEFAULT_TIMEOUT_MS, scrapeIntervalMs),
    evaluationIntervalMs: written.evaluationIntervalMs || DEFAULT_INTERVAL_MS,
  };
}

const SCRAPE_FIELDS = struct<WrittenScrapeConfig>(
  'config.ScrapeConfig',
  {
    jobName: shownField('job_name', STRING),
    honorLabels: field('honor_labels', BOOL),
    honorTimestamps: shownField('honor_timestamps', BOOL, true),
    trackTimestampsStaleness: shownField('track_timestamps_staleness', BOOL),
    params: field('params', map(list(STRING))),
    scrapeIntervalMs: field('scrape_interval', DURATION),
    scrapeTimeoutMs: field('scrape_timeout', DURATION),
    scrapeProtocols: field('scrape_protocols', PROTOCOLS),
    fallbackScrapeProtocol: field('fallback_scrape_protocol', PROTOCOL),
    scrapeNativeHistograms: field('scrape_native_histograms', optional(BOOL)),
    alwaysScrapeClassicHistograms: field('always_scrape_classic_histograms', optional(BOOL)),
    convertClassicHistogramsToNhcb: field('convert_classic_histograms_to_nhcb', optional(BOOL)),
    extraScrapeMetrics: field('extra_scrape_metrics', optional(BOOL)),
    scrapeFailureLogFile: field('scrape_failure_log_file', PATH),
    metricsPath: field('metrics_path', STRING, '/metrics'),
    scheme: field('scheme', STRING, 'http'),
    enableCompression: shownField('enable_compression', BOOL, true),
    ...LIMITS,
    nativeHistogramBucketLimit: field('native_histogram_bucket_limit', UINT),
    nativeHistogramMinBucketFactor: field('native_histogram_min_bucket_factor', FLOAT),
    metricNameValidationScheme: field('metric_name_validation_scheme', VALIDATION),
    metricNameEscapingScheme: field('metric_name_escaping_scheme', ESCAPING),
    httpClient: httpClientPart(),
    relabelConfigs: field('relabel_configs', relabelRules('empty or null target relabeling rule in scrape config')),
    metricRelabelConfigs: field(
      'metric_relabel_configs',
      relabelRules('empty or null metric relabeling rule in scrape config'),
    ),
    serviceDiscovery: DISCOVERY,
  },
  (config, place) => {
    if (config.jobName === '') place.fail('job_name', 'job_name is empty');
    if (config.relabelConfigs.length === 0) checkStaticTargets(config.serviceDiscovery, place);
  },
);

/** Jobs as they are written; `inheritGlobal` makes them whole. */
export const SCRAPE_CONFIGS: Type<readonly WrittenScrapeConfig[]> = list(SCRAPE_FIELDS, {
  goName: '[]*config.ScrapeConfig',
  nullItem: 'empty or null scrape config section',
});

/** People write URLs where an address belongs. With relabelling they may have meant it. */
export function checkStaticTargets(configs: readonly SdConfig[], place: StructPlace): void {
  for (const config of configs) {
    if (config.kind !== 'static') continue;
    for (const { targets } of config.groups) {
      const bad = targets.find((target) => target.includes('/'));
      if (bad !== undefined) place.fail('static_configs', `${quote(bad)} is not a valid hostname`);
    }
  }
}

/** Fills what the job leaves to `global`, and checks what depends on both. @throws ConfigError */
export function inheritGlobal(written: WrittenScrapeConfig, global: GlobalConfig, reader: Reader): ScrapeConfig {
  const place = reader.placeOf(written);
  const job = `for scrape config with job name ${quote(written.jobName)}`;
  const scrapeIntervalMs = written.scrapeIntervalMs || global.scrapeIntervalMs;
  if (written.scrapeTimeoutMs > scrapeIntervalMs)
    place.fail('scrape_timeout', `scrape timeout greater than scrape interval ${job}`);
  const metricNameValidationScheme = written.metricNameValidationScheme || global.metricNameValidationScheme;
  const metricNameEscapingScheme =
    written.metricNameEscapingScheme ||
    global.metricNameEscapingScheme ||
    (metricNameValidationScheme === 'utf8' ? 'allow-utf-8' : 'underscores');
  if (metricNameEscapingScheme === 'allow-utf-8' && metricNameValidationScheme !== 'utf8') {
    place.fail(
      'metric_name_escaping_scheme',
      `utf8 metric names requested but validation scheme is not set to UTF8 ${job}`,
    );
  }
  const scrapeNativeHistograms = written.scrapeNativeHistograms ?? global.scrapeNativeHistograms;
  const config: ScrapeConfig = {
    ...written,
    scrapeIntervalMs,
    scrapeTimeoutMs: written.scrapeTimeoutMs || Math.min(global.scrapeTimeoutMs, scrapeIntervalMs),
    bodySizeLimitBytes: written.bodySizeLimitBytes || global.bodySizeLimitBytes,
    sampleLimit: written.sampleLimit || global.sampleLimit,
    targetLimit: written.targetLimit || global.targetLimit,
    labelLimit: written.labelLimit || global.labelLimit,
    labelNameLengthLimit: written.labelNameLengthLimit || global.labelNameLengthLimit,
    labelValueLengthLimit: written.labelValueLengthLimit || global.labelValueLengthLimit,
    keepDroppedTargets: written.keepDroppedTargets || global.keepDroppedTargets,
    scrapeFailureLogFile: written.scrapeFailureLogFile || global.scrapeFailureLogFile,
    scrapeNativeHistograms,
    alwaysScrapeClassicHistograms: written.alwaysScrapeClassicHistograms ?? global.alwaysScrapeClassicHistograms,
    convertClassicHistogramsToNhcb: written.convertClassicHistogramsToNhcb ?? global.convertClassicHistogramsToNhcb,
    extraScrapeMetrics: written.extraScrapeMetrics ?? global.extraScrapeMetrics,
    scrapeProtocols: protocolsOf(written, global, scrapeNativeHistograms),
    metricNameValidationScheme,
    metricNameEscapingScheme,
  };
  checkRelabelRules(config.relabelConfigs, metricNameValidationScheme, reader);
  checkRelabelRules(config.metricRelabelConfigs, metricNameValidationScheme, reader);
  reader.setPlace(config, place);
  return config;
}

function protocolsOf(
  written: WrittenScrapeConfig,
  global: GlobalConfig,
  nativeHistograms: boolean,
): readonly ScrapeProtocol[] {
  if (written.scrapeProtocols.length > 0) return written.scrapeProtocols;
  if (global.scrapeProtocols.length > 0) return global.scrapeProtocols;
  return nativeHistograms ? PROTO_FIRST_PROTOCOLS : DEFAULT_PROTOCOLS;
}
