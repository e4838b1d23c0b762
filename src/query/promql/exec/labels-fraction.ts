/**
 * Where a label set falls in [0, 1): its 64-bit hash over 2^64, by which `limit_ratio` samples.
 *
 * The hash is xxHash64 over the label set as Prometheus lays it out in memory (length and bytes of each name and value), so
 * that both sample the same series.
 * Source: xxHash specification; Prometheus, model/labels ("stringlabels").
 */
import type { Labels } from '../../../core/model/labels.ts';

const PRIME1 = 0x9e3779b185ebca87n;
const PRIME2 = 0xc2b2ae3d27d4eb4fn;
const PRIME3 = 0x165667b19e3779f9n;
const PRIME4 = 0x85ebca77c2b2ae63n;
const PRIME5 = 0x27d4eb2f165667c5n;
const MASK = 0xffffffffffffffffn;
/** Longer strings have their length in three bytes after this one. */
const LONG = 255;

const encoder = new TextEncoder();

export function labelsFraction(labels: Labels): number {
  return Number(xxhash64(layOut(labels))) / 2 ** 64;
}

function layOut(labels: Labels): Uint8Array {
  const bytes: number[] = [];
  for (const part of labels) {
    const text = encoder.encode(part);
    if (text.length < LONG) bytes.push(text.length);
    else bytes.push(LONG, text.length & 0xff, (text.length >> 8) & 0xff, (text.length >> 16) & 0xff);
    bytes.push(...text);
  }
  return Uint8Array.from(bytes);
}

const rotate = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (64n - by))) & MASK;
const round = (lane: bigint, input: bigint): bigint => (rotate((lane + input * PRIME2) & MASK, 31n) * PRIME1) & MASK;
const merge = (hash: bigint, lane: bigint): bigint => ((hash ^ round(0n, lane)) * PRIME1 + PRIME4) & MASK;

/** One call per series of a `limit_ratio`: plain rather than fast. */
export function xxhash64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let hash = PRIME5;
  if (bytes.length >= 32) {
    const lanes = [(PRIME1 + PRIME2) & MASK, PRIME2, 0n, -PRIME1 & MASK];
    for (; at + 32 <= bytes.length; at += 32) {
      for (let i = 0; i < 4; i++) lanes[i] = round(lanes[i]!, view.getBigUint64(at + 8 * i, true));
    }
    hash = (rotate(lanes[0]!, 1n) + rotate(lanes[1]!, 7n) + rotate(lanes[2]!, 12n) + rotate(lanes[3]!, 18n)) & MASK;
    for (const lane of lanes) hash = merge(hash, lane);
  }
  hash = (hash + BigInt(bytes.length)) & MASK;
  for (; at + 8 <= bytes.length; at += 8) {
    hash = (rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * PRIME1 + PRIME4) & MASK;
  }
  if (at + 4 <= bytes.length) {
    hash = (rotate(hash ^ ((BigInt(view.getUint32(at, true)) * PRIME1) & MASK), 23n) * PRIME2 + PRIME3) & MASK;
    at += 4;
  }
  for (; at < bytes.length; at++) hash = (rotate(hash ^ ((BigInt(bytes[at]!) * PRIME5) & MASK), 11n) * PRIME1) & MASK;
  hash = ((hash ^ (hash >> 33n)) * PRIME2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * PRIME3) & MASK;
  return hash ^ (hash >> 32n);
}
