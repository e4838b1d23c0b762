/**
 * `coeus check config`: what promtool's command of that name checks, in its words and with its exit codes.
 *
 * Beyond it, files that would be read only at run time (a CA certificate, a password) give a warning when they are missing.
 * Source: promtool, "check config".
 */
import { readFile, stat } from 'node:fs/promises';
import { errorMessage } from '../../core/base/errors.ts';
import { formatDuration } from '../../core/model/duration.ts';
import type { HttpClientConfig, TlsConfig } from '../../core/model/http-client-config.ts';
import { labelsFromPairs, labelValue, quote, type Labels } from '../../core/model/labels.ts';
import { compileRelabel, relabel, type RelabelRule } from '../../core/model/relabel.ts';
import { ConfigError } from '../../core/model/yaml/config-error.ts';
import { readTargetFile } from '../../ingest/discovery/file-discoverer.ts';
import type { SdConfig } from '../../ingest/discovery/sd-config.ts';
import { ADDRESS_LABEL, type TargetGroup } from '../../ingest/discovery/target-group.ts';
import { toTargetGroup } from '../../ingest/discovery/target-list.ts';
import { filesOf, loadConfigFile, type LoadedConfig } from './load.ts';
import { parseRuleFile } from './rule-file.ts';
import { chooseLints, DEFAULT_LINT, duplicatesText, type Lint } from './rule-lints.ts';
import type { ScrapeConfig } from './scrape-schema.ts';

const LINTS = ['duplicate-rules', 'too-long-scrape-interval'] as const;
const DEFAULT_LOOKBACK_MS = 5 * 60_000;

const OK = 0;
const FAILURE = 1;
const LINT_FAILURE = 3;

export interface CheckConfigOptions {
  /** The file alone, not the files that it names. */
  readonly syntaxOnly?: boolean;
  /** Comma-separated lints; `duplicate-rules` where absent. */
  readonly lint?: string;
  /** Findings of lints fail with their own exit code. */
  readonly lintFatal?: boolean;
  readonly agent?: boolean;
  readonly ignoreUnknownFields?: boolean;
  /** What a scrape interval is too long for. */
  readonly lookbackDeltaMs?: number;
}

export interface CheckOutcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where the report grows; the two streams are one text for those who read them. */
class Report {
  stdout = '';
  stderr = '';
  hasErrors = false;
  hasFindings = false;

  out(line: string): void {
    this.stdout += `${line}\n`;
  }

  /** A message of several lines starts with a line break. */
  fail(message: string): void {
    this.stderr += `  FAILED:${message.startsWith('\n') ? '' : ' '}${message}\n`;
    this.hasErrors = true;
  }

  finding(message: string): void {
    this.stderr += `  FAILED:${message.startsWith('\n') ? '' : ' '}${message}\n`;
    this.hasFindings = true;
  }
}

/** Checks each file; a file that can't be used does not keep the others from being checked. */
export async function checkConfig(files: readonly string[], options: CheckConfigOptions = {}): Promise<CheckOutcome> {
  const report = new Report();
  const { lints, unknown } = chooseLints(options.lint ?? DEFAULT_LINT, LINTS);
  for (const word of unknown) report.out(`WARNING: unknown lint option ${word}`);
  for (const file of files) {
    report.out(`Checking ${file}`);
    try {
      const loaded = await loadConfigFile(file, {
        agent: options.agent === true,
        ignoreUnknownFields: options.ignoreUnknownFields === true,
      });
      const ruleFiles = options.syntaxOnly === true ? [] : await existingRuleFiles(loaded);
      await checkReferences(loaded, options.syntaxOnly === true, report);
      if (ruleFiles.length > 0) report.out(`  SUCCESS: ${ruleFiles.length} rule files found`);
      report.out(` SUCCESS: ${file} is valid prometheus config file syntax`);
      report.out('');
      if (options.syntaxOnly === true) continue;
      if (lints.has('too-long-scrape-interval'))
        lintIntervals(loaded.scrapeConfigs, options.lookbackDeltaMs ?? DEFAULT_LOOKBACK_MS, report);
      for (const ruleFile of ruleFiles) await checkRuleFile(ruleFile, lints, options, report);
    } catch (error) {
      if (!(error instanceof ConfigError || error instanceof CheckError)) throw error;
      report.fail(error.message);
      report.out('');
    }
  }
  const { hasErrors, hasFindings, stdout, stderr } = report;
  const exitCode = hasErrors ? FAILURE : hasFindings && options.lintFatal === true ? LINT_FAILURE : OK;
  return { exitCode, stdout, stderr };
}

/** Something that the configuration names is not as it should be. */
class CheckError extends Error {
  override readonly name = 'CheckError';
}

async function existingRuleFiles({ config }: LoadedConfig): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pattern of config.ruleFiles) {
    const files = await filesOf([pattern]);
    if (!pattern.includes('*') && files.length === 0)
      throw new CheckError(`${quote(pattern)} does not point to an existing file`);
    found.push(...files);
  }
  return found;
}

async function checkReferences(
  { config, scrapeConfigs }: LoadedConfig,
  syntaxOnly: boolean,
  report: Report,
): Promise<void> {
  for (const job of scrapeConfigs) {
    if (!syntaxOnly) await checkHttpFiles(job.httpClient, `scrape job ${quote(job.jobName)}`, report);
    const rules = job.relabelConfigs.map((rule) => compileRelabel(rule, job.metricNameValidationScheme));
    const check = (groups: readonly TargetGroup[]): void =>
      checkTargets(groups, (group, target) => targetLabels(job, group, target), rules, true);
    await checkDiscovery(job.serviceDiscovery, `scrape job ${quote(job.jobName)}`, check, syntaxOnly, report);
  }
  for (const alertmanager of config.alerting.alertmanagers) {
    if (!syntaxOnly) await warnOfMissing(alertmanager.httpClient, 'an alertmanager config', report);
    const rules = alertmanager.relabelConfigs.map((rule) =>
      compileRelabel(rule, config.global.metricNameValidationScheme),
    );
    const base: readonly [string, string][] = [
      ['__scheme__', alertmanager.scheme],
      ['__alerts_path__', `${alertmanager.pathPrefix}/api/v2/alerts`],
    ];
    const check = (groups: readonly TargetGroup[]): void =>
      checkTargets(groups, (group, target) => joinLabels(base, group, target), rules, false);
    await checkDiscovery(alertmanager.serviceDiscovery, 'alertmanager config', check, syntaxOnly, report);
  }
  if (syntaxOnly) return;
  for (const remote of config.remoteWrite)
    await warnOfMissing(remote.httpClient, `remote_write ${quote(remote.url)}`, report);
  for (const remote of config.remoteRead)
    await warnOfMissing(remote.httpClient, `remote_read ${quote(remote.url)}`, report);
}

async function checkDiscovery(
  configs: readonly SdConfig[],
  owner: string,
  check: (groups: readonly TargetGroup[]) => void,
  syntaxOnly: boolean,
  report: Report,
): Promise<void> {
  for (const config of configs) {
    if (config.kind === 'static') check(config.groups.map((group, i) => toTargetGroup(group, String(i))));
    if (syntaxOnly) continue;
    if (config.kind === 'http') await warnOfMissing(config.httpClient, `http_sd in ${owner}`, report);
    if (config.kind !== 'file') continue;
    for (const pattern of config.files) {
      const files = await filesOf([pattern]);
      if (files.length === 0) report.out(`  WARNING: file ${quote(pattern)} for file_sd in ${owner} does not exist`);
      for (const file of files) check(await readSdFile(file));
    }
  }
}

async function readSdFile(file: string): Promise<readonly TargetGroup[]> {
  try {
    return await readTargetFile(file);
  } catch (cause) {
    throw new CheckError(`checking SD file ${quote(file)}: ${errorMessage(cause)}`, { cause });
  }
}

/** Labels of a target before relabelling, as far as its address may depend on them. */
function targetLabels(job: ScrapeConfig, group: TargetGroup, target: Labels): Labels {
  const base: [string, string][] = [
    ['job', job.jobName],
    ['__scheme__', job.scheme],
    ['__metrics_path__', job.metricsPath],
    ['__scrape_interval__', formatDuration(job.scrapeIntervalMs)],
    ['__scrape_timeout__', formatDuration(job.scrapeTimeoutMs)],
  ];
  for (const [name, values] of job.params) base.push([`__param_${name}`, values[0] ?? '']);
  return joinLabels(base, group, target);
}

function joinLabels(base: readonly (readonly [string, string])[], group: TargetGroup, target: Labels): Labels {
  const pairs = [...base];
  for (const labels of [group.labels, target])
    for (let i = 0; i < labels.length; i += 2) pairs.push([labels[i]!, labels[i + 1]!]);
  return labelsFromPairs(pairs);
}

/** After relabelling, what is left has an address and no URL in its place. */
function checkTargets(
  groups: readonly TargetGroup[],
  labelsOf: (group: TargetGroup, target: Labels) => Labels,
  rules: readonly RelabelRule[],
  isNumbered: boolean,
): void {
  for (const [groupIndex, group] of groups.entries()) {
    for (const [i, target] of group.targets.entries()) {
      const labels = relabel(labelsOf(group, target), rules);
      if (labels === null) continue;
      const address = labelValue(labels, ADDRESS_LABEL);
      const place = isNumbered ? `instance ${i} in group ${groupIndex}: ` : '';
      if (address === '') throw new CheckError(`${place}no address`);
      if (address.includes('/')) throw new CheckError(`${place}${quote(address)} is not a valid hostname`);
    }
  }
}

async function checkHttpFiles(config: HttpClientConfig, owner: string, report: Report): Promise<void> {
  await needFile(config.authorization?.credentialsFile ?? '', 'authorization credentials or bearer token file');
  await needFile(config.tls.certFile, 'client cert file');
  await needFile(config.tls.keyFile, 'client key file');
  await warnOfMissing(config, owner, report);
}

async function needFile(path: string, what: string): Promise<void> {
  const fault = path === '' ? null : await missing(path);
  if (fault !== null) throw new CheckError(`error checking ${what} ${quote(path)}: ${fault}`);
}

/** Files that are read only when a request is made. */
async function warnOfMissing(config: HttpClientConfig, owner: string, report: Report): Promise<void> {
  const { basicAuth, authorization, oauth2, tls, httpHeaders } = config;
  const files = [
    ...tlsFiles(tls),
    basicAuth?.usernameFile,
    basicAuth?.passwordFile,
    authorization?.credentialsFile,
    oauth2?.clientSecretFile,
    oauth2?.clientCertificateKeyFile,
    ...(oauth2 === null ? [] : tlsFiles(oauth2.tls)),
    ...[...httpHeaders.values()].flatMap((header) => header.files),
  ];
  for (const file of files) {
    if (file !== undefined && file !== '' && (await missing(file)) !== null)
      report.out(`  WARNING: file ${quote(file)} for ${owner} does not exist`);
  }
}

const tlsFiles = (tls: TlsConfig): string[] => [tls.caFile, tls.certFile, tls.keyFile];

/** Why the file can't be looked at, or null. */
async function missing(path: string): Promise<string | null> {
  try {
    await stat(path);
    return null;
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return isAbsent ? `stat ${path}: no such file or directory` : errorMessage(error);
  }
}

function lintIntervals(jobs: readonly ScrapeConfig[], lookbackMs: number, report: Report): void {
  for (const job of jobs) {
    if (lookbackMs > 0 && job.scrapeIntervalMs >= lookbackMs) {
      report.finding(
        `too long scrape interval found, data point will be marked as stale - job: ${job.jobName}, interval: ${formatDuration(job.scrapeIntervalMs)}`,
      );
    }
  }
}

async function checkRuleFile(
  file: string,
  lints: ReadonlySet<Lint>,
  options: CheckConfigOptions,
  report: Report,
): Promise<void> {
  report.out(`Checking ${file}`);
  try {
    const groups = parseRuleFile(await readFile(file, 'utf8'), {
      ignoreUnknownFields: options.ignoreUnknownFields === true,
    });
    const duplicates = lints.has('duplicate-rules') ? duplicatesText(groups) : '';
    if (duplicates === '')
      report.out(`  SUCCESS: ${groups.reduce((sum, group) => sum + group.rules.length, 0)} rules found`);
    else report.finding(`
     ${duplicates}`);
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof Error && 'code' in error)) throw error;
    report.fail(`\n     ${file}: ${errorMessage(error)}`);
  }
  report.out('');
}
