/**
 * Where bodies lie while they arrive: blocks outside the head's memory, shared by all scrapes of the thread.
 *
 * A body takes blocks as its bytes come, so a target that hangs holds nothing and a slow one no more than it sent. All together
 * are bounded: past the bound the scrape that asks for more fails, and the thread lives.
 */

/** What one block holds. */
export const RECEIVE_BLOCK_BYTES = 16 * 1024;
/** All bodies under way in one thread. */
export const MAX_RECEIVE_BYTES = 512 * 1024 * 1024;
/** Blocks that wait to be used again; more are left to the garbage collector. */
const MAX_FREE_BLOCKS = 256;
/** One socket read. */
const READ_BUFFER_BYTES = 64 * 1024;

/** The body is larger than `body_size_limit`, or than any body may be. */
export class BodySizeLimitError extends Error {
  override readonly name = 'BodySizeLimitError';

  constructor() {
    super('body size limit exceeded');
  }
}

/** The bodies under way fill the memory that is set aside for them. */
export class ReceiveMemoryError extends Error {
  override readonly name = 'ReceiveMemoryError';

  constructor(maxBytes: number) {
    super(`the bodies of all scrapes under way exceed ${maxBytes} bytes`);
  }
}

export class ReceiveBuffers {
  /**
   * Sockets read into this one buffer: it is filled and emptied within one turn of the event loop.
   */
  readonly readBuffer = new Uint8Array(READ_BUFFER_BYTES);
  readonly #maxBytes: number;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  #heldBytes = 0;

  constructor(maxBytes = MAX_RECEIVE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of all blocks that bodies hold. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** @throws ReceiveMemoryError */
  take(): Uint8Array<ArrayBuffer> {
    if (this.#heldBytes + RECEIVE_BLOCK_BYTES > this.#maxBytes) throw new ReceiveMemoryError(this.#maxBytes);
    this.#heldBytes += RECEIVE_BLOCK_BYTES;
    return this.#free.pop() ?? new Uint8Array(RECEIVE_BLOCK_BYTES);
  }

  give(block: Uint8Array<ArrayBuffer>): void {
    this.#heldBytes -= RECEIVE_BLOCK_BYTES;
    if (this.#free.length < MAX_FREE_BLOCKS) this.#free.push(block);
  }
}

/** A body as it came, in blocks. */
export class ReceivedBody {
  readonly #buffers: ReceiveBuffers;
  readonly #maxBytes: number;
  readonly #blocks: Uint8Array<ArrayBuffer>[] = [];
  /** The block that is filled; meaningless while there is none. */
  #last = new Uint8Array(0);
  #length = 0;

  /** @param maxBytes a body that reaches this has exceeded it */
  constructor(buffers: ReceiveBuffers, maxBytes: number) {
    this.#buffers = buffers;
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#length;
  }

  /** Copies `bytes` behind what is there. @throws BodySizeLimitError, ReceiveMemoryError */
  push(bytes: Uint8Array): void {
    if (this.#length + bytes.length >= this.#maxBytes) throw new BodySizeLimitError();
    for (let at = 0; at < bytes.length;) {
      const used = this.#length % RECEIVE_BLOCK_BYTES;
      if (used === 0) {
        this.#last = this.#buffers.take();
        this.#blocks.push(this.#last);
      }
      const count = Math.min(bytes.length - at, RECEIVE_BLOCK_BYTES - used);
      this.#last.set(at === 0 && count === bytes.length ? bytes : bytes.subarray(at, at + count), used);
      at += count;
      this.#length += count;
    }
  }

  /** Views of the body in order, valid until `clear`. */
  parts(): Uint8Array[] {
    const used = this.#length % RECEIVE_BLOCK_BYTES;
    return this.#blocks.map((block, i) =>
      i === this.#blocks.length - 1 && used > 0 ? block.subarray(0, used) : block,
    );
  }

  /** Gives the blocks back. */
  clear(): void {
    for (const block of this.#blocks) this.#buffers.give(block);
    this.#blocks.length = 0;
    this.#length = 0;
  }
}
