/**
 * What all histograms of one chunk have in common: how its buckets lie. It stands once, before the samples.
 *
 *   u8        zero threshold: 0, or 255 + 64 bits, or a power of two as exponent + 243
 *   varbit    schema
 *   spans     of the positive, then of the negative buckets: varbit count, then length and (signed) distance to the one before
 *   bounds    only of the custom schema: varbit count, then each as bound × 1000 + 1, or 0 and 64 bits
 *
 * Source: Prometheus, tsdb/chunkenc, "histogram_meta".
 */
import type { BitWriter } from '../bytes/bit-writer.ts';
import { CUSTOM_SCHEMA, type FloatHistogram } from '../model/histogram.ts';
import type { BitReader } from './bit-reader.ts';
import { ChunkError } from './chunk-error.ts';
import { putVarbitInt, putVarbitUint } from './varbit.ts';

const SMALLEST_EXPONENT = -242;
const LARGEST_EXPONENT = 11;
const EXPONENT_SHIFT = 243;
const RAW_THRESHOLD = 255;
/** Largest bound that is written as thousandths. */
const MAX_SHORT_BOUND = 33_554_430;
/** Buckets that one histogram may have: far more than any client makes. */
export const MAX_BUCKETS = 65_536;
/** Exponential schemas that exist. */
const LOWEST_SCHEMA = -4;
const HIGHEST_SCHEMA = 8;

export interface HistogramLayout {
  readonly schema: number;
  readonly zeroThreshold: number;
  /** Indexes of the buckets, ascending. */
  readonly positive: readonly number[];
  readonly negative: readonly number[];
  readonly customBounds: readonly number[];
}

/** The layout that holds all of the histograms, which share schema, threshold and bounds. */
export function layoutOf(histograms: readonly FloatHistogram[]): HistogramLayout {
  const { schema, zeroThreshold, customBounds } = histograms[0]!;
  const indexes = (side: 'positive' | 'negative'): number[] => [...new Set(histograms.flatMap((each) => each[side].indexes))].sort((a, b) => a - b);
  return { schema, zeroThreshold, customBounds, positive: indexes('positive'), negative: indexes('negative') };
}

export function writeLayout(bits: BitWriter, { schema, zeroThreshold, positive, negative, customBounds }: HistogramLayout): void {
  putThreshold(bits, zeroThreshold);
  putVarbitInt(bits, schema);
  putSpans(bits, positive);
  putSpans(bits, negative);
  if (schema !== CUSTOM_SCHEMA) return;
  putVarbitUint(bits, customBounds.length);
  for (const bound of customBounds) {
    const thousandths = bound * 1000;
    if (Number.isInteger(thousandths) && thousandths >= 0 && thousandths <= MAX_SHORT_BOUND) putVarbitUint(bits, thousandths + 1);
    else {
      bits.put(0, 1);
      putFloat(bits, bound);
    }
  }
}

/** @throws ChunkError */
export function readLayout(bits: BitReader): HistogramLayout {
  const zeroThreshold = readThreshold(bits);
  const schema = bits.varbitInt();
  if (schema !== CUSTOM_SCHEMA && (schema < LOWEST_SCHEMA || schema > HIGHEST_SCHEMA)) throw new ChunkError(`a chunk of histograms has schema ${schema}, which there is not`, 0);
  const positive = readSpans(bits);
  const negative = readSpans(bits);
  return { schema, zeroThreshold, positive, negative, customBounds: schema === CUSTOM_SCHEMA ? readBounds(bits) : [] };
}

function putThreshold(bits: BitWriter, threshold: number): void {
  // threshold = 0.5 × 2^exponent
  const exponent = threshold > 0 ? Math.log2(threshold) + 1 : Number.NaN;
  if (threshold === 0) bits.put(0, 8);
  else if (Number.isInteger(exponent) && 2 ** (exponent - 1) === threshold && exponent >= SMALLEST_EXPONENT && exponent <= LARGEST_EXPONENT) bits.put(exponent + EXPONENT_SHIFT, 8);
  else {
    bits.put(RAW_THRESHOLD, 8);
    putFloat(bits, threshold);
  }
}

function readThreshold(bits: BitReader): number {
  const byte = bits.bits(8);
  if (byte === 0) return 0;
  return byte === RAW_THRESHOLD ? readFloat(bits) : 2 ** (byte - EXPONENT_SHIFT - 1);
}

function putSpans(bits: BitWriter, indexes: readonly number[]): void {
  const spans: { readonly offset: number; length: number }[] = [];
  let span = { offset: 0, length: 0 };
  for (const [i, index] of indexes.entries()) {
    const before = indexes[i - 1];
    if (before === undefined || index !== before + 1) {
      span = { offset: before === undefined ? index : index - before - 1, length: 0 };
      spans.push(span);
    }
    span.length++;
  }
  putVarbitUint(bits, spans.length);
  for (const { offset, length } of spans) {
    putVarbitUint(bits, length);
    putVarbitInt(bits, offset);
  }
}

function readSpans(bits: BitReader): number[] {
  const count = bits.varbitUint();
  const indexes: number[] = [];
  let next = 0;
  for (let i = 0; i < count; i++) {
    const length = bits.varbitUint();
    const offset = bits.varbitInt();
    if (i > 0 && offset < 0) throw new ChunkError('a chunk of histograms has spans that go back', 0);
    next += offset;
    if (!Number.isSafeInteger(next) || indexes.length + length > MAX_BUCKETS) throw new ChunkError(`a chunk of histograms has more than ${MAX_BUCKETS} buckets`, 0);
    for (let k = 0; k < length; k++) indexes.push(next++);
  }
  return indexes;
}

function readBounds(bits: BitReader): number[] {
  const count = bits.varbitUint();
  if (count > MAX_BUCKETS) throw new ChunkError(`a chunk of histograms has more than ${MAX_BUCKETS} bounds`, 0);
  const bounds: number[] = [];
  for (let i = 0; i < count; i++) {
    const short = bits.varbitUint();
    bounds.push(short === 0 ? readFloat(bits) : (short - 1) / 1000);
  }
  return bounds;
}

const float = new Float64Array(1);
const halves = new Uint32Array(float.buffer);

export function putFloat(bits: BitWriter, value: number): void {
  float[0] = value;
  bits.put(halves[1]!, 32);
  bits.put(halves[0]!, 32);
}

/** For numbers: a NaN may lose its bits. */
export function readFloat(bits: BitReader): number {
  halves[1] = bits.bits(32);
  halves[0] = bits.bits(32);
  return float[0]!;
}

/** The number with these bits. */
export function floatOf(low: number, high: number): number {
  halves[0] = low;
  halves[1] = high;
  return float[0]!;
}
