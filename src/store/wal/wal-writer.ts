/**
 * Appends records to the WAL. When `log` returns, the records are with the operating system: they survive the process' death.
 *
 * All fragments of a call go out in one write. A write that fails leaves the file cut back to where it was, so the next call can
 * try again and a reader never meets half a call in the middle.
 */
import { closeSync, fdatasyncSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '../../core/base/errors.ts';
import { crc32c } from '../../core/bytes/crc32c.ts';
import { SnappyEncoder } from '../../core/bytes/snappy.ts';
import { DEFAULT_SEGMENT_BYTES, FRAGMENT, FRAGMENT_HEADER_BYTES, lastCheckpoint, listSegments, PAGE_BYTES, segmentName, SNAPPY_BIT } from './wal-format.ts';

/**
 * The disk did not take a write. What the call had for the open segment is not in the WAL; where it went over the end of a segment,
 * the records before that end are.
 */
export class WalWriteError extends Error {
  override readonly name = 'WalWriteError';
}

export type WalCompression = 'none' | 'snappy';

/** Packs one record into a snappy block; the view is valid until the next call. */
export interface RecordEncoder {
  encode(record: Uint8Array): Uint8Array;
}

export interface WalWriterOptions {
  readonly segmentBytes?: number;
  readonly compression: WalCompression;
  /** Does the compression; without one the writer has its own. */
  readonly encoder?: RecordEncoder;
}

export class WalWriter {
  readonly #folder: string;
  readonly #segmentBytes: number;
  readonly #encoder: RecordEncoder | null;
  #segment: number;
  #fd: number;
  /** Bytes of the open segment that are good. */
  #written = 0;
  #out = new Uint8Array(64 * 1024);
  #used = 0;
  #broken = false;

  /** Opens a new segment behind the last one: an old one is never continued, its tail may be torn. */
  constructor(folder: string, options: WalWriterOptions) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#segmentBytes = options.segmentBytes ?? DEFAULT_SEGMENT_BYTES;
    this.#encoder = options.compression === 'snappy' ? (options.encoder ?? new SnappyEncoder()) : null;
    this.#segment = Math.max(listSegments(folder).at(-1) ?? -1, lastCheckpoint(folder)?.index ?? -1) + 1;
    this.#fd = this.#open();
  }

  /** Number of the segment that is being written. */
  get segment(): number {
    return this.#segment;
  }

  /** @throws WalWriteError */
  log(records: Iterable<Uint8Array>): void {
    if (this.#broken) this.#cutBack();
    this.#used = 0;
    for (const record of records) {
      const packed = this.#encoder?.encode(record);
      const smaller = packed !== undefined && packed.length < record.length;
      this.#frame(smaller ? packed : record, smaller ? SNAPPY_BIT : 0);
    }
    this.#write();
  }

  /** Closes the open segment, so that a checkpoint can take it. @throws WalWriteError */
  startSegment(): void {
    if (this.#broken) this.#cutBack();
    if (this.#written > 0) this.#nextSegment();
  }

  /** Waits until the disk has everything. @throws WalWriteError */
  sync(): void {
    this.#syncFile(this.#fd);
  }

  close(): void {
    try {
      this.sync();
    } finally {
      closeSync(this.#fd);
    }
  }

  #syncFile(fd: number): void {
    try {
      fdatasyncSync(fd);
    } catch (error) {
      throw new WalWriteError(`cannot sync the WAL: ${errorMessage(error)}`, { cause: error });
    }
  }

  #open(): number {
    try {
      return openSync(join(this.#folder, segmentName(this.#segment)), 'wx');
    } catch (error) {
      throw new WalWriteError(`cannot create WAL segment ${segmentName(this.#segment)}: ${errorMessage(error)}`, { cause: error });
    }
  }

  /** Splits one record into fragments; begins a new segment where it does not fit the open one. */
  #frame(data: Uint8Array, compressionBit: number): void {
    const fragments = Math.ceil(data.length / (PAGE_BYTES - FRAGMENT_HEADER_BYTES)) + 2;
    const most = data.length + fragments * FRAGMENT_HEADER_BYTES + PAGE_BYTES;
    if (this.#written + this.#used + most > this.#segmentBytes && this.#written + this.#used > 0) {
      this.#write();
      this.#nextSegment();
    }
    this.#reserve(this.#used + most);
    const out = this.#out;
    let done = 0;
    let isFirst = true;
    do {
      let left = PAGE_BYTES - ((this.#written + this.#used) % PAGE_BYTES);
      if (left <= FRAGMENT_HEADER_BYTES) {
        out.fill(0, this.#used, this.#used + left);
        this.#used += left;
        left = PAGE_BYTES;
      }
      const length = Math.min(left - FRAGMENT_HEADER_BYTES, data.length - done);
      const isLast = done + length === data.length;
      const type = isFirst ? (isLast ? FRAGMENT.FULL : FRAGMENT.FIRST) : isLast ? FRAGMENT.LAST : FRAGMENT.MIDDLE;
      const at = this.#used;
      const crc = crc32c(data, done, done + length);
      out[at] = type | compressionBit;
      out[at + 1] = length >>> 8;
      out[at + 2] = length & 0xff;
      out[at + 3] = crc >>> 24;
      out[at + 4] = (crc >>> 16) & 0xff;
      out[at + 5] = (crc >>> 8) & 0xff;
      out[at + 6] = crc & 0xff;
      out.set(data.subarray(done, done + length), at + FRAGMENT_HEADER_BYTES);
      this.#used = at + FRAGMENT_HEADER_BYTES + length;
      done += length;
      isFirst = false;
    } while (done < data.length);
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#out.length) return;
    const larger = new Uint8Array(Math.max(bytes, this.#out.length * 2));
    larger.set(this.#out.subarray(0, this.#used));
    this.#out = larger;
  }

  #write(): void {
    try {
      for (let done = 0; done < this.#used; ) done += writeSync(this.#fd, this.#out, done, this.#used - done, this.#written + done);
    } catch (error) {
      this.#broken = true;
      this.#cutBack();
      throw new WalWriteError(`cannot write to WAL segment ${segmentName(this.#segment)}: ${errorMessage(error)}`, { cause: error });
    }
    this.#written += this.#used;
    this.#used = 0;
  }

  /** Removes what a failed write left behind the good end. */
  #cutBack(): void {
    try {
      ftruncateSync(this.#fd, this.#written);
      this.#broken = false;
    } catch (error) {
      throw new WalWriteError(`cannot cut WAL segment ${segmentName(this.#segment)} back to ${this.#written} bytes`, { cause: error });
    }
  }

  #nextSegment(): void {
    const before = this.#fd;
    this.#segment++;
    try {
      this.#fd = this.#open();
    } catch (error) {
      this.#segment--;
      throw error;
    }
    this.#written = 0;
    try {
      this.#syncFile(before);
    } finally {
      closeSync(before);
    }
  }
}
