/**
 * Errors that every stage shares. Errors of one domain (PromQL syntax, configuration …) live beside their domain.
 */

/** Bytes that contradict their format. Never retried; names the place so that an operator finds it. */
export class CorruptError extends Error {
  override readonly name = 'CorruptError';
  readonly file: string;
  /** Byte offset in `file`. */
  readonly offset: number;

  constructor(what: string, place: { file: string; offset: number; cause?: unknown }) {
    super(`${place.file}: offset ${place.offset}: ${what}`, { cause: place.cause });
    this.file = place.file;
    this.offset = place.offset;
  }
}

/** The text of anything thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
