/**
 * The index file of a block: which series it has, their labels, and where their chunks are.
 *
 *   file         u32 magic 0xBAAAD700, u8 version, then the sections, then the table of contents as the last 52 bytes
 *   symbols      u32 length, u32 count, count × string, u32 CRC          string = uvarint length, UTF-8
 *   series       each begins at a multiple of 16: uvarint length, body, u32 CRC of the body
 *     body       uvarint labels, each: uvarint symbol of the name, uvarint symbol of the value
 *                uvarint chunks, the first: varint min time, uvarint max − min time, uvarint ref
 *                                the others: uvarint min time − max time before, uvarint max − min time, varint ref − ref before
 *   label indices  not written any more
 *   postings     each begins at a multiple of 4: u32 length, u32 count, count × u32 series, u32 CRC
 *   postings offset table
 *                u32 length, u32 count, each: uvarint 2, string name, string value, uvarint offset of the list; u32 CRC
 *   contents     u64 offsets of: symbols, series, label indices, label index table, postings, postings offset table; u32 CRC
 *
 * Fixed numbers are big-endian, lengths leave themselves and the CRC-32C out, which covers what the length counts. Symbols are sorted
 * and numbered from 0; series are sorted by labels and called by offset / 16; the table of postings is sorted by name and value, and
 * its first entry, ('', ''), lists all series. Chunk refs: segment, from 0, × 2^32 + offset in the segment.
 *
 * Version 1 calls symbols and series by their offset in the file, does not align series, and leaves the table unsorted. Version 3
 * is read as 2.
 * Source: Prometheus, tsdb/docs/format/index.md.
 */
import { CorruptError } from '../../core/base/errors.ts';
import { crc32c } from '../../core/bytes/crc32c.ts';
import { ByteCursor, BytesError } from '../../core/bytes/cursor.ts';
import type { ByteSource } from './byte-source.ts';

export const INDEX_MAGIC = 0xbaaad700;
export const INDEX_VERSION = 2;
export const INDEX_HEADER_BYTES = 5;
export const TOC_BYTES = 6 * 8 + 4;
export const SERIES_ALIGNMENT = 16;
export const POSTINGS_ALIGNMENT = 4;
/** Of how many symbols the place of one is kept in memory. */
export const SYMBOL_STEP = 8;
/** Of how many values of a name one is kept in memory. */
export const VALUE_STEP = 32;
export const CRC_BYTES = 4;
/** A series is called by a 32-bit number of 16 bytes each. */
export const MAX_INDEX_BYTES = 2 ** 32 * SERIES_ALIGNMENT;
/** The length of the symbols, and of the table of postings, has 32 bits. */
export const MAX_SECTION_BYTES = 2 ** 32 - 1;
/** Longest label name or value, in bytes. */
export const MAX_SYMBOL_BYTES = 16 * 1024 * 1024;
/** Longest entry of one series: about six million chunks. */
export const MAX_SERIES_BYTES = 64 * 1024 * 1024;

/** More series, labels or chunks than the format can say, or than is read again. */
export class IndexLimitError extends Error {
  override readonly name = 'IndexLimitError';
}

export interface IndexToc {
  readonly symbols: number;
  readonly series: number;
  readonly labelIndices: number;
  readonly labelIndexTable: number;
  readonly postings: number;
  readonly postingsTable: number;
}

export interface IndexLayout {
  /** 1 or 2. */
  readonly version: number;
  readonly toc: IndexToc;
  /** First byte behind the series. */
  readonly seriesEnd: number;
}

/** @throws CorruptError */
export function readIndexLayout(source: ByteSource): IndexLayout {
  const { file, size } = source;
  const corrupt = (what: string, offset: number): CorruptError => new CorruptError(what, { file, offset });
  if (size < INDEX_HEADER_BYTES + TOC_BYTES) throw corrupt(`an index of ${size} bytes is too short`, 0);
  const header = new Uint8Array(INDEX_HEADER_BYTES);
  source.read(0, INDEX_HEADER_BYTES, header, 0);
  const magic = new ByteCursor(header).u32();
  if (magic !== INDEX_MAGIC) throw corrupt(`the file begins with ${magic.toString(16)}, an index with ${INDEX_MAGIC.toString(16)}`, 0);
  const written = header[4]!;
  if (written < 1 || written > 3) throw corrupt(`index version ${written} is not known`, 4);
  const at = size - TOC_BYTES;
  const bytes = new Uint8Array(TOC_BYTES);
  source.read(at, TOC_BYTES, bytes, 0);
  const cursor = new ByteCursor(bytes);
  let toc: IndexToc;
  try {
    toc = {
      symbols: cursor.u64(),
      series: cursor.u64(),
      labelIndices: cursor.u64(),
      labelIndexTable: cursor.u64(),
      postings: cursor.u64(),
      postingsTable: cursor.u64(),
    };
  } catch (error) {
    if (error instanceof BytesError) throw new CorruptError(`the table of contents is damaged: ${error.message}`, { file, offset: at, cause: error });
    throw error;
  }
  if (cursor.u32() !== crc32c(bytes, 0, TOC_BYTES - CRC_BYTES)) throw corrupt('the table of contents does not fit its checksum', at);
  const { symbols, series, postings, postingsTable } = toc;
  const isOrdered = INDEX_HEADER_BYTES <= symbols && symbols < series && series <= postings && postings <= postingsTable && postingsTable < at;
  if (!isOrdered) throw corrupt('the table of contents names sections out of order', at);
  const seriesEnd = toc.labelIndices >= series && toc.labelIndices <= postings ? toc.labelIndices : postings;
  return { version: written === 1 ? 1 : 2, toc, seriesEnd };
}
