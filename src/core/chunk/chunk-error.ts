/** Bytes that are no chunk of the encoding they are said to have. `offset` counts from the start of the array that was read. */
export class ChunkError extends Error {
  override readonly name = 'ChunkError';
  readonly offset: number;

  constructor(what: string, offset: number, cause?: unknown) {
    super(`${what}, at byte ${offset}`, { cause });
    this.offset = offset;
  }
}
