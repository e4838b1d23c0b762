/**
 * Reads the WAL from its checkpoint to its end, and says where it stops making sense.
 *
 * A record that is cut off or does not fit its checksum ends the reading: what comes behind can't be told from garbage. `repairWal`
 * then cuts the log there, keeping what it removes beside it.
 */
import { closeSync, openSync, readSync, renameSync, truncateSync, writeFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { crc32c } from '../../core/bytes/crc32c.ts';
import { snappyDecode } from '../../core/bytes/snappy.ts';
import { errorMessage } from '../../core/base/errors.ts';
import { FRAGMENT, FRAGMENT_HEADER_BYTES, lastCheckpoint, listSegments, MAX_RECORD_BYTES, PAGE_BYTES, segmentName, SNAPPY_BIT, TYPE_MASK, ZSTD_BIT } from './wal-format.ts';

/** Pages read at once. */
const WINDOW_BYTES = 32 * PAGE_BYTES;

/** Where and why reading stopped. */
export interface WalFault {
  /** The folder of the segment: the WAL itself or a checkpoint. */
  readonly folder: string;
  readonly segment: number;
  /** First byte that is not good. */
  readonly offset: number;
  readonly what: string;
}

export interface WalVisitor {
  /** `record` is valid during the call. What it throws ends the reading as a fault of that record. */
  record(record: Uint8Array): void;
  /** Before each segment. */
  progress?(done: number, total: number): void;
}

/** Reads everything. @returns the fault that ended it, or null */
export function readWal(folder: string, visitor: WalVisitor): WalFault | null {
  const checkpoint = lastCheckpoint(folder);
  const parts: { folder: string; segment: number }[] = [];
  if (checkpoint) {
    const inner = join(folder, checkpoint.name);
    parts.push(...listSegments(inner).map((segment) => ({ folder: inner, segment })));
  }
  const segments = listSegments(folder).filter((segment) => checkpoint === null || segment > checkpoint.index);
  parts.push(...segments.map((segment) => ({ folder, segment })));
  const reader = new SegmentReader();
  let previous = -1;
  for (const [i, part] of parts.entries()) {
    visitor.progress?.(i, parts.length);
    if (part.folder === folder && previous >= 0 && part.segment !== previous + 1) {
      return { ...part, offset: 0, what: `segment ${segmentName(previous + 1)} is missing` };
    }
    if (part.folder === folder) previous = part.segment;
    const fault = reader.read(part.folder, part.segment, visitor);
    if (fault) return fault;
  }
  visitor.progress?.(parts.length, parts.length);
  return null;
}

/**
 * Cuts the log at a fault. What is removed (the rest of the segment, and whole later segments) stays beside it under names ending in
 * `.corrupt`, so that nothing is destroyed. @returns the names of those files
 */
export function repairWal(fault: WalFault): string[] {
  const kept: string[] = [];
  const file = join(fault.folder, segmentName(fault.segment));
  const size = statSync(file).size;
  if (size > fault.offset) {
    const rest = new Uint8Array(size - fault.offset);
    const fd = openSync(file, 'r');
    readSync(fd, rest, 0, rest.length, fault.offset);
    closeSync(fd);
    // Zeros behind the last record are the unused rest of a page: nothing is lost with them.
    if (rest.some((byte) => byte !== 0)) {
      writeFileSync(`${file}.corrupt`, rest);
      kept.push(`${file}.corrupt`);
    }
    truncateSync(file, fault.offset);
  }
  for (const later of listSegments(fault.folder).filter((segment) => segment > fault.segment)) {
    const name = join(fault.folder, segmentName(later));
    renameSync(name, `${name}.corrupt`);
    kept.push(`${name}.corrupt`);
  }
  return kept;
}

class SegmentReader {
  readonly #window = new Uint8Array(WINDOW_BYTES);
  #record = new Uint8Array(64 * 1024);
  #plain = new Uint8Array(256 * 1024);

  read(folder: string, segment: number, visitor: WalVisitor): WalFault | null {
    const fd = openSync(join(folder, segmentName(segment)), 'r');
    // The offset where the record being read began: what a repair keeps ends there.
    let recordStart = 0;
    let used = 0;
    let inRecord = false;
    const fault = (what: string): WalFault => ({ folder, segment, offset: recordStart, what });
    try {
      for (let windowStart = 0; ; windowStart += WINDOW_BYTES) {
        const length = readFully(fd, this.#window, windowStart);
        for (let page = 0; page < length; page += PAGE_BYTES) {
          const pageEnd = Math.min(page + PAGE_BYTES, length);
          let at = page;
          while (at < pageEnd) {
            if (!inRecord) recordStart = windowStart + at;
            const header = this.#window[at]!;
            const type = header & TYPE_MASK;
            if (type === FRAGMENT.EMPTY) {
              for (let i = at; i < pageEnd; i++) if (this.#window[i] !== 0) return fault('the unused rest of a page is not zero');
              break;
            }
            if (at + FRAGMENT_HEADER_BYTES > pageEnd) return fault('a record is cut off in its header');
            const dataAt = at + FRAGMENT_HEADER_BYTES;
            const size = (this.#window[at + 1]! << 8) | this.#window[at + 2]!;
            if (dataAt + size > pageEnd) return fault(page + PAGE_BYTES === pageEnd ? 'a record is longer than its page' : 'a record is cut off');
            const crc = ((this.#window[at + 3]! << 24) | (this.#window[at + 4]! << 16) | (this.#window[at + 5]! << 8) | this.#window[at + 6]!) >>> 0;
            if (crc32c(this.#window, dataAt, dataAt + size) !== crc) return fault('a record does not fit its checksum');
            const begins = type === FRAGMENT.FULL || type === FRAGMENT.FIRST;
            if (type > FRAGMENT.LAST || begins === inRecord) return fault(`a fragment of type ${type} is out of place`);
            if (begins) used = 0;
            this.#append(used, dataAt, size);
            used += size;
            if (used > MAX_RECORD_BYTES) return fault('a record is too long');
            at = dataAt + size;
            inRecord = type === FRAGMENT.FIRST || type === FRAGMENT.MIDDLE;
            if (inRecord) continue;
            try {
              visitor.record(this.#unpack(this.#record.subarray(0, used), header));
            } catch (error) {
              return fault(errorMessage(error));
            }
          }
        }
        if (length < WINDOW_BYTES) break;
      }
      return inRecord ? fault('the last record is cut off') : null;
    } finally {
      closeSync(fd);
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

  #unpack(record: Uint8Array, header: number): Uint8Array {
    if ((header & SNAPPY_BIT) !== 0) {
      const plain = snappyDecode(record, MAX_RECORD_BYTES, this.#plain);
      if (plain.buffer !== this.#plain.buffer) this.#plain = new Uint8Array(plain.length * 2);
      return plain;
    }
    if ((header & ZSTD_BIT) !== 0) return zstdDecompressSync(record, { maxOutputLength: MAX_RECORD_BYTES });
    return record;
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
