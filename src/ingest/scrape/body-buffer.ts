/**
 * A response body growing inside linear memory, where the parser will read it.
 */
import type { BodyPlace } from '../exposition/scrape-cache.ts';
import { BODY_PADDING_BYTES } from '../exposition/scrape-cache.ts';
import type { ExpositionWorkspace } from '../exposition/workspace.ts';

/** The body is larger than `body_size_limit`, or than any body may be. */
export class BodySizeLimitError extends Error {
  override readonly name = 'BodySizeLimitError';

  constructor() {
    super('body size limit exceeded');
  }
}

const LEAST_BYTES = 16 * 1024;

export class BodyBuffer {
  readonly #workspace: ExpositionWorkspace;
  readonly #maxBytes: number;
  #address = 0;
  #capacity = 0;
  #length = 0;

  /** @param expectedBytes the size of the last body: room for it is taken at once */
  constructor(workspace: ExpositionWorkspace, expectedBytes: number, maxBytes: number) {
    this.#workspace = workspace;
    this.#maxBytes = maxBytes;
    this.#capacity = Math.max(LEAST_BYTES, Math.min(maxBytes, Math.ceil(expectedBytes * 1.05)) + BODY_PADDING_BYTES);
    this.#address = workspace.pool.take(this.#capacity);
  }

  get place(): BodyPlace {
    return { address: this.#address, length: this.#length };
  }

  /** @throws BodySizeLimitError */
  push(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    // As Prometheus reads: a body that reaches the limit has exceeded it.
    if (length >= this.#maxBytes) throw new BodySizeLimitError();
    if (length + BODY_PADDING_BYTES > this.#capacity) this.#grow(length + BODY_PADDING_BYTES);
    this.#workspace.memory.u8.set(bytes, this.#address + this.#length);
    this.#length = length;
  }

  clear(): void {
    this.#length = 0;
  }

  /** Gives the memory back. */
  release(): void {
    if (this.#capacity === 0) return;
    this.#workspace.pool.give(this.#address, this.#capacity);
    this.#capacity = 0;
  }

  #grow(least: number): void {
    const capacity = Math.max(least, this.#capacity * 2);
    const { pool, memory } = this.#workspace;
    const address = pool.take(capacity);
    memory.u8.copyWithin(address, this.#address, this.#address + this.#length);
    pool.give(this.#address, this.#capacity);
    this.#address = address;
    this.#capacity = capacity;
  }
}
