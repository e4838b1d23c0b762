/**
 * Request bodies, read into memory within two bounds: one for each body, one for all that are held at once.
 */
import type { Readable } from 'node:stream';

/** Go's bound on form bodies. */
export const MAX_FORM_BYTES = 10 * 1024 * 1024;
/** Of a compressed remote write request. */
export const MAX_WRITE_BYTES = 32 * 1024 * 1024;
/** Of all bodies being read or handled at once. */
export const MAX_HELD_BYTES = 256 * 1024 * 1024;

/** A body over its bound, or one too many; `status` is 413 or 503. */
export class BodyLimitError extends Error {
  override readonly name = 'BodyLimitError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Counts the bytes of the bodies that are held. */
export class BodyBudget {
  readonly #maxBytes: number;
  #heldBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** @throws BodyLimitError */
  hold(bytes: number): void {
    if (this.#heldBytes + bytes > this.#maxBytes) {
      throw new BodyLimitError(503, `request bodies of ${this.#maxBytes} bytes are being handled already, try again`);
    }
    this.#heldBytes += bytes;
  }

  release(bytes: number): void {
    this.#heldBytes -= bytes;
  }
}

/**
 * Reads `source` to its end. The bytes stay counted in `budget` until the caller releases the body's length.
 * @throws BodyLimitError; then nothing stays counted
 */
export async function readBody(source: Readable, maxBytes: number, budget: BodyBudget): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    // The source stays open past a refused body, so that the answer can still be sent.
    for await (const piece of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      if (length + piece.length > maxBytes)
        throw new BodyLimitError(413, `request body is larger than ${maxBytes} bytes`);
      budget.hold(piece.length);
      length += piece.length;
      pieces.push(piece);
    }
  } catch (error) {
    budget.release(length);
    throw error;
  }
  const [only] = pieces;
  if (pieces.length === 1 && only) return only;
  const body = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    body.set(piece, at);
    at += piece.length;
  }
  return body;
}
