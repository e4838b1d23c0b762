/**
 * Chunks of native histograms, integer and float.
 *
 *   u16 sample count   u8 flags: two bits for the counter (00 unknown, 10 reset, 01 no reset, 11 gauge), six unused
 *   layout             see histogram-layout.ts
 *                      integer                                         float
 *   sample 0           time, count, zero count as varbit               time as varbit, count, zero count
 *                      sum in 64 bits                                  sum, buckets in 64 bits
 *                      buckets: each less the one before, varbit
 *   sample 1           what they grew by, varbit; sum as XOR           time as varbit; all else as XOR
 *   others             change of that growth, varbit; sum as XOR       change of the growth of time; all else as XOR
 *
 * A stale marker is a histogram whose sum is that NaN; of its other fields integers say no change and buckets are left out, and nothing but
 * further markers follows it. Source: Prometheus, tsdb/chunkenc, "histogram" and "float_histogram".
 */
import { assert } from '../base/assert.ts';
import { BitWriter } from '../bytes/bit-writer.ts';
import type { FloatHistogram, ResetHint } from '../model/histogram.ts';
import { MixedSamples } from '../model/mixed-samples.ts';
import { STALE_HIGH, STALE_LOW } from '../model/samples.ts';
import { BitReader } from './bit-reader.ts';
import { ChunkError } from './chunk-error.ts';
import { floatOf, layoutOf, putFloat, readLayout, writeLayout, type HistogramLayout } from './histogram-layout.ts';
import { putVarbitInt, putVarbitUint } from './varbit.ts';
import { XorValue } from './xor-value.ts';

const HEADER_BYTES = 3;
const GAUGE_FLAGS = 0b11000000;
const COUNTER_FLAGS = 0;
/** What a chunk should take, and the samples that it has at least. */
const TARGET_BYTES = 1024;
const LEAST_SAMPLES = 10;
const MOST_SAMPLES = 120;
/** The format counts them in 16 bits. */
const MAX_CHUNK_SAMPLES = 0xffff;

/**
 * Appends the samples of the chunk in `bytes[from, to)`. Of the first one it is not known whether the counter was reset before it: the chunk
 * before may be missing.
 * @returns how many
 * @throws ChunkError; `out` is then as before
 */
export function decodeHistograms(kind: 'integer' | 'float', bytes: Uint8Array, from: number, to: number, out: MixedSamples): number {
  if (to - from < HEADER_BYTES || to > bytes.length) throw new ChunkError(`a chunk of ${to - from} bytes is no chunk of histograms`, from);
  const count = (bytes[from]! << 8) | bytes[from + 1]!;
  if (count === 0) return 0;
  const isGauge = (bytes[from + 2]! & GAUGE_FLAGS) === GAUGE_FLAGS;
  const bits = new BitReader(bytes, from + HEADER_BYTES, to);
  const layout = readLayout(bits);
  const reader = kind === 'integer' ? new IntegerReader(bits, layout) : new FloatReader(bits, layout);
  const before = out.length;
  try {
    let timeMs = 0;
    let delta = 0;
    for (let i = 0; i < count; i++) {
      if (i === 0) timeMs = bits.varbitInt();
      else {
        delta = i === 1 ? bits.varbitUint() : delta + bits.varbitInt();
        timeMs += delta;
        if (delta <= 0 || !Number.isSafeInteger(timeMs)) throw new ChunkError('a chunk is damaged: its times do not ascend', from);
      }
      reader.read(i);
      if (reader.isStale) out.pushStale(timeMs);
      else out.pushHistogram(timeMs, reader.histogram(isGauge ? 'gauge' : i === 0 ? 'unknown' : 'not-reset'));
    }
  } catch (error) {
    out.truncate(before);
    throw error;
  }
  return count;
}

/** One number with what it grew by. */
class Grown {
  value = 0;
  delta = 0;

  /** @param i the sample's place in its chunk */
  read(i: number, bits: BitReader, isSigned: boolean): void {
    if (i === 0) this.value = isSigned ? bits.varbitInt() : bits.varbitUint();
    else {
      this.delta = i === 1 ? bits.varbitInt() : this.delta + bits.varbitInt();
      this.value += this.delta;
    }
  }

  write(i: number, bits: BitWriter, next: number, isSigned: boolean): void {
    if (i === 0) (isSigned ? putVarbitInt : putVarbitUint)(bits, next);
    else {
      const delta = next - this.value;
      putVarbitInt(bits, i === 1 ? delta : delta - this.delta);
      this.delta = delta;
    }
    this.value = next;
  }
}

abstract class HistogramReader {
  readonly layout: HistogramLayout;
  protected readonly bits: BitReader;
  protected readonly sum = new XorValue();

  constructor(bits: BitReader, layout: HistogramLayout) {
    this.bits = bits;
    this.layout = layout;
  }

  get isStale(): boolean {
    return this.sum.high === STALE_HIGH && this.sum.low === STALE_LOW;
  }

  abstract read(i: number): void;
  abstract histogram(resetHint: ResetHint): FloatHistogram;

  protected readColumn(i: number, column: XorValue): void {
    if (i > 0) {
      column.read(this.bits);
      return;
    }
    const high = this.bits.bits(32);
    column.begin(this.bits.bits(32), high);
  }
}

class IntegerReader extends HistogramReader {
  readonly #count = new Grown();
  readonly #zeroCount = new Grown();
  readonly #positive: readonly Grown[];
  readonly #negative: readonly Grown[];

  constructor(bits: BitReader, layout: HistogramLayout) {
    super(bits, layout);
    this.#positive = layout.positive.map(() => new Grown());
    this.#negative = layout.negative.map(() => new Grown());
  }

  override read(i: number): void {
    this.#count.read(i, this.bits, false);
    this.#zeroCount.read(i, this.bits, false);
    this.readColumn(i, this.sum);
    if (this.isStale) return;
    for (const bucket of this.#positive) bucket.read(i, this.bits, true);
    for (const bucket of this.#negative) bucket.read(i, this.bits, true);
  }

  override histogram(resetHint: ResetHint): FloatHistogram {
    const { schema, zeroThreshold, customBounds, positive, negative } = this.layout;
    return {
      schema,
      zeroThreshold,
      customBounds,
      resetHint,
      count: this.#count.value,
      zeroCount: this.#zeroCount.value,
      sum: floatOf(this.sum.low, this.sum.high),
      positive: { indexes: [...positive], counts: running(this.#positive) },
      negative: { indexes: [...negative], counts: running(this.#negative) },
    };
  }
}

/** Each bucket is the difference to the one before. */
function running(buckets: readonly Grown[]): number[] {
  let count = 0;
  return buckets.map(({ value }) => (count += value));
}

class FloatReader extends HistogramReader {
  readonly #count = new XorValue();
  readonly #zeroCount = new XorValue();
  readonly #positive: readonly XorValue[];
  readonly #negative: readonly XorValue[];

  constructor(bits: BitReader, layout: HistogramLayout) {
    super(bits, layout);
    this.#positive = layout.positive.map(() => new XorValue());
    this.#negative = layout.negative.map(() => new XorValue());
  }

  override read(i: number): void {
    this.readColumn(i, this.#count);
    this.readColumn(i, this.#zeroCount);
    this.readColumn(i, this.sum);
    if (this.isStale) return;
    for (const bucket of this.#positive) this.readColumn(i, bucket);
    for (const bucket of this.#negative) this.readColumn(i, bucket);
  }

  override histogram(resetHint: ResetHint): FloatHistogram {
    const { schema, zeroThreshold, customBounds, positive, negative } = this.layout;
    const number = ({ low, high }: XorValue): number => floatOf(low, high);
    return {
      schema,
      zeroThreshold,
      customBounds,
      resetHint,
      count: number(this.#count),
      zeroCount: number(this.#zeroCount),
      sum: number(this.sum),
      positive: { indexes: [...positive], counts: this.#positive.map(number) },
      negative: { indexes: [...negative], counts: this.#negative.map(number) },
    };
  }
}

/**
 * Gathers what goes into one chunk: histograms that share schema, threshold and bounds, are all gauges or none, and of a counter that is not
 * reset between them, since readers take what follows in a chunk as not reset. Stale markers may follow.
 */
export class HistogramRun {
  readonly #samples = new MixedSamples();
  readonly #isBounded: boolean;
  #most = 0;

  /** @param isBounded whether it ends at the size that a chunk should have */
  constructor(isBounded = true) {
    this.#isBounded = isBounded;
  }

  get length(): number {
    return this.#samples.length;
  }

  /** @returns whether the sample belongs here; if not, the run is at its end */
  add(samples: MixedSamples, i: number): boolean {
    const run = this.#samples;
    const histogram = samples.histogramAt(i);
    if (run.length === 0) {
      assert(histogram !== undefined, 'a run begins with a histogram');
      const bucketCount = histogram.positive.indexes.length + histogram.negative.indexes.length;
      this.#most = this.#isBounded ? Math.min(MOST_SAMPLES, Math.max(LEAST_SAMPLES, Math.floor(TARGET_BYTES / (4 + bucketCount)))) : MAX_CHUNK_SAMPLES;
    } else {
      const before = run.histogramAt(run.length - 1);
      const belongs = histogram === undefined ? samples.isStale(i) : before !== undefined && goesOn(before, histogram);
      if (!belongs || run.length === this.#most) return false;
    }
    if (histogram === undefined) run.pushStale(samples.times[i]!);
    else run.pushHistogram(samples.times[i]!, histogram);
    return true;
  }

  clear(): void {
    this.#samples.clear();
  }

  /** The chunk, in memory of its own. */
  encode(): { readonly kind: 'integer' | 'float'; readonly bytes: Uint8Array; readonly minTimeMs: number; readonly maxTimeMs: number } {
    const { times, length } = this.#samples;
    return { ...encodeHistograms(this.#samples), minTimeMs: times[0]!, maxTimeMs: times[length - 1]! };
  }
}

function goesOn(before: FloatHistogram, after: FloatHistogram): boolean {
  if (before.schema !== after.schema || before.zeroThreshold !== after.zeroThreshold || !equal(before.customBounds, after.customBounds)) return false;
  const isGauge = after.resetHint === 'gauge';
  if (isGauge !== (before.resetHint === 'gauge')) return false;
  if (isGauge) return true;
  if (after.resetHint === 'reset' || after.count < before.count || after.zeroCount < before.zeroCount) return false;
  return grows(before.positive, after.positive) && grows(before.negative, after.negative);
}

const equal = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((each, i) => each === b[i]);

/** Whether each bucket has at least as much as before. */
function grows(before: FloatHistogram['positive'], after: FloatHistogram['positive']): boolean {
  let at = 0;
  for (const [i, index] of before.indexes.entries()) {
    while (at < after.indexes.length && after.indexes[at]! < index) at++;
    const now = after.indexes[at] === index ? after.counts[at]! : 0;
    if (now < before.counts[i]!) return false;
  }
  return true;
}

/** A chunk of samples that one run holds. */
function encodeHistograms(samples: MixedSamples): { readonly kind: 'integer' | 'float'; readonly bytes: Uint8Array } {
  const { times, length } = samples;
  const histograms = samples.histograms.filter((each) => each !== undefined);
  const kind = histograms.every(isWhole) ? 'integer' : 'float';
  const layout = layoutOf(histograms);
  const bits = new BitWriter();
  bits.put(length, 16);
  bits.put(histograms[0]!.resetHint === 'gauge' ? GAUGE_FLAGS : COUNTER_FLAGS, 8);
  writeLayout(bits, layout);
  const columns = kind === 'integer' ? new IntegerColumns(layout) : new FloatColumns(layout);
  let delta = 0;
  for (let i = 0; i < length; i++) {
    if (i === 0) putVarbitInt(bits, times[i]!);
    else {
      const next = times[i]! - times[i - 1]!;
      if (i === 1) putVarbitUint(bits, next);
      else putVarbitInt(bits, next - delta);
      delta = next;
    }
    const histogram = samples.histogramAt(i);
    if (histogram === undefined) columns.writeStale(bits);
    else columns.write(i, bits, histogram);
  }
  return { kind, bytes: bits.written.slice() };
}

function isWhole({ count, zeroCount, positive, negative }: FloatHistogram): boolean {
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  return isCount(count) && isCount(zeroCount) && positive.counts.every(isCount) && negative.counts.every(isCount);
}

/** A histogram's counts at the layout's buckets, 0 where it has none. */
function* countsAt(indexes: readonly number[], buckets: FloatHistogram['positive']): Generator<number> {
  let at = 0;
  for (const index of indexes) yield buckets.indexes[at] === index ? buckets.counts[at++]! : 0;
}

function putColumn(i: number, bits: BitWriter, column: XorValue, value: number): void {
  scratch[0] = value;
  const [low, high] = halves;
  if (i > 0) column.write(bits, low!, high!);
  else {
    putFloat(bits, value);
    column.begin(low!, high!);
  }
}

const scratch = new Float64Array(1);
const halves = new Uint32Array(scratch.buffer);

class IntegerColumns {
  readonly #layout: HistogramLayout;
  readonly #count = new Grown();
  readonly #zeroCount = new Grown();
  readonly #sum = new XorValue();
  readonly #buckets: readonly Grown[];

  constructor(layout: HistogramLayout) {
    this.#layout = layout;
    this.#buckets = [...layout.positive, ...layout.negative].map(() => new Grown());
  }

  /** Counts say no change, and buckets are left out. A run does not begin so. */
  writeStale(bits: BitWriter): void {
    bits.put(0, 2);
    this.#sum.write(bits, STALE_LOW, STALE_HIGH);
  }

  write(i: number, bits: BitWriter, { count, zeroCount, sum, positive, negative }: FloatHistogram): void {
    this.#count.write(i, bits, count, false);
    this.#zeroCount.write(i, bits, zeroCount, false);
    putColumn(i, bits, this.#sum, sum);
    let at = 0;
    for (const counts of [countsAt(this.#layout.positive, positive), countsAt(this.#layout.negative, negative)]) {
      let before = 0;
      for (const each of counts) {
        this.#buckets[at++]!.write(i, bits, each - before, true);
        before = each;
      }
    }
  }
}

class FloatColumns {
  readonly #layout: HistogramLayout;
  readonly #count = new XorValue();
  readonly #zeroCount = new XorValue();
  readonly #sum = new XorValue();
  readonly #buckets: readonly XorValue[];

  constructor(layout: HistogramLayout) {
    this.#layout = layout;
    this.#buckets = [...layout.positive, ...layout.negative].map(() => new XorValue());
  }

  /** As for integers. */
  writeStale(bits: BitWriter): void {
    bits.put(0, 2);
    this.#sum.write(bits, STALE_LOW, STALE_HIGH);
  }

  write(i: number, bits: BitWriter, { count, zeroCount, sum, positive, negative }: FloatHistogram): void {
    putColumn(i, bits, this.#count, count);
    putColumn(i, bits, this.#zeroCount, zeroCount);
    putColumn(i, bits, this.#sum, sum);
    let at = 0;
    for (const each of countsAt(this.#layout.positive, positive)) putColumn(i, bits, this.#buckets[at++]!, each);
    for (const each of countsAt(this.#layout.negative, negative)) putColumn(i, bits, this.#buckets[at++]!, each);
  }
}
