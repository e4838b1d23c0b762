/**
 * Chunks in head chunk files, read through a small cache of pages.
 *
 * Chunks that were closed together lie together, so a page read for one series serves its neighbours: one `pread` of 64 KiB
 * costs less than decoding what it holds. Each reader thread has its own cache; files are only ever added to and deleted whole.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { CorruptError } from '../../core/base/errors.ts';
import { crc32c } from '../../core/bytes/crc32c.ts';
import { ChunkFileGoneError, type HeadChunkReader } from './series-chunks.ts';

const PAGE_BYTES = 64 * 1024;
/** Pages that one reader keeps: 8 MiB. */
export const MAX_PAGES = 128;
/** More than a file has: pages are numbered across files. */
const PAGES_OF_FILE = 65_536;
/** Files that one reader keeps open. */
export const MAX_OPEN_FILES = 32;

/** Series ref, min time, max time, encoding. */
const FIXED_BYTES = 8 + 8 + 8 + 1;
const MAX_LENGTH_BYTES = 5;
const CRC_BYTES = 4;
/** Float chunks; see docs/formats. */
const ENCODING_XOR = 1;
const OUT_OF_ORDER_BIT = 0x80;

interface Page {
  readonly bytes: Uint8Array;
  /** Bytes that were there when it was read; the file may have grown since. */
  length: number;
}

export class HeadChunkPages implements HeadChunkReader {
  readonly #folder: string;
  /** Least recently used first. */
  readonly #pages = new Map<number, Page>();
  readonly #files = new Map<number, number>();
  #record = new Uint8Array(4096);

  constructor(dataFolder: string) {
    this.#folder = join(dataFolder, 'chunks_head');
  }

  /** @throws ChunkFileGoneError; CorruptError where the record at `offset` contradicts the format or its checksum */
  read(file: number, offset: number, out: Uint8Array, at: number, room: number): number {
    this.#copy(file, offset, FIXED_BYTES + MAX_LENGTH_BYTES + CRC_BYTES);
    const encoding = this.#record[FIXED_BYTES - 1]! & ~OUT_OF_ORDER_BIT;
    let length = 0;
    let lengthBytes = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#record[FIXED_BYTES + lengthBytes++]!;
      length += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      if (lengthBytes === MAX_LENGTH_BYTES) throw this.#corrupt('the chunk length is no number', file, offset);
    }
    if (encoding !== ENCODING_XOR) throw this.#corrupt(`chunk encoding ${encoding} is not read here`, file, offset);
    if (length > room) throw this.#corrupt(`the chunk claims ${length} bytes, more than ${room}`, file, offset);
    const dataAt = FIXED_BYTES + lengthBytes;
    this.#copy(file, offset, dataAt + length + CRC_BYTES);
    const record = this.#record;
    const crc = new DataView(record.buffer).getUint32(dataAt + length);
    if (crc32c(record, 0, dataAt + length) !== crc) throw this.#corrupt('the chunk checksum does not fit', file, offset);
    out.set(record.subarray(dataAt, dataAt + length), at);
    return length;
  }

  forgetBefore(file: number): void {
    for (const [each, fd] of this.#files) {
      if (each >= file) continue;
      closeSync(fd);
      this.#files.delete(each);
    }
    for (const key of this.#pages.keys()) if (Math.floor(key / PAGES_OF_FILE) < file) this.#pages.delete(key);
  }

  close(): void {
    for (const fd of this.#files.values()) closeSync(fd);
    this.#files.clear();
    this.#pages.clear();
  }

  /** Fills the record buffer with `length` bytes from `offset`; behind the file's end it is zero. */
  #copy(file: number, offset: number, length: number): void {
    if (this.#record.length < length) this.#record = new Uint8Array(length * 2);
    for (let done = 0; done < length; ) {
      const position = offset + done;
      const page = this.#page(file, Math.floor(position / PAGE_BYTES), Math.min(PAGE_BYTES, (position % PAGE_BYTES) + length - done));
      const from = position % PAGE_BYTES;
      const count = Math.min(length - done, PAGE_BYTES - from);
      this.#record.set(page.bytes.subarray(from, from + count), done);
      done += count;
    }
  }

  /** A page with at least `needed` bytes read, or all that the file has. */
  #page(file: number, index: number, needed: number): Page {
    const key = file * PAGES_OF_FILE + index;
    let page = this.#pages.get(key);
    if (page !== undefined && page.length >= needed) {
      this.#pages.delete(key);
      this.#pages.set(key, page);
      return page;
    }
    this.#pages.delete(key);
    if (page === undefined && this.#pages.size >= MAX_PAGES) {
      const [oldest, reused] = this.#pages.entries().next().value!;
      this.#pages.delete(oldest);
      page = reused;
    }
    page ??= { bytes: new Uint8Array(PAGE_BYTES), length: 0 };
    page.length = readSync(this.#file(file), page.bytes, 0, PAGE_BYTES, index * PAGE_BYTES);
    page.bytes.fill(0, page.length);
    this.#pages.set(key, page);
    return page;
  }

  #file(file: number): number {
    let fd = this.#files.get(file);
    if (fd !== undefined) return fd;
    if (this.#files.size >= MAX_OPEN_FILES) {
      const [oldest, oldFd] = this.#files.entries().next().value!;
      this.#files.delete(oldest);
      closeSync(oldFd);
    }
    fd = this.#open(this.#path(file));
    this.#files.set(file, fd);
    return fd;
  }

  #open(path: string): number {
    try {
      return openSync(path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new ChunkFileGoneError(`${path} is not there`, { cause: error });
    }
  }

  #path(file: number): string {
    return join(this.#folder, String(file).padStart(6, '0'));
  }

  #corrupt(what: string, file: number, offset: number): CorruptError {
    return new CorruptError(what, { file: this.#path(file), offset });
  }
}
