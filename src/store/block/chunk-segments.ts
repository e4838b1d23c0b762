/**
 * Chunk segments of a block: the samples.
 *
 *   file   chunks/%06d from 1 = u32 magic 0x85BD40DD, u8 version 1, 3 zero bytes, records
 *   record = uvarint length of the data, u8 encoding, data, u32 CRC-32C of encoding and data; numbers big-endian
 *
 * The index calls a record by segment, counted from 0, × 2^32 + offset of the record.
 * Source: Prometheus, tsdb/docs/format/chunks.md.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CorruptError, errorMessage } from '../../core/base/errors.ts';
import { crc32c } from '../../core/bytes/crc32c.ts';
import { uvarintLength } from '../../core/bytes/varint.ts';
import { MAX_CHUNK_BYTES } from '../../core/chunk/xor.ts';
import { FileReadError, FileSource, type ByteSource, type OpenFiles } from '../index/byte-source.ts';
import { ByteWindow } from '../index/byte-window.ts';
import { FileAppender, FileWriteError } from '../index/file-appender.ts';

export const CHUNKS_FOLDER = 'chunks';
export const SEGMENT_MAGIC = 0x85bd40dd;
const SEGMENT_VERSION = 1;
export const SEGMENT_HEADER_BYTES = 8;
export const DEFAULT_SEGMENT_BYTES = 512 * 1024 * 1024;
/** An offset in a segment has 32 bits. */
export const MAX_SEGMENT_BYTES = 2 ** 32 - 1;
const CRC_BYTES = 4;
const MAX_LENGTH_BYTES = 5;
const TWO_32 = 4294967296;

export const segmentFileName = (segment: number): string => String(segment + 1).padStart(6, '0');

export class ChunkSegmentsWriter {
  readonly #folder: string;
  readonly #segmentBytes: number;
  #segment = -1;
  #file: FileAppender | null = null;
  #finishedBytes = 0;

  /** Makes the folder. @param segmentBytes that a segment does not exceed, unless one chunk does @throws FileWriteError */
  constructor(folder: string, segmentBytes = DEFAULT_SEGMENT_BYTES) {
    this.#folder = folder;
    this.#segmentBytes = Math.min(segmentBytes, MAX_SEGMENT_BYTES);
    try {
      mkdirSync(folder);
    } catch (error) {
      throw new FileWriteError(`cannot create ${folder}: ${errorMessage(error)}`, { cause: error });
    }
  }

  /** Of all segments so far. */
  get byteLength(): number {
    return this.#finishedBytes + (this.#file?.position ?? 0);
  }

  /** @param checksum of encoding and data, if it is known @returns the ref of the chunk @throws FileWriteError */
  add(encoding: number, data: Uint8Array, checksum?: number): number {
    const needed = uvarintLength(data.length) + 1 + data.length + CRC_BYTES;
    let file = this.#file;
    if (file === null || (file.position + needed > this.#segmentBytes && file.position > SEGMENT_HEADER_BYTES)) file = this.#nextSegment();
    const { out, position } = file;
    out.uvarint(data.length);
    const from = out.length;
    out.u8(encoding);
    out.bytes(data);
    out.u32(checksum ?? crc32c(out.written, from));
    file.spill();
    return this.#segment * TWO_32 + position;
  }

  /** Waits until the disk has all segments. @throws FileWriteError */
  finish(): void {
    this.#finishedBytes = this.byteLength;
    const file = this.#file;
    this.#file = null;
    file?.finish();
  }

  /** Gives up; files stay as they are. */
  close(): void {
    this.#file?.close();
  }

  #nextSegment(): FileAppender {
    this.finish();
    this.#segment++;
    const file = new FileAppender(join(this.#folder, segmentFileName(this.#segment)));
    file.out.u32(SEGMENT_MAGIC);
    file.out.u8(SEGMENT_VERSION);
    for (let i = 5; i < SEGMENT_HEADER_BYTES; i++) file.out.u8(0);
    this.#file = file;
    return file;
  }
}

/** The segments of a block, in order. @throws CorruptError where one is missing, FileReadError */
export function openSegments(folder: string, files: OpenFiles): ByteSource[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    throw new FileReadError(folder, error);
  }
  const segments = names.filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(a) - Number(b));
  return segments.map((name, i) => {
    if (Number(name) !== i + 1) throw new CorruptError(`segment ${segmentFileName(i)} is missing`, { file: folder, offset: 0 });
    return new FileSource(files, join(folder, name));
  });
}

/** Reads chunks by their refs. The chunk read last is `bytes[from, to)`, until the next. */
export class ChunkReader {
  readonly #segments: readonly ByteSource[];
  /** Made when the segment is first used, its header then being checked. */
  readonly #windows: (ByteWindow | undefined)[] = [];
  encoding = 0;
  /** Of encoding and data. */
  checksum = 0;
  bytes: Buffer = Buffer.alloc(0);
  from = 0;
  to = 0;

  constructor(segments: readonly ByteSource[]) {
    this.#segments = segments;
  }

  get byteLength(): number {
    return this.#segments.reduce((sum, { size }) => sum + size, 0);
  }

  /** The place of a chunk, for errors. */
  place(ref: number): { file: string; offset: number } {
    const segment = this.#segments[Math.floor(ref / TWO_32)];
    return { file: segment?.file ?? `segment ${segmentFileName(Math.floor(ref / TWO_32))}`, offset: ref % TWO_32 };
  }

  /**
   * @param wanted bytes that will be used from there on, this chunk and those after it
   * @throws CorruptError where the record contradicts the format or its checksum, FileReadError
   */
  read(ref: number, wanted: number): void {
    const number = Math.floor(ref / TWO_32);
    const offset = ref % TWO_32;
    const segment = this.#segments[number];
    if (segment === undefined || offset < SEGMENT_HEADER_BYTES || offset >= segment.size) throw new CorruptError('there is no chunk here', this.place(ref));
    const window = this.#window(number, segment);
    const room = segment.size - offset;
    const available = Math.min(MAX_LENGTH_BYTES, room);
    let from = window.locate(offset, available, Math.min(wanted, room));
    let { bytes } = window;
    let length = bytes[from]! & 0x7f;
    let lengthBytes = 1;
    for (let scale = 128; bytes[from + lengthBytes - 1]! >= 0x80 && lengthBytes < available; scale *= 128) {
      length += (bytes[from + lengthBytes]! & 0x7f) * scale;
      lengthBytes++;
    }
    const total = lengthBytes + 1 + length + CRC_BYTES;
    if (length > MAX_CHUNK_BYTES || total > room) throw new CorruptError(`a chunk of ${length} bytes does not fit`, this.place(ref));
    from = window.locate(offset, total) + lengthBytes;
    ({ bytes } = window);
    const end = from + 1 + length;
    const checksum = bytes.readUInt32BE(end);
    if (crc32c(bytes, from, end) !== checksum) throw new CorruptError('the chunk does not fit its checksum', this.place(ref));
    this.checksum = checksum;
    this.encoding = bytes[from]!;
    this.bytes = bytes;
    this.from = from + 1;
    this.to = end;
  }

  /** Gives the memory of reads back that the next read takes again. */
  release(): void {
    for (const window of this.#windows) window?.release();
    this.bytes = Buffer.alloc(0);
  }

  #window(number: number, segment: ByteSource): ByteWindow {
    const known = this.#windows[number];
    if (known !== undefined) return known;
    const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
    segment.read(0, SEGMENT_HEADER_BYTES, header, 0);
    const magic = header.readUInt32BE(0);
    const { file } = segment;
    if (magic !== SEGMENT_MAGIC) throw new CorruptError(`the file begins with ${magic.toString(16)}, a segment with ${SEGMENT_MAGIC.toString(16)}`, { file, offset: 0 });
    if (header[4] !== SEGMENT_VERSION) throw new CorruptError(`segment version ${header[4]!} is not known`, { file, offset: 4 });
    const window = new ByteWindow(segment);
    this.#windows[number] = window;
    return window;
  }
}
