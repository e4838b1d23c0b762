/**
 * What the server tells about itself: versions, flags, configuration, storage, replay.
 */
import { asList, asNumber, asObject, asText, asTextMap } from './decode.ts';
import { askApi } from './http.ts';

export interface NamedCount {
  readonly name: string;
  readonly value: number;
}

export interface TsdbStatus {
  readonly seriesCount: number;
  readonly labelPairCount: number;
  readonly chunkCount: number;
  /** Both are null while the head is empty. */
  readonly minTimeMs: number | null;
  readonly maxTimeMs: number | null;
  readonly seriesCountByMetricName: readonly NamedCount[];
  readonly labelValueCountByLabelName: readonly NamedCount[];
  readonly memoryInBytesByLabelName: readonly NamedCount[];
  readonly seriesCountByLabelValuePair: readonly NamedCount[];
}

/** Segments of the write-ahead log that are read at the start. */
export interface ReplayProgress {
  readonly min: number;
  readonly max: number;
  readonly current: number;
}

export type TextMap = ReadonlyMap<string, string>;

export const fetchRuntimeInfo = (signal: AbortSignal): Promise<TextMap> =>
  ask('status/runtimeinfo', asNamedTexts, signal);
export const fetchBuildInfo = (signal: AbortSignal): Promise<TextMap> => ask('status/buildinfo', asNamedTexts, signal);
export const fetchFlags = (signal: AbortSignal): Promise<TextMap> => ask('status/flags', asNamedTexts, signal);
export const fetchTsdbStatus = (signal: AbortSignal): Promise<TsdbStatus> =>
  ask('status/tsdb', decodeTsdbStatus, signal);
export const fetchReplayProgress = (signal: AbortSignal): Promise<ReplayProgress> =>
  ask('status/walreplay', decodeReplay, signal);
export const fetchConfigYaml = (signal: AbortSignal): Promise<string> =>
  ask('status/config', (data) => asText(asObject(data, 'the answer')['yaml'], 'the configuration'), signal);

export function decodeTsdbStatus(data: unknown): TsdbStatus {
  const status = asObject(data, 'the status');
  const head = asObject(status['headStats'], 'the head’s figures');
  const seriesCount = asNumber(head['numSeries'], 'numSeries');
  const minTimeMs = asNumber(head['minTime'], 'minTime');
  const maxTimeMs = asNumber(head['maxTime'], 'maxTime');
  // An empty head has its ends the wrong way round.
  const isEmpty = minTimeMs > maxTimeMs;
  return {
    seriesCount,
    labelPairCount: asNumber(head['numLabelPairs'], 'numLabelPairs'),
    chunkCount: asNumber(head['chunkCount'], 'chunkCount'),
    minTimeMs: isEmpty ? null : minTimeMs,
    maxTimeMs: isEmpty ? null : maxTimeMs,
    seriesCountByMetricName: asCounts(status['seriesCountByMetricName']),
    labelValueCountByLabelName: asCounts(status['labelValueCountByLabelName']),
    memoryInBytesByLabelName: asCounts(status['memoryInBytesByLabelName']),
    seriesCountByLabelValuePair: asCounts(status['seriesCountByLabelValuePair']),
  };
}

/** The share of the log that is read, between 0 and 1; null where there is nothing to read. */
export function replayShare({ min, max, current }: ReplayProgress): number | null {
  const segments = max - min + 1;
  if (max <= 0 || segments <= 0) return null;
  return Math.min(1, Math.max(0, (current - min + 1) / segments));
}

async function ask<T>(path: string, decode: (data: unknown) => T, signal: AbortSignal): Promise<T> {
  const { data } = await askApi(path, {}, decode, signal);
  return data;
}

const asNamedTexts = (data: unknown): TextMap => asTextMap(data, 'the answer');

function asCounts(value: unknown): NamedCount[] {
  return asList(value, 'a list', (item) => {
    const entry = asObject(item, 'an entry');
    return { name: asText(entry['name'], 'a name'), value: asNumber(entry['value'], 'a value') };
  });
}

function decodeReplay(data: unknown): ReplayProgress {
  const { min, max, current } = asObject(data, 'the progress') as { min?: unknown; max?: unknown; current?: unknown };
  return { min: asNumber(min, 'min'), max: asNumber(max, 'max'), current: asNumber(current, 'current') };
}
