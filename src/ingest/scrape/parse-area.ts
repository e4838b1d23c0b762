/**
 * The place in linear memory where bodies are parsed: one for the thread, since a parse is one synchronous call.
 *
 * Linear memory is never given back to the system, so only a body that is whole comes here, and growth at least doubles: all
 * areas that were outgrown are together no larger than the last one, and the caches take their blocks.
 */
import { BODY_PADDING_BYTES, type BodyPlace } from '../exposition/scrape-cache.ts';
import type { ExpositionWorkspace } from '../exposition/workspace.ts';

const LEAST_BYTES = 64 * 1024;

export class ParseArea {
  readonly #workspace: ExpositionWorkspace;
  #address = 0;
  #capacity = 0;

  constructor(workspace: ExpositionWorkspace) {
    this.#workspace = workspace;
  }

  /** Copies a body here. It stays until the next one. @throws MemoryLimitError */
  place(parts: readonly Uint8Array[], length: number): BodyPlace {
    this.#reserve(length + BODY_PADDING_BYTES);
    const { memory } = this.#workspace;
    memory.refresh();
    let at = this.#address;
    for (const part of parts) {
      memory.u8.set(part, at);
      at += part.length;
    }
    return { address: this.#address, length };
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#capacity) return;
    const capacity = Math.max(bytes, LEAST_BYTES, this.#capacity * 2);
    const { pool } = this.#workspace;
    const address = pool.take(capacity);
    if (this.#capacity > 0) pool.give(this.#address, this.#capacity);
    this.#address = address;
    this.#capacity = capacity;
  }
}
