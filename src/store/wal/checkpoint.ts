/**
 * Checkpoints: what is still needed of old WAL segments, written anew so that the segments can go.
 *
 * `checkpoint.%08d` is a folder with segments of its own. It holds what the checkpoint before it and the segments up to its number
 * held of series that live, and of samples that are not yet in blocks. It is written beside its place and renamed when it is
 * complete, so a reader sees either the old one or the new one; what both hold is deleted afterwards.
 * Source: Prometheus, tsdb/wlog/checkpoint.go.
 */
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BinaryWriter } from '../../core/bytes/binary-writer.ts';
import { ByteCursor } from '../../core/bytes/cursor.ts';
import {
  decodeExemplars, decodeMetadata, decodeTombstones, encodeExemplars, encodeSamples, isHistograms, RECORD_TYPE, SampleRecord,
  scanHistograms, type LoggedExemplar,
} from './wal-records.ts';
import { SegmentReader } from './segment-reader.ts';
import { lastCheckpoint, listCheckpoints, listSegments, segmentName } from './wal-format.ts';
import type { WalFault } from './wal-reader.ts';
import { WalWriter, type WalCompression } from './wal-writer.ts';

/** Records are handed to the disk when they are this long together. */
const BATCH_BYTES = 1024 * 1024;
/** Metadata entries in one record. */
const METADATA_BATCH = 10_000;
const TEMPORARY = '.tmp';

export interface CheckpointRequest {
  /** The newest segment that goes into the checkpoint; it must be closed. */
  readonly lastSegment: number;
  /** Whether a series, and so its metadata, is still needed. */
  readonly keepSeries: (walRef: number) => boolean;
  /** Samples and exemplars before are left out. */
  readonly minTimeMs: number;
  /** Tombstones that end before are left out; without it, before `minTimeMs`. Out-of-order samples may be older than those in order. */
  readonly minTombstoneMs?: number;
  readonly compression: WalCompression;
}

/**
 * The newest segment that a checkpoint should take: of the closed ones the oldest two thirds, since the newest hold samples that are not yet
 * in blocks.
 * @param closed numbers of the closed segments, ascending @returns null where there are too few
 */
export function segmentToCheckpoint(closed: readonly number[]): number | null {
  if (closed.length < 2) return null;
  const first = closed[0]!;
  const last = first + Math.floor(((closed.at(-1)! - first) * 2) / 3);
  return last > first ? last : null;
}

export interface CheckpointReport {
  /** Of the series and samples that were read. */
  readonly keptSeries: number;
  readonly droppedSeries: number;
  readonly keptSamples: number;
  readonly droppedSamples: number;
  /** Records of types that are not read here, left out. */
  readonly droppedRecords: number;
  /** What could not be read, and so is not in the checkpoint: the segments then stay. */
  readonly faults: readonly WalFault[];
}

/**
 * Writes the checkpoint and deletes what it replaces. Where a segment can't be read to its end, nothing is changed and the fault is
 * reported: the segments are all there is of its samples.
 */
export function writeCheckpoint(folder: string, request: CheckpointRequest): CheckpointReport {
  removeTemporary(folder);
  const before = lastCheckpoint(folder);
  const inputs: { folder: string; segment: number }[] = [];
  if (before !== null) {
    const inner = join(folder, before.name);
    inputs.push(...listSegments(inner).map((segment) => ({ folder: inner, segment })));
  }
  const segments = listSegments(folder).filter((segment) => segment <= request.lastSegment && segment > (before?.index ?? -1));
  inputs.push(...segments.map((segment) => ({ folder, segment })));
  const name = `checkpoint.${segmentName(request.lastSegment)}`;
  const temporary = join(folder, name + TEMPORARY);
  const writer = new WalWriter(temporary, { compression: request.compression });
  const copier = new CheckpointCopier(writer, request);
  const reader = new SegmentReader();
  const faults: WalFault[] = [];
  try {
    for (const input of inputs) {
      const fault = reader.read(input.folder, input.segment, (record) => copier.take(record));
      if (fault !== null) faults.push({ ...input, ...fault, isTornTail: false });
    }
    copier.finish();
  } finally {
    writer.close();
  }
  if (faults.length > 0) {
    rmSync(temporary, { recursive: true });
    return { ...copier.report(), faults };
  }
  syncFolder(temporary);
  renameSync(temporary, join(folder, name));
  syncFolder(folder);
  deleteCovered(folder, request.lastSegment);
  return { ...copier.report(), faults };
}

/** Removes checkpoints that were never completed. */
export function removeTemporary(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith('checkpoint.') && name.endsWith(TEMPORARY)) rmSync(join(folder, name), { recursive: true });
  }
}

/** Deletes the segments and older checkpoints that the checkpoint `index` covers. */
export function deleteCovered(folder: string, index: number): void {
  for (const segment of listSegments(folder)) if (segment <= index) rmSync(join(folder, segmentName(segment)));
  for (const checkpoint of listCheckpoints(folder)) if (checkpoint.index < index) rmSync(join(folder, checkpoint.name), { recursive: true });
}

/** Takes records, keeps what is needed of each, and passes it on in batches. */
class CheckpointCopier {
  readonly #writer: WalWriter;
  readonly #request: CheckpointRequest;
  readonly #out = new BinaryWriter(BATCH_BYTES);
  /** Where records of the batch begin. */
  #starts: number[] = [];
  readonly #samples = new SampleRecord();
  /** The newest metadata of each series, as bytes. */
  readonly #metadata = new Map<number, Uint8Array>();
  #keptSeries = 0;
  #droppedSeries = 0;
  #keptSamples = 0;
  #droppedSamples = 0;
  #droppedRecords = 0;

  constructor(writer: WalWriter, request: CheckpointRequest) {
    this.#writer = writer;
    this.#request = request;
  }

  report(): Omit<CheckpointReport, 'faults'> {
    return {
      keptSeries: this.#keptSeries,
      droppedSeries: this.#droppedSeries,
      keptSamples: this.#keptSamples,
      droppedSamples: this.#droppedSamples,
      droppedRecords: this.#droppedRecords,
    };
  }

  take(record: Uint8Array): void {
    const type = record[0] ?? 0;
    const start = this.#out.length;
    if (type === RECORD_TYPE.SERIES) this.#takeSeries(record);
    else if (type === RECORD_TYPE.SAMPLES) this.#takeSamples(record);
    else if (type === RECORD_TYPE.TOMBSTONES) this.#takeTombstones(record);
    else if (type === RECORD_TYPE.EXEMPLARS) this.#takeExemplars(record);
    else if (type === RECORD_TYPE.METADATA) this.#takeMetadata(record);
    else if (isHistograms(type)) this.#takeHistograms(record);
    else this.#droppedRecords++;
    if (this.#out.length === start) return;
    this.#starts.push(start);
    if (this.#out.length >= BATCH_BYTES) this.#flush();
  }

  /** Writes the metadata, which is known only now, and the last batch. */
  finish(): void {
    let count = 0;
    for (const entry of this.#metadata.values()) {
      if (count++ % METADATA_BATCH === 0) {
        this.#starts.push(this.#out.length);
        this.#out.u8(RECORD_TYPE.METADATA);
      }
      this.#out.bytes(entry);
    }
    this.#flush();
  }

  #flush(): void {
    const { written } = this.#out;
    this.#writer.log(this.#starts.map((start, i) => written.subarray(start, this.#starts[i + 1] ?? written.length)));
    this.#starts = [];
    this.#out.clear();
  }

  /** Copies the bytes of the series that live. */
  #takeSeries(record: Uint8Array): void {
    const cursor = new ByteCursor(record, 1);
    const start = this.#out.length;
    this.#out.u8(RECORD_TYPE.SERIES);
    while (!cursor.isDone) {
      const from = cursor.at;
      const walRef = cursor.u64();
      for (let texts = 2 * cursor.uvarint(); texts > 0; texts--) cursor.skip(cursor.uvarint());
      if (this.#request.keepSeries(walRef)) {
        this.#out.bytes(record.subarray(from, cursor.at));
        this.#keptSeries++;
      } else this.#droppedSeries++;
    }
    this.#dropIfEmpty(start);
  }

  #takeSamples(record: Uint8Array): void {
    const samples = this.#samples;
    samples.decode(record);
    const { walRefs, times, values } = samples;
    let kept = 0;
    for (let i = 0; i < samples.count; i++) {
      if (times[i]! < this.#request.minTimeMs) continue;
      if (kept !== i) {
        walRefs.copyWithin(kept, i, i + 1);
        times.copyWithin(kept, i, i + 1);
        values.copyWithin(kept, i, i + 1);
      }
      kept++;
    }
    this.#keptSamples += kept;
    this.#droppedSamples += samples.count - kept;
    if (kept > 0) encodeSamples(walRefs, times, values, 0, kept, this.#out);
  }

  #takeTombstones(record: Uint8Array): void {
    const start = this.#out.length;
    this.#out.u8(RECORD_TYPE.TOMBSTONES);
    decodeTombstones(record, ({ maxTimeMs }, from, to) => {
      if (maxTimeMs >= (this.#request.minTombstoneMs ?? this.#request.minTimeMs)) this.#out.bytes(record.subarray(from, to));
    });
    this.#dropIfEmpty(start);
  }

  #takeExemplars(record: Uint8Array): void {
    const kept: LoggedExemplar[] = [];
    decodeExemplars(record, (exemplar) => {
      if (exemplar.timeMs >= this.#request.minTimeMs) kept.push(exemplar);
    });
    if (kept.length > 0) encodeExemplars(kept, this.#out);
  }

  #takeMetadata(record: Uint8Array): void {
    decodeMetadata(record, ({ walRef }, from, to) => {
      if (this.#request.keepSeries(walRef)) this.#metadata.set(walRef, record.slice(from, to));
    });
  }

  /** Whole records, as long as one sample is still needed. */
  #takeHistograms(record: Uint8Array): void {
    const { count, maxTimeMs } = scanHistograms(record);
    if (maxTimeMs < this.#request.minTimeMs) {
      this.#droppedSamples += count;
      return;
    }
    this.#keptSamples += count;
    this.#out.bytes(record);
  }

  /** A record of its type alone says nothing. */
  #dropIfEmpty(start: number): void {
    if (this.#out.length === start + 1) this.#out.cutTo(start);
  }
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
