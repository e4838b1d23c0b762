/**
 * One thread's view of the head, and the chunks of one series as that thread sees them.
 *
 * The list of chunks, and the bytes of those in memory, are copied under the series' version word into the reader's staging area: all of
 * one moment. Chunks in files are fetched one at a time.
 */
import { CorruptError } from '../../core/base/errors.ts';
import type { HeadKernel } from '../../core/kernels/head-kernel.ts';
import { CHUNK_STATE, LISTED } from '../../core/kernels/head-layout.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { HEAD_ROOT } from './head-memory.ts';

/** Bytes of compressed chunks that one read may copy. */
const SNAPSHOT_BYTES = 512 * 1024;
/** Longest chunk taken from a file. */
const FILE_CHUNK_BYTES = 128 * 1024;
/** Samples that one read may decode; a longer range is read in halves. */
export const COLUMN_SAMPLES = 65_536;
const GUARD_BYTES = 64;
/** Times that a Date could have: where ranges without end are halved. */
const FARTHEST_MS = 8.64e15;

/** What the owner sets aside for one reader, from its linear memory. */
export const READER_STAGING_BYTES = GUARD_BYTES + SNAPSHOT_BYTES + FILE_CHUNK_BYTES + 2 * COLUMN_SAMPLES * 8;

/** Chunks in head chunk files, as one thread reads them. */
export interface HeadChunkReader {
  /**
   * Reads the bytes of a chunk (encoding byte left out) into `out` at `at`. @returns their length
   * @throws ChunkFileGoneError, CorruptError
   */
  read(file: number, offset: number, out: Uint8Array, at: number, room: number): number;
  /** Closes what it has of files before `file`, which have been deleted. */
  forgetBefore(file: number): void;
}

/** The file is not there (any more): the head was truncated after the chunk had been listed. A fresh look at the series helps. */
export class ChunkFileGoneError extends Error {
  override readonly name = 'ChunkFileGoneError';
}

/** Times that something is looked at before a file that is not there counts as lost. */
const MAX_LOOKS = 5;

/** Reads again where the head was truncated after chunks had been listed. */
export function lookingAgain<T>(read: () => T): T {
  for (let look = 1; ; look++) {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ChunkFileGoneError) || look === MAX_LOOKS) throw error;
    }
  }
}

/** What a reader thread works with. */
export interface HeadView {
  readonly linear: LinearMemory;
  readonly kernel: HeadKernel;
  /** READER_STAGING_BYTES that nobody else uses. */
  readonly stagingAt: number;
  readonly files: HeadChunkReader;
}

/** The parts of a reader's staging area. */
export interface Staging {
  readonly snapshotAt: number;
  readonly snapshotBytes: number;
  readonly fileChunkAt: number;
  readonly timesAt: number;
  readonly valuesAt: number;
}

export function stagingOf({ stagingAt }: HeadView): Staging {
  const snapshotAt = stagingAt + GUARD_BYTES;
  const fileChunkAt = snapshotAt + SNAPSHOT_BYTES;
  const timesAt = fileChunkAt + FILE_CHUNK_BYTES;
  return { snapshotAt, snapshotBytes: SNAPSHOT_BYTES, fileChunkAt, timesAt, valuesAt: timesAt + COLUMN_SAMPLES * 8 };
}

/** What one read is about. */
export interface SeriesPart {
  readonly ref: number;
  /** Both ends are in. */
  readonly startMs: number;
  readonly endMs: number;
}

/** The middle of a range that is too long to be read at once. @throws CorruptError where it can't be halved */
export function middleOf({ ref, startMs, endMs }: SeriesPart): number {
  if (endMs <= startMs) throw new CorruptError(`series ${ref} has too many samples at one time`, { file: 'head', offset: 0 });
  return Math.floor((Math.max(startMs, -FARTHEST_MS) + Math.min(endMs, FARTHEST_MS)) / 2);
}

/** A place in linear memory. */
export interface BytePlace {
  readonly address: number;
  readonly length: number;
}

export class SeriesChunks {
  readonly #view: HeadView;
  readonly #staging: Staging;
  #count = 0;

  constructor(view: HeadView) {
    this.#view = view;
    this.#staging = stagingOf(view);
  }

  /** Takes the chunks with samples in the part. @returns false where it is too long for the staging area */
  take({ ref, startMs, endMs }: SeriesPart): boolean {
    const { kernel, linear } = this.#view;
    const { snapshotAt, snapshotBytes } = this.#staging;
    this.#count = kernel.snapshot(HEAD_ROOT, ref, startMs, endMs, snapshotAt, snapshotBytes);
    linear.refresh();
    return this.#count >= 0;
  }

  get count(): number {
    return this.#count;
  }

  /** Chunk 0 is the oldest. */
  minTimeMs(index: number): number {
    return this.#view.linear.f64[(this.#at(index) + LISTED.MIN_TIME) >>> 3]!;
  }

  maxTimeMs(index: number): number {
    return this.#view.linear.f64[(this.#at(index) + LISTED.MAX_TIME) >>> 3]!;
  }

  /**
   * Where the bytes of a chunk lie, sample count first: good until the next call.
   * @throws ChunkFileGoneError, CorruptError
   */
  place(index: number): BytePlace {
    const { u32, u8 } = this.#view.linear;
    const at = this.#at(index);
    const a = u32[(at + LISTED.A) >>> 2]!;
    const b = u32[(at + LISTED.B) >>> 2]!;
    if (!this.#isInFile(at)) return { address: a, length: b };
    const address = this.#staging.fileChunkAt;
    return { address, length: this.#view.files.read(a, b, u8, address, FILE_CHUNK_BYTES - GUARD_BYTES) };
  }

  /** The chunk's bytes are no chunk. */
  corrupt(index: number, ref: number): CorruptError {
    const at = this.#at(index);
    const { u32 } = this.#view.linear;
    const isInFile = this.#isInFile(at);
    return new CorruptError(`the chunk of series ${ref} contradicts its format`, {
      file: isInFile ? `chunks_head/${String(u32[(at + LISTED.A) >>> 2]!).padStart(6, '0')}` : 'head',
      offset: isInFile ? u32[(at + LISTED.B) >>> 2]! : 0,
    });
  }

  #isInFile(at: number): boolean {
    return this.#view.linear.u32[(at + LISTED.STATE) >>> 2] === CHUNK_STATE.FILE;
  }

  /** The kernel lists the newest first. */
  #at(index: number): number {
    return this.#staging.snapshotAt + (this.#count - 1 - index) * LISTED.BYTES;
  }
}
