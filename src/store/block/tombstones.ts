/**
 * Tombstones of a block: which samples of which series are deleted, until the block is written anew.
 *
 *   file = u32 magic 0x0130BA30, u8 version 1, entries, u32 CRC-32C of the entries; numbers big-endian
 *   entry = uvarint series, varint first time, varint last time, both deleted
 *
 * No file and a file without entries mean the same.
 * Source: Prometheus, tsdb/docs/format/tombstones.md.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CorruptError } from '../../core/base/errors.ts';
import { BinaryWriter } from '../../core/bytes/binary-writer.ts';
import { crc32c } from '../../core/bytes/crc32c.ts';
import { ByteCursor, BytesError } from '../../core/bytes/cursor.ts';
import { joined, type Intervals } from '../../core/model/intervals.ts';
import { FileSource, type OpenFiles } from '../index/byte-source.ts';
import { replaceFile } from './block-meta.ts';

export const TOMBSTONES_FILE = 'tombstones';
export const TOMBSTONES_MAGIC = 0x0130ba30;
const TOMBSTONES_VERSION = 1;
const HEADER_BYTES = 5;
const CRC_BYTES = 4;
/** Longest file taken. */
export const MAX_TOMBSTONES_BYTES = 256 * 1024 * 1024;

const NO_INTERVALS: Intervals = [];

/** Intervals by series. Not changed once made. */
export class Tombstones {
  readonly #byRef: ReadonlyMap<number, Intervals>;

  constructor(byRef: ReadonlyMap<number, Intervals> = new Map()) {
    this.#byRef = byRef;
  }

  of(ref: number): Intervals {
    return this.#byRef.get(ref) ?? NO_INTERVALS;
  }

  get isEmpty(): boolean {
    return this.#byRef.size === 0;
  }

  /** Intervals of all series. */
  get count(): number {
    let count = 0;
    for (const intervals of this.#byRef.values()) count += intervals.length / 2;
    return count;
  }

  /** Series that have any, ascending. */
  refs(): number[] {
    return [...this.#byRef.keys()].sort((a, b) => a - b);
  }

  /** With one more interval, first and last time, for each series of `added`. */
  with(added: ReadonlyMap<number, readonly [number, number]>): Tombstones {
    const byRef = new Map(this.#byRef);
    for (const [ref, interval] of added) byRef.set(ref, joined([...this.of(ref), ...interval]));
    return new Tombstones(byRef);
  }
}

/** None where there is no file. @throws CorruptError, FileReadError */
export function readTombstones(folder: string, files: OpenFiles): Tombstones {
  const file = join(folder, TOMBSTONES_FILE);
  if (!existsSync(file)) return new Tombstones();
  const source = new FileSource(files, file);
  const corrupt = (what: string, offset: number, cause?: unknown): CorruptError => new CorruptError(what, { file, offset, cause });
  if (source.size > MAX_TOMBSTONES_BYTES) throw corrupt(`${source.size} bytes of tombstones are too many`, 0);
  if (source.size < HEADER_BYTES + CRC_BYTES) throw corrupt(`a file of ${source.size} bytes is too short for tombstones`, 0);
  const bytes = new Uint8Array(source.size);
  source.read(0, bytes.length, bytes, 0);
  files.close(file);
  const end = bytes.length - CRC_BYTES;
  const cursor = new ByteCursor(bytes, 0, end);
  const magic = cursor.u32();
  if (magic !== TOMBSTONES_MAGIC) throw corrupt(`the file begins with ${magic.toString(16)}, tombstones with ${TOMBSTONES_MAGIC.toString(16)}`, 0);
  const version = cursor.u8();
  if (version !== TOMBSTONES_VERSION) throw corrupt(`tombstones version ${version} is not known`, 4);
  if (crc32c(bytes, HEADER_BYTES, end) !== new ByteCursor(bytes, end).u32()) throw corrupt('the tombstones do not fit their checksum', HEADER_BYTES);
  const byRef = new Map<number, number[]>();
  try {
    while (!cursor.isDone) {
      const at = cursor.at;
      const ref = cursor.uvarint();
      // Whoever deleted "everything" may have written the least and the greatest 64 bits hold.
      const firstMs = Math.max(cursor.roundedVarint(), Number.MIN_SAFE_INTEGER);
      const lastMs = Math.min(cursor.roundedVarint(), Number.MAX_SAFE_INTEGER);
      if (firstMs > lastMs) throw corrupt(`a tombstone ends at ${lastMs}, before it begins at ${firstMs}`, at);
      const intervals = byRef.get(ref);
      if (intervals === undefined) byRef.set(ref, [firstMs, lastMs]);
      else intervals.push(firstMs, lastMs);
    }
  } catch (error) {
    if (error instanceof BytesError) throw corrupt(`the tombstones are damaged: ${error.message}`, error.offset, error);
    throw error;
  }
  return new Tombstones(new Map(byRef.entries().map(([ref, intervals]) => [ref, joined(intervals)])));
}

/** Replaces the file as a whole. @throws FileWriteError */
export function writeTombstones(folder: string, tombstones: Tombstones): void {
  replaceFile(folder, TOMBSTONES_FILE, encodeTombstones(tombstones));
}

/** A whole file. */
export function encodeTombstones(tombstones: Tombstones): Uint8Array {
  const out = new BinaryWriter();
  out.u32(TOMBSTONES_MAGIC);
  out.u8(TOMBSTONES_VERSION);
  for (const ref of tombstones.refs()) {
    const intervals = tombstones.of(ref);
    for (let i = 0; i < intervals.length; i += 2) {
      out.uvarint(ref);
      out.varint(intervals[i]!);
      out.varint(intervals[i + 1]!);
    }
  }
  out.u32(crc32c(out.written, HEADER_BYTES));
  return out.written.slice();
}
