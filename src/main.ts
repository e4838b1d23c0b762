/**
 * The entry: runs one command line. Commands load what they need, so that short ones start fast.
 */
import { runCommandLine, type CommandParts } from './serve/cli/program.ts';
import { exitOnClosedOutput, processTerminal } from './serve/cli/terminal.ts';

const parts: CommandParts = {
  runServer: async (flags) => (await import('./serve/roles/server.ts')).runServer(flags),
  testPromql: async (paths) => (await import('./query/promql/testing/promqltest.ts')).runPromqlTests(paths),
};

exitOnClosedOutput();
process.exitCode = await runCommandLine(process.argv.slice(2), parts, processTerminal);
