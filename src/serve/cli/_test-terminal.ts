/**
 * A terminal that tests read from.
 */
import type { Terminal } from './terminal.ts';

export class TestTerminal implements Terminal {
  stdout = '';
  stderr = '';
  readonly isWatched: boolean;
  readonly showsOutput = false;
  readonly #stdin: string;

  constructor({ stdin = '', isWatched = false }: { stdin?: string; isWatched?: boolean } = {}) {
    this.#stdin = stdin;
    this.isWatched = isWatched;
  }

  out(text: string): void {
    this.stdout += text;
  }

  err(text: string): void {
    this.stderr += text;
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  async *input(): AsyncIterable<Uint8Array> {
    // In two pieces, as pipes give them.
    const bytes = Buffer.from(this.#stdin);
    const half = bytes.length >>> 1;
    yield bytes.subarray(0, half);
    yield bytes.subarray(half);
  }
}
