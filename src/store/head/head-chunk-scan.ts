/**
 * Finding the chunks of head chunk files at start, and cutting files where they stop making sense. A file is read through a window, so
 * that its size costs no memory.
 */
import { closeSync, fstatSync, openSync, readSync, renameSync, truncateSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32c } from '../../core/bytes/crc32c.ts';
import { OUT_OF_ORDER_BIT } from '../../core/chunk/chunk.ts';
import { corruptName } from '../wal/repair.ts';
import {
  CHECKSUM_BYTES, chunkFileName, FILE_HEADER_BYTES, FIXED_BYTES, HEAD_CHUNK_MAGIC, headChunkFolder, listChunkFiles, MAX_CHUNK_BYTES,
} from './head-chunk-files.ts';
import type { ChunkPlace } from './head.ts';

const MAX_LENGTH_BYTES = 5;
/** Longest record. */
const MAX_RECORD_BYTES = FIXED_BYTES + MAX_LENGTH_BYTES + MAX_CHUNK_BYTES + CHECKSUM_BYTES;
const WINDOW_BYTES = 8 * 1024 * 1024;
const TWO_32 = 4294967296;

/** One chunk found at start. */
export interface ScannedChunk extends ChunkPlace {
  readonly walRef: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly sampleCount: number;
  readonly encoding: number;
  readonly isOutOfOrder: boolean;
}

/** A file that stops making sense at `offset`. */
export interface HeadChunkFault {
  readonly file: string;
  readonly offset: number;
  readonly what: string;
  /** The files that hold what was cut. */
  readonly setAside: readonly string[];
}

/**
 * Goes through all chunks of all files in order of writing, checking each. A file that stops making sense is cut there, what was cut is
 * kept beside it as `.corrupt`, and later files are set aside whole, since their chunks follow ones that are lost.
 *
 * @param repairs false for who only looks: then no file is changed, and chunks are given up to the fault
 */
export function scanHeadChunks(dataFolder: string, onChunk: (chunk: ScannedChunk) => void, repairs = true): HeadChunkFault | null {
  const folder = headChunkFolder(dataFolder);
  const files = listChunkFiles(folder);
  const scan = new FileScan();
  for (const [i, file] of files.entries()) {
    const path = join(folder, chunkFileName(file));
    scan.open(path);
    try {
      const fault = scan.chunks(file, onChunk);
      if (fault === null) continue;
      if (fault.offset <= FILE_HEADER_BYTES && scan.isZero(0)) {
        // Made, and not yet written to when the process died.
        if (repairs) unlinkSync(path);
        continue;
      }
      return { file: path, ...fault, setAside: repairs ? setAside(folder, files.slice(i), fault.offset) : [] };
    } finally {
      scan.close();
    }
  }
  return null;
}

interface Fault {
  readonly offset: number;
  readonly what: string;
}

/** One file, seen through a window. */
class FileScan {
  readonly #window = new Uint8Array(WINDOW_BYTES);
  readonly #view = new DataView(this.#window.buffer);
  #fd = -1;
  #size = 0;
  /** The window holds the bytes [start, end) of the file. */
  #start = 0;
  #end = 0;

  open(path: string): void {
    this.#fd = openSync(path, 'r');
    this.#size = fstatSync(this.#fd).size;
    this.#start = 0;
    this.#end = 0;
  }

  close(): void {
    closeSync(this.#fd);
  }

  chunks(file: number, onChunk: (chunk: ScannedChunk) => void): Fault | null {
    const view = this.#view;
    if (this.#size < FILE_HEADER_BYTES || view.getUint32(this.#at(0, FILE_HEADER_BYTES)) !== HEAD_CHUNK_MAGIC) {
      return { offset: 0, what: 'it does not begin as a head chunk file' };
    }
    if (this.#window[4] !== 1) return { offset: 4, what: `version ${this.#window[4]} is not known` };
    for (let offset = FILE_HEADER_BYTES; offset < this.#size; ) {
      const fault = (what: string): Fault => ({ offset, what });
      if (offset + FIXED_BYTES + 1 > this.#size) return this.isZero(offset) ? null : fault('a chunk is cut off');
      const at = this.#at(offset, MAX_RECORD_BYTES);
      // Series refs begin at 1, and no file holds a chunk of times 0 to 0: a zero header is unused room.
      if (view.getUint32(at + 4) === 0 && view.getUint32(at) === 0) return this.isZero(offset) ? null : fault('a chunk has no series');
      const end = this.#end - this.#start;
      let length = 0;
      let dataAt = at + FIXED_BYTES;
      for (let scale = 1; ; scale *= 128) {
        if (dataAt >= end || scale > 2 ** 28) return fault('a chunk has no length');
        const byte = this.#window[dataAt++]!;
        length += (byte & 0x7f) * scale;
        if (byte < 0x80) break;
      }
      if (length > MAX_CHUNK_BYTES || dataAt + length + CHECKSUM_BYTES > end) return fault('a chunk is cut off');
      if (crc32c(this.#window, at, dataAt + length) !== view.getUint32(dataAt + length)) return fault('a chunk does not fit its checksum');
      const encoding = this.#window[at + FIXED_BYTES - 1]!;
      onChunk({
        file,
        offset,
        walRef: this.#big64(at),
        minTimeMs: this.#big64(at + 8),
        maxTimeMs: this.#big64(at + 16),
        sampleCount: length >= 2 ? view.getUint16(dataAt) : 0,
        encoding: encoding & ~OUT_OF_ORDER_BIT,
        isOutOfOrder: (encoding & OUT_OF_ORDER_BIT) !== 0,
      });
      offset += dataAt + length + CHECKSUM_BYTES - at;
    }
    return null;
  }

  /** Whether the file has nothing but zeros from `offset` on. */
  isZero(offset: number): boolean {
    for (let from = offset; from < this.#size; from += WINDOW_BYTES) {
      const at = this.#at(from, WINDOW_BYTES);
      const end = this.#end - this.#start;
      for (let i = at; i < end; i++) if (this.#window[i] !== 0) return false;
    }
    return true;
  }

  /** Has the window cover `length` bytes from `offset` on, as far as the file goes. @returns where they begin in it */
  #at(offset: number, length: number): number {
    if (offset < this.#start || Math.min(offset + length, this.#size) > this.#end) {
      this.#start = offset;
      this.#end = offset;
      const end = Math.min(offset + WINDOW_BYTES, this.#size);
      while (this.#end < end) {
        const count = readSync(this.#fd, this.#window, this.#end - offset, end - this.#end, this.#end);
        // Shorter than it was: what is missing reads as the end.
        if (count === 0) this.#size = this.#end;
        if (count === 0) break;
        this.#end += count;
      }
    }
    return offset - this.#start;
  }

  #big64(at: number): number {
    return this.#view.getInt32(at) * TWO_32 + this.#view.getUint32(at + 4);
  }
}

function setAside(folder: string, [first, ...later]: readonly number[], offset: number): string[] {
  const kept: string[] = [];
  const move = (path: string): void => {
    const name = corruptName(path);
    renameSync(path, name);
    kept.push(name);
  };
  const path = join(folder, chunkFileName(first!));
  if (offset <= FILE_HEADER_BYTES) move(path);
  else {
    const name = corruptName(path);
    copyTail(path, offset, name);
    kept.push(name);
    truncateSync(path, offset);
  }
  for (const file of later) move(join(folder, chunkFileName(file)));
  return kept;
}

function copyTail(from: string, offset: number, to: string): void {
  const buffer = new Uint8Array(WINDOW_BYTES);
  const source = openSync(from, 'r');
  const target = openSync(to, 'wx');
  try {
    for (let position = offset; ; ) {
      const count = readSync(source, buffer, 0, buffer.length, position);
      if (count === 0) return;
      for (let done = 0; done < count; ) done += writeSync(target, buffer, done, count - done);
      position += count;
    }
  } finally {
    closeSync(source);
    closeSync(target);
  }
}
