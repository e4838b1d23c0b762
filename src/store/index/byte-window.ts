/**
 * A part of a file in memory that moves along as it is read: small where reads jump, larger where they go forward.
 */
import { CorruptError } from '../../core/base/errors.ts';
import type { ByteSource } from './byte-source.ts';

const SMALLEST_FILL_BYTES = 4 * 1024;
export const LARGEST_FILL_BYTES = 64 * 1024;
/** A buffer that one long field made larger than this is given up with the next read. */
const KEPT_BYTES = 4 * LARGEST_FILL_BYTES;

const NOTHING = Buffer.alloc(0);

export class ByteWindow {
  readonly #source: ByteSource;
  #bytes = NOTHING;
  #start = 0;
  #end = 0;
  #fillBytes = SMALLEST_FILL_BYTES;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** What `locate` points into; another object after a call that read. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /**
   * Where byte `offset` of the file stands in `bytes`; `length` bytes follow there.
   *
   * @param wanted how much will be used next, if that is more
   * @throws CorruptError where the file ends before, FileReadError
   */
  locate(offset: number, length: number, wanted = length): number {
    if (offset < this.#start || offset + length > this.#end) this.#fill(offset, length, wanted);
    return offset - this.#start;
  }

  /** Gives the memory back until the next read. */
  release(): void {
    this.#bytes = NOTHING;
    this.#start = 0;
    this.#end = 0;
    this.#fillBytes = SMALLEST_FILL_BYTES;
  }

  #fill(offset: number, length: number, wanted: number): void {
    const { size, file } = this.#source;
    if (offset < 0 || offset + length > size) {
      throw new CorruptError(`${length} bytes are to be read where the file of ${size} ends`, { file, offset });
    }
    const isForward = offset >= this.#start && offset <= this.#end && this.#end > 0;
    this.#fillBytes = isForward ? Math.min(this.#fillBytes * 2, LARGEST_FILL_BYTES) : SMALLEST_FILL_BYTES;
    const count = Math.min(Math.max(length, wanted, this.#fillBytes), size - offset);
    if (count > this.#bytes.length || (this.#bytes.length > KEPT_BYTES && count <= LARGEST_FILL_BYTES)) {
      this.#bytes = Buffer.allocUnsafeSlow(count <= LARGEST_FILL_BYTES ? Math.max(2 ** Math.ceil(Math.log2(count)), SMALLEST_FILL_BYTES) : count);
    }
    // Nothing is held while it is being replaced, so that a failed read leaves no mixture.
    this.#end = 0;
    this.#start = 0;
    this.#source.read(offset, count, this.#bytes, 0);
    this.#start = offset;
    this.#end = offset + count;
  }
}
