/**
 * `coeus check healthy|ready`: whether a server answers, for scripts and probes.
 */
import type { ApiClient } from './api-client.ts';
import { EXIT } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/** Says so on the error output, as promtool does. @returns the exit code @throws ServerError where nothing answers */
export async function checkServer(
  terminal: Terminal,
  client: ApiClient,
  path: '/-/healthy' | '/-/ready',
): Promise<number> {
  const { status, text } = await client.getPlain(path);
  if (status !== 200) {
    terminal.err(`check failed: URL=${client.url}${path}, status=${status}\n`);
    return EXIT.failure;
  }
  terminal.err(`  SUCCESS: ${text.trimEnd()}\n`);
  return EXIT.ok;
}
