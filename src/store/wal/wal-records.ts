/**
 * What WAL records say: series and samples in columns; the other types are counted by the reader's caller.
 * Source: Prometheus, tsdb/record. Numbers are big-endian, varints Go's.
 */
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
} as const;

/** A record whose bytes contradict its type. */
export class WalRecordError extends Error {
  override readonly name = 'WalRecordError';
}

const TWO_32 = 4294967296;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** Encodes series records; keeps its buffer, so the result is valid until the next call. */
export class SeriesEncoder {
  #out = new Uint8Array(4096);
  #used = 0;

  /** One record of type 1. `series` must not be empty. */
  encode(series: readonly { readonly walRef: number; readonly labels: Labels }[]): Uint8Array {
    this.#used = 0;
    this.#reserve(1);
    this.#out[this.#used++] = RECORD_TYPE.SERIES;
    for (const { walRef, labels } of series) {
      this.#reserve(13);
      this.#big32(Math.floor(walRef / TWO_32));
      this.#big32(walRef % TWO_32);
      this.#uvarint(labels.length >>> 1);
      for (const text of labels) this.#string(text);
    }
    return this.#out.subarray(0, this.#used);
  }

  #big32(v: number): void {
    for (let shift = 24; shift >= 0; shift -= 8) this.#out[this.#used++] = (v >>> shift) & 0xff;
  }

  #uvarint(v: number): void {
    let rest = v;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.#out[this.#used++] = (rest % 128) | 0x80;
    this.#out[this.#used++] = rest;
  }

  #string(text: string): void {
    this.#reserve(5 + text.length * 3);
    // The length comes first and is known only afterwards: one byte suffices nearly always.
    const { written } = encoder.encodeInto(text, this.#out.subarray(this.#used + 1));
    if (written < 0x80) {
      this.#out[this.#used] = written;
      this.#used += 1 + written;
      return;
    }
    const bytes = this.#out.slice(this.#used + 1, this.#used + 1 + written);
    this.#uvarint(written);
    this.#out.set(bytes, this.#used);
    this.#used += written;
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#out.length) return;
    const larger = new Uint8Array(Math.max(this.#used + bytes, this.#out.length * 2));
    larger.set(this.#out.subarray(0, this.#used));
    this.#out = larger;
  }
}

/** Reads fields one after the other; every read checks that the record has the bytes. */
class RecordCursor {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  at = 1;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isDone(): boolean {
    return this.at >= this.bytes.length;
  }

  need(count: number): void {
    if (this.at + count > this.bytes.length) throw new WalRecordError(`the record ends inside a field, at byte ${this.at}`);
  }

  /** Signed where the high half is; safe integers only. */
  big64(): number {
    this.need(8);
    const value = this.#view.getInt32(this.at) * TWO_32 + this.#view.getUint32(this.at + 4);
    this.at += 8;
    if (!Number.isSafeInteger(value)) throw new WalRecordError(`a number is too large, at byte ${this.at - 8}`);
    return value;
  }

  uvarint(): number {
    let value = 0;
    for (let scale = 1, i = 0; i < 10; i++, scale *= 128) {
      this.need(1);
      const byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new WalRecordError(`a varint does not end, at byte ${this.at}`);
  }

  varint(): number {
    const z = this.uvarint();
    return z % 2 === 0 ? z / 2 : -(z + 1) / 2;
  }

  string(): string {
    const length = this.uvarint();
    this.need(length);
    const text = decoder.decode(this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return text;
  }

  /** Copies a float's bits to `out[index]`. */
  float(out: DataView, index: number): void {
    this.need(8);
    out.setUint32(index * 8 + 4, this.#view.getUint32(this.at), true);
    out.setUint32(index * 8, this.#view.getUint32(this.at + 4), true);
    this.at += 8;
  }
}

/** @throws WalRecordError; series before the fault have been given */
export function decodeSeries(record: Uint8Array, onSeries: (walRef: number, labels: Labels) => void): void {
  const cursor = new RecordCursor(record);
  while (!cursor.isDone) {
    const walRef = cursor.big64();
    const count = cursor.uvarint();
    const labels: string[] = [];
    for (let i = 0; i < count; i++) labels.push(cursor.string(), cursor.string());
    onSeries(walRef, labels);
  }
}

/** Columns of one record, reused from record to record. */
export class SampleRecord {
  walRefs = new Float64Array(4096);
  times = new Float64Array(4096);
  values = new Float64Array(4096);
  #view = new DataView(this.values.buffer);
  count = 0;

  /** @throws WalRecordError; then the columns hold the samples before the fault */
  decode(record: Uint8Array): void {
    this.count = 0;
    const cursor = new RecordCursor(record);
    if (cursor.isDone) return;
    const baseRef = cursor.big64();
    const baseTime = cursor.big64();
    // A sample takes at least 10 bytes.
    this.#reserve(Math.ceil(record.length / 10) + 1);
    while (!cursor.isDone) {
      this.walRefs[this.count] = baseRef + cursor.varint();
      this.times[this.count] = baseTime + cursor.varint();
      cursor.float(this.#view, this.count);
      this.count++;
    }
  }

  #reserve(count: number): void {
    if (count <= this.times.length) return;
    const size = Math.max(count, this.times.length * 2);
    this.walRefs = new Float64Array(size);
    this.times = new Float64Array(size);
    this.values = new Float64Array(size);
    this.#view = new DataView(this.values.buffer);
  }
}
