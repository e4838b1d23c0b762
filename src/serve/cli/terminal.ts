/**
 * What a command reads and where it prints, as an argument, so that tests stand in for it.
 */
import { once } from 'node:events';
import { InputTooLargeError } from './command-errors.ts';

export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Resolves when little of what was printed waits in memory; commands that print much wait for it now and then. */
  drained(): Promise<void>;
  /** What is piped in. */
  input(): AsyncIterable<Uint8Array>;
  /** Whether somebody watches the error output, so that a line there may be drawn anew. */
  readonly isWatched: boolean;
  /** Whether the output appears there too, so that nothing is to be drawn between its lines. */
  readonly showsOutput: boolean;
}

export const processTerminal: Terminal = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  async drained() {
    if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
  },
  input: () => process.stdin,
  isWatched: process.stderr.isTTY,
  showsOutput: process.stdout.isTTY,
};

/** Exit code of a program that a closed pipe has ended, as shells count. */
const BROKEN_PIPE_EXIT = 141;

/** Ends the process silently when nobody reads its output any more, as in `… | head`. */
export function exitOnClosedOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(BROKEN_PIPE_EXIT);
  });
}

/** All of a command's input. @throws InputTooLargeError past `maxBytes` */
export async function readInput(terminal: Terminal, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let byteCount = 0;
  for await (const piece of terminal.input()) {
    byteCount += piece.byteLength;
    if (byteCount > maxBytes) throw new InputTooLargeError(`standard input has more than ${maxBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
