/**
 * What can go wrong in the store, and what then is to be done: try again later, leave a block alone, or end.
 */
import { CorruptError } from '../../core/base/errors.ts';
import { FileReadError } from '../index/byte-source.ts';
import { FileWriteError } from '../index/file-appender.ts';
import { IndexLimitError } from '../index/index-format.ts';
import { DiskSpaceError } from './disk-space.ts';

/** The store was closed before it came to that. */
export class StoreClosedError extends Error {
  override readonly name = 'StoreClosedError';
}

/** A block was written, and the disk or the system does not give it back. */
export class BlockNotOpenError extends Error {
  override readonly name = 'BlockNotOpenError';
}

/** The head did not let go of samples that are in a block. */
export class HeadTruncationError extends Error {
  override readonly name = 'HeadTruncationError';
}

const EXPECTED = [CorruptError, FileReadError, FileWriteError, IndexLimitError, DiskSpaceError, BlockNotOpenError, HeadTruncationError];

/** What a disk, damaged bytes or another thread may do to us. All else is a mistake of ours. */
export const isExpected = (error: unknown): boolean => EXPECTED.some((kind) => error instanceof kind);

export type LastingError = CorruptError | FileReadError | IndexLimitError;

/** Whether compacting the same blocks again would come to the same. */
export const isLasting = (error: unknown): error is LastingError =>
  error instanceof CorruptError || error instanceof IndexLimitError || (error instanceof FileReadError && !isShortage(error.cause));

/** Of descriptors or memory: it says nothing about the file. */
const isShortage = (cause: unknown): boolean => cause instanceof Error && 'code' in cause && SHORTAGES.includes(cause.code);

const SHORTAGES: readonly unknown[] = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'];
