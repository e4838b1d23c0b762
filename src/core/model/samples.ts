/**
 * Samples in columns: times beside values, in typed arrays that are filled, read and used again.
 *
 * The stale marker is one particular NaN. JavaScript does not promise to keep a NaN's bits through arithmetic or a plain
 * array, so it is written and tested through the bits and copied only from typed array to typed array.
 */

/** Low and high half of the stale marker 0x7ff0000000000002 (Prometheus, model/value). */
export const STALE_LOW = 0x00000002;
export const STALE_HIGH = 0x7ff00000;

/** A growing column pair. Only the first `length` entries count. */
export class SampleBuffer {
  /** Milliseconds since the epoch, ascending. */
  times: Float64Array;
  values: Float64Array;
  /** The same memory as `values`: entry i is the halves [2i] low, [2i + 1] high. */
  valueBits: Uint32Array;
  length = 0;

  constructor(capacity = 256) {
    this.times = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
    this.valueBits = new Uint32Array(this.values.buffer);
  }

  clear(): void {
    this.length = 0;
  }

  /** Makes room for `capacity` entries in all; keeps the content. */
  reserve(capacity: number): void {
    if (capacity <= this.times.length) return;
    const size = Math.max(capacity, this.times.length * 2);
    const times = new Float64Array(size);
    const values = new Float64Array(size);
    times.set(this.times.subarray(0, this.length));
    values.set(this.values.subarray(0, this.length));
    this.times = times;
    this.values = values;
    this.valueBits = new Uint32Array(values.buffer);
  }

  /** Appends one ordinary sample. A stale marker goes in by `pushStale`. */
  push(timeMs: number, value: number): void {
    if (this.length === this.times.length) this.reserve(this.length + 1);
    this.times[this.length] = timeMs;
    this.values[this.length] = value;
    this.length++;
  }

  pushStale(timeMs: number): void {
    this.push(timeMs, 0);
    this.valueBits[2 * this.length - 2] = STALE_LOW;
    this.valueBits[2 * this.length - 1] = STALE_HIGH;
  }

  /** Appends `count` samples from typed arrays; bits stay as they are. */
  append(times: Float64Array, values: Float64Array, from: number, count: number): void {
    this.reserve(this.length + count);
    this.times.set(times.subarray(from, from + count), this.length);
    this.values.set(values.subarray(from, from + count), this.length);
    this.length += count;
  }

  isStale(index: number): boolean {
    return this.valueBits[2 * index + 1] === STALE_HIGH && this.valueBits[2 * index] === STALE_LOW;
  }
}

/** Writes the stale marker into `values[index]`. */
export function setStale(values: Float64Array, index: number): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  bits[2 * index] = STALE_LOW;
  bits[2 * index + 1] = STALE_HIGH;
}

/** Whether `bits` (two Uint32 halves a value) hold the stale marker at `index`. */
export function isStaleBits(bits: Uint32Array, index: number): boolean {
  return bits[2 * index + 1] === STALE_HIGH && bits[2 * index] === STALE_LOW;
}
