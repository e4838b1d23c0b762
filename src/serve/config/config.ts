/**
 * `prometheus.yml` as typed data: parsed, checked, defaults filled in, and printed back.
 *
 * Sections whose feature this program does not have yet are read and checked like all others.
 * Source: Prometheus, configuration.
 */
import { dump } from 'js-yaml';
import { labelsFromPairs, quote, type Labels } from '../../core/model/labels.ts';
import { ConfigError } from '../../core/model/yaml/config-error.ts';
import { checkRelabelRules } from './relabel-schema.ts';
import { REMOTE_READS, REMOTE_WRITES, type RemoteReadConfig, type RemoteWriteConfig } from './remote-schema.ts';
import {
  field,
  list,
  optional,
  Reader,
  shownField,
  STRING,
  struct,
  type StructPlace,
  type Type,
} from '../../core/model/yaml/schema.ts';
import { GLOBAL, inheritGlobal, SCRAPE_CONFIGS, type GlobalConfig, type ScrapeConfig } from './scrape-schema.ts';
import {
  ALERTING,
  OTLP,
  RUNTIME,
  STORAGE,
  TRACING,
  type AlertingConfig,
  type OtlpConfig,
  type RuntimeConfig,
  type StorageConfig,
  type TracingConfig,
} from './section-schemas.ts';
import { labelPairs, showText } from '../../core/model/yaml/values.ts';
import { PATH } from './path.ts';
import { parseYaml } from '../../core/model/yaml/yaml-node.ts';

export interface Config {
  readonly global: GlobalConfig;
  readonly runtime: RuntimeConfig;
  readonly alerting: AlertingConfig;
  /** Globs; relative ones already start from the file's folder. */
  readonly ruleFiles: readonly string[];
  readonly scrapeConfigFiles: readonly string[];
  readonly scrapeConfigs: readonly ScrapeConfig[];
  readonly storage: StorageConfig;
  readonly tracing: TracingConfig | null;
  readonly remoteWrite: readonly RemoteWriteConfig[];
  readonly remoteRead: readonly RemoteReadConfig[];
  readonly otlp: OtlpConfig;
}

type WrittenScrapeConfigs = ReturnType<typeof SCRAPE_CONFIGS.decode>;
type WrittenConfig = Omit<Config, 'scrapeConfigs'> & { readonly scrapeConfigs: WrittenScrapeConfigs };

export interface ParseOptions {
  /** Named in messages. */
  readonly file: string;
  /** What relative paths start from. */
  readonly dir: string;
  /** For `$v` and `${v}` in external labels. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Refuses what an agent can't do. */
  readonly agent?: boolean;
  /** Takes keys that no field has. */
  readonly ignoreUnknownFields?: boolean;
}

/** `*` only in the last element. */
const GLOB = /^[^*]*(?:\*[^/]*)?$/;

function globs(goName: string, what: string): Type<readonly string[]> {
  const pattern: Type<string> = {
    ...PATH,
    decode(node, reader) {
      const text = STRING.decode(node, reader);
      if (!GLOB.test(text)) reader.fail(node, `invalid ${what} file path ${quote(text)}`);
      return PATH.decode(node, reader);
    },
  };
  return list(pattern, { goName });
}

const ROOT: Type<WrittenConfig> = struct<WrittenConfig>('config.plain', {
  global: shownField('global', GLOBAL),
  runtime: field('runtime', RUNTIME),
  alerting: field('alerting', ALERTING),
  ruleFiles: field('rule_files', globs('[]string', 'rule')),
  scrapeConfigFiles: field('scrape_config_files', globs('[]string', 'scrape config')),
  scrapeConfigs: field('scrape_configs', SCRAPE_CONFIGS),
  storage: field('storage', STORAGE),
  tracing: field('tracing', optional(TRACING)),
  remoteWrite: field('remote_write', REMOTE_WRITES),
  remoteRead: field('remote_read', REMOTE_READS),
  otlp: field('otlp', OTLP),
});

/** An included file has jobs and nothing else. */
const INCLUDED: Type<{ readonly scrapeConfigs: WrittenScrapeConfigs }> = struct('config.ScrapeConfigs', {
  scrapeConfigs: field('scrape_configs', SCRAPE_CONFIGS),
});

/** @throws ConfigError that names file, line, column and field */
export function parseConfig(text: string, options: ParseOptions): Config {
  return inFile(options.file, () => {
    const reader = readerFor(options);
    const root = parseYaml(text);
    const written = root === null ? ROOT.zero : reader.decode(ROOT, root);
    reader.finish();
    return finishConfig(written, reader, options);
  });
}

/** The jobs of a file that `scrape_config_files` names. @throws ConfigError */
export function parseIncludedJobs(text: string, global: GlobalConfig, options: ParseOptions): readonly ScrapeConfig[] {
  return inFile(options.file, () => {
    const reader = readerFor(options);
    const root = parseYaml(text);
    const { scrapeConfigs } = root === null ? INCLUDED.zero : reader.decode(INCLUDED, root);
    reader.finish();
    return uniqueJobs(scrapeConfigs, global, reader);
  });
}

/** The configuration as YAML, defaults filled in, secrets hidden. */
export function formatConfig(config: Config): string {
  return dump(ROOT.encode(config), { seqNoIndent: true, lineWidth: -1, noRefs: true });
}

/** One job of it, as `/api/v1/scrape_pools/config` shows it. */
export function formatScrapeConfig(config: ScrapeConfig): string {
  const [encoded] = SCRAPE_CONFIGS.encode([config]) as readonly object[];
  return dump(encoded, { seqNoIndent: true, lineWidth: -1, noRefs: true });
}

/**
 * What `coeus serve` runs without a configuration: it scrapes itself and the machine that it runs on.
 *
 * @param listenPort where this process serves `/metrics` and `/metrics/host`
 */
export function defaultConfig(listenPort: number): Config {
  const target = `localhost:${listenPort}`;
  return parseConfig(
    `global:
  scrape_interval: 5s
  evaluation_interval: 15s
scrape_configs:
- job_name: coeus
  static_configs:
  - targets: ['${target}']
- job_name: node
  metrics_path: /metrics/host
  static_configs:
  - targets: ['${target}']
`,
    { file: 'built-in configuration', dir: '.' },
  );
}

function readerFor(options: ParseOptions): Reader {
  return new Reader({ strict: options.ignoreUnknownFields !== true, dir: options.dir });
}

function inFile<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ConfigError ? error.of(file) : error;
  }
}

function finishConfig(written: WrittenConfig, reader: Reader, options: ParseOptions): Config {
  const place = reader.placeOf(written);
  const global = {
    ...written.global,
    externalLabels: expandedLabels(written.global, reader.placeOf(written.global), options.environment ?? {}),
  };
  const names = global.metricNameValidationScheme;
  const config: Config = { ...written, global, scrapeConfigs: uniqueJobs(written.scrapeConfigs, global, reader) };
  for (const remote of config.remoteWrite) checkRelabelRules(remote.writeRelabelConfigs, names, reader);
  checkRelabelRules(config.alerting.alertRelabelConfigs, names, reader);
  for (const alertmanager of config.alerting.alertmanagers) {
    checkRelabelRules(alertmanager.relabelConfigs, names, reader);
    checkRelabelRules(alertmanager.alertRelabelConfigs, names, reader);
  }
  checkUniqueNames(config.remoteWrite, 'remote write', reader);
  checkUniqueNames(config.remoteRead, 'remote read', reader);
  if (
    names === 'legacy' &&
    (config.otlp.translationStrategy === 'NoUTF8EscapingWithSuffixes' ||
      config.otlp.translationStrategy === 'NoTranslation')
  ) {
    reader
      .placeOf(config.otlp)
      .fail(
        'translation_strategy',
        `OTLP translation strategy ${quote(config.otlp.translationStrategy)} is not allowed when UTF8 is disabled`,
      );
  }
  if (options.agent === true) checkAgent(config, place);
  return config;
}

function checkAgent(config: Config, place: StructPlace): void {
  const { alerting, ruleFiles, remoteRead } = config;
  if (alerting.alertmanagers.length > 0 || alerting.alertRelabelConfigs.length > 0)
    place.fail('alerting', 'field alerting is not allowed in agent mode');
  if (ruleFiles.length > 0) place.fail('rule_files', 'field rule_files is not allowed in agent mode');
  if (remoteRead.length > 0) place.fail('remote_read', 'field remote_read is not allowed in agent mode');
}

/** Jobs whole, their names distinct. */
function uniqueJobs(written: WrittenScrapeConfigs, global: GlobalConfig, reader: Reader): readonly ScrapeConfig[] {
  const names = new Set<string>();
  return written.map((job) => {
    const config = inheritGlobal(job, global, reader);
    if (names.has(job.jobName))
      reader.placeOf(job).fail('job_name', `found multiple scrape configs with job name ${quote(job.jobName)}`);
    names.add(job.jobName);
    return config;
  });
}

function checkUniqueNames(configs: readonly { readonly name: string }[], what: string, reader: Reader): void {
  const names = new Set<string>();
  for (const config of configs) {
    if (config.name !== '' && names.has(config.name)) {
      reader.placeOf(config).fail('name', `found multiple ${what} configs with job name ${quote(config.name)}`);
    }
    names.add(config.name);
  }
}

function expandedLabels(
  global: GlobalConfig,
  place: StructPlace,
  environment: Readonly<Record<string, string | undefined>>,
): Labels {
  const pairs: [string, string][] = [];
  for (const [name, value] of labelPairs(global.externalLabels)) {
    const expanded = expandVariables(value, environment);
    if (!expanded.isWellFormed()) place.fail('external_labels', `${showText(expanded)} is not a valid label value`);
    pairs.push([name, expanded]);
  }
  return labelsFromPairs(pairs);
}

/** `$v` and `${v}` from the environment, '' where it has none; `$$` is `$`. As Go's os.Expand. */
function expandVariables(text: string, environment: Readonly<Record<string, string | undefined>>): string {
  return text.replaceAll(/\$(?:\{([^}]*)\}|([A-Za-z_]\w*|[*#$@!?\-0-9]))/g, (_, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? '';
    return name === '$' ? '$' : (environment[name] ?? '');
  });
}
