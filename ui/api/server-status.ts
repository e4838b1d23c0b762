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

/** A note of the server's on itself that holds now. */
export interface Notification {
  readonly text: string;
  readonly dateMs: number;
}

/** A block of the storage. Figures that the server does not tell are null. */
export interface Block {
  readonly ulid: string;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly level: number;
  readonly seriesCount: number | null;
  readonly sampleCount: number | null;
}

export type TextMap = ReadonlyMap<string, string>;

export const fetchRuntimeInfo = (signal: AbortSignal): Promise<TextMap> =>
  ask('status/runtimeinfo', asNamedTexts, signal);
export const fetchBuildInfo = (signal: AbortSignal): Promise<TextMap> => ask('status/buildinfo', asNamedTexts, signal);
export const fetchFlags = (signal: AbortSignal): Promise<TextMap> => ask('status/flags', asNamedTexts, signal);
export const fetchTsdbStatus = (signal: AbortSignal): Promise<TsdbStatus> =>
  ask('status/tsdb', decodeTsdbStatus, signal);
export const fetchBlocks = (signal: AbortSignal): Promise<readonly Block[]> =>
  ask('status/tsdb/blocks', decodeBlocks, signal);
export const fetchNotifications = (signal: AbortSignal): Promise<readonly Notification[]> =>
  ask('notifications', decodeNotifications, signal);
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

export function decodeBlocks(data: unknown): Block[] {
  const count = (value: unknown): number | null => (typeof value === 'number' ? value : null);
  return asList(asObject(data, 'the answer')['blocks'], 'the blocks', (item) => {
    const block = asObject(item, 'a block');
    const stats = asObject(block['stats'] ?? {}, 'a block’s figures');
    return {
      ulid: asText(block['ulid'], 'a block’s name'),
      minTimeMs: asNumber(block['minTime'], 'minTime'),
      maxTimeMs: asNumber(block['maxTime'], 'maxTime'),
      level: asNumber(asObject(block['compaction'], 'a block’s compaction')['level'], 'the level'),
      seriesCount: count(stats['numSeries']),
      sampleCount: count(stats['numSamples']),
    };
  });
}

/** Those that hold. */
export function decodeNotifications(data: unknown): Notification[] {
  return asList(data, 'the notifications', (item) => {
    const { text, date, active } = asObject(item, 'a notification') as {
      text?: unknown;
      date?: unknown;
      active?: unknown;
    };
    return { text: asText(text, 'a text'), dateMs: Date.parse(asText(date, 'a date')), active: active === true };
  })
    .filter(({ active }) => active)
    .map(({ text, dateMs }) => ({ text, dateMs }));
}

function decodeReplay(data: unknown): ReplayProgress {
  const { min, max, current } = asObject(data, 'the progress') as { min?: unknown; max?: unknown; current?: unknown };
  return { min: asNumber(min, 'min'), max: asNumber(max, 'max'), current: asNumber(current, 'current') };
}
