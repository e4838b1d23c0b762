/**
 * The main thread of `coeus serve`: HTTP API, configuration, discovery, and the threads that do the work.
 *
 * It never touches a sample. The ingest worker owns the head, the query workers answer from its shared memory; here requests are
 * handed to them and their bytes passed on.
 */
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { systemClock } from '../../core/base/clock.ts';
import { errorMessage } from '../../core/base/errors.ts';
import { createLogger, type Logger } from '../../core/base/log.ts';
import { Registry, type MetricFamily } from '../../core/base/metrics.ts';
import { formatLabels, type Labels } from '../../core/model/labels.ts';
import { HostCollector } from '../../ingest/host/collect-host.ts';
import { lockDataFolder, type DataLock } from '../../store/tsdb/data-lock.ts';
import type { RetentionLimits } from '../../store/tsdb/retention.ts';
import {
  ApiError,
  type Backend,
  type BackendQuery,
  type BlockSummary,
  type ReplayProgress,
  type RuntimeInfo,
  type SeriesDeletion,
  type TargetMetadata,
  type TargetsSnapshot,
  type TsdbStatus,
  type WriteOutcome,
} from '../api/backend.ts';
import { ListenError } from '../api/listener.ts';
import { createServer, type HttpServer } from '../api/server.ts';
import { Notifications, RELOAD_FAILED, STARTING, STOPPING } from '../api/notifications.ts';
import type { ServeFlags } from '../api/serve-flags.ts';
import { buildInfo, COEUS_VERSION } from '../api/version.ts';
import { ConfigError } from '../../core/model/yaml/config-error.ts';
import { defaultConfig, formatConfig } from '../config/config.ts';
import { loadConfigFile, type LoadedConfig } from '../config/load.ts';
import type { ScrapeConfig } from '../config/scrape-schema.ts';
import { readListenAddress } from '../api/listen-address.ts';
import { loadKernelModules } from './kernel-files.ts';
import { unusedSections } from './unused-sections.ts';
import { registerProcessMetrics } from './process-metrics.ts';
import { ScrapePools } from './scrape-pools.ts';
import { retentionLimits, retentionText } from './retention-limits.ts';
import { StorageThreads } from './storage-threads.ts';
import { defaultQueryWorkers } from './thread-count.ts';

/** How much the heap of each thread grows over what lives before it is collected. */
const HEAP_GROWING_PERCENT = 20;
/** How long a clean stop may take before the process ends anyway. */
const STOP_GRACE_MS = 20_000;

/** Runs a server until it is told to stop. @returns the exit code */
export async function runServer(flags: ServeFlags): Promise<number> {
  const logger = createLogger({ level: flags.logLevel, format: flags.logFormat, clock: systemClock, write: (line) => process.stderr.write(line) });
  const server = new CoeusServer(flags, logger);
  try {
    await server.start();
  } catch (error) {
    logger.error(startError(error), { err: errorMessage(error) });
    await server.stop();
    return 1;
  }
  return server.ended;
}

function startError(error: unknown): string {
  if (error instanceof ConfigError) return 'error loading config';
  if (error instanceof ListenError) return 'cannot listen';
  return 'the server could not start';
}

class CoeusServer implements Backend {
  readonly ended: Promise<number>;
  readonly #flags: ServeFlags;
  readonly #logger: Logger;
  readonly #registry = new Registry();
  readonly #startedAtMs = systemClock.nowMs();
  readonly #http: HttpServer;
  readonly #host: HostCollector;
  readonly #notifications: Notifications;
  #end: (exitCode: number) => void = () => {};
  #lock: DataLock | null = null;
  #storage: StorageThreads | null = null;
  #pools: ScrapePools | null = null;
  #loaded: LoadedConfig | null = null;
  #progress: ReplayProgress = { min: 0, max: 0, current: 0 };
  #isReady = false;
  #isStopping = false;
  #reloadSucceeded = true;
  #lastReloadMs = 0;
  #corruptionCount = 0;
  /** Reloads run one after the other. */
  #reloading: Promise<void> = Promise.resolve();

  constructor(flags: ServeFlags, logger: Logger) {
    this.#flags = flags;
    this.#logger = logger;
    this.#host = new HostCollector({ version: COEUS_VERSION, clock: systemClock, log: logger });
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#notifications = new Notifications({ clock: systemClock, maxSubscribers: flags.maxNotificationSubscribers });
    this.#registerMetrics();
    this.#http = createServer(
      {
        listenAddresses: flags.listenAddresses,
        webConfigFile: flags.webConfigFile,
        externalUrl: flags.externalUrl,
        routePrefix: flags.routePrefix,
        readTimeoutMs: flags.readTimeoutMs,
        maxConnections: flags.maxConnections,
        corsOrigin: flags.corsOrigin,
        enableLifecycle: flags.enableLifecycle,
        enableAdminApi: flags.enableAdminApi,
        featureFlags: flags.featureFlags,
        notifications: this.#notifications,
        enableRemoteWriteReceiver: flags.enableRemoteWriteReceiver,
        queryTimeoutMs: flags.queryTimeoutMs,
        lookbackMs: flags.lookbackMs,
        flags: flags.listing,
        buildInfo,
        uiDirectory: fileURLToPath(new URL('../../../build/ui', import.meta.url)),
        pageTitle: flags.pageTitle,
        registry: this.#registry,
        clock: systemClock,
        logger,
      },
      this,
    );
  }

  async start(): Promise<void> {
    const { dataDirectory } = this.#flags;
    this.#logger.info('starting Coeus', { version: COEUS_VERSION, node: process.versions.node, platform: `${process.platform}/${process.arch}` });
    for (const notice of this.#flags.notices) this.#logger.warn(notice);
    // A configuration that can't be read is told before anything is touched.
    this.#loaded = await this.#loadConfig();
    if (this.#flags.useLockfile) this.#lock = lockDataFolder(dataDirectory);
    this.#notifications.add(STARTING);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.quit());
    process.on('SIGHUP', () => {
      this.reload().catch((error: unknown) => this.#logger.error('reloading failed', { err: errorMessage(error) }));
    });
    // The threads load and the log is replayed while the listeners open, so that progress can be asked for.
    this.#storage = this.#storageThreads(this.#loaded);
    await Promise.all([this.#listen(), this.#startThreads()]);
    this.#pools = new ScrapePools({
      logger: this.#logger,
      registry: this.#registry,
      apply: (setup) => this.#storage!.ingest.call('applyScrape', setup),
    });
    await this.#apply(this.#loaded);
    this.#isReady = true;
    this.#notifications.delete(STARTING);
    // What is large lies outside the heaps: what they hold beyond what lives is only resident (docs/adr/0004). Not before: loading goes faster with room.
    setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
    this.#logger.info('server is ready to receive web requests', { duration: `${Math.round(systemClock.nowMs() - this.#startedAtMs)}ms` });
  }

  async #listen(): Promise<void> {
    await this.#http.listen();
    for (const { address, port } of this.#http.addresses) this.#logger.info('listening', { address: `${address.includes(':') ? `[${address}]` : address}:${port}` });
  }

  #storageThreads(loaded: LoadedConfig): StorageThreads {
    const flags = this.#flags;
    const logger = this.#logger;
    const modules = loadKernelModules();
    const { dataDirectory: dataFolder, walCompression, minBlockMs, maxBlockMs, logLevel, logFormat } = flags;
    const shared = { modules, dataFolder, walCompression, minBlockMs, logLevel, logFormat };
    return new StorageThreads({
      ingest: { ...shared, scrapeSeed: `${hostname()}${formatLabels(this.externalLabels())}` },
      store: { ...shared, maxBlockMs, limits: this.#limits(loaded) },
      queries: {
        workerCount: defaultQueryWorkers(flags.queryMaxConcurrency),
        workerData: { modules, dataFolder, lookbackMs: flags.lookbackMs, maxSamples: flags.queryMaxSamples, featureFlags: flags.featureFlags },
        defaultTimeoutMs: flags.queryTimeoutMs,
        // Of the configuration in force: a reload may change it.
        defaultStepMs: () => this.#loaded!.config.global.evaluationIntervalMs,
        registry: this.#registry,
        logger,
      },
      logger,
      onProgress: (progress) => (this.#progress = progress),
      onThreadEnded: (name, code) => {
        if (this.#isStopping) return;
        logger.error(`the ${name} thread ended: the server stops`, { code });
        void this.stop(1);
      },
    });
  }

  async #startThreads(): Promise<void> {
    const { corruptionCount, replayMs } = await this.#storage!.start();
    this.#corruptionCount = corruptionCount;
    this.#replaySeconds = replayMs / 1000;
  }

  #limits({ config }: LoadedConfig): RetentionLimits {
    const { retentionMs, retentionBytes } = this.#flags;
    return retentionLimits({ timeMs: retentionMs, sizeBytes: retentionBytes }, config.storage.tsdb.retention);
  }

  async #loadConfig(): Promise<LoadedConfig> {
    const { configFile, listenAddresses } = this.#flags;
    if (configFile !== null) return loadConfigFile(configFile);
    const port = readListenAddress(listenAddresses[0]!)?.port ?? 9090;
    const config = defaultConfig(port);
    return { config, scrapeConfigs: config.scrapeConfigs, files: [] };
  }

  async #apply(loaded: LoadedConfig): Promise<void> {
    for (const section of unusedSections(loaded.config, loaded.scrapeConfigs)) {
      this.#logger.warn('a part of the configuration is not acted on yet', { section });
    }
    await this.#pools!.apply(loaded.scrapeConfigs);
    await this.#storage!.store.call('setLimits', this.#limits(loaded));
    this.#loaded = loaded;
    this.#reloadSucceeded = true;
    this.#lastReloadMs = systemClock.nowMs();
  }

  isReady(): boolean {
    return this.#isReady && !this.#isStopping;
  }

  replayProgress(): ReplayProgress {
    return this.#progress;
  }

  query(request: BackendQuery, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return this.#storage!.queries.run(request, signal);
  }

  async deleteSeries(deletion: SeriesDeletion): Promise<void> {
    await this.#storage!.store.call('deleteSeries', deletion);
  }

  blocks(): Promise<readonly BlockSummary[]> {
    return this.#storage!.store.call('blocks', null);
  }

  cleanTombstones(): Promise<void> {
    return this.#storage!.store.call('cleanTombstones', null);
  }

  snapshot(options: { readonly skipHead: boolean }): Promise<string> {
    return this.#storage!.store.call('snapshot', options);
  }

  remoteWrite(body: Uint8Array): Promise<WriteOutcome> {
    return this.#storage!.ingest.call('remoteWrite', body, isWhole(body) ? [body.buffer] : []);
  }

  async targets(): Promise<TargetsSnapshot> {
    return this.#pools!.snapshot(await this.#storage!.ingest.call('targets', null));
  }

  targetMetadata(): Promise<readonly TargetMetadata[]> {
    return this.#storage!.ingest.call('metadata', null);
  }

  async tsdbStatus(limit: number): Promise<TsdbStatus> {
    const head = await this.#storage!.ingest.call('headStatus', null);
    const pieces = await this.#storage!.queries.run({ kind: 'cardinality', limit }, new AbortController().signal);
    const bytes = await Array.fromAsync(pieces);
    // The query worker wrote it: it is what the type says.
    return { head, ...(JSON.parse(Buffer.concat(bytes).toString()) as Omit<TsdbStatus, 'head'>) };
  }

  runtimeInfo(): RuntimeInfo {
    return {
      startTimeMs: this.#startedAtMs,
      reloadConfigSuccess: this.#reloadSucceeded,
      lastConfigTimeMs: this.#lastReloadMs,
      corruptionCount: this.#corruptionCount,
      storageRetention: retentionText(this.#limits(this.#loaded!)),
    };
  }

  configYaml(): string {
    return formatConfig(this.#loaded!.config);
  }

  scrapeConfig(pool: string): ScrapeConfig | undefined {
    return this.#loaded?.scrapeConfigs.find(({ jobName }) => jobName === pool);
  }

  externalLabels(): Labels {
    return this.#loaded?.config.global.externalLabels ?? [];
  }

  async metrics(): Promise<MetricFamily[]> {
    const storage = this.#isReady ? await this.#storage!.metrics() : [];
    return mergeFamilies([...this.#registry.snapshot(), ...storage]);
  }

  hostMetrics(): Promise<MetricFamily[]> {
    return this.#host.collect();
  }

  /** One reload after the other; a file that does not load changes nothing. @throws ApiError */
  reload(): Promise<void> {
    const next = this.#reloading.then(() => this.#reloadOnce());
    // The next one starts whether or not this one succeeds; the caller of this one hears of its failure.
    this.#reloading = next.catch(() => {});
    return next;
  }

  async #reloadOnce(): Promise<void> {
    if (!this.isReady()) throw new ApiError('unavailable', 'the server is not ready');
    try {
      await this.#apply(await this.#loadConfig());
      this.#notifications.delete(RELOAD_FAILED);
      this.#logger.info('configuration reloaded');
    } catch (error) {
      this.#reloadSucceeded = false;
      this.#notifications.add(RELOAD_FAILED);
      this.#logger.error('configuration was not reloaded', { err: errorMessage(error) });
      throw new ApiError('internal', errorMessage(error), error);
    }
  }

  quit(): void {
    void this.stop(0);
  }

  /** A clean stop: scrapes end, the log is synced, connections finish. */
  async stop(exitCode = 0): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#logger.info('stopping');
    this.#notifications.add(STOPPING);
    const force = setTimeout(() => this.#end(exitCode || 1), STOP_GRACE_MS);
    try {
      await this.#pools?.close();
      await this.#http.close();
      await this.#storage?.close();
    } catch (error) {
      this.#logger.error('the server did not stop cleanly', { err: errorMessage(error) });
    } finally {
      await this.#storage?.terminate();
      this.#lock?.release();
      clearTimeout(force);
      this.#logger.info('stopped');
      this.#end(exitCode);
    }
  }

  #replaySeconds = 0;

  #registerMetrics(): void {
    const registry = this.#registry;
    registerProcessMetrics(registry);
    const platform = { goos: GO_PLATFORMS[process.platform] ?? process.platform, goarch: GO_ARCHITECTURES[process.arch] ?? process.arch };
    const build = { version: buildInfo.version, revision: buildInfo.revision, branch: buildInfo.branch, goversion: buildInfo.goVersion, ...platform };
    registry.observe('prometheus_build_info', 'Build information of the server.', 'gauge', () => [{ suffix: '', labels: build, value: 1 }]);
    registry.observe('prometheus_engine_query_log_enabled', 'State of the query log.', 'gauge', () => 0);
    registry.observe('coeus_build_info', 'Build information of the server.', 'gauge', () => [
      { suffix: '', labels: { version: COEUS_VERSION, nodeversion: process.version }, value: 1 },
    ]);
    registry.observe('prometheus_ready', 'Whether Prometheus startup was fully completed and the server is ready for normal operation.', 'gauge', () => (this.isReady() ? 1 : 0));
    registry.observe('prometheus_config_last_reload_successful', 'Whether the last configuration reload attempt was successful.', 'gauge', () => (this.#reloadSucceeded ? 1 : 0));
    registry.observe('prometheus_config_last_reload_success_timestamp_seconds', 'Timestamp of the last successful configuration reload.', 'gauge', () => this.#lastReloadMs / 1000);
    registry.observe('prometheus_tsdb_data_replay_duration_seconds', 'Time taken to replay the data on disk.', 'gauge', () => this.#replaySeconds);
    registry.observe('prometheus_tsdb_clean_start', '-1: lockfile is disabled. 0: a lockfile from a previous execution was replaced. 1: lockfile creation was clean', 'gauge', () =>
      this.#lock === null ? -1 : this.#lock.wasLeftBehind ? 0 : 1,
    );
  }
}

/** What Go calls platforms and processors, where it has other names. */
const GO_PLATFORMS: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris' };
const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** Whether moving the array's buffer to another thread moves nothing else. */
function isWhole(body: Uint8Array): body is Uint8Array<ArrayBuffer> {
  return body.buffer instanceof ArrayBuffer && body.byteLength === body.buffer.byteLength;
}

/** Families of one name that several threads have become one. */
function mergeFamilies(families: readonly MetricFamily[]): MetricFamily[] {
  const byName = new Map<string, MetricFamily>();
  for (const family of families) {
    const before = byName.get(family.name);
    byName.set(family.name, before === undefined ? family : { ...before, samples: [...before.samples, ...family.samples] });
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
