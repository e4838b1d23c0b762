/**
 * `meta.json` of a block: its name, its time range, what is in it, and from which blocks it came.
 *
 * It has no checksum, so every field is checked for what it can be. Fields that are not known here, such as Thanos' own, are kept as
 * they are.
 * Source: Prometheus, tsdb/block.go, BlockMeta.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CorruptError, errorMessage } from '../../core/base/errors.ts';
import { FileReadError } from '../index/byte-source.ts';
import { FileWriteError, syncFolder } from '../index/file-appender.ts';
import { isUlid } from './ulid.ts';

export const META_FILE = 'meta.json';
const META_VERSION = 1;
/** Longest file taken: the sources of a block alone can be thousands. */
export const MAX_META_BYTES = 16 * 1024 * 1024;

export interface BlockStats {
  readonly sampleCount: number;
  readonly floatSampleCount: number;
  readonly histogramSampleCount: number;
  readonly seriesCount: number;
  readonly chunkCount: number;
  readonly tombstoneCount: number;
}

export interface BlockParent {
  readonly ulid: string;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

export interface BlockCompaction {
  /** How often its data was compacted; 1 straight from the head. */
  readonly level: number;
  /** The level 1 blocks that are in it; of one such itself. */
  readonly sources: readonly string[];
  /** The blocks that it replaces. */
  readonly parents: readonly BlockParent[];
  /** It holds nothing any more. */
  readonly isDeletable: boolean;
  /** Compacting it failed. */
  readonly hasFailed: boolean;
  /** Such as `from-out-of-order`. */
  readonly hints: readonly string[];
}

export interface BlockMeta {
  readonly ulid: string;
  readonly minTimeMs: number;
  /** No longer in the block. */
  readonly maxTimeMs: number;
  readonly stats: BlockStats;
  readonly compaction: BlockCompaction;
  /** Further fields of the file, by their names there. */
  readonly extra: Readonly<Record<string, unknown>>;
}

type Json = Readonly<Record<string, unknown>>;

/** @throws CorruptError, FileReadError */
export function readBlockMeta(folder: string): BlockMeta {
  const file = join(folder, META_FILE);
  let text: string;
  try {
    const { size } = statSync(file);
    if (size > MAX_META_BYTES) throw new CorruptError(`${size} bytes are too many for a ${META_FILE}`, { file, offset: 0 });
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof CorruptError) throw error;
    throw new FileReadError(file, error);
  }
  return parseBlockMeta(text, file);
}

/** @param file for errors @throws CorruptError */
export function parseBlockMeta(text: string, file: string): BlockMeta {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CorruptError(`no JSON: ${errorMessage(error)}`, { file, offset: 0, cause: error });
  }
  const fields = new MetaFields(file);
  const { ulid, minTime, maxTime, stats, compaction, version, ...extra } = fields.object(json, 'the file');
  if (version !== META_VERSION) throw fields.fault(`version ${JSON.stringify(version)} is not known`);
  const minTimeMs = fields.integer(minTime, 'minTime');
  const maxTimeMs = fields.integer(maxTime, 'maxTime');
  if (minTimeMs > maxTimeMs) throw fields.fault(`minTime ${minTimeMs} is behind maxTime ${maxTimeMs}`);
  return {
    ulid: fields.ulid(ulid, 'ulid'),
    minTimeMs,
    maxTimeMs,
    stats: readStats(fields, fields.object(stats ?? {}, 'stats')),
    compaction: readCompaction(fields, fields.object(compaction ?? {}, 'compaction')),
    extra,
  };
}

function readStats(fields: MetaFields, stats: Json): BlockStats {
  const count = (name: string): number => fields.count(stats[name] ?? 0, `stats.${name}`);
  return {
    sampleCount: count('numSamples'),
    floatSampleCount: count('numFloatSamples'),
    histogramSampleCount: count('numHistogramSamples'),
    seriesCount: count('numSeries'),
    chunkCount: count('numChunks'),
    tombstoneCount: count('numTombstones'),
  };
}

function readCompaction(fields: MetaFields, compaction: Json): BlockCompaction {
  return {
    level: fields.count(compaction['level'] ?? 0, 'compaction.level'),
    sources: fields.list(compaction['sources'], 'compaction.sources').map((source) => fields.ulid(source, 'compaction.sources')),
    parents: fields.list(compaction['parents'], 'compaction.parents').map((each) => {
      const parent = fields.object(each, 'compaction.parents');
      return {
        ulid: fields.ulid(parent['ulid'], 'compaction.parents.ulid'),
        minTimeMs: fields.integer(parent['minTime'], 'compaction.parents.minTime'),
        maxTimeMs: fields.integer(parent['maxTime'], 'compaction.parents.maxTime'),
      };
    }),
    isDeletable: fields.flag(compaction['deletable'], 'compaction.deletable'),
    hasFailed: fields.flag(compaction['failed'], 'compaction.failed'),
    hints: fields.list(compaction['hints'], 'compaction.hints').map((hint) => fields.text(hint, 'compaction.hints')),
  };
}

/** As Prometheus writes it, with tabs. */
export function formatBlockMeta(meta: BlockMeta): string {
  const { stats, compaction } = meta;
  const some = <T>(list: readonly T[]): readonly T[] | undefined => (list.length > 0 ? list : undefined);
  const json = {
    ulid: meta.ulid,
    minTime: meta.minTimeMs,
    maxTime: meta.maxTimeMs,
    stats: {
      numSamples: stats.sampleCount || undefined,
      numFloatSamples: stats.floatSampleCount || undefined,
      numHistogramSamples: stats.histogramSampleCount || undefined,
      numSeries: stats.seriesCount || undefined,
      numChunks: stats.chunkCount || undefined,
      numTombstones: stats.tombstoneCount || undefined,
    },
    compaction: {
      level: compaction.level,
      sources: some(compaction.sources),
      deletable: compaction.isDeletable || undefined,
      parents: some(compaction.parents.map(({ ulid, minTimeMs, maxTimeMs }) => ({ ulid, minTime: minTimeMs, maxTime: maxTimeMs }))),
      failed: compaction.hasFailed || undefined,
      hints: some(compaction.hints),
    },
    version: META_VERSION,
    ...meta.extra,
  };
  return JSON.stringify(json, undefined, '\t');
}

/** Replaces the file as a whole. @throws FileWriteError */
export function writeBlockMeta(folder: string, meta: BlockMeta): void {
  replaceFile(folder, META_FILE, Buffer.from(formatBlockMeta(meta)));
}

/** Writes a file beside its place and renames it when the disk has it. @throws FileWriteError */
export function replaceFile(folder: string, name: string, bytes: Uint8Array): void {
  const path = join(folder, name);
  const temporary = `${path}.tmp`;
  try {
    const descriptor = openSync(temporary, 'w');
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    throw new FileWriteError(`cannot write ${path}: ${errorMessage(error)}`, { cause: error });
  }
  syncFolder(folder);
}

/** Fields of one file, each checked for its type. */
class MetaFields {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  fault(what: string): CorruptError {
    return new CorruptError(what, { file: this.#file, offset: 0 });
  }

  object(value: unknown, name: string): Json {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.fault(`${name} is no object`);
    return value as Json;
  }

  list(value: unknown, name: string): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw this.fault(`${name} is no list`);
    return value;
  }

  integer(value: unknown, name: string): number {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw this.fault(`${name} is no integer: ${JSON.stringify(value)}`);
    return value;
  }

  count(value: unknown, name: string): number {
    const count = this.integer(value, name);
    if (count < 0) throw this.fault(`${name} is negative: ${count}`);
    return count;
  }

  flag(value: unknown, name: string): boolean {
    if (value !== undefined && typeof value !== 'boolean') throw this.fault(`${name} is neither true nor false: ${JSON.stringify(value)}`);
    return value ?? false;
  }

  text(value: unknown, name: string): string {
    if (typeof value !== 'string') throw this.fault(`${name} is no text: ${JSON.stringify(value)}`);
    return value;
  }

  ulid(value: unknown, name: string): string {
    const text = this.text(value, name);
    if (!isUlid(text)) throw this.fault(`${name} is no ULID: ${JSON.stringify(text)}`);
    return text;
  }
}
