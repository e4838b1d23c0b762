/**
 * What WAL records say. Series and samples are read into columns; records of other kinds are rarer and become lists; native
 * histograms are walked over, so that they can be counted and kept.
 *
 *   every record   u8 type, then until its end            strings: uvarint length, UTF-8; labels: uvarint count, names and values
 *   1 series       u64 ref, labels
 *   2 samples      u64 base ref, i64 base time, then: varint ref − base, varint time − base, 64 bits value
 *   3 tombstones   u64 ref, varint min time, varint max time
 *   4 exemplars    as samples, with labels behind each value
 *   5 mmap markers u64 ref, u32 head chunk file, u32 offset: what the log of out-of-order samples had of the series lies there
 *   6 metadata     uvarint ref, u8 type, uvarint count of fields, their names and values
 *   7, 8           histograms of integers and floats: bases as samples, then what `skipHistogram` walks over
 *   9, 10          the same with custom bounds
 *
 * Numbers are big-endian, varints Go's. A base is the first entry's own. Types 11 to 13 (start times) are not read. Decoders throw BytesError where a record contradicts its type; entries before the fault have been given.
 * Source: Prometheus, tsdb/docs/format/wal.md and tsdb/record.
 */
import { BinaryWriter } from '../../core/bytes/binary-writer.ts';
import { ByteCursor } from '../../core/bytes/cursor.ts';
import { StringCache } from '../../core/bytes/string-cache.ts';
import type { Labels } from '../../core/model/labels.ts';

export const RECORD_TYPE = {
  SERIES: 1,
  SAMPLES: 2,
  TOMBSTONES: 3,
  EXEMPLARS: 4,
  MMAP_MARKERS: 5,
  METADATA: 6,
  HISTOGRAMS: 7,
  FLOAT_HISTOGRAMS: 8,
  CUSTOM_HISTOGRAMS: 9,
  CUSTOM_FLOAT_HISTOGRAMS: 10,
  SAMPLES_V2: 11,
  HISTOGRAMS_V2: 12,
  FLOAT_HISTOGRAMS_V2: 13,
} as const;

/** Closed interval of a series that is deleted. Times may be rounded where they stand for "always". */
export interface Tombstone {
  readonly walRef: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

/** Out-of-order samples that were logged before are in this chunk. */
export interface MmapMarker {
  readonly walRef: number;
  readonly file: number;
  readonly offset: number;
}

export interface LoggedExemplar {
  readonly walRef: number;
  readonly timeMs: number;
  readonly value: number;
  readonly labels: Labels;
}

export interface LoggedMetadata {
  readonly walRef: number;
  readonly type: string;
  readonly unit: string;
  readonly help: string;
}

/** Metric types by their number in metadata records. */
const METRIC_TYPES = ['unknown', 'counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset'] as const;

const strings = new StringCache();

/** Encodes series records; keeps its buffer, so the result is valid until the next call. */
export class SeriesEncoder {
  readonly #out = new BinaryWriter();

  /** One record of type 1. `series` must not be empty. */
  encode(series: readonly { readonly walRef: number; readonly labels: Labels }[]): Uint8Array {
    const out = this.#out;
    out.clear();
    out.u8(RECORD_TYPE.SERIES);
    for (const { walRef, labels } of series) {
      out.i64(walRef);
      putLabels(out, labels);
    }
    return out.written;
  }
}

/** Calls `onSeries` for each series of a record of type 1. */
export function decodeSeries(record: Uint8Array, onSeries: (walRef: number, labels: Labels) => void): void {
  const cursor = new ByteCursor(record, 1);
  while (!cursor.isDone) {
    const walRef = cursor.u64();
    onSeries(walRef, labelsAt(cursor));
  }
}

/** Longest form of one sample: two varints of safe integers and a value. */
const MAX_SAMPLE_BYTES = 8 + 8 + 8;

/**
 * Appends one record of type 2 with the samples `[from, to)` of the columns, at least one. Values keep their bits.
 * @param walRefs safe integers
 */
export function encodeSamples(walRefs: ArrayLike<number>, times: Float64Array, values: Float64Array, from: number, to: number, out: BinaryWriter): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  const baseRef = walRefs[from]!;
  const baseTime = times[from]!;
  out.u8(RECORD_TYPE.SAMPLES);
  out.i64(baseRef);
  out.i64(baseTime);
  out.reserve((to - from) * MAX_SAMPLE_BYTES);
  for (let i = from; i < to; i++) {
    out.varint(walRefs[i]! - baseRef);
    out.varint(times[i]! - baseTime);
    out.float(bits, i);
  }
}

/** Columns of one record of type 2, used again from record to record. */
export class SampleRecord {
  walRefs = new Float64Array(4096);
  times = new Float64Array(4096);
  values = new Float64Array(4096);
  /** The same memory as `values`: entry i is the halves [2i] low, [2i + 1] high. */
  valueBits = new Uint32Array(this.values.buffer);
  count = 0;

  decode(record: Uint8Array): void {
    this.count = 0;
    const cursor = new ByteCursor(record, 1);
    if (cursor.isDone) return;
    const baseRef = cursor.u64();
    const baseTime = cursor.i64();
    // A sample takes at least 10 bytes.
    this.#reserve(Math.ceil(record.length / 10) + 1);
    while (!cursor.isDone) {
      this.walRefs[this.count] = baseRef + cursor.varint();
      this.times[this.count] = baseTime + cursor.varint();
      cursor.float(this.valueBits, this.count);
      this.count++;
    }
  }

  #reserve(count: number): void {
    if (count <= this.times.length) return;
    const size = Math.max(count, this.times.length * 2);
    this.walRefs = new Float64Array(size);
    this.times = new Float64Array(size);
    this.values = new Float64Array(size);
    this.valueBits = new Uint32Array(this.values.buffer);
  }
}

/** Appends one record of type 3. */
export function encodeTombstones(tombstones: readonly Tombstone[], out: BinaryWriter): void {
  out.u8(RECORD_TYPE.TOMBSTONES);
  for (const { walRef, minTimeMs, maxTimeMs } of tombstones) {
    out.i64(walRef);
    out.varint(minTimeMs);
    out.varint(maxTimeMs);
  }
}

/** @param onTombstone also gets where the entry's bytes lie */
export function decodeTombstones(record: Uint8Array, onTombstone: (tombstone: Tombstone, from: number, to: number) => void): void {
  const cursor = new ByteCursor(record, 1);
  while (!cursor.isDone) {
    const from = cursor.at;
    const tombstone = { walRef: cursor.u64(), minTimeMs: cursor.roundedVarint(), maxTimeMs: cursor.roundedVarint() };
    onTombstone(tombstone, from, cursor.at);
  }
}

/** Appends one record of type 5. */
export function encodeMmapMarkers(markers: readonly MmapMarker[], out: BinaryWriter): void {
  out.u8(RECORD_TYPE.MMAP_MARKERS);
  for (const { walRef, file, offset } of markers) {
    out.i64(walRef);
    out.u32(file);
    out.u32(offset);
  }
}

export function decodeMmapMarkers(record: Uint8Array, onMarker: (marker: MmapMarker) => void): void {
  const cursor = new ByteCursor(record, 1);
  while (!cursor.isDone) onMarker({ walRef: cursor.u64(), file: cursor.u32(), offset: cursor.u32() });
}

/** Appends one record of type 4. `exemplars` must not be empty. */
export function encodeExemplars(exemplars: readonly LoggedExemplar[], out: BinaryWriter): void {
  const first = exemplars[0]!;
  const value = new Float64Array(1);
  const bits = new Uint32Array(value.buffer);
  out.u8(RECORD_TYPE.EXEMPLARS);
  out.i64(first.walRef);
  out.i64(first.timeMs);
  for (const exemplar of exemplars) {
    out.varint(exemplar.walRef - first.walRef);
    out.varint(exemplar.timeMs - first.timeMs);
    value[0] = exemplar.value;
    out.float(bits, 0);
    putLabels(out, exemplar.labels);
  }
}

export function decodeExemplars(record: Uint8Array, onExemplar: (exemplar: LoggedExemplar) => void): void {
  const cursor = new ByteCursor(record, 1);
  if (cursor.isDone) return;
  const baseRef = cursor.u64();
  const baseTime = cursor.i64();
  const value = new Float64Array(1);
  const bits = new Uint32Array(value.buffer);
  while (!cursor.isDone) {
    const walRef = baseRef + cursor.varint();
    const timeMs = baseTime + cursor.varint();
    cursor.float(bits, 0);
    onExemplar({ walRef, timeMs, value: value[0]!, labels: labelsAt(cursor) });
  }
}

/** Appends one record of type 6. */
export function encodeMetadata(list: readonly LoggedMetadata[], out: BinaryWriter): void {
  out.u8(RECORD_TYPE.METADATA);
  for (const { walRef, type, unit, help } of list) {
    out.uvarint(walRef);
    out.u8(Math.max(0, (METRIC_TYPES as readonly string[]).indexOf(type)));
    out.uvarint(2);
    for (const text of ['UNIT', unit, 'HELP', help]) out.string(text);
  }
}

/** @param onMetadata also gets where the entry's bytes lie */
export function decodeMetadata(record: Uint8Array, onMetadata: (metadata: LoggedMetadata, from: number, to: number) => void): void {
  const cursor = new ByteCursor(record, 1);
  while (!cursor.isDone) {
    const from = cursor.at;
    const walRef = cursor.uvarint();
    const type = METRIC_TYPES[cursor.u8()] ?? 'unknown';
    let unit = '';
    let help = '';
    for (let fields = cursor.uvarint(); fields > 0; fields--) {
      const name = stringAt(cursor);
      const value = stringAt(cursor);
      if (name === 'UNIT') unit = value;
      else if (name === 'HELP') help = value;
    }
    onMetadata({ walRef, type, unit, help }, from, cursor.at);
  }
}

export const isHistograms = (type: number): boolean => type >= RECORD_TYPE.HISTOGRAMS && type <= RECORD_TYPE.CUSTOM_FLOAT_HISTOGRAMS;

/** Walks over a record of type 7 to 10. @returns how many samples it has, and the newest of their times */
export function scanHistograms(record: Uint8Array): { count: number; maxTimeMs: number } {
  const cursor = new ByteCursor(record, 1);
  let count = 0;
  let maxTimeMs = Number.NEGATIVE_INFINITY;
  if (cursor.isDone) return { count, maxTimeMs };
  cursor.skip(8);
  const baseTime = cursor.i64();
  const type = record[0]!;
  const isFloat = type === RECORD_TYPE.FLOAT_HISTOGRAMS || type === RECORD_TYPE.CUSTOM_FLOAT_HISTOGRAMS;
  while (!cursor.isDone) {
    cursor.skipVarint();
    maxTimeMs = Math.max(maxTimeMs, baseTime + cursor.varint());
    skipHistogram(cursor, isFloat, type >= RECORD_TYPE.CUSTOM_HISTOGRAMS);
    count++;
  }
  return { count, maxTimeMs };
}

/**
 * Reset hint, schema, zero threshold, zero count, count, sum; positive and negative spans (offset, length); positive and negative
 * buckets; custom bounds.
 */
function skipHistogram(cursor: ByteCursor, isFloat: boolean, hasBounds: boolean): void {
  const skipCount = isFloat ? () => cursor.skip(8) : () => cursor.skipVarint();
  cursor.skip(1);
  cursor.skipVarint();
  cursor.skip(8);
  skipCount();
  skipCount();
  cursor.skip(8);
  for (let side = 0; side < 2; side++) {
    for (let spans = cursor.uvarint(); spans > 0; spans--) {
      cursor.skipVarint();
      cursor.skipVarint();
    }
  }
  for (let side = 0; side < 2; side++) for (let buckets = cursor.uvarint(); buckets > 0; buckets--) skipCount();
  if (hasBounds) for (let bounds = cursor.uvarint(); bounds > 0; bounds--) cursor.skip(8);
}

function putLabels(out: BinaryWriter, labels: Labels): void {
  out.uvarint(labels.length >>> 1);
  for (const text of labels) out.string(text);
}

function labelsAt(cursor: ByteCursor): string[] {
  const labels: string[] = [];
  for (let count = cursor.uvarint(); count > 0; count--) labels.push(stringAt(cursor), stringAt(cursor));
  return labels;
}

function stringAt(cursor: ByteCursor): string {
  const length = cursor.uvarint();
  const from = cursor.skip(length);
  return strings.decode(cursor.bytes, from, cursor.at);
}
