/**
 * `coeus check …`: the commands and their options.
 */
import { type Command, Option } from 'commander';
import type { CheckOutcome } from '../config/check-config.ts';
import { checkServer } from './check-server.ts';
import { DEFAULT_SERVER, durationOption, withApiClient, withHttpOptions, type GivenHttp } from './common-options.ts';
import { EXIT } from './exit-code.ts';
import { readInput, type Terminal } from './terminal.ts';

/** Longest text of rules that is piped in. */
export const MAX_RULES_BYTES = 64 * 1024 * 1024;

interface GivenCheck {
  readonly lint: string;
  readonly lintFatal?: boolean;
  readonly ignoreUnknownFields?: boolean;
}

interface GivenConfigCheck extends GivenCheck {
  readonly syntaxOnly?: boolean;
  readonly agent?: boolean;
  readonly 'query.lookbackDelta': string;
}

export function addCheckCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const check = program.command('check').description('check files, what an exporter exposes, or a running server');
  addConfigCheck(check, terminal, exit);
  addRulesCheck(check, terminal, exit);
  check
    .command('web-config <files...>')
    .description('check files for --web.config.file')
    .action(async (files: readonly string[]) => {
      const { checkWebConfig } = await import('../config/load-web-config.ts');
      for (const { ok, message } of files.map(checkWebConfig)) {
        if (ok) terminal.out(`${message}\n`);
        else {
          terminal.err(`${message}\n`);
          exit(EXIT.failure);
        }
      }
    });
  check
    .command('metrics')
    .description('lint what an exporter exposes, from standard input')
    .option('--extended', 'count the series of each metric')
    .addOption(new Option('--lint <lint>', 'lints to apply').choices(['all', 'none'] as const).default('all'))
    .action(async ({ extended, lint }: { extended?: boolean; lint: 'all' | 'none' }) => {
      const { checkMetrics } = await import('./check-metrics.ts');
      exit(await checkMetrics(terminal, { extended: extended === true, lint }));
    });
  for (const name of ['healthy', 'ready'] as const) {
    withHttpOptions(check.command(name).description(`check whether a server is ${name}`))
      .option('--url <url>', 'the server', DEFAULT_SERVER)
      .action(async (given: GivenHttp & { readonly url: string }) => {
        exit(await withApiClient(given.url, given, (client) => checkServer(terminal, client, `/-/${name}`)));
      });
  }
}

function addConfigCheck(check: Command, terminal: Terminal, exit: (code: number) => void): void {
  withLintOptions(check.command('config <files...>').description('check configuration files'), [
    'all',
    'duplicate-rules',
    'too-long-scrape-interval',
    'none',
  ])
    .option('--syntax-only', 'check the file alone, not the files that it names')
    .option('--agent', 'check the file as one for agent mode')
    .option('--query.lookback-delta <duration>', 'what a scrape interval is too long for', '5m')
    .action(async (files: readonly string[], given: GivenConfigCheck) => {
      const { checkConfig } = await import('../config/check-config.ts');
      const outcome = await checkConfig(files, {
        ...lintOptions(given),
        syntaxOnly: given.syntaxOnly === true,
        agent: given.agent === true,
        lookbackDeltaMs: durationOption('query.lookback-delta', given['query.lookbackDelta']),
      });
      exit(report(terminal, outcome));
    });
}

function addRulesCheck(check: Command, terminal: Terminal, exit: (code: number) => void): void {
  withLintOptions(check.command('rules [files...]').description('check rule files, or standard input'), [
    'all',
    'duplicate-rules',
    'none',
  ]).action(async (files: readonly string[], given: GivenCheck) => {
    const { checkRules, ruleFile } = await import('../config/check-rules.ts');
    const piped = {
      name: 'standard input',
      read: async () => Buffer.from(await readInput(terminal, MAX_RULES_BYTES)).toString('utf8'),
    };
    exit(report(terminal, await checkRules(files.length === 0 ? [piped] : files.map(ruleFile), lintOptions(given))));
  });
}

function withLintOptions(command: Command, lints: readonly string[]): Command {
  return command
    .option('--lint <lints>', `lints to apply, comma-separated: ${lints.join(', ')}`, 'duplicate-rules')
    .option('--lint-fatal', `exit with ${EXIT.finding} when a lint finds something`)
    .option('--ignore-unknown-fields', 'take fields of rule groups that the server does not know');
}

const lintOptions = ({ lint, lintFatal, ignoreUnknownFields }: GivenCheck) => ({
  lint,
  lintFatal: lintFatal === true,
  ignoreUnknownFields: ignoreUnknownFields === true,
});

/** @returns the exit code */
function report(terminal: Terminal, { exitCode, stdout, stderr }: CheckOutcome): number {
  if (stdout !== '') terminal.out(stdout);
  if (stderr !== '') terminal.err(stderr);
  return exitCode;
}
