/**
 * Inflates gzip bodies: small ones at once, large ones off the thread and one after the other.
 *
 * How large a body becomes is known only afterwards, so a small one is tried at once under a small bound and goes the slow way
 * when it bursts it. One output buffer of the expected size makes inflating several times faster than many small ones.
 */
import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import { BodySizeLimitError } from './receive-buffers.ts';

/** Output that is inflated at once: some milliseconds. */
export const MAX_IMMEDIATE_BYTES = 8 * 1024 * 1024;
const LEAST_CHUNK_BYTES = 64 * 1024;
const LARGEST_CHUNK_BYTES = 64 * 1024 * 1024;

const gunzipAside = promisify(gunzip);

/** The bytes are no gzip. The message is in Go's words as far as they are known. */
export class GzipError extends Error {
  override readonly name = 'GzipError';
}

export class Inflater {
  /** Large bodies wait here for each other, so that the memory of one suffices. */
  #queue: Promise<unknown> = Promise.resolve();

  /**
   * @param expectedBytes what the last body came to
   * @param maxBytes a body that reaches this has exceeded it
   * @throws BodySizeLimitError, GzipError
   */
  async inflate(packed: Uint8Array, expectedBytes: number, maxBytes: number): Promise<Uint8Array> {
    const chunkSize = Math.min(LARGEST_CHUNK_BYTES, Math.max(LEAST_CHUNK_BYTES, Math.ceil(expectedBytes * 1.05)));
    const most = Math.max(1, maxBytes - 1);
    if (chunkSize <= MAX_IMMEDIATE_BYTES && promisedBytes(packed) <= MAX_IMMEDIATE_BYTES) {
      const immediate = inflateNow(packed, chunkSize, Math.min(most, MAX_IMMEDIATE_BYTES));
      if (immediate !== null) return immediate;
      if (most <= MAX_IMMEDIATE_BYTES) throw new BodySizeLimitError();
    }
    const aside = this.#queue.then(() => gunzipAside(packed, { chunkSize, maxOutputLength: most }));
    // Whoever waits behind does not care how this one ends.
    this.#queue = aside.catch(() => {});
    try {
      return await aside;
    } catch (error) {
      throw isTooLarge(error) ? new BodySizeLimitError() : toGzipError(error);
    }
  }
}

/** @returns null where the output is larger than `maxOutputLength` @throws GzipError */
function inflateNow(packed: Uint8Array, chunkSize: number, maxOutputLength: number): Uint8Array | null {
  try {
    return gunzipSync(packed, { chunkSize, maxOutputLength });
  } catch (error) {
    if (isTooLarge(error)) return null;
    throw toGzipError(error);
  }
}

/** The size that the last four bytes claim: a hint, and nothing that must hold. */
function promisedBytes(packed: Uint8Array): number {
  if (packed.length < 4) return 0;
  return new DataView(packed.buffer, packed.byteOffset, packed.byteLength).getUint32(packed.length - 4, true);
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

const isTooLarge = (error: unknown): boolean => codeOf(error) === 'ERR_BUFFER_TOO_LARGE';

/** @throws what is no fault of the bytes */
function toGzipError(error: unknown): GzipError {
  if (!(error instanceof Error) || !codeOf(error).startsWith('Z_')) throw error;
  return new GzipError(WORDS.get(error.message) ?? `gzip: ${error.message}`, { cause: error });
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ['incorrect header check', 'gzip: invalid header'],
  ['incorrect data check', 'gzip: invalid checksum'],
  ['incorrect length check', 'gzip: invalid checksum'],
  ['unexpected end of file', 'unexpected EOF'],
]);
