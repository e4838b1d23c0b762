/**
 * Remote write 1.0: a request's body into columns of refs, times and values.
 *
 * A body is one snappy block of a protobuf WriteRequest, and for each series it repeats all labels. They are not made strings:
 * their bytes are looked up in a cache, and only series that are not in it are parsed, checked and resolved.
 *
 *   WriteRequest  1 repeated TimeSeries, 3 repeated MetricMetadata
 *   TimeSeries    1 repeated Label, 2 repeated Sample, 3 repeated Exemplar, 4 repeated Histogram
 *   Label         1 name, 2 value
 *   Sample        1 double value, 2 int64 timestamp in ms
 *   Exemplar      1 repeated Label, 2 double value, 3 int64 timestamp
 *   MetricMetadata 1 type, 2 metric family name, 4 help, 5 unit
 *
 * Source: prometheus.io/docs/specs/prw/remote_write_spec; Prometheus, storage/remote/write_handler.go for what is skipped.
 */
import { isUtf8 } from 'node:buffer';
import { systemClock, type Clock } from '../../core/base/clock.ts';
import { errorMessage } from '../../core/base/errors.ts';
import { BytesError } from '../../core/bytes/cursor.ts';
import { ProtobufReader, ProtobufWriter, WIRE } from '../../core/bytes/protobuf.ts';
import { snappyDecode, SnappyError } from '../../core/bytes/snappy.ts';
import { StringCache } from '../../core/bytes/string-cache.ts';
import { compareStrings, formatLabels, METRIC_NAME, quote, type Labels } from '../../core/model/labels.ts';
import type { Exemplar, SampleColumns, SeriesMetadata, SeriesRef } from '../../core/storage/appender.ts';
import { SeriesCache } from './series-cache.ts';

/** Longest body, decompressed. */
export const MAX_DECODED_BYTES = 32 * 1024 * 1024;
/** Samples further ahead of the clock are refused. */
export const MAX_AHEAD_MS = 10 * 60 * 1000;
/** Series whose fault is told, and characters of their labels then; all are counted. */
export const MAX_REPORTED_FAULTS = 10;
export const MAX_REPORTED_CHARACTERS = 500;
/** Decoded bodies up to here share memory from request to request. */
const KEPT_BYTES = 4 * 1024 * 1024;

/** A body that is no write request. None of its samples are taken; series it named before the fault may have been resolved. */
export class RemoteWriteError extends Error {
  override readonly name = 'RemoteWriteError';
}

/** A series that was skipped because of its labels. */
export interface SeriesFault {
  /** As Prometheus words it. */
  readonly message: string;
  readonly labels: string;
}

export interface FamilyMetadata extends SeriesMetadata {
  readonly name: string;
}

/** What one request holds; the columns are valid until the next `decode`. */
export interface DecodedWrite {
  readonly columns: SampleColumns;
  readonly exemplars: readonly Exemplar[];
  readonly metadata: readonly FamilyMetadata[];
  /** Samples and exemplars of series with invalid labels, left out. */
  readonly invalidLabelSamples: number;
  /** The first of those series. */
  readonly faults: readonly SeriesFault[];
  /** Samples further in the future than allowed, or of a time that no clock shows, left out. */
  readonly outOfBoundsSamples: number;
  /** Native histogram samples: not stored. */
  readonly histogramSamples: number;
}

const TIME_SERIES = 1;
const METADATA = 3;
const LABELS = 1;
const SAMPLES = 2;
const EXEMPLARS = 3;
const HISTOGRAMS = 4;
/** Tags of the fields that occur once and more a sample, as they are written nearly always. */
const LABEL_TAG = LABELS * 8 + WIRE.BYTES;
const SAMPLE_TAG = SAMPLES * 8 + WIRE.BYTES;
const VALUE_TAG = 1 * 8 + WIRE.FIXED64;
const TIME_TAG = 2 * 8 + WIRE.VARINT;

/** Times before the year 19,000 take no more; other samples take the general way. */
const MAX_PLAIN_TIME_BYTES = 7;
/** A double, a time and two tags. */
const MAX_PLAIN_SAMPLE_BYTES = 1 + 8 + 1 + MAX_PLAIN_TIME_BYTES;

const TYPES = ['unknown', 'counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset'] as const;
const REPLACEMENT = '\ufffd';

export interface RemoteWriteOptions {
  readonly clock?: Clock;
  readonly cache?: SeriesCache;
}

/** One instance serves one thread; its memory is used again from request to request. */
export class RemoteWriteDecoder {
  readonly #resolve: (labels: Labels) => SeriesRef;
  readonly #clock: Clock;
  readonly #cache: SeriesCache;
  readonly #strings = new StringCache();
  #plain: Uint8Array = new Uint8Array(64 * 1024);
  #view: DataView = new DataView(this.#plain.buffer);
  #refs = new Uint32Array(4096);
  #times = new Float64Array(4096);
  #values = new Float64Array(4096);
  #valueBits = new Uint32Array(this.#values.buffer);
  #count = 0;
  #latestMs = 0;
  #exemplars: Exemplar[] = [];
  #metadata: FamilyMetadata[] = [];
  #faults: SeriesFault[] = [];
  #invalidLabelSamples = 0;
  #outOfBoundsSamples = 0;
  #histogramSamples = 0;
  /** Whether a label of the series being parsed is not UTF-8. */
  #hasBadText = false;
  /** One value that is read the general way. */
  readonly #bits = new Uint32Array(2);
  readonly #value = new Float64Array(this.#bits.buffer);

  /** @param resolve finds or creates a series; labels are sorted, valid and without empty values. What it throws, `decode` throws */
  constructor(resolve: (labels: Labels) => SeriesRef, options: RemoteWriteOptions = {}) {
    this.#resolve = resolve;
    this.#clock = options.clock ?? systemClock;
    this.#cache = options.cache ?? new SeriesCache();
  }

  /** Forgets all refs: to be called when the head has dropped series. */
  forget(): void {
    this.#cache.clear();
  }

  /** @param body as it came over HTTP @throws RemoteWriteError */
  decode(body: Uint8Array): DecodedWrite {
    this.#begin();
    try {
      const plain = snappyDecode(body, MAX_DECODED_BYTES, this.#plain);
      const view = plain.buffer === this.#plain.buffer ? this.#view : new DataView(plain.buffer);
      if (view !== this.#view && plain.length <= KEPT_BYTES) {
        this.#plain = plain;
        this.#view = view;
      }
      const request = new ProtobufReader(plain);
      while (request.next()) {
        if (request.field === TIME_SERIES) {
          request.expect(WIRE.BYTES);
          const from = request.content();
          this.#timeSeries(plain, view, from, request.at);
        } else if (request.field === METADATA) {
          request.expect(WIRE.BYTES);
          this.#metadata.push(familyMetadata(request.message()));
        } else request.skip();
      }
    } catch (error) {
      if (error instanceof SnappyError || error instanceof BytesError) throw new RemoteWriteError(errorMessage(error), { cause: error });
      throw error;
    }
    return {
      columns: { refs: this.#refs, times: this.#times, values: this.#values, count: this.#count },
      exemplars: this.#exemplars,
      metadata: this.#metadata,
      invalidLabelSamples: this.#invalidLabelSamples,
      faults: this.#faults,
      outOfBoundsSamples: this.#outOfBoundsSamples,
      histogramSamples: this.#histogramSamples,
    };
  }

  #begin(): void {
    this.#count = 0;
    this.#exemplars = [];
    this.#metadata = [];
    this.#faults = [];
    this.#invalidLabelSamples = 0;
    this.#outOfBoundsSamples = 0;
    this.#histogramSamples = 0;
    this.#latestMs = this.#clock.nowMs() + MAX_AHEAD_MS;
  }

  #timeSeries(bytes: Uint8Array, view: DataView, from: number, end: number): void {
    const expected = this.#cache.expectedLength;
    let ref = 0;
    let at = from;
    if (expected > 0 && from + expected <= end && (from + expected === end || bytes[from + expected] !== LABEL_TAG)) {
      ref = this.#cache.takeExpected(view, from);
      at = from + expected;
    }
    if (ref === 0) at = labelsEnd(bytes, from, end);
    if (hasLabels(bytes, at, end)) {
      const ordered = labelsFirst(bytes, from, end);
      this.#timeSeries(ordered, new DataView(ordered.buffer, ordered.byteOffset), 0, ordered.length);
      return;
    }
    if (ref === 0) ref = this.#seriesRef(bytes, view, from, at);
    this.#samples(bytes, at, end, ref);
  }

  /** @returns 0 where the labels are invalid */
  #seriesRef(bytes: Uint8Array, view: DataView, from: number, to: number): SeriesRef {
    const hash = this.#cache.hash(view, from, to - from);
    const known = this.#cache.find(hash, bytes, view, from, to - from);
    if (known !== 0) return known;
    const labels = this.#labels(new ProtobufReader(bytes, from, to), LABELS);
    const fault = this.#hasBadText ? INVALID_LABELS : labelsFault(labels);
    if (fault !== null) {
      if (this.#faults.length < MAX_REPORTED_FAULTS) {
        this.#faults.push({ message: fault, labels: formatLabels(labels).slice(0, MAX_REPORTED_CHARACTERS) });
      }
      return 0;
    }
    const ref = this.#resolve(withoutEmpty(labels));
    this.#cache.add(hash, bytes.subarray(from, to), ref);
    return ref;
  }

  /** The labels of a message, sorted, repeated and empty ones included. Tells by `#hasBadText` whether one is not UTF-8. */
  #labels(message: ProtobufReader, field: number): Labels {
    this.#hasBadText = false;
    const pairs: [string, string][] = [];
    while (message.next()) {
      if (message.field !== field) {
        message.skip();
        continue;
      }
      message.expect(WIRE.BYTES);
      pairs.push(this.#label(message.message()));
    }
    return pairs.sort(([a], [b]) => compareStrings(a, b)).flat();
  }

  #label(message: ProtobufReader): [string, string] {
    let name = '';
    let value = '';
    while (message.next()) {
      if (message.field > 2) {
        message.skip();
        continue;
      }
      message.expect(WIRE.BYTES);
      const from = message.content();
      const text = this.#strings.decode(message.bytes, from, message.at);
      if (text.includes(REPLACEMENT) && !isUtf8(message.bytes.subarray(from, message.at))) this.#hasBadText = true;
      if (message.field === 1) name = text;
      else value = text;
    }
    return [name, value];
  }

  /** Everything of a series behind its labels. */
  #samples(bytes: Uint8Array, from: number, end: number, ref: SeriesRef): void {
    let at = from;
    // The usual form is read in place: the value, left out where it is 0, then the time.
    while (at + 2 < end && bytes[at] === SAMPLE_TAG) {
      const length = bytes[at + 1]!;
      let digit = at + 2;
      const next = digit + length;
      if (length > MAX_PLAIN_SAMPLE_BYTES || next > end) break;
      let low = 0;
      let high = 0;
      if (bytes[digit] === VALUE_TAG && length > 9) {
        low = bytes[digit + 1]! | (bytes[digit + 2]! << 8) | (bytes[digit + 3]! << 16) | (bytes[digit + 4]! << 24);
        high = bytes[digit + 5]! | (bytes[digit + 6]! << 8) | (bytes[digit + 7]! << 16) | (bytes[digit + 8]! << 24);
        digit += 9;
      }
      if (bytes[digit++] !== TIME_TAG || next - digit > MAX_PLAIN_TIME_BYTES) break;
      let time = 0;
      for (let scale = 1; digit < next; digit++, scale *= 128) {
        const byte = bytes[digit]!;
        time += (byte & 0x7f) * scale;
        if (byte < 0x80) break;
      }
      if (digit !== next - 1) break;
      this.#push(ref, time, low, high);
      at = next;
    }
    if (at < end) this.#otherFields(new ProtobufReader(bytes, at, end), ref);
  }

  #otherFields(message: ProtobufReader, ref: SeriesRef): void {
    while (message.next()) {
      if (message.field === SAMPLES || message.field === EXEMPLARS || message.field === HISTOGRAMS) message.expect(WIRE.BYTES);
      if (message.field === SAMPLES) this.#sample(message.message(), ref);
      else if (message.field === EXEMPLARS) this.#exemplar(message.message(), ref);
      else {
        if (message.field === HISTOGRAMS) this.#histogramSamples++;
        message.skip();
      }
    }
  }

  #sample(message: ProtobufReader, ref: SeriesRef): void {
    let time = 0;
    this.#bits.fill(0);
    while (message.next()) {
      if (message.field === 1) {
        message.expect(WIRE.FIXED64);
        message.double(this.#bits, 0);
      } else if (message.field === 2) {
        message.expect(WIRE.VARINT);
        time = message.int64();
      } else message.skip();
    }
    this.#push(ref, time, this.#bits[0]!, this.#bits[1]!);
  }

  #exemplar(message: ProtobufReader, ref: SeriesRef): void {
    if (ref === 0) {
      this.#invalidLabelSamples++;
      return;
    }
    const labels = this.#labels(new ProtobufReader(message.bytes, message.at, message.end), 1);
    let timeMs = 0;
    this.#bits.fill(0);
    while (message.next()) {
      if (message.field === 2) {
        message.expect(WIRE.FIXED64);
        message.double(this.#bits, 0);
      } else if (message.field === 3) {
        message.expect(WIRE.VARINT);
        timeMs = message.int64();
      } else message.skip();
    }
    this.#exemplars.push({ ref, labels, value: this.#value[0]!, timeMs });
  }

  #push(ref: SeriesRef, timeMs: number, low: number, high: number): void {
    if (ref === 0) {
      this.#invalidLabelSamples++;
      return;
    }
    if (timeMs > this.#latestMs || timeMs < Number.MIN_SAFE_INTEGER) {
      this.#outOfBoundsSamples++;
      return;
    }
    const i = this.#count++;
    if (i === this.#refs.length) this.#grow();
    this.#refs[i] = ref;
    this.#times[i] = timeMs;
    this.#valueBits[2 * i] = low;
    this.#valueBits[2 * i + 1] = high;
  }

  #grow(): void {
    const size = this.#refs.length * 2;
    const refs = new Uint32Array(size);
    const times = new Float64Array(size);
    const values = new Float64Array(size);
    refs.set(this.#refs);
    times.set(this.#times);
    values.set(this.#values);
    this.#refs = refs;
    this.#times = times;
    this.#values = values;
    this.#valueBits = new Uint32Array(values.buffer);
  }
}

const INVALID_LABELS = 'Invalid metric names or labels';

/** What makes sorted labels invalid, in Prometheus' words, or null. Any text is a name, if it is not empty. */
function labelsFault(labels: Labels): string | null {
  let hasName = false;
  for (let i = 0; i < labels.length; i += 2) {
    const name = labels[i]!;
    if (name === '') return INVALID_LABELS;
    if (name === METRIC_NAME) {
      if (labels[i + 1] === '') return INVALID_LABELS;
      hasName = true;
    }
  }
  if (!hasName) return INVALID_LABELS;
  for (let i = 2; i < labels.length; i += 2) {
    if (labels[i] === labels[i - 2]) return `Invalid labels for series: label name ${quote(labels[i]!)} is repeated`;
  }
  return null;
}

/** Without the labels whose value is empty, which means the same as no label. */
function withoutEmpty(labels: Labels): Labels {
  return labels.includes('') ? labels.filter((_, i) => labels[i | 1] !== '') : labels;
}

function familyMetadata(message: ProtobufReader): FamilyMetadata {
  let type = 0;
  const texts = ['', '', '', '', '', ''];
  while (message.next()) {
    if (message.field === 1) {
      message.expect(WIRE.VARINT);
      type = message.uint64();
    } else if (message.field === 2 || message.field === 4 || message.field === 5) {
      message.expect(WIRE.BYTES);
      texts[message.field] = message.string();
    } else message.skip();
  }
  return { name: texts[2]!, type: TYPES[type] ?? 'unknown', help: texts[4]!, unit: texts[5]! };
}

/** The end of the run of labels that begins at `from`. */
function labelsEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] === LABEL_TAG) {
    const length = bytes[at + 1]!;
    if (length < 0x80 && at + 2 + length <= end) {
      at += 2 + length;
      continue;
    }
    const label = new ProtobufReader(bytes, at, end);
    label.next();
    label.skip();
    at = label.at;
  }
  return at;
}

/** Whether labels stand behind other fields, which is legal and rare. */
function hasLabels(bytes: Uint8Array, from: number, end: number): boolean {
  let at = from;
  while (at + 1 < end && bytes[at] === SAMPLE_TAG && bytes[at + 1]! < 0x80) at += 2 + bytes[at + 1]!;
  if (at >= end) return false;
  const message = new ProtobufReader(bytes, at, end);
  while (message.next()) {
    if (message.field === LABELS) return true;
    message.skip();
  }
  return false;
}

/** The same message with its labels before all else, in the plainest form. */
function labelsFirst(bytes: Uint8Array, from: number, end: number): Uint8Array {
  const ordered = new ProtobufWriter();
  const labels = new ProtobufReader(bytes, from, end);
  while (labels.next()) {
    if (labels.field === LABELS) {
      labels.expect(WIRE.BYTES);
      const content = labels.content();
      ordered.bytes(LABELS, bytes.subarray(content, labels.at));
    } else labels.skip();
  }
  const others = new ProtobufReader(bytes, from, end);
  while (others.next()) {
    if (others.wire === WIRE.BYTES) {
      const content = others.content();
      if (others.field !== LABELS) ordered.bytes(others.field, bytes.subarray(content, others.at));
    } else others.skip();
  }
  return ordered.written;
}
