/**
 * `coeus query …`: the commands and their options.
 */
import { type Command, Option } from 'commander';
import type { ApiClient } from './api-client.ts';
import { collect, withApiClient, withHttpOptions, type GivenHttp } from './common-options.ts';
import { EXIT } from './exit-code.ts';
import type * as Queries from './query.ts';
import type { OutputFormat } from './query.ts';
import { ServerError } from './command-errors.ts';
import type { Terminal } from './terminal.ts';

interface GivenQuery extends GivenHttp {
  readonly format: OutputFormat;
  readonly time?: string;
  readonly start?: string;
  readonly end?: string;
  readonly step?: string;
  readonly match?: readonly string[];
}

export function addQueryCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const query = program.command('query').description('ask a server');
  const run = async (
    server: string,
    given: GivenQuery,
    ask: (queries: typeof Queries, client: ApiClient) => Promise<void>,
  ): Promise<void> => {
    const queries = await import('./query.ts');
    try {
      await withApiClient(server, given, (client) => ask(queries, client));
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      terminal.err(`query error: ${error.message}\n`);
      exit(EXIT.failure);
    }
  };

  common(query.command('instant <server> <expr>').description('evaluate at one time'))
    .option('--time <time>', 'RFC 3339 or unix seconds')
    .action((server: string, expr: string, given: GivenQuery) =>
      run(server, given, ({ queryInstant }, client) => queryInstant(terminal, client, expr, given.time, given.format)),
    );
  ranged(common(query.command('range <server> <expr>').description('evaluate over a range of time')))
    .option('--step <duration>', 'distance of the steps')
    .action((server: string, expr: string, given: GivenQuery) =>
      run(server, given, ({ queryRange }, client) =>
        queryRange(terminal, client, expr, rangeOf(given), Date.now(), given.format),
      ),
    );
  matching(common(query.command('series <server>').description('list series'))).action(
    (server: string, given: GivenQuery) =>
      run(server, given, ({ querySeries }, client) => querySeries(terminal, client, matchOf(given), given.format)),
  );
  matching(common(query.command('labels <server> <name>').description('list the values of a label'))).action(
    (server: string, name: string, given: GivenQuery) =>
      run(server, given, ({ queryLabels }, client) =>
        queryLabels(terminal, client, name, matchOf(given), given.format),
      ),
  );
}

function common(command: Command): Command {
  return withHttpOptions(command)
    .addOption(new Option('-o, --format <format>', 'form of the output').choices(['promql', 'json']).default('promql'))
    .option('--header <name=value>', 'extra request header; may be repeated', collect, []);
}

function ranged(command: Command): Command {
  return command
    .option('--start <time>', 'RFC 3339 or unix seconds')
    .option('--end <time>', 'RFC 3339 or unix seconds');
}

function matching(command: Command): Command {
  return ranged(command).option('--match <selector>', 'series selector; may be repeated', collect, []);
}

const rangeOf = ({ start, end, step }: GivenQuery) => ({ start, end, step });
const matchOf = ({ start, end, match }: GivenQuery) => ({ start, end, match: match ?? [] });
