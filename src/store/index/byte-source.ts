/**
 * Ranges of a file that does not change while it is read: an index or a chunk segment on disk.
 *
 * There is no page cache here. The kernel's is shared by all threads already, and a `pread` of what it holds costs less than copying
 * the same bytes out of memory that threads share: docs/adr/0005-no-page-cache-of-our-own.md has the figures. What a reader needs
 * together it reads together, through a ByteWindow.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { sep } from 'node:path';
import { CorruptError, errorMessage } from '../../core/base/errors.ts';

export interface ByteSource {
  /** What errors call it. */
  readonly file: string;
  readonly size: number;
  /**
   * Copies `[offset, offset + length)` to `out` at `at`.
   * @throws CorruptError where the file ends before
   * @throws FileReadError where it can't be read
   */
  read(offset: number, length: number, out: Uint8Array, at: number): void;
}

/** The operating system refused to open or read a file. */
export class FileReadError extends Error {
  override readonly name = 'FileReadError';
  readonly file: string;
  readonly isMissing: boolean;

  constructor(file: string, cause: unknown) {
    super(`cannot read ${file}: ${errorMessage(cause)}`, { cause });
    this.file = file;
    this.isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
  }
}

/** Files that one thread keeps open. */
export const MAX_OPEN_FILES = 256;

/** Descriptors of one thread: those used last stay open. */
export class OpenFiles {
  readonly #limit: number;
  /** Least recently used first. */
  readonly #descriptors = new Map<string, number>();

  constructor(limit = MAX_OPEN_FILES) {
    this.#limit = limit;
  }

  /** @throws FileReadError */
  descriptor(path: string): number {
    const known = this.#descriptors.get(path);
    if (known !== undefined) {
      this.#descriptors.delete(path);
      this.#descriptors.set(path, known);
      return known;
    }
    if (this.#descriptors.size >= this.#limit) {
      const oldest = this.#descriptors.keys().next().value;
      if (oldest !== undefined) this.close(oldest);
    }
    const opened = refusal(path, () => openSync(path, 'r'));
    this.#descriptors.set(path, opened);
    return opened;
  }

  close(path: string): void {
    const descriptor = this.#descriptors.get(path);
    if (descriptor === undefined) return;
    this.#descriptors.delete(path);
    closeSync(descriptor);
  }

  /** Closes the files in a folder and in those inside it. */
  closeUnder(folder: string): void {
    const prefix = folder + sep;
    for (const path of this.#descriptors.keys()) if (path.startsWith(prefix)) this.close(path);
  }

  closeAll(): void {
    for (const descriptor of this.#descriptors.values()) closeSync(descriptor);
    this.#descriptors.clear();
  }
}

export class FileSource implements ByteSource {
  readonly file: string;
  readonly size: number;
  readonly #files: OpenFiles;

  /** @throws FileReadError where there is no such file */
  constructor(files: OpenFiles, path: string) {
    this.#files = files;
    this.file = path;
    this.size = refusal(path, () => statSync(path).size);
  }

  read(offset: number, length: number, out: Uint8Array, at: number): void {
    const descriptor = this.#files.descriptor(this.file);
    for (let done = 0; done < length; ) {
      const count = refusal(this.file, () => readSync(descriptor, out, at + done, length - done, offset + done));
      if (count === 0) throw new CorruptError(`the file ends, ${length - done} bytes are missing`, { file: this.file, offset: offset + done });
      done += count;
    }
  }
}

function refusal<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw new FileReadError(path, error);
  }
}
