/**
 * An OpenMetrics file of any size, sample by sample: read in windows, from front to back, once.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { MAX_LINE_BYTES } from '../../ingest/exposition/bounds.ts';
import { ExpositionError } from '../../ingest/exposition/errors.ts';
import { OpenMetricsParser } from '../../ingest/exposition/openmetrics-parser.ts';
import { FileReadError } from '../../store/index/byte-source.ts';

const WINDOW_BYTES = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

export interface OpenMetricsVisitor {
  /** `parser` stands behind a line with a sample, whose series are the bytes [seriesStart, seriesEnd) of `window`. */
  sample(parser: OpenMetricsParser, window: Buffer): void;
  /** After each window. */
  progress(doneBytes: number): void;
}

/** @throws ExpositionError with the line in the file, FileReadError, and whatever the visitor throws */
export function readOpenMetricsFile(path: string, visitor: OpenMetricsVisitor, windowBytes = WINDOW_BYTES): void {
  const descriptor = reading(path, () => openSync(path, 'r'));
  try {
    new OpenMetricsFile(path, descriptor, windowBytes).read(visitor);
  } finally {
    closeSync(descriptor);
  }
}

class OpenMetricsFile {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #parser = new OpenMetricsParser();
  /** A window, and before it the line that it cuts. */
  readonly #window: Buffer;
  readonly #windowBytes: number;
  /** Lines that were read. */
  #lineCount = 0;
  #hasEnded = false;

  constructor(path: string, descriptor: number, windowBytes: number) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#windowBytes = windowBytes;
    this.#window = Buffer.alloc(windowBytes + MAX_LINE_BYTES);
  }

  read(visitor: OpenMetricsVisitor): void {
    let kept = 0;
    let doneBytes = 0;
    for (;;) {
      const count = reading(this.#path, () => readSync(this.#descriptor, this.#window, kept, this.#windowBytes, null));
      const end = kept + count;
      doneBytes += count;
      // At the end of the file the last line may have no line break.
      const lineEnd = count === 0 ? end : this.#window.subarray(0, end).lastIndexOf(NEWLINE) + 1;
      this.#readLines(lineEnd, visitor);
      if (count === 0) break;
      kept = end - lineEnd;
      if (kept >= MAX_LINE_BYTES) throw new ExpositionError(`line is longer than ${MAX_LINE_BYTES} bytes`, this.#lineCount + 1);
      this.#window.copyWithin(0, lineEnd, end);
      visitor.progress(doneBytes);
    }
    if (!this.#hasEnded) throw new ExpositionError('data does not end with # EOF', this.#lineCount + 1);
  }

  #readLines(end: number, visitor: OpenMetricsVisitor): void {
    if (end === 0) return;
    if (this.#hasEnded) throw new ExpositionError('unexpected data after # EOF', this.#lineCount + 1);
    const parser = this.#parser;
    const { boundContext } = parser;
    parser.begin(this.#window, 0, end);
    // What the last TYPE line said holds on.
    parser.boundContext = boundContext;
    const linesBefore = this.#lineCount;
    try {
      while (parser.position < end && !this.#hasEnded) {
        const line = parser.next();
        this.#lineCount++;
        if (line === 'end') this.#hasEnded = true;
        if (line !== 'series') continue;
        if (!parser.hasTime) throw new ExpositionError('expected timestamp for series, got none', this.#lineCount - linesBefore);
        visitor.sample(parser, this.#window);
      }
    } catch (error) {
      if (!(error instanceof ExpositionError)) throw error;
      throw new ExpositionError(error.reason, linesBefore + error.line);
    }
  }
}

function reading<T>(path: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw new FileReadError(path, error);
  }
}
