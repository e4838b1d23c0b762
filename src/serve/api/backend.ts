/**
 * What the HTTP API needs from the rest of the process. The API itself (routes, parameters, status codes) runs on the main
 * thread and never touches a sample: answers arrive as finished bytes from a query worker and are passed on.
 */
import type { MetricFamily } from '../../core/base/metrics.ts';
import type { Labels } from '../../core/model/labels.ts';
import type { Matcher } from '../../core/model/matcher.ts';
import type { ScrapeConfig } from '../config/scrape-schema.ts';

/** Prometheus' error types; `status.ts` maps them to HTTP statuses. */
export type ApiErrorType =
  | 'bad_data'
  | 'execution'
  | 'canceled'
  | 'timeout'
  | 'internal'
  | 'unavailable'
  | 'not_found'
  | 'not_acceptable';

/** A request that can't be answered, with the API's error type. Thrown by backends and route handlers alike. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly errorType: ApiErrorType;

  constructor(errorType: ApiErrorType, message: string, cause?: unknown) {
    super(message, { cause });
    this.errorType = errorType;
  }
}

export interface InstantQuery {
  readonly kind: 'instant';
  readonly query: string;
  readonly timeMs: number;
  readonly timeoutMs: number;
  /** 0: the server's default. */
  readonly lookbackMs: number;
  /** 0: no limit. */
  readonly limit: number;
  readonly stats: boolean;
}

export interface RangeQuery {
  readonly kind: 'range';
  readonly query: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  readonly timeoutMs: number;
  readonly lookbackMs: number;
  readonly limit: number;
  readonly stats: boolean;
}

/** `matcherSets`: series that match any one of the sets; empty means all. */
export interface MetadataQuery {
  readonly kind: 'series' | 'labels' | 'values';
  /** Label name of kind `values`, else ''. */
  readonly label: string;
  readonly matcherSets: readonly (readonly Matcher[])[];
  readonly startMs: number;
  readonly endMs: number;
  readonly limit: number;
}

export interface FederateQuery {
  readonly kind: 'federate';
  readonly matcherSets: readonly (readonly Matcher[])[];
  readonly timeMs: number;
  readonly lookbackMs: number;
  readonly externalLabels: Labels;
}

/** The lists of `/api/v1/status/tsdb`, as JSON of a `TsdbStatus` without its head. Asked by the process itself. */
export interface CardinalityQuery {
  readonly kind: 'cardinality';
  readonly limit: number;
}

/** Series to delete, and from when to when, both ends in. A set without matchers means all series. */
export interface SeriesDeletion {
  readonly matcherSets: readonly (readonly Matcher[])[];
  readonly startMs: number;
  readonly endMs: number;
}

/** Exemplars of series that match any one of the sets, both ends in. */
export interface ExemplarQuery {
  readonly matcherSets: readonly (readonly Matcher[])[];
  readonly startMs: number;
  readonly endMs: number;
}

export interface SeriesExemplars {
  readonly seriesLabels: Labels;
  /** Ascending in time. */
  readonly exemplars: readonly { readonly labels: Labels; readonly value: number; readonly timeMs: number }[];
}

/** What `/api/v1/status/tsdb/blocks` shows of a block: its meta.json, as far as it goes. */
export interface BlockSummary {
  readonly ulid: string;
  readonly minTime: number;
  readonly maxTime: number;
  readonly stats: { readonly numSamples?: number; readonly numSeries?: number; readonly numChunks?: number };
  readonly compaction: { readonly level: number; readonly sources?: readonly string[] };
  readonly version: number;
}

export type BackendQuery = InstantQuery | RangeQuery | MetadataQuery | FederateQuery;

/** One target as the API shows it. */
export interface TargetState {
  readonly scrapePool: string;
  readonly discoveredLabels: Labels;
  readonly labels: Labels;
  readonly scrapeUrl: string;
  readonly lastError: string;
  /** 0: never scraped. */
  readonly lastScrapeMs: number;
  readonly lastScrapeDurationMs: number;
  readonly health: 'up' | 'down' | 'unknown';
  readonly scrapeIntervalMs: number;
  readonly scrapeTimeoutMs: number;
}

export interface DroppedTargetState {
  readonly scrapePool: string;
  readonly discoveredLabels: Labels;
}

export interface TargetsSnapshot {
  /** By pool, in configuration order; includes pools with no target. */
  readonly pools: readonly string[];
  readonly active: readonly TargetState[];
  readonly dropped: readonly DroppedTargetState[];
  /** Also counts the dropped targets that were not kept. */
  readonly droppedCounts: Readonly<Record<string, number>>;
}

/** Type, help and unit that one target gave for one metric. */
export interface TargetMetadata {
  readonly targetLabels: Labels;
  readonly metric: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

export interface HeadStatus {
  readonly seriesCount: number;
  readonly labelPairCount: number;
  readonly chunkCount: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

export interface NamedCount {
  readonly name: string;
  readonly value: number;
}

export interface TsdbStatus {
  readonly head: HeadStatus;
  readonly seriesCountByMetricName: readonly NamedCount[];
  readonly labelValueCountByLabelName: readonly NamedCount[];
  readonly memoryInBytesByLabelName: readonly NamedCount[];
  readonly seriesCountByLabelValuePair: readonly NamedCount[];
}

export interface ReplayProgress {
  readonly min: number;
  readonly max: number;
  readonly current: number;
}

/** Outcome of a remote write request; `status` is the HTTP status to answer with, `message` its body if not 204. */
export interface WriteOutcome {
  readonly status: number;
  readonly message: string;
}

export interface RuntimeInfo {
  readonly startTimeMs: number;
  readonly reloadConfigSuccess: boolean;
  readonly lastConfigTimeMs: number;
  readonly corruptionCount: number;
  readonly storageRetention: string;
}

export interface Backend {
  /** Whether reads and writes are taken (the WAL is replayed, the first configuration applied). */
  isReady(): boolean;
  replayProgress(): ReplayProgress;
  /**
   * Answers a query with the bytes of the whole response body, in pieces that the caller may write as they come. The first
   * piece arrives only once nothing can fail any more.
   * @throws ApiError
   */
  query(request: BackendQuery, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** A remote write 1.0 body, still compressed. Resolves when the samples are in the WAL. Takes ownership of `body`. */
  remoteWrite(body: Uint8Array): Promise<WriteOutcome>;
  targets(): Promise<TargetsSnapshot>;
  targetMetadata(): Promise<readonly TargetMetadata[]>;
  tsdbStatus(limit: number): Promise<TsdbStatus>;
  runtimeInfo(): RuntimeInfo;
  /** The configuration that is in force, secrets masked. */
  configYaml(): string;
  /** A job of the configuration in force, of included files too. */
  scrapeConfig(pool: string): ScrapeConfig | undefined;
  /** Labels that federation adds, of the configuration in force. */
  externalLabels(): Labels;
  /** Own metrics of all threads. */
  metrics(): Promise<MetricFamily[]>;
  /** The machine, by the built-in host collector. @throws ApiError not_found where there is none */
  hostMetrics(): Promise<MetricFamily[]>;
  /** @throws ApiError with the reason; then nothing has changed */
  reload(): Promise<void>;
  /** Begins a clean stop; returns at once. */
  quit(): void;
  /** The blocks that are loaded, oldest first. Missing where the storage has none. */
  blocks?(): Promise<readonly BlockSummary[]>;
  /** Missing where the storage keeps no exemplars. */
  exemplars?(query: ExemplarQuery, signal: AbortSignal): Promise<readonly SeriesExemplars[]>;
  /** Resolves when the deletion is kept. Missing where the storage can't; so below. @throws ApiError */
  deleteSeries?(deletion: SeriesDeletion): Promise<void>;
  /** Rewrites blocks without what was deleted. @throws ApiError */
  cleanTombstones?(): Promise<void>;
  /** @returns the name of the snapshot's folder below `snapshots/` @throws ApiError */
  snapshot?(options: { readonly skipHead: boolean }): Promise<string>;
}
