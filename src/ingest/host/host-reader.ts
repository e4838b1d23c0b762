/**
 * What collectors see of the host: files of /proc and /sys, and file systems. A seam, so that tests bring their own host.
 */
import { open, readdir, statfs } from 'node:fs/promises';

export interface FileSystemSize {
  readonly blockBytes: number;
  readonly blocks: number;
  readonly freeBlocks: number;
  /** Of the free blocks, those not kept for root. */
  readonly availableBlocks: number;
  readonly files: number;
  readonly freeFiles: number;
}

export interface HostReader {
  /** A file's text. @throws Error with `code`, as `node:fs` does */
  readText(path: string): Promise<string>;
  /** Names in a folder. @throws as `readText` */
  list(path: string): Promise<readonly string[]>;
  /** The size of the file system mounted at `path`. @throws as `readText`, or StuckMountError */
  fileSystemSize(path: string): Promise<FileSystemSize>;
  /** Bytes of a memory page. */
  pageBytes(): Promise<number>;
}

/** Largest file read, in bytes. Those of /proc are far smaller, except socket tables of busy hosts. */
export const MAX_FILE_BYTES = 16 << 20;
/** Of the first read; most files fit. */
const READ_BYTES = 16 << 10;

/** The kernel has not answered an earlier question about this mount: its server is gone. */
export class StuckMountError extends Error {
  override readonly name = 'StuckMountError';
}

/** The file system as the process sees it. */
export class LocalReader implements HostReader {
  /** Mounts whose answer is outstanding. Asking again would take one more thread out of the pool that all files share. */
  readonly #asked = new Set<string>();
  #pageBytes: Promise<number> | null = null;

  async readText(path: string): Promise<string> {
    return (await readBytes(path)).toString('utf8');
  }

  list(path: string): Promise<readonly string[]> {
    return readdir(path);
  }

  async fileSystemSize(path: string): Promise<FileSystemSize> {
    if (this.#asked.has(path)) throw new StuckMountError(`${path}: statfs has not returned yet`);
    this.#asked.add(path);
    try {
      const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path);
      return { blockBytes: bsize, blocks, freeBlocks: bfree, availableBlocks: bavail, files, freeFiles: ffree };
    } finally {
      this.#asked.delete(path);
    }
  }

  pageBytes(): Promise<number> {
    this.#pageBytes ??= readPageBytes();
    return this.#pageBytes;
  }
}

/** Files of /proc have no size, so this reads to the end. */
async function readBytes(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    let buffer = Buffer.allocUnsafe(READ_BYTES);
    for (let length = 0; ;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) return buffer.subarray(0, length);
      length += bytesRead;
      if (length > MAX_FILE_BYTES) throw new Error(`${path} is larger than ${MAX_FILE_BYTES} bytes`);
      if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(length)]);
    }
  } finally {
    await file.close();
  }
}

/** From the process' auxiliary vector: pairs of a key and a value, 8 bytes each. Source: man 3 getauxval, AT_PAGESZ. */
async function readPageBytes(): Promise<number> {
  const PAGE_SIZE_KEY = 6n;
  const vector = await readBytes('/proc/self/auxv');
  for (let i = 0; i + 16 <= vector.length; i += 16) {
    if (vector.readBigUInt64LE(i) === PAGE_SIZE_KEY) return Number(vector.readBigUInt64LE(i + 8));
  }
  throw new Error('/proc/self/auxv has no page size');
}

/** Whether a file or folder is missing, or a device has no such attribute. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ABSENT.has(String(error.code));
}

/** Attributes of a device that is down answer EINVAL; of one that went away, ENODEV. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EINVAL', 'ENODEV', 'EOPNOTSUPP', 'ENXIO']);
