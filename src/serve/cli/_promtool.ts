/**
 * Debian's promtool beside our commands: what both print for the same command line.
 */
import { spawnSync } from 'node:child_process';
import { TestTerminal } from './_test-terminal.ts';
import { runCommandLine } from './program.ts';

export interface Printed {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const isInstalled = spawnSync('promtool', ['--version']).status === 0;

/** For `skip` of tests that compare. */
export const withoutPromtool = isInstalled ? false : 'promtool is not installed';

export function promtool(words: readonly string[], stdin = ''): Printed {
  const { status, stdout, stderr } = spawnSync('promtool', words, {
    input: stdin,
    encoding: 'utf8',
    maxBuffer: 1024 * 1024 * 1024,
  });
  return { exitCode: status, stdout, stderr };
}

export async function coeus(words: readonly string[], stdin = ''): Promise<Printed> {
  const terminal = new TestTerminal({ stdin });
  const parts = { runServer: () => Promise.reject(new Error('not here')), testPromql: () => Promise.reject(new Error('not here')) };
  const exitCode = await runCommandLine(words, parts, terminal);
  return { exitCode, stdout: terminal.stdout, stderr: terminal.stderr };
}
