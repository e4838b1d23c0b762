/**
 * Writes a new file from front to back through a buffer.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { errorMessage } from '../../core/base/errors.ts';
import { BinaryWriter } from '../../core/bytes/binary-writer.ts';

const BUFFER_BYTES = 256 * 1024;

/** The operating system did not take a write. */
export class FileWriteError extends Error {
  override readonly name = 'FileWriteError';
}

export class FileAppender {
  readonly path: string;
  /** What is not yet in the file. After each record `spill` must be called. */
  readonly out = new BinaryWriter(2 * BUFFER_BYTES);
  #descriptor: number;
  #written = 0;

  /** @throws FileWriteError where the file is there already or can't be made */
  constructor(path: string) {
    this.path = path;
    this.#descriptor = this.#attempt(() => openSync(path, 'wx'));
  }

  /** Where the next byte goes. */
  get position(): number {
    return this.#written + this.out.length;
  }

  get isFull(): boolean {
    return this.out.length >= BUFFER_BYTES;
  }

  /** Hands a full buffer to the operating system. @throws FileWriteError */
  spill(): void {
    if (this.isFull) this.#flush();
  }

  /** Fills up with zeros to a multiple of `alignment`. */
  align(alignment: number): void {
    const rest = this.position % alignment;
    if (rest > 0) for (let i = rest; i < alignment; i++) this.out.u8(0);
  }

  /** Waits until the disk has all of it, and closes the file. @throws FileWriteError */
  finish(): void {
    this.#flush();
    this.#attempt(() => fsyncSync(this.#descriptor));
    this.close();
  }

  /** Closes the file as it is. */
  close(): void {
    if (this.#descriptor < 0) return;
    closeSync(this.#descriptor);
    this.#descriptor = -1;
  }

  #flush(): void {
    const bytes = this.out.written;
    for (let done = 0; done < bytes.length; ) {
      done += this.#attempt(() => writeSync(this.#descriptor, bytes, done, bytes.length - done));
    }
    this.#written += bytes.length;
    this.out.clear();
  }

  #attempt<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      throw new FileWriteError(`cannot write ${this.path}: ${errorMessage(error)}`, { cause: error });
    }
  }
}

/** Makes the names in a folder survive a loss of power. @throws FileWriteError */
export function syncFolder(path: string): void {
  try {
    const descriptor = openSync(path, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new FileWriteError(`cannot sync the folder ${path}: ${errorMessage(error)}`, { cause: error });
  }
}
