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
import { MixedSamples } from '../../core/model/mixed-samples.ts';
import { formatLabels, type Labels } from '../../core/model/labels.ts';
import type { EncodedChunk } from '../../core/storage/chunk-source.ts';
import { ChunkCutter } from './chunk-cutter.ts';

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
  /** Runs that have samples, in no order. */
  #runs: Run[] = [];
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
    const { encoding, minTimeMs, maxTimeMs, bytes } = part.next!;
    if (this.#copy.length < bytes.length) this.#copy = new Uint8Array(bytes.length * 2);
    this.#copy.set(bytes);
    const taken = { encoding, minTimeMs, maxTimeMs, bytes: this.#copy.subarray(0, bytes.length) };
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
    this.#runs.push(run);
  }

  #corrupt(part: PartCursor, { minTimeMs, maxTimeMs }: EncodedChunk, what: string, cause?: unknown): CorruptError {
    return new CorruptError(`the chunk of ${formatLabels(this.#labels)} from ${minTimeMs} to ${maxTimeMs}: ${what}`, { file: part.name, offset: 0, cause });
  }

  /** Merges the decoded chunk with all that overlap it, and those with what overlaps them. */
  *#rewrite(): Generator<EncodedChunk, undefined> {
    const cutter = this.#cutter;
    for (;;) {
      const first = this.#firstRun();
      if (first === null) break;
      const next = this.#earliest();
      if (next !== null && next.next!.minTimeMs <= first.samples.times[first.at]!) {
        this.#decode(next, this.#take(next));
        continue;
      }
      const end = this.#emittable(first, next?.next?.minTimeMs ?? Number.POSITIVE_INFINITY);
      while (first.at < end) {
        first.at = cutter.add(first.samples, first.at, end);
        const full = cutter.takeFull();
        if (full !== null) yield full;
      }
      this.#dropWritten(first.samples.times[end - 1]!);
    }
    const rest = cutter.takeRest();
    if (rest !== null) yield rest;
  }

  /** The run whose next sample comes first; of equal ones that of the first source. */
  #firstRun(): Run | null {
    let first: Run | null = null;
    for (const run of this.#runs) {
      const time = run.samples.times[run.at]!;
      const firstTime = first === null ? Number.POSITIVE_INFINITY : first.samples.times[first.at]!;
      if (first === null || time < firstTime || (time === firstTime && run.order < first.order)) first = run;
    }
    return first;
  }

  /** Up to which index the samples of the first run come before those of all others and of chunks that begin at `limitMs`. */
  #emittable(first: Run, limitMs: number): number {
    let endMs = limitMs;
    for (const run of this.#runs) if (run !== first) endMs = Math.min(endMs, run.samples.times[run.at]!);
    const { times, length } = first.samples;
    // At least the first one, which may be as late as others that it wins against.
    let end = first.at + 1;
    while (end < length && times[end]! < endMs) end++;
    return end;
  }

  /** Skips samples up to `timeMs` in all runs, and forgets runs at their end. */
  #dropWritten(timeMs: number): void {
    let kept = 0;
    for (const run of this.#runs) {
      const { times, length } = run.samples;
      while (run.at < length && times[run.at]! <= timeMs) run.at++;
      if (run.at < length) this.#runs[kept++] = run;
      else this.#unusedRuns.push(run);
    }
    this.#runs.length = kept;
  }
}

function isEqual(a: EncodedChunk, b: EncodedChunk): boolean {
  if (a.minTimeMs !== b.minTimeMs || a.maxTimeMs !== b.maxTimeMs || a.encoding !== b.encoding || a.bytes.length !== b.bytes.length) return false;
  for (let i = 0; i < a.bytes.length; i++) if (a.bytes[i] !== b.bytes[i]) return false;
  return true;
}
