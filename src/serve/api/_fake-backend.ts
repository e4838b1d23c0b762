/**
 * A server over a backend that answers from fixed data: what the tests of this folder talk to.
 *
 * Queries evaluate to the number 1 on the grid that was asked for, so answers show how times were read.
 */
import type { Clock } from '../../core/base/clock.ts';
import { silentLogger } from '../../core/base/log.ts';
import { Registry } from '../../core/base/metrics.ts';
import { EMPTY_LABELS, labelsFromObject } from '../../core/model/labels.ts';
import type { QueryResult, QueryValue } from '../../query/promql/result.ts';
import { parseConfig } from '../config/config.ts';
import type { ScrapeConfig } from '../config/scrape-schema.ts';
import type {
  Backend,
  BackendQuery,
  BlockSummary,
  ExemplarQuery,
  SeriesDeletion,
  SeriesExemplars,
  TargetMetadata,
  TargetsSnapshot,
} from './backend.ts';
import { writeFederateText } from './federate-text.ts';
import { writeQueryJson, writeSeriesJson, writeStringsJson } from './query-json.ts';
import { Notifications } from './notifications.ts';
import type { ServerOptions } from './server-options.ts';

export const NOW_MS = 1_795_423_207_082;

export const fakeClock: Clock = { nowMs: () => NOW_MS, monotonicMs: () => 0 };

export class FakeBackend implements Backend {
  readonly queries: BackendQuery[] = [];
  readonly writes: Uint8Array[] = [];
  quitCount = 0;
  ready = true;
  reloadError: Error | undefined;
  /** Replaces the answer of the next queries. */
  answer: ((request: BackendQuery, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>) | undefined;

  isReady(): boolean {
    return this.ready;
  }

  replayProgress(): { min: number; max: number; current: number } {
    return { min: 0, max: 7, current: 3 };
  }

  query(request: BackendQuery, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    this.queries.push(request);
    return this.answer ? this.answer(request, signal) : Promise.resolve(asAsync(answerOf(request)));
  }

  remoteWrite(body: Uint8Array): Promise<{ status: number; message: string }> {
    this.writes.push(body);
    return Promise.resolve(
      body.length === 1 ? { status: 400, message: 'snappy: corrupt input' } : { status: 204, message: '' },
    );
  }

  targets(): Promise<TargetsSnapshot> {
    return Promise.resolve(TARGETS);
  }

  targetMetadata(): Promise<readonly TargetMetadata[]> {
    return Promise.resolve(METADATA);
  }

  tsdbStatus(limit: number): ReturnType<Backend['tsdbStatus']> {
    const names = [
      { name: 'up', value: 3 },
      { name: 'odd_metric', value: 2 },
    ].slice(0, limit);
    return Promise.resolve({
      head: { seriesCount: 5, labelPairCount: 9, chunkCount: 6, minTimeMs: 1000, maxTimeMs: 2000 },
      seriesCountByMetricName: names,
      labelValueCountByLabelName: [],
      memoryInBytesByLabelName: [],
      seriesCountByLabelValuePair: [],
    });
  }

  runtimeInfo(): ReturnType<Backend['runtimeInfo']> {
    return {
      startTimeMs: NOW_MS - 5000,
      reloadConfigSuccess: true,
      lastConfigTimeMs: NOW_MS - 4082,
      corruptionCount: 0,
      storageRetention: '15d',
    };
  }

  configYaml(): string {
    return 'global:\n  external_labels:\n    zone: z<1>\n';
  }

  scrapeConfig(pool: string): ScrapeConfig | undefined {
    return CONFIG.scrapeConfigs.find(({ jobName }) => jobName === pool);
  }

  externalLabels(): ReturnType<Backend['externalLabels']> {
    return labelsFromObject({ region: 'eu', zone: 'z<1>' });
  }

  metrics(): ReturnType<Backend['metrics']> {
    return Promise.resolve([
      {
        name: 'a_total',
        help: 'A.',
        type: 'counter' as const,
        samples: [{ suffix: '' as const, labels: {}, value: 1 }],
      },
    ]);
  }

  hostMetrics(): ReturnType<Backend['hostMetrics']> {
    return Promise.resolve([]);
  }

  reload(): Promise<void> {
    return this.reloadError ? Promise.reject(this.reloadError) : Promise.resolve();
  }

  quit(): void {
    this.quitCount++;
  }
}

/** One whose storage can do what storages may do. */
export class StoringBackend extends FakeBackend {
  readonly asked: unknown[] = [];

  blocks(): Promise<readonly BlockSummary[]> {
    const compaction = { level: 1, sources: ['01JZ8JKZY6XSK3PTDP9ZKRWT60'] };
    const stats = { numSamples: 9, numSeries: 2, numChunks: 3 };
    return Promise.resolve([
      { ulid: '01JZ8JKZY6XSK3PTDP9ZKRWT60', minTime: 0, maxTime: 7, stats, compaction, version: 1 },
    ]);
  }

  exemplars(query: ExemplarQuery): Promise<readonly SeriesExemplars[]> {
    this.asked.push(query);
    const exemplar = { labels: labelsFromObject({ trace_id: 'a<b' }), value: 1e-7, timeMs: 1500 };
    return Promise.resolve([{ seriesLabels: labelsFromObject({ __name__: 'up' }), exemplars: [exemplar] }]);
  }

  deleteSeries(deletion: SeriesDeletion): Promise<void> {
    this.asked.push(deletion);
    return Promise.resolve();
  }

  cleanTombstones(): Promise<void> {
    this.asked.push('clean');
    return Promise.resolve();
  }

  snapshot(options: { readonly skipHead: boolean }): Promise<string> {
    this.asked.push(options);
    return Promise.resolve('20261123T144608Z-56c7790b21f0b73b');
  }
}

export async function* asAsync(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  yield* pieces;
}

/** Options of a server on no prefix with everything switched on. */
export function fakeOptions(changes: Partial<ServerOptions> = {}): ServerOptions {
  return {
    listenAddresses: ['127.0.0.1:0'],
    webConfigFile: null,
    externalUrl: new URL('http://vm:19390'),
    routePrefix: '',
    readTimeoutMs: 300_000,
    maxConnections: 512,
    corsOrigin: '.*',
    enableLifecycle: true,
    enableAdminApi: false,
    featureFlags: [],
    notifications: new Notifications({ clock: fakeClock, maxSubscribers: 2 }),
    enableRemoteWriteReceiver: true,
    queryTimeoutMs: 120_000,
    lookbackMs: 300_000,
    flags: { 'query.timeout': '2m', 'config.file': 'prometheus.yml' },
    buildInfo: { version: '3.14.0', revision: 'r', branch: 'main', buildUser: '', buildDate: '', goVersion: 'node26' },
    uiDirectory: 'no-such-folder',
    pageTitle: 'Coeus',
    registry: new Registry(),
    clock: fakeClock,
    logger: silentLogger,
    ...changes,
  };
}

function answerOf(request: BackendQuery): Iterable<Uint8Array> {
  switch (request.kind) {
    case 'instant':
      return answerJson({ type: 'scalar', timeMs: request.timeMs, value: 1 }, request);
    case 'range': {
      const count = Math.floor((request.endMs - request.startMs) / request.stepMs) + 1;
      const times = Float64Array.from({ length: count }, (_, i) => request.startMs + i * request.stepMs);
      return answerJson(
        { type: 'matrix', series: [{ labels: EMPTY_LABELS, times, values: new Float64Array(count).fill(1) }] },
        request,
      );
    }
    case 'series':
      return writeSeriesJson(
        request.endMs < request.startMs ? [] : [labelsFromObject({ __name__: 'up', job: 'a<b' })],
        request.limit,
      );
    case 'labels':
      return writeStringsJson(request.endMs < request.startMs ? [] : ['__name__', 'instance', 'job'], request.limit);
    case 'values':
      return writeStringsJson(request.label === 'nothing' ? [] : [request.label], request.limit);
    case 'federate': {
      const labels = [
        labelsFromObject({ __name__: 'odd_total', a: '1', instance: 'x', job: 'odd' }),
        labelsFromObject({ __name__: 'odd_total', a: '1', job: 'noinst', zone: 'own' }),
      ];
      return writeFederateText(
        { labels, times: Float64Array.of(NOW_MS, NOW_MS), values: Float64Array.of(5, 7) },
        request.externalLabels,
      );
    }
    default:
      throw new Error('unknown query');
  }
}

function answerJson(value: QueryValue, { limit, stats }: { limit: number; stats: boolean }): Iterable<Uint8Array> {
  const result: QueryResult = {
    value,
    warnings: [],
    infos: [],
    stats: { preparationMs: 1, evaluationMs: 2, sortMs: 0, totalQueryableSamples: 0, peakSamples: 1 },
  };
  return writeQueryJson(result, { limit, stats, queueMs: 0 });
}

const CONFIG = parseConfig(
  `scrape_configs:
- job_name: odd
  basic_auth: { username: u, password: p }
  relabel_configs:
  - { source_labels: [__address__], target_label: where, regex: '(.*):.*' }
  - { action: drop, source_labels: [where], regex: gone }
  - { action: labeldrop, regex: job }
`,
  { file: 'test', dir: '.' },
);

const odd = {
  scrapePool: 'odd',
  discoveredLabels: labelsFromObject({ __address__: '127.0.0.1:19391', job: 'odd' }),
  labels: labelsFromObject({ instance: '127.0.0.1:19391', job: 'odd' }),
  scrapeUrl: 'http://127.0.0.1:19391/odd.prom',
  lastError: '',
  lastScrapeMs: NOW_MS,
  lastScrapeDurationMs: 1.5,
  health: 'up',
  scrapeIntervalMs: 2000,
  scrapeTimeoutMs: 2000,
} as const;

const TARGETS: TargetsSnapshot = {
  pools: ['odd', 'gone', 'dropped'],
  active: [
    odd,
    {
      ...odd,
      scrapePool: 'gone',
      labels: labelsFromObject({ instance: '127.0.0.1:1', job: 'gone' }),
      scrapeUrl: 'http://127.0.0.1:1/metrics',
      lastError: 'connection refused',
      lastScrapeMs: 0,
      health: 'down',
    },
  ],
  dropped: [{ scrapePool: 'dropped', discoveredLabels: labelsFromObject({ __address__: '127.0.0.1:2' }) }],
  droppedCounts: { odd: 0, gone: 0, dropped: 1 },
};

const metadataOf = (target: string, metric: string, type: string, help: string): TargetMetadata => ({
  targetLabels: labelsFromObject({ instance: target, job: target }),
  metric,
  type,
  help,
  unit: '',
});

const METADATA: readonly TargetMetadata[] = [
  metadataOf('odd', 'odd_metric', 'gauge', 'An odd <metric> & "help" line\nsecond'),
  metadataOf('odd', 'odd_total', 'counter', ''),
  metadataOf('other', 'odd_total', 'counter', 'Another help'),
];
