/**
 * Chunks that a start has found in files, until their series turn up in the WAL: columns, since there may be millions, and for each series
 * a list through them.
 */
import type { ScannedChunk } from './head-chunk-scan.ts';
import { WalRefTable } from './wal-ref-table.ts';

const FIRST_CAPACITY = 1024;

/** Where a chunk lies and what it holds. */
export type WaitingChunk = Pick<ScannedChunk, 'file' | 'offset' | 'minTimeMs' | 'maxTimeMs' | 'sampleCount'>;

export class WaitingChunks {
  #files = new Uint32Array(FIRST_CAPACITY);
  #offsets = new Uint32Array(FIRST_CAPACITY);
  #minTimes = new Float64Array(FIRST_CAPACITY);
  #maxTimes = new Float64Array(FIRST_CAPACITY);
  #counts = new Uint16Array(FIRST_CAPACITY);
  /** The chunk of the same series that was added before; numbered from 1. */
  #before = new Uint32Array(FIRST_CAPACITY);
  readonly #newest = new WalRefTable();
  #count = 0;

  add(chunk: ScannedChunk): void {
    if (this.#count + 1 === this.#files.length) this.#grow();
    const at = ++this.#count;
    this.#files[at] = chunk.file;
    this.#offsets[at] = chunk.offset;
    this.#minTimes[at] = chunk.minTimeMs;
    this.#maxTimes[at] = chunk.maxTimeMs;
    this.#counts[at] = chunk.sampleCount;
    this.#before[at] = this.#newest.get(chunk.walRef);
    this.#newest.set(chunk.walRef, at);
  }

  /** The chunks of a series in order of time; they wait no longer. */
  take(walRef: number): WaitingChunk[] {
    return this.takeInOrderOfWriting(walRef).sort((a, b) => a.minTimeMs - b.minTimeMs);
  }

  /** As they were added. */
  takeInOrderOfWriting(walRef: number): WaitingChunk[] {
    const chunks: WaitingChunk[] = [];
    for (let at = this.#newest.get(walRef); at !== 0; at = this.#before[at]!) {
      chunks.push({
        file: this.#files[at]!,
        offset: this.#offsets[at]!,
        minTimeMs: this.#minTimes[at]!,
        maxTimeMs: this.#maxTimes[at]!,
        sampleCount: this.#counts[at]!,
      });
    }
    if (chunks.length > 0) this.#newest.set(walRef, 0);
    return chunks.reverse();
  }

  #grow(): void {
    const capacity = this.#files.length * 2;
    const grown = <T extends Uint32Array | Float64Array | Uint16Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#files = grown(this.#files, new Uint32Array(capacity));
    this.#offsets = grown(this.#offsets, new Uint32Array(capacity));
    this.#minTimes = grown(this.#minTimes, new Float64Array(capacity));
    this.#maxTimes = grown(this.#maxTimes, new Float64Array(capacity));
    this.#counts = grown(this.#counts, new Uint16Array(capacity));
    this.#before = grown(this.#before, new Uint32Array(capacity));
  }
}
