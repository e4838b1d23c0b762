/**
 * `coeus check healthy|ready`: whether a server answers, for scripts and probes.
 */
import { getPath, serverUrl } from './api-client.ts';
import type { Terminal } from './terminal.ts';

/** @returns the exit code @throws ServerError where nothing answers */
export async function checkPath(terminal: Terminal, server: string, path: '/-/healthy' | '/-/ready'): Promise<number> {
  terminal.err(`Checking ${serverUrl(server)}${path}\n`);
  const { status, text } = await getPath(server, path);
  if (status !== 200) {
    terminal.err(`  FAILED: ${status} ${text.trim()}\n`);
    return 1;
  }
  terminal.out(`  SUCCESS: ${text.trim()}\n`);
  return 0;
}
