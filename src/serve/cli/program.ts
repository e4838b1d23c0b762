/**
 * The command line: commands, their options, and what is printed when one can't run.
 */
import { Command, CommanderError, Option } from 'commander';
import { CorruptError, errorMessage } from '../../core/base/errors.ts';
import { ConfigError } from '../../core/model/yaml/config-error.ts';
import { ApiError } from '../api/backend.ts';
import type { ServeFlags } from '../api/serve-flags.ts';
import { ListenError } from '../api/listener.ts';
import { versionText } from '../api/version.ts';
import { ServerError } from './api-client.ts';
import { checkPath } from './check.ts';
import { FLAGS } from './flag-table.ts';
import { FlagError, readFlags, type GivenFlags } from './flags.ts';
import { queryInstant, queryLabels, queryRange, querySeries, type QueryOptions } from './query.ts';
import type { Terminal } from './terminal.ts';

/** The parts that only some commands need; each loads its modules when it is called. */
export interface CommandParts {
  /** Runs until the server has stopped. @returns the exit code */
  runServer(flags: ServeFlags): Promise<number>;
  checkConfig(
    files: readonly string[],
    options: { syntaxOnly: boolean },
  ): Promise<{ exitCode: number; stdout: string; stderr: string }>;
  testPromql(paths: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }>;
}

/** Errors whose message says what to do; of others the developer wants the stack. */
const FOR_USERS = [ApiError, ConfigError, CorruptError, FlagError, ListenError, ServerError];

const DEFAULT_SERVER = 'http://127.0.0.1:9090';

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
    terminal.err(`error: ${FOR_USERS.some((kind) => error instanceof kind) ? errorMessage(error) : stackOf(error)}\n`);
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
  addCheck(program, parts, terminal, exit);
  addTest(program, parts, terminal, exit);
  addQuery(program, terminal);
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

function addCheck(program: Command, parts: CommandParts, terminal: Terminal, exit: (code: number) => void): void {
  const check = program.command('check').description('check files, or a running server');
  check
    .command('config <files...>')
    .description('check configuration files')
    .option('--syntax-only', 'check the file alone, not the files that it names')
    .action(async (files: string[], { syntaxOnly }: { syntaxOnly?: boolean }) => {
      exit(report(terminal, await parts.checkConfig(files, { syntaxOnly: syntaxOnly === true })));
    });
  for (const [name, path] of [
    ['healthy', '/-/healthy'],
    ['ready', '/-/ready'],
  ] as const) {
    check
      .command(name)
      .description(`check whether a server is ${name}`)
      .option('--url <url>', 'the server', DEFAULT_SERVER)
      .action(async ({ url }: { url: string }) => exit(await checkPath(terminal, url, path)));
  }
}

function addTest(program: Command, parts: CommandParts, terminal: Terminal, exit: (code: number) => void): void {
  const test = program.command('test').description('run tests that are written as files');
  test
    .command('promql <paths...>')
    .description('run PromQL test scripts: files, or folders of *.test')
    .action(async (paths: string[]) => exit(report(terminal, await parts.testPromql(paths))));
}

function addQuery(program: Command, terminal: Terminal): void {
  const query = program.command('query').description('ask a server');
  const common = (command: Command): Command =>
    command
      .addOption(
        new Option('-o, --format <format>', 'form of the output').choices(['promql', 'json']).default('promql'),
      )
      .option('--header <name=value>', 'extra request header; may be repeated', collect, []);
  const matching = (command: Command): Command =>
    command
      .option('--match <selector>', 'series selector; may be repeated', collect, [])
      .option('--start <time>', 'RFC 3339 or unix seconds')
      .option('--end <time>', 'RFC 3339 or unix seconds');

  common(query.command('instant <server> <expr>').description('evaluate at one time'))
    .option('--time <time>', 'RFC 3339 or unix seconds')
    .action((server: string, expr: string, given: GivenQuery) =>
      queryInstant(terminal, server, expr, given.time, queryOptions(given)),
    );
  common(query.command('range <server> <expr>').description('evaluate over a range of time'))
    .option('--start <time>', 'RFC 3339 or unix seconds')
    .option('--end <time>', 'RFC 3339 or unix seconds')
    .option('--step <duration>', 'distance of the steps')
    .action((server: string, expr: string, given: GivenQuery) =>
      queryRange(terminal, server, expr, rangeOf(given), Date.now(), queryOptions(given)),
    );
  matching(common(query.command('series <server>').description('list series'))).action(
    (server: string, given: GivenQuery) =>
      querySeries(terminal, server, { ...rangeOf(given), match: given.match ?? [] }, queryOptions(given)),
  );
  matching(common(query.command('labels <server> <name>').description('list the values of a label'))).action(
    (server: string, name: string, given: GivenQuery) =>
      queryLabels(terminal, server, name, { ...rangeOf(given), match: given.match ?? [] }, queryOptions(given)),
  );
}

interface GivenQuery {
  readonly format: 'promql' | 'json';
  readonly header: readonly string[];
  readonly time?: string;
  readonly start?: string;
  readonly end?: string;
  readonly step?: string;
  readonly match?: readonly string[];
}

const rangeOf = ({
  start,
  end,
  step,
}: GivenQuery): { start: string | undefined; end: string | undefined; step: string | undefined } => ({
  start,
  end,
  step,
});

function queryOptions({ format, header }: GivenQuery): QueryOptions {
  const headers = header.map((text) => {
    const equals = text.indexOf('=');
    if (equals < 1) throw new FlagError(`--header: "${text}" is not name=value`);
    return [text.slice(0, equals), text.slice(equals + 1)] as const;
  });
  return { format, headers: Object.fromEntries(headers) };
}

function report(
  terminal: Terminal,
  { exitCode, stdout, stderr }: { exitCode: number; stdout: string; stderr: string },
): number {
  if (stdout !== '') terminal.out(stdout);
  if (stderr !== '') terminal.err(stderr);
  return exitCode;
}

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value];

const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
