/**
 * A series' out-of-order samples as a reader thread sees them: overlapping chunks and a buffer, merged.
 */
import type { HeadKernel } from '../../core/kernels/head-kernel.ts';
import { OUT_OF_ORDER_BUFFER, OUT_OF_ORDER_SAMPLES, RECORD, ROOT } from '../../core/kernels/head-layout.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { mergeSamples } from '../../core/model/merge-samples.ts';
import { MixedSamples } from '../../core/model/mixed-samples.ts';
import { entryAddress } from './head-memory.ts';
import { middleOf, stagingOf, type HeadView, type SeriesChunks, type SeriesPart, type Staging } from './series-chunks.ts';
import { isUnchanged } from './version-word.ts';

export class OutOfOrderReader {
  readonly #linear: LinearMemory;
  readonly #kernel: HeadKernel;
  readonly #staging: Staging;
  readonly #chunks: SeriesChunks;
  readonly #times = new Float64Array(OUT_OF_ORDER_SAMPLES);
  readonly #values = new Float64Array(OUT_OF_ORDER_SAMPLES);

  constructor(view: HeadView, chunks: SeriesChunks) {
    this.#linear = view.linear;
    this.#kernel = view.kernel;
    this.#staging = stagingOf(view);
    this.#chunks = chunks;
  }

  /**
   * The samples inside the part, whose ref is that of the out-of-order record. Of two samples at one time the one that came first stays.
   * @throws ChunkFileGoneError, CorruptError
   */
  read(part: SeriesPart): MixedSamples {
    // First, since it may become a chunk at any time.
    const buffered = this.#readBuffer(part);
    const runs = this.#readChunks(part);
    runs.push(buffered);
    return merged(runs);
  }

  #readChunks(part: SeriesPart): MixedSamples[] {
    const chunks = this.#chunks;
    if (!chunks.take(part)) {
      const middleMs = middleOf(part);
      const halves = [{ ...part, endMs: middleMs }, { ...part, startMs: middleMs + 1 }];
      return halves.map((half) => merged(this.#readChunks(half)));
    }
    const { timesAt, valuesAt } = this.#staging;
    const runs: MixedSamples[] = [];
    for (let i = 0; i < chunks.count; i++) {
      const { address, length } = chunks.place(i);
      const n = this.#kernel.decodeXor(address, length, part.startMs, part.endMs, timesAt, valuesAt);
      if (n < 0) throw chunks.corrupt(i, part.ref);
      const run = new MixedSamples(n);
      const { f64 } = this.#linear;
      run.append(f64.subarray(timesAt >>> 3, (timesAt >>> 3) + n), f64.subarray(valuesAt >>> 3, (valuesAt >>> 3) + n), 0, n);
      runs.push(run);
    }
    return runs;
  }

  #readBuffer({ ref, startMs, endMs }: SeriesPart): MixedSamples {
    this.#linear.refresh();
    const { u32, i32, f64 } = this.#linear;
    const record = entryAddress(this.#linear, ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES);
    const buffer = u32[(record + RECORD.LABELS) >>> 2]!;
    const times = (buffer + OUT_OF_ORDER_BUFFER.TIMES) >>> 3;
    const values = (buffer + OUT_OF_ORDER_BUFFER.VALUES) >>> 3;
    let count: number;
    for (;;) {
      const version = Atomics.load(i32, (record + RECORD.VERSION) >>> 2);
      if ((version & 1) !== 0) continue;
      count = u32[(buffer + OUT_OF_ORDER_BUFFER.COUNT) >>> 2]!;
      this.#times.set(f64.subarray(times, times + OUT_OF_ORDER_SAMPLES));
      this.#values.set(f64.subarray(values, values + OUT_OF_ORDER_SAMPLES));
      if (isUnchanged(i32, (record + RECORD.VERSION) >>> 2, version)) break;
    }
    let from = 0;
    let to = Math.min(count, OUT_OF_ORDER_SAMPLES);
    while (from < to && this.#times[from]! < startMs) from++;
    while (to > from && this.#times[to - 1]! > endMs) to--;
    const run = new MixedSamples(to - from);
    run.append(this.#times.subarray(from, to), this.#values.subarray(from, to), 0, to - from);
    return run;
  }
}

/** Merges neighbours until one is left. */
function merged(runs: MixedSamples[]): MixedSamples {
  let left = runs;
  while (left.length > 1) {
    const next: MixedSamples[] = [];
    for (let i = 0; i < left.length; i += 2) {
      if (i + 1 < left.length) mergeSamples(left[i]!, left[i + 1]!);
      next.push(left[i]!);
    }
    left = next;
  }
  return left[0] ?? new MixedSamples(0);
}
