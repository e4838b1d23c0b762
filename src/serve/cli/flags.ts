/**
 * Command line to typed settings: what `coeus serve` was asked for, checked and worded for who typed it.
 */
import { hostname } from 'node:os';
import { unreachable } from '../../core/base/assert.ts';
import type { LogLevel } from '../../core/base/log.ts';
import { DurationError, formatDuration, parseDuration } from '../../core/model/duration.ts';
import { compileRegex, RegexError } from '../../core/model/matcher.ts';
import { readListenAddress } from '../api/listen-address.ts';
import type { ServeFlags } from '../api/serve-flags.ts';
import { ACTIVE_FEATURES, FLAGS, MISSING_FEATURES, SETTLED_FEATURES, type FlagSpec } from './flag-table.ts';

/** A flag that can't be used as it stands. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}

/** What was written on the command line, by flag name; flags that were left out are missing. */
export type GivenFlags = Readonly<Record<string, string | boolean | readonly string[]>>;

/** The head and its chunks are not made for more. */
const MAX_MIN_BLOCK_MS = 31 * 24 * 3600 * 1000;
const WRITE_MESSAGE = 'prometheus.WriteRequest';
const BYTE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 2 ** 10,
  MB: 2 ** 20,
  GB: 2 ** 30,
  TB: 2 ** 40,
  PB: 2 ** 50,
  EB: 2 ** 60,
};

/** @throws FlagError */
export function readFlags(given: GivenFlags): ServeFlags {
  for (const spec of FLAGS) {
    const value = given[spec.name];
    if (spec.use === 'refused' && value !== undefined && value !== false)
      throw new FlagError(`--${spec.name} is not available: ${spec.why}`);
    if (value !== undefined) checkValue(spec, value);
  }
  const values = new FlagValues(given);
  const listenAddresses = values.list('web.listen-address');
  for (const address of listenAddresses) {
    if (!readListenAddress(address)) throw new FlagError(`--web.listen-address: "${address}" is not host:port`);
  }
  for (const message of values.list('web.remote-write-receiver.accepted-protobuf-messages')) {
    if (message !== WRITE_MESSAGE)
      throw new FlagError(
        `--web.remote-write-receiver.accepted-protobuf-messages: ${message} is not taken yet, only ${WRITE_MESSAGE}`,
      );
  }
  const compression = values.text('storage.tsdb.wal-compression-type');
  if (compression !== 'snappy')
    throw new FlagError(`--storage.tsdb.wal-compression-type: ${compression} is not available yet, only snappy`);
  const externalUrl = readExternalUrl(values.text('web.external-url'), listenAddresses[0]!);
  checkRegex('web.cors.origin', values.text('web.cors.origin'));
  const configFile = values.text('config.file');
  const minBlockMs = values.positiveMs('storage.tsdb.min-block-duration');
  const maxBlockMs = parseDuration(values.text('storage.tsdb.max-block-duration')) || null;
  if (minBlockMs > MAX_MIN_BLOCK_MS) throw new FlagError('--storage.tsdb.min-block-duration must be at most 31d');
  if (maxBlockMs !== null && maxBlockMs < minBlockMs)
    throw new FlagError('--storage.tsdb.max-block-duration must not be shorter than --storage.tsdb.min-block-duration');
  return {
    configFile: configFile === '' ? null : configFile,
    dataDirectory: values.text('storage.tsdb.path'),
    useLockfile: !values.isOn('storage.tsdb.no-lockfile'),
    walCompression: values.isOn('storage.tsdb.wal-compression') ? 'snappy' : 'none',
    listenAddresses,
    webConfigFile: values.text('web.config.file') || null,
    externalUrl,
    routePrefix: readRoutePrefix(values.text('web.route-prefix'), externalUrl),
    pageTitle: values.text('web.page-title'),
    corsOrigin: values.text('web.cors.origin'),
    readTimeoutMs: values.positiveMs('web.read-timeout'),
    maxConnections: values.positiveCount('web.max-connections'),
    enableLifecycle: values.isOn('web.enable-lifecycle'),
    enableAdminApi: values.isOn('web.enable-admin-api'),
    maxNotificationSubscribers: values.positiveCount('web.max-notifications-subscribers'),
    enableRemoteWriteReceiver: values.isOn('web.enable-remote-write-receiver'),
    minBlockMs,
    maxBlockMs,
    retentionMs: parseDuration(values.text('storage.tsdb.retention.time')),
    retentionBytes: values.bytes('storage.tsdb.retention.size'),
    lookbackMs: values.positiveMs('query.lookback-delta'),
    queryTimeoutMs: values.positiveMs('query.timeout'),
    queryMaxConcurrency: values.positiveCount('query.max-concurrency'),
    queryMaxSamples: values.positiveCount('query.max-samples'),
    featureFlags: values.list('enable-feature').filter((feature) => ACTIVE_FEATURES.has(feature)),
    logLevel: values.text('log.level') as LogLevel,
    logFormat: values.text('log.format') as ServeFlags['logFormat'],
    listing: Object.fromEntries(FLAGS.map((spec) => [spec.name, values.shown(spec)])),
    notices: [...inactiveNotices(given), ...featureNotices(values.list('enable-feature'))],
  };
}

/** Values by name, with defaults where nothing was given. */
class FlagValues {
  readonly #given: GivenFlags;

  constructor(given: GivenFlags) {
    this.#given = given;
  }

  list(name: string): readonly string[] {
    const value = this.#given[name];
    const words = Array.isArray(value) ? (value as readonly string[]) : [this.text(name)];
    return words
      .flatMap((word) => (name === 'web.listen-address' ? [word] : word.split(',')))
      .filter((word) => word !== '');
  }

  text(name: string): string {
    const value = this.#given[name];
    if (value === undefined) return FLAGS.find((spec) => spec.name === name)!.byDefault;
    return Array.isArray(value) ? value.join(',') : String(value);
  }

  isOn(name: string): boolean {
    return this.text(name) === 'true';
  }

  positiveMs(name: string): number {
    const ms = parseDuration(this.text(name));
    if (ms <= 0) throw new FlagError(`--${name} must be longer than 0`);
    return ms;
  }

  bytes(name: string): number {
    const text = this.text(name);
    const unit = /[A-Z]+$/.exec(text)?.[0] ?? 'B';
    return Math.round(Number.parseFloat(text) * BYTE_UNITS[unit]!);
  }

  positiveCount(name: string): number {
    const count = Number(this.text(name));
    if (count < 1) throw new FlagError(`--${name} must be at least 1`);
    return count;
  }

  shown(spec: FlagSpec): string {
    const text = this.text(spec.name);
    return spec.kind === 'duration' ? formatDuration(parseDuration(text)) : text;
  }
}

function checkValue({ name, kind }: FlagSpec, value: string | boolean | readonly string[]): void {
  const text = String(value);
  switch (kind) {
    case 'text':
    case 'list':
    case 'switch':
      return;
    case 'duration':
      try {
        parseDuration(text);
      } catch (error) {
        if (!(error instanceof DurationError)) throw error;
        throw new FlagError(`--${name}: ${error.message}`, { cause: error });
      }
      return;
    case 'bytes': {
      const unit = /^\d+(?:\.\d+)?([KMGTPE]?B)$/.exec(text)?.[1];
      if (unit === undefined || BYTE_UNITS[unit] === undefined) {
        throw new FlagError(
          `--${name}: "${text}" is not a size; write a number and a unit: B, KB, MB, GB, TB, PB or EB`,
        );
      }
      return;
    }
    case 'count':
      if (!/^\d+(?:e\d{1,2})?$/.test(text) || !Number.isSafeInteger(Number(text)))
        throw new FlagError(`--${name}: "${text}" is not a whole number`);
      return;
    case 'log-level':
      if (!['debug', 'info', 'warn', 'error'].includes(text))
        throw new FlagError(`unrecognized log level "${text}": use debug, info, warn or error`);
      return;
    case 'log-format':
      if (!['logfmt', 'json'].includes(text))
        throw new FlagError(`unrecognized log format "${text}": use logfmt or json`);
      return;
    default:
      unreachable(kind);
  }
}

/** Like Prometheus: by default this machine's name and the first address's port; the path keeps no slash at its end. */
function readExternalUrl(text: string, listenAddress: string): URL {
  if (text === '') return new URL(`http://${hostname()}:${readListenAddress(listenAddress)?.port ?? 0}`);
  if (/^["']|["']$/.test(text))
    throw new FlagError(`--web.external-url: "${text}": URL must not begin or end with quotes`);
  if (!URL.canParse(text) || !/^https?:\/\//i.test(text))
    throw new FlagError(`--web.external-url: "${text}" is not a URL such as https://example.org/coeus`);
  const url = new URL(text);
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}

function readRoutePrefix(text: string, externalUrl: URL): string {
  const path = (text === '' ? externalUrl.pathname : text).replace(/^\/+|\/+$/g, '');
  if (/[:*?#\s]/.test(path))
    throw new FlagError(`--web.route-prefix: "${text}" has characters that no path prefix may have`);
  return path === '' ? '' : `/${path}`;
}

function checkRegex(name: string, pattern: string): void {
  try {
    compileRegex(pattern);
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    throw new FlagError(`--${name}: could not compile the regular expression: ${error.message}`, { cause: error });
  }
}

function inactiveNotices(given: GivenFlags): string[] {
  return FLAGS.filter((spec) => spec.use === 'inactive' && given[spec.name] !== undefined).map(
    (spec) => `--${spec.name} has no effect: ${spec.why}`,
  );
}

function featureNotices(features: readonly string[]): string[] {
  return features
    .filter((feature) => !ACTIVE_FEATURES.has(feature))
    .map((feature) => {
      if (MISSING_FEATURES.has(feature)) throw new FlagError(`--enable-feature: ${feature} is not available yet`);
      if (!SETTLED_FEATURES.has(feature)) return `--enable-feature: there is no feature ${feature}`;
      return `--enable-feature: ${feature} needs no flag`;
    });
}
