/**
 * How large the disk is and what is free on it.
 */
import { statfsSync } from 'node:fs';
import { FileReadError } from '../index/byte-source.ts';

export interface DiskSpace {
  readonly totalBytes: number;
  /** For us, not for the superuser. */
  readonly freeBytes: number;
}

/** Something was not begun, since the disk could not hold what comes out. */
export class DiskSpaceError extends Error {
  override readonly name = 'DiskSpaceError';
}

/** @throws FileReadError */
export function diskSpace(folder: string): DiskSpace {
  try {
    const { bsize, blocks, bavail } = statfsSync(folder);
    return { totalBytes: bsize * blocks, freeBytes: bsize * bavail };
  } catch (error) {
    throw new FileReadError(folder, error);
  }
}
