/**
 * Samples on their way to a log: columns that are filled one at a time. Values keep their bits.
 */
const FIRST_CAPACITY = 64;

export class SampleLog {
  walRefs = new Float64Array(FIRST_CAPACITY);
  times = new Float64Array(FIRST_CAPACITY);
  values = new Float64Array(FIRST_CAPACITY);
  #bits = new Uint32Array(this.values.buffer);
  count = 0;

  /** @param low, high the halves of the value's bits */
  push(walRef: number, timeMs: number, low: number, high: number): void {
    if (this.count === this.times.length) this.#grow();
    this.walRefs[this.count] = walRef;
    this.times[this.count] = timeMs;
    this.#bits[2 * this.count] = low;
    this.#bits[2 * this.count + 1] = high;
    this.count++;
  }

  clear(): void {
    this.count = 0;
  }

  #grow(): void {
    const grown = (from: Float64Array): Float64Array<ArrayBuffer> => {
      const to = new Float64Array(from.length * 2);
      to.set(from);
      return to;
    };
    this.walRefs = grown(this.walRefs);
    this.times = grown(this.times);
    this.values = grown(this.values);
    this.#bits = new Uint32Array(this.values.buffer);
  }
}
