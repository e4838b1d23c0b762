/**
 * One series out of several: its chunks from all sources in order of time.
 *
 * A chunk that overlaps no other goes through as it is. Where chunks overlap, also those of one source, they are decoded, merged sample
 * by sample and encoded anew; of samples at one time that of the first source stays. Only chunks that overlap at the same time are
 * decoded at once, so memory does not grow with the length of the series.
 */
import { CorruptError } from '../../core/base/errors.ts';
import { decodeChunk } from '../../core/chunk/chunk.ts';
import { ChunkError } from '../../core/chunk/chunk-error.ts';
import { appendSamples } from '../../core/model/merge-samples.ts';
import { MixedSamples } from '../../core/model/mixed-samples.ts';
import { formatLabels, type Labels } from '../../core/model/labels.ts';
import type { EncodedChunk } from '../../core/storage/chunk-source.ts';
import { ChunkCutter } from '../../core/storage/chunk-cutter.ts';

/** The chunks of the series in one source. */
export interface SeriesPart {
  /** The source, for errors. */
  readonly name: string;
  readonly chunks: Iterable<EncodedChunk>;
}

/** A part, and the chunk of it that comes next. */
interface PartCursor {
  readonly name: string;
  readonly order: number;
  readonly iterator: Iterator<EncodedChunk>;
  next: EncodedChunk | null;
}

/** Decoded samples of one chunk that are not written yet. */
interface Run {
  readonly samples: MixedSamples;
  /** The source's. */
  order: number;
  at: number;
}

/** One instance merges one series after the other with the same memory. */
export class ChunkMerger {
  readonly #cutter = new ChunkCutter();
  #parts: PartCursor[] = [];
  /** Runs that have samples, in the order in which they win. */
  #runs: Run[] = [];
  readonly #merged = new MixedSamples();
  readonly #unusedRuns: Run[] = [];
  #copy = new Uint8Array(4096);
  #labels: Labels = [];

  /** @param parts in the order in which they win; what is given is good until the next chunk is taken @throws CorruptError */
  *merge(labels: Labels, parts: readonly SeriesPart[]): Generator<EncodedChunk, undefined> {
    this.#labels = labels;
    this.#unusedRuns.push(...this.#runs);
    this.#runs = [];
    this.#parts = parts.map(({ name, chunks }, order) => ({ name, order, iterator: chunks[Symbol.iterator](), next: null }));
    for (const part of this.#parts) this.#advance(part);
    for (;;) {
      const part = this.#earliest();
      if (part === null) return;
      const chunk = this.#take(part);
      this.#skipEqual(chunk);
      if (chunk.maxTimeMs < this.#nextTimeMs()) yield chunk;
      else {
        this.#decode(part, chunk);
        yield* this.#rewrite();
      }
    }
  }

  /** The part whose next chunk begins first; of equal ones the first. */
  #earliest(): PartCursor | null {
    let earliest: PartCursor | null = null;
    for (const part of this.#parts) {
      if (part.next !== null && (earliest === null || part.next.minTimeMs < earliest.next!.minTimeMs)) earliest = part;
    }
    return earliest;
  }

  #nextTimeMs(): number {
    return this.#earliest()?.next?.minTimeMs ?? Number.POSITIVE_INFINITY;
  }

  /** The part's next chunk, copied: whether it overlaps the one behind is known when that has been taken. */
  #take(part: PartCursor): EncodedChunk {
    const { bytes } = part.next!;
    if (this.#copy.length < bytes.length) this.#copy = new Uint8Array(bytes.length * 2);
    this.#copy.set(bytes);
    const taken = { ...part.next!, bytes: this.#copy.subarray(0, bytes.length) };
    this.#advance(part);
    return taken;
  }

  #advance(part: PartCursor): void {
    const beforeMs = part.next?.minTimeMs ?? Number.NEGATIVE_INFINITY;
    const result = part.iterator.next();
    part.next = result.done === true ? null : result.value;
    if (part.next !== null && part.next.minTimeMs < beforeMs) throw this.#corrupt(part, part.next, `one that begins at ${beforeMs} stands before it`);
  }

  /** Sources often hold the very same chunk: replicas of a block, or data that was imported twice. */
  #skipEqual(chunk: EncodedChunk): void {
    for (const part of this.#parts) while (part.next !== null && isEqual(part.next, chunk)) this.#advance(part);
  }

  #decode(part: PartCursor, chunk: EncodedChunk): void {
    const run = this.#unusedRuns.pop() ?? { samples: new MixedSamples(), order: 0, at: 0 };
    const { samples } = run;
    samples.clear();
    run.at = 0;
    run.order = part.order;
    const { encoding, bytes, minTimeMs, maxTimeMs } = chunk;
    try {
      decodeChunk(encoding, bytes, 0, bytes.length, samples);
    } catch (error) {
      if (error instanceof ChunkError) throw this.#corrupt(part, chunk, error.message, error);
      throw error;
    }
    const { times, length } = samples;
    if (length === 0 || times[0] !== minTimeMs || times[length - 1] !== maxTimeMs) throw this.#corrupt(part, chunk, 'its samples are of other times than the index says');
    const at = this.#runs.findIndex(({ order }) => order > part.order);
    this.#runs.splice(at < 0 ? this.#runs.length : at, 0, run);
  }

  #corrupt(part: PartCursor, { minTimeMs, maxTimeMs }: EncodedChunk, what: string, cause?: unknown): CorruptError {
    return new CorruptError(`the chunk of ${formatLabels(this.#labels)} from ${minTimeMs} to ${maxTimeMs}: ${what}`, { file: part.name, offset: 0, cause });
  }

  /** Merges the decoded chunk with all that overlap it, and those with what overlaps them. */
  *#rewrite(): Generator<EncodedChunk, undefined> {
    const cutter = this.#cutter;
    const merged = this.#merged;
    while (this.#runs.length > 0) {
      merged.clear();
      this.#mergeBefore(this.#nextTimeMs());
      for (let at = 0; at < merged.length; ) {
        at = cutter.add(merged, at, merged.length);
        const full = cutter.takeFull();
        if (full !== null) yield full;
      }
      // What is left overlaps the next chunk.
      const next = this.#earliest();
      if (this.#runs.length > 0 && next !== null) this.#decode(next, this.#take(next));
    }
    const rest = cutter.takeRest();
    if (rest !== null) yield rest;
  }

  /** Moves the samples of all runs that come before `limitMs` to `#merged`. */
  #mergeBefore(limitMs: number): void {
    const runs = this.#runs;
    for (;;) {
      this.#dropEmpty();
      const [a, b] = runs;
      if (a === undefined) return;
      if (b === undefined) moveAlone(a, limitMs, this.#merged);
      else if (runs.length === 2) moveBoth(a, b, limitMs, this.#merged);
      else this.#moveFirst(limitMs);
      if (runs.every(({ samples, at }) => at < samples.length && samples.times[at]! >= limitMs)) return;
    }
  }

  #dropEmpty(): void {
    let kept = 0;
    for (const run of this.#runs) {
      if (run.at < run.samples.length) this.#runs[kept++] = run;
      else this.#unusedRuns.push(run);
    }
    this.#runs.length = kept;
  }

  /** The run whose next sample comes first gives what comes before those of all others. */
  #moveFirst(limitMs: number): void {
    let first: Run | null = null;
    let firstMs = limitMs;
    let secondMs = limitMs;
    for (const run of this.#runs) {
      const timeMs = run.samples.times[run.at]!;
      if (timeMs < firstMs) {
        secondMs = firstMs;
        first = run;
        firstMs = timeMs;
      } else secondMs = Math.min(secondMs, timeMs);
    }
    if (first === null) return;
    for (const run of this.#runs) if (run !== first && run.samples.times[run.at] === firstMs) run.at++;
    moveAlone(first, Math.max(secondMs, firstMs + 1), this.#merged);
  }
}

/** Moves the samples before `limitMs`. */
function moveAlone(run: Run, limitMs: number, into: MixedSamples): void {
  const { times, length } = run.samples;
  let end = run.at;
  while (end < length && times[end]! < limitMs) end++;
  appendSamples(into, run.samples, run.at, end);
  run.at = end;
}

/** Moves samples before `limitMs` until one run has no more. At one time that of the first run goes before. */
function moveBoth(a: Run, b: Run, limitMs: number, into: MixedSamples): void {
  const first = a.samples;
  const second = b.samples;
  const arePlain = !first.hasHistograms && !first.hasStartTimes && !second.hasHistograms && !second.hasStartTimes;
  into.reserve(into.length + first.length - a.at + second.length - b.at);
  const { times, valueBits } = into;
  let to = into.length;
  let i = a.at;
  let j = b.at;
  while (i < first.length && j < second.length) {
    const firstMs = first.times[i]!;
    const secondMs = second.times[j]!;
    const timeMs = firstMs <= secondMs ? firstMs : secondMs;
    if (timeMs >= limitMs) break;
    const source = firstMs <= secondMs ? first : second;
    const from = firstMs <= secondMs ? i : j;
    if (firstMs <= secondMs) i++;
    if (secondMs <= firstMs) j++;
    if (arePlain) {
      times[to] = timeMs;
      valueBits[2 * to] = source.valueBits[2 * from]!;
      valueBits[2 * to + 1] = source.valueBits[2 * from + 1]!;
      to++;
    } else appendSamples(into, source, from, from + 1);
  }
  if (arePlain) into.length = to;
  a.at = i;
  b.at = j;
}

function isEqual(a: EncodedChunk, b: EncodedChunk): boolean {
  if (a.minTimeMs !== b.minTimeMs || a.maxTimeMs !== b.maxTimeMs || a.encoding !== b.encoding || a.bytes.length !== b.bytes.length) return false;
  for (let i = 0; i < a.bytes.length; i++) if (a.bytes[i] !== b.bytes[i]) return false;
  return true;
}
