/**
 * Head chunk files: full chunks of the head, so that a restart need not encode them again. Written here, scanned at start; see
 * head-chunk-pages.ts for reading single chunks.
 *
 *   file  chunks_head/%06d = magic 0x0130BC91, version 1, 3 zero bytes, records; zeros behind the last record are unused room
 *   record = u64 series ref, i64 min time, i64 max time, u8 encoding (top bit: out of order), uvarint length, data,
 *            u32 CRC-32C of all before; numbers big-endian
 *
 * Source: Prometheus, tsdb/docs/format/head_chunks.md.
 */
import { closeSync, mkdirSync, openSync, readdirSync, readSync, renameSync, statSync, truncateSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32c } from '../../core/bytes/crc32c.ts';
import type { ChunkPlace, ChunkSink } from './head.ts';

export const HEAD_CHUNK_MAGIC = 0x0130bc91;
export const HEAD_CHUNK_FILE_BYTES = 128 * 1024 * 1024;
const FILE_HEADER_BYTES = 8;
/** Series ref, min time, max time, encoding. */
const FIXED_BYTES = 8 + 8 + 8 + 1;
const ENCODING_XOR = 1;
const OUT_OF_ORDER_BIT = 0x80;
const BATCH_BYTES = 1024 * 1024;
const MAX_CHUNK_BYTES = 1024 * 1024;
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
}

const fileName = (file: number): string => String(file).padStart(6, '0');

function listFiles(folder: string): number[] {
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
  #file: number;
  #fd = -1;
  #written = 0;
  #used = 0;

  /** Begins a new file with the first chunk. */
  constructor(dataFolder: string) {
    this.#folder = join(dataFolder, 'chunks_head');
    mkdirSync(this.#folder, { recursive: true });
    this.#file = listFiles(this.#folder).at(-1) ?? 0;
  }

  /** @param chunk `bytes` begin with the sample count, as in the file */
  write(chunk: { walRef: number; minTimeMs: number; maxTimeMs: number; bytes: Uint8Array }): ChunkPlace {
    if (this.#fd < 0 || this.#written + this.#used + chunk.bytes.length + 64 > HEAD_CHUNK_FILE_BYTES) this.#nextFile();
    if (this.#used > BATCH_BYTES) this.flush();
    const start = this.#used;
    const place = { file: this.#file, offset: this.#written + start };
    this.#big64(chunk.walRef);
    this.#big64(chunk.minTimeMs);
    this.#big64(chunk.maxTimeMs);
    this.#out[this.#used++] = ENCODING_XOR;
    let length = chunk.bytes.length;
    for (; length >= 0x80; length >>>= 7) this.#out[this.#used++] = (length & 0x7f) | 0x80;
    this.#out[this.#used++] = length;
    this.#out.set(chunk.bytes, this.#used);
    this.#used += chunk.bytes.length;
    this.#view.setUint32(this.#used, crc32c(this.#out, start, this.#used));
    this.#used += 4;
    return place;
  }

  /** A write that fails leaves its chunks in the buffer; the next call tries again at the same place. */
  flush(): void {
    for (let done = 0; done < this.#used; ) done += writeSync(this.#fd, this.#out, done, this.#used - done, this.#written + done);
    this.#written += this.#used;
    this.#used = 0;
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
    this.#fd = openSync(join(this.#folder, fileName(this.#file + 1)), 'wx');
    this.#file++;
    this.#written = 0;
    this.#view.setUint32(0, HEAD_CHUNK_MAGIC);
    this.#view.setUint32(4, 0x01000000);
    this.#used = FILE_HEADER_BYTES;
  }
}

/**
 * Goes through all chunks of all files in order of writing, checking each. A file that stops making sense is cut there, what was cut is
 * kept beside it as `.corrupt`, and later files are set aside whole, since their chunks follow ones that are lost.
 */
export function scanHeadChunks(dataFolder: string, onChunk: (chunk: ScannedChunk) => void): HeadChunkFault | null {
  const folder = join(dataFolder, 'chunks_head');
  const files = listFiles(folder);
  for (const [i, file] of files.entries()) {
    const path = join(folder, fileName(file));
    const bytes = readWhole(path);
    const fault = scanFile(bytes, file, onChunk);
    if (fault === null) continue;
    if (fault.offset <= FILE_HEADER_BYTES && bytes.every((byte) => byte === 0)) {
      // Made, and not yet written to when the process died.
      unlinkSync(path);
      continue;
    }
    setAside(folder, files.slice(i), fault.offset);
    return { file: path, ...fault };
  }
  return null;
}

function scanFile(bytes: Uint8Array, file: number, onChunk: (chunk: ScannedChunk) => void): { offset: number; what: string } | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < FILE_HEADER_BYTES || view.getUint32(0) !== HEAD_CHUNK_MAGIC) return { offset: 0, what: 'it does not begin as a head chunk file' };
  if (bytes[4] !== 1) return { offset: 4, what: `version ${bytes[4]} is not known` };
  const big64 = (at: number): number => view.getInt32(at) * TWO_32 + view.getUint32(at + 4);
  let at = FILE_HEADER_BYTES;
  while (at < bytes.length) {
    if (at + FIXED_BYTES + 1 > bytes.length) return isZero(bytes, at) ? null : { offset: at, what: 'a chunk is cut off' };
    // Series refs begin at 1, and no file holds a chunk of times 0 to 0: a zero header is unused room.
    if (view.getUint32(at + 4) === 0 && view.getUint32(at) === 0) return isZero(bytes, at) ? null : { offset: at, what: 'a chunk has no series' };
    let length = 0;
    let dataAt = at + FIXED_BYTES;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[dataAt++];
      if (byte === undefined || scale > 2 ** 28) return { offset: at, what: 'a chunk has no length' };
      length += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    if (length > MAX_CHUNK_BYTES || dataAt + length + 4 > bytes.length) return { offset: at, what: 'a chunk is cut off' };
    if (crc32c(bytes, at, dataAt + length) !== view.getUint32(dataAt + length)) return { offset: at, what: 'a chunk does not fit its checksum' };
    const encoding = bytes[at + FIXED_BYTES - 1]!;
    onChunk({
      file,
      offset: at,
      walRef: big64(at),
      minTimeMs: big64(at + 8),
      maxTimeMs: big64(at + 16),
      sampleCount: length >= 2 ? view.getUint16(dataAt) : 0,
      encoding: encoding & ~OUT_OF_ORDER_BIT,
      isOutOfOrder: (encoding & OUT_OF_ORDER_BIT) !== 0,
    });
    at = dataAt + length + 4;
  }
  return null;
}

function isZero(bytes: Uint8Array, from: number): boolean {
  for (let i = from; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

function readWhole(path: string): Uint8Array {
  const bytes = new Uint8Array(statSync(path).size);
  const fd = openSync(path, 'r');
  try {
    for (let done = 0; done < bytes.length; ) {
      const count = readSync(fd, bytes, done, bytes.length - done, done);
      if (count === 0) return bytes.subarray(0, done);
      done += count;
    }
  } finally {
    closeSync(fd);
  }
  return bytes;
}

function setAside(folder: string, [first, ...later]: readonly number[], offset: number): void {
  const path = join(folder, fileName(first!));
  if (offset <= FILE_HEADER_BYTES) renameSync(path, `${path}.corrupt`);
  else {
    const rest = readWhole(path).subarray(offset);
    const fd = openSync(`${path}.corrupt`, 'w');
    writeSync(fd, rest);
    closeSync(fd);
    truncateSync(path, offset);
  }
  for (const file of later) renameSync(join(folder, fileName(file)), join(folder, `${fileName(file)}.corrupt`));
}
