/**
 * Head chunk files: full chunks of the head, so that a restart need not encode them again. Written here; see head-chunk-scan.ts for
 * what a start does with them and head-chunk-pages.ts for reading single chunks.
 *
 *   file  chunks_head/%06d = magic 0x0130BC91, version 1, 3 zero bytes, records; zeros behind the last record are unused room
 *   record = u64 series ref, i64 min time, i64 max time, u8 encoding (top bit: out of order), uvarint length, data,
 *            u32 CRC-32C of all before; numbers big-endian
 *
 * Source: Prometheus, tsdb/docs/format/head_chunks.md.
 */
import { closeSync, mkdirSync, openSync, readdirSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32c } from '../../core/bytes/crc32c.ts';
import { ENCODING, OUT_OF_ORDER_BIT } from '../../core/chunk/chunk.ts';
import type { ChunkPlace, ChunkSink, FullChunk } from './head.ts';

export const HEAD_CHUNK_MAGIC = 0x0130bc91;
export const HEAD_CHUNK_FILE_BYTES = 128 * 1024 * 1024;
export const FILE_HEADER_BYTES = 8;
/** Series ref, min time, max time, encoding. */
export const FIXED_BYTES = 8 + 8 + 8 + 1;
export const CHECKSUM_BYTES = 4;
export const MAX_CHUNK_BYTES = 1024 * 1024;
const BATCH_BYTES = 1024 * 1024;
const TWO_32 = 4294967296;

export const headChunkFolder = (dataFolder: string): string => join(dataFolder, 'chunks_head');

export const chunkFileName = (file: number): string => String(file).padStart(6, '0');

/** Numbers of the files in `folder`, ascending; none where the folder is missing. */
export function listChunkFiles(folder: string): number[] {
  try {
    return readdirSync(folder).filter((name) => /^\d{6,}$/.test(name)).map(Number).sort((a, b) => a - b);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

export class HeadChunkWriter implements ChunkSink {
  readonly #folder: string;
  readonly #out = new Uint8Array(BATCH_BYTES + 2 * MAX_CHUNK_BYTES);
  readonly #view = new DataView(this.#out.buffer);
  /** By file: the newest time in it. */
  readonly #maxTimes = new Map<number, number>();
  #file: number;
  #fd = -1;
  #written = 0;
  #used = 0;

  /**
   * Begins a new file with the first chunk.
   * @param maxTimes of the files that are there, as `scanHeadChunks` found them; one that is not among them is never deleted
   */
  constructor(dataFolder: string, maxTimes: ReadonlyMap<number, number> = new Map()) {
    this.#folder = headChunkFolder(dataFolder);
    mkdirSync(this.#folder, { recursive: true });
    const files = listChunkFiles(this.#folder);
    for (const file of files) this.#maxTimes.set(file, maxTimes.get(file) ?? Number.POSITIVE_INFINITY);
    this.#file = files.at(-1) ?? 0;
  }

  write(chunk: FullChunk): ChunkPlace {
    if (this.#fd < 0 || this.#written + this.#used + chunk.bytes.length + 64 > HEAD_CHUNK_FILE_BYTES) this.#nextFile();
    if (this.#used > BATCH_BYTES) this.flush();
    const start = this.#used;
    const place = { file: this.#file, offset: this.#written + start };
    this.#big64(chunk.walRef);
    this.#big64(chunk.minTimeMs);
    this.#big64(chunk.maxTimeMs);
    this.#out[this.#used++] = chunk.isOutOfOrder ? ENCODING.XOR | OUT_OF_ORDER_BIT : ENCODING.XOR;
    let length = chunk.bytes.length;
    for (; length >= 0x80; length >>>= 7) this.#out[this.#used++] = (length & 0x7f) | 0x80;
    this.#out[this.#used++] = length;
    this.#out.set(chunk.bytes, this.#used);
    this.#used += chunk.bytes.length;
    this.#view.setUint32(this.#used, crc32c(this.#out, start, this.#used));
    this.#used += CHECKSUM_BYTES;
    this.#maxTimes.set(this.#file, Math.max(this.#maxTimes.get(this.#file)!, chunk.maxTimeMs));
    return place;
  }

  /** A write that fails leaves its chunks in the buffer; the next call tries again at the same place. */
  flush(): void {
    for (let done = 0; done < this.#used; ) done += writeSync(this.#fd, this.#out, done, this.#used - done, this.#written + done);
    this.#written += this.#used;
    this.#used = 0;
  }

  /**
   * Deletes files, oldest first, as long as all their chunks lie before `beforeMs`; the head must have dropped them. What is written from
   * now on goes to a new file, so that this one can go in its turn.
   * @param neededFile the oldest that has out-of-order chunks which the head still needs: `OutOfOrderSamples.oldestChunkFile`
   * @returns the first file that is left, for `Head.setFirstChunkFile`
   */
  truncate(beforeMs: number, neededFile = Number.POSITIVE_INFINITY): number {
    // After a failed write the buffer still belongs to the open file.
    if (this.#fd >= 0 && this.#used === 0) this.close();
    for (const [file, maxTimeMs] of this.#maxTimes) {
      if (maxTimeMs >= beforeMs || file >= neededFile || (file === this.#file && this.#fd >= 0)) return file;
      unlinkSync(join(this.#folder, chunkFileName(file)));
      this.#maxTimes.delete(file);
    }
    return this.#file + 1;
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #big64(v: number): void {
    this.#view.setInt32(this.#used, Math.floor(v / TWO_32));
    this.#view.setUint32(this.#used + 4, ((v % TWO_32) + TWO_32) % TWO_32);
    this.#used += 8;
  }

  #nextFile(): void {
    if (this.#fd >= 0) {
      this.flush();
      this.close();
    }
    this.#fd = openSync(join(this.#folder, chunkFileName(this.#file + 1)), 'wx');
    this.#file++;
    this.#maxTimes.set(this.#file, Number.NEGATIVE_INFINITY);
    this.#written = 0;
    this.#view.setUint32(0, HEAD_CHUNK_MAGIC);
    this.#view.setUint32(4, 0x01000000);
    this.#used = FILE_HEADER_BYTES;
  }
}
