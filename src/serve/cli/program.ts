/**
 * The command line: commands, their options, and what is printed when one can't run.
 */
import { Command, CommanderError, Option } from 'commander';
import { CorruptError, errorMessage } from '../../core/base/errors.ts';
import { ConfigError } from '../../core/model/yaml/config-error.ts';
import { PromqlSyntaxError } from '../../query/promql/errors.ts';
import { FileReadError } from '../../store/index/byte-source.ts';
import { FileWriteError } from '../../store/index/file-appender.ts';
import { DataLockError } from '../../store/tsdb/data-lock.ts';
import { ApiError } from '../api/backend.ts';
import type { ServeFlags } from '../api/serve-flags.ts';
import { ListenError } from '../api/listener.ts';
import { versionText } from '../api/version.ts';
import { addCheckCommands } from './check-commands.ts';
import { DataFolderError, ImportError, InputTooLargeError, ServerError } from './command-errors.ts';
import { collect } from './common-options.ts';
import { FLAGS } from './flag-table.ts';
import { FlagError, readFlags, type GivenFlags } from './flags.ts';
import { addQueryCommands } from './query-commands.ts';
import type { Terminal } from './terminal.ts';
import { addTsdbCommands } from './tsdb-commands.ts';

/** The parts that only some commands need; each loads its modules when it is called. */
export interface CommandParts {
  /** Runs until the server has stopped. @returns the exit code */
  runServer(flags: ServeFlags): Promise<number>;
  testPromql(paths: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }>;
}

/** Errors whose message says what to do; of others the developer wants the stack. */
const FOR_USERS = [ApiError, ConfigError, FlagError, InputTooLargeError, ListenError, ServerError];
/** The same, of files and folders: promtool prints theirs as they are. */
const AS_THEY_ARE = [CorruptError, DataFolderError, DataLockError, FileReadError, FileWriteError, ImportError, PromqlSyntaxError];

/** Runs one command line. @returns the exit code */
export async function runCommandLine(
  words: readonly string[],
  parts: CommandParts,
  terminal: Terminal,
): Promise<number> {
  let exitCode = 0;
  const program = createProgram(parts, terminal, (code) => (exitCode = code));
  try {
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has printed its own message, help or version.
    if (error instanceof CommanderError) return error.exitCode;
    if (AS_THEY_ARE.some((kind) => error instanceof kind)) terminal.err(`${errorMessage(error)}\n`);
    else terminal.err(`error: ${FOR_USERS.some((kind) => error instanceof kind) ? errorMessage(error) : stackOf(error)}\n`);
    return 1;
  }
}

function createProgram(parts: CommandParts, terminal: Terminal, exit: (code: number) => void): Command {
  const program = new Command('coeus')
    .description('Monitoring in one program. Without a command it prints this help; "coeus serve" starts the server.')
    .version(versionText().trimEnd(), '--version', 'print the version')
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) });
  addServe(program, parts, exit);
  addCheckCommands(program, terminal, exit);
  addTest(program, parts, terminal, exit);
  addQueryCommands(program, terminal, exit);
  addTsdbCommands(program, terminal, exit);
  return program;
}

function addServe(program: Command, parts: CommandParts, exit: (code: number) => void): void {
  const serve = program.command('serve').description('scrape, store and answer queries').allowExcessArguments(false);
  for (const { name, kind, byDefault, help, use } of FLAGS) {
    const text = byDefault === '' ? help : `${help} (default ${byDefault})`;
    if (kind === 'switch') {
      serve.addOption(new Option(`--${name}`, text).hideHelp(use !== 'active'));
      serve.addOption(new Option(`--no-${name}`).hideHelp());
    } else if (kind === 'list') {
      serve.addOption(new Option(`--${name} <value>`, text).argParser(collect).hideHelp(use !== 'active'));
    } else {
      serve.addOption(new Option(`--${name} <value>`, text).hideHelp(use !== 'active'));
    }
  }
  serve.version(versionText().trimEnd(), '--version', 'print the version');
  serve.action(async () => exit(await parts.runServer(readFlags(givenFlags(serve)))));
}

/** What stood on the command line, by flag name: commander names options in its own way and sets defaults for switches. */
function givenFlags(command: Command): GivenFlags {
  const given: Record<string, string | boolean | readonly string[]> = {};
  for (const option of command.options) {
    const key = option.attributeName();
    if (command.getOptionValueSource(key) !== 'cli') continue;
    const name = option.long!.replace(option.negate ? /^--no-/ : /^--/, '');
    const value: unknown = command.getOptionValue(key);
    if (typeof value === 'string' || typeof value === 'boolean') given[name] = value;
    else if (Array.isArray(value)) given[name] = value.map(String);
  }
  return given;
}

function addTest(program: Command, parts: CommandParts, terminal: Terminal, exit: (code: number) => void): void {
  const test = program.command('test').description('run tests that are written as files');
  test
    .command('promql <paths...>')
    .description('run PromQL test scripts: files, or folders of *.test')
    .action(async (paths: string[]) => exit(report(terminal, await parts.testPromql(paths))));
}

function report(
  terminal: Terminal,
  { exitCode, stdout, stderr }: { exitCode: number; stdout: string; stderr: string },
): number {
  if (stdout !== '') terminal.out(stdout);
  if (stderr !== '') terminal.err(stderr);
  return exitCode;
}

const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
