/**
 * Reads the records of one segment, checking every fragment, and says where the segment stops making sense.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { errorMessage } from '../../core/base/errors.ts';
import { crc32c } from '../../core/bytes/crc32c.ts';
import { BytesError } from '../../core/bytes/cursor.ts';
import { snappyDecode, SnappyError } from '../../core/bytes/snappy.ts';
import { FRAGMENT, FRAGMENT_HEADER_BYTES, MAX_RECORD_BYTES, PAGE_BYTES, segmentName, SNAPPY_BIT, TYPE_MASK, ZSTD_BIT } from './wal-format.ts';

/** Pages read at once. */
const WINDOW_BYTES = 32 * PAGE_BYTES;

/** Where and why a segment stops making sense. */
export interface SegmentFault {
  /** The first byte that is not good: where the record begins that holds the fault. */
  readonly offset: number;
  readonly what: string;
  /** The file ends inside a record, as it does when the writer dies. */
  readonly isCutOff: boolean;
}

/** One instance reads one segment after the other with the same memory. */
export class SegmentReader {
  readonly #window = new Uint8Array(WINDOW_BYTES);
  #record = new Uint8Array(64 * 1024);
  #plain = new Uint8Array(256 * 1024);

  /**
   * Gives each record to `onRecord`, for the time of the call. A BytesError that it throws is a fault of that record; everything else
   * that it throws is thrown on.
   * @returns the fault that ended the reading, or null
   */
  read(folder: string, segment: number, onRecord: (record: Uint8Array) => void): SegmentFault | null {
    const fd = openSync(join(folder, segmentName(segment)), 'r');
    try {
      return this.#read(fd, onRecord);
    } finally {
      closeSync(fd);
    }
  }

  #read(fd: number, onRecord: (record: Uint8Array) => void): SegmentFault | null {
    const window = this.#window;
    let recordStart = 0;
    let used = 0;
    let inRecord = false;
    const fault = (what: string, isCutOff = false): SegmentFault => ({ offset: recordStart, what, isCutOff });
    for (let windowStart = 0; ; windowStart += WINDOW_BYTES) {
      const length = readFully(fd, window, windowStart);
      for (let page = 0; page < length; page += PAGE_BYTES) {
        const pageEnd = Math.min(page + PAGE_BYTES, length);
        const isLastPage = pageEnd < page + PAGE_BYTES;
        let at = page;
        while (at < pageEnd) {
          if (!inRecord) recordStart = windowStart + at;
          const header = window[at]!;
          const type = header & TYPE_MASK;
          if (type === FRAGMENT.EMPTY) {
            for (let i = at; i < pageEnd; i++) if (window[i] !== 0) return fault('the unused rest of a page is not zero');
            break;
          }
          if (at + FRAGMENT_HEADER_BYTES > pageEnd) return fault('a record is cut off in its header', isLastPage);
          const dataAt = at + FRAGMENT_HEADER_BYTES;
          const size = (window[at + 1]! << 8) | window[at + 2]!;
          if (dataAt + size > page + PAGE_BYTES) return fault('a record is longer than its page');
          if (dataAt + size > pageEnd) return fault('a record is cut off', true);
          const crc = ((window[at + 3]! << 24) | (window[at + 4]! << 16) | (window[at + 5]! << 8) | window[at + 6]!) >>> 0;
          if (crc32c(window, dataAt, dataAt + size) !== crc) return fault('a record does not fit its checksum');
          const begins = type === FRAGMENT.FULL || type === FRAGMENT.FIRST;
          if (type > FRAGMENT.LAST || begins === inRecord) return fault(`a fragment of type ${type} is out of place`);
          if (begins) used = 0;
          if (used + size > MAX_RECORD_BYTES) return fault('a record is too long');
          this.#append(used, dataAt, size);
          used += size;
          at = dataAt + size;
          inRecord = type === FRAGMENT.FIRST || type === FRAGMENT.MIDDLE;
          if (inRecord) continue;
          const bad = this.#deliver(this.#record.subarray(0, used), header, onRecord);
          if (bad !== null) return fault(bad);
        }
      }
      if (length < WINDOW_BYTES) break;
    }
    return inRecord ? fault('the last record is cut off', true) : null;
  }

  /** @returns what is wrong with the record, or null */
  #deliver(packed: Uint8Array, header: number, onRecord: (record: Uint8Array) => void): string | null {
    try {
      onRecord((header & ZSTD_BIT) !== 0 ? inflateZstd(packed) : (header & SNAPPY_BIT) !== 0 ? this.#inflateSnappy(packed) : packed);
      return null;
    } catch (error) {
      if (error instanceof BytesError || error instanceof SnappyError) return errorMessage(error);
      throw error;
    }
  }

  #append(used: number, dataAt: number, size: number): void {
    if (used + size > this.#record.length) {
      const larger = new Uint8Array(Math.max(used + size, this.#record.length * 2));
      larger.set(this.#record.subarray(0, used));
      this.#record = larger;
    }
    this.#record.set(this.#window.subarray(dataAt, dataAt + size), used);
  }

  #inflateSnappy(packed: Uint8Array): Uint8Array {
    const plain = snappyDecode(packed, MAX_RECORD_BYTES, this.#plain);
    if (plain.buffer !== this.#plain.buffer) this.#plain = new Uint8Array(Math.min(plain.length * 2, MAX_RECORD_BYTES));
    return plain;
  }
}

function inflateZstd(packed: Uint8Array): Uint8Array {
  try {
    return zstdDecompressSync(packed, { maxOutputLength: MAX_RECORD_BYTES });
  } catch (error) {
    // Bytes in, bytes out: whatever is wrong is wrong with the bytes.
    throw new BytesError(`zstd: ${errorMessage(error)}`, 0);
  }
}

/** Fills the window as far as the file goes. */
function readFully(fd: number, window: Uint8Array, position: number): number {
  let length = 0;
  while (length < window.length) {
    const count = readSync(fd, window, length, window.length - length, position + length);
    if (count === 0) break;
    length += count;
  }
  return length;
}
