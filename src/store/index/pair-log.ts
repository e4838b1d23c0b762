/**
 * Which pairs each series has, in the order of series: what postings are made from. It is read once for each batch of lists, from
 * memory, or from a file where there is more than may be held.
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { errorMessage } from '../../core/base/errors.ts';
import { FileWriteError } from './file-appender.ts';
import { FileReadError } from './byte-source.ts';

/** Numbers in a block; a series is never in two. */
const BLOCK_NUMBERS = 256 * 1024;

export class PairLog {
  readonly #path: string;
  readonly #maxBlocks: number;
  /** Full blocks in memory, each as far as it is used. */
  #full: Uint32Array[] = [];
  #open = new Uint32Array(BLOCK_NUMBERS);
  #used = 0;
  #descriptor = -1;
  /** Lengths of the blocks in the file, in numbers. */
  readonly #inFile: number[] = [];

  /** @param path of a file that is made where memory does not suffice, and deleted with `close` */
  constructor(path: string, memoryBytes: number) {
    this.#path = path;
    this.#maxBlocks = Math.max(1, Math.floor(memoryBytes / 4 / BLOCK_NUMBERS));
  }

  get isInFile(): boolean {
    return this.#descriptor >= 0;
  }

  /** Begins a series that has `count` pairs; as many calls of `addPair` must follow. */
  beginSeries(ref: number, count: number): void {
    if (this.#used + count + 2 > this.#open.length) this.#nextBlock(count + 2);
    this.#open[this.#used++] = ref;
    this.#open[this.#used++] = count;
  }

  addPair(pair: number): void {
    this.#open[this.#used++] = pair;
  }

  /** Gives all blocks: per series its ref, the number of its pairs, the pairs. A block is good during the call. */
  forEachBlock(visit: (numbers: Uint32Array) => void): void {
    let at = 0;
    let buffer = new Uint32Array(0);
    for (const length of this.#inFile) {
      if (buffer.length < length) buffer = new Uint32Array(length);
      const bytes = new Uint8Array(buffer.buffer, 0, length * 4);
      for (let done = 0; done < bytes.length; ) {
        const count = this.#read(bytes, done, at + done);
        if (count === 0) throw new FileReadError(this.#path, new Error('it has been cut while it was in use'));
        done += count;
      }
      at += bytes.length;
      visit(buffer.subarray(0, length));
    }
    for (const block of this.#full) visit(block);
    visit(this.#open.subarray(0, this.#used));
  }

  close(): void {
    if (this.#descriptor < 0) return;
    closeSync(this.#descriptor);
    this.#descriptor = -1;
    rmSync(this.#path);
  }

  #nextBlock(needed: number): void {
    this.#full.push(this.#open.subarray(0, this.#used));
    if (this.#full.length >= this.#maxBlocks) this.#moveToFile();
    this.#open = new Uint32Array(Math.max(BLOCK_NUMBERS, needed));
    this.#used = 0;
  }

  #moveToFile(): void {
    try {
      if (this.#descriptor < 0) this.#descriptor = openSync(this.#path, 'wx+');
      for (const block of this.#full) {
        const bytes = new Uint8Array(block.buffer, block.byteOffset, block.byteLength);
        for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done);
        this.#inFile.push(block.length);
      }
    } catch (error) {
      throw new FileWriteError(`cannot write ${this.#path}: ${errorMessage(error)}`, { cause: error });
    }
    this.#full = [];
  }

  #read(bytes: Uint8Array, from: number, position: number): number {
    try {
      return readSync(this.#descriptor, bytes, from, bytes.length - from, position);
    } catch (error) {
      throw new FileReadError(this.#path, error);
    }
  }
}
