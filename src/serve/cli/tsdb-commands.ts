/**
 * `coeus tsdb …`: the commands and their options.
 */
import { type Command, Option } from 'commander';
import { ApiError } from '../api/backend.ts';
import { parseTime } from '../api/time.ts';
import { ImportError } from './command-errors.ts';
import {
  collect,
  countOption,
  DEFAULT_DATA_FOLDER,
  DEFAULT_SERVER,
  durationOption,
  withApiClient,
  withHttpOptions,
  type GivenHttp,
} from './common-options.ts';
import { FlagError } from './flags.ts';
import type { Terminal } from './terminal.ts';
import type { DumpFormat } from './tsdb-dump.ts';

/** What is younger may still be in the head of the server that takes the blocks. */
const DEFAULT_BACKFILL_AGE_MS = 3 * 3_600_000;
const EVERY_SERIES = "{__name__=~'(?s:.*)'}";

interface GivenAnalysis {
  readonly limit: string;
  readonly extended?: boolean;
  readonly match: string;
}

interface GivenBench {
  readonly out: string;
  readonly metrics: string;
  readonly scrapes: string;
}

interface GivenDump {
  readonly minTime?: string;
  readonly maxTime?: string;
  readonly match?: readonly string[];
  readonly format?: DumpFormat;
}

export function addTsdbCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const tsdb = program.command('tsdb').description('look into data folders, check, fill and measure them');
  tsdb
    .command('list')
    .argument('[db path]', 'data folder', DEFAULT_DATA_FOLDER)
    .description('list blocks')
    .option('-r, --human-readable', 'times and sizes for people')
    .action(async (dataFolder: string, { humanReadable }: { humanReadable?: boolean }) => {
      (await import('./tsdb-list.ts')).listBlocksTable(terminal, dataFolder, humanReadable === true);
    });
  tsdb
    .command('analyze')
    .argument('[db path]', 'data folder', DEFAULT_DATA_FOLDER)
    .argument('[block id]', 'block (default: the newest)', '')
    .description('show what makes a block large')
    .option('--limit <count>', 'rows of each list', '20')
    .option('--extended', 'look at chunks too')
    .option('--match <selector>', 'the series to look at', '')
    .action(async (dataFolder: string, ulid: string, { limit, extended, match }: GivenAnalysis) => {
      const { analyzeBlock } = await import('./tsdb-analyze.ts');
      const options = { ulid, limit: countOption('limit', limit), extended: extended === true, match };
      analyzeBlock(terminal, dataFolder, options);
    });
  tsdb
    .command('verify')
    .argument('[db path]', 'data folder', DEFAULT_DATA_FOLDER)
    .description('read everything in a data folder and tell what is damaged')
    .option('--repair', 'set damaged parts aside; no server may use the folder meanwhile')
    .action(async (dataFolder: string, { repair }: { repair?: boolean }) => {
      exit((await import('./tsdb-verify.ts')).verifyDataFolder(terminal, dataFolder, repair === true));
    });
  tsdb
    .command('bench')
    .description('measure this machine')
    .command('write')
    .argument('[file]', 'labels of a series as a JSON object a line (default: series are made up)')
    .description('write as many samples as a server would in a day')
    .option('--out <folder>', 'where the data go', 'benchout')
    .option('--metrics <count>', 'series', '10000')
    .option('--scrapes <count>', 'samples of each series', '3000')
    .action(async (file: string | undefined, { out, metrics, scrapes }: GivenBench) => {
      const { benchWrite } = await import('./tsdb-bench.ts');
      benchWrite(terminal, {
        file: file ?? null,
        outputFolder: out,
        seriesCount: countOption('metrics', metrics),
        scrapeCount: countOption('scrapes', scrapes),
      });
    });
  addDump(tsdb, terminal, exit);
  addCreate(tsdb, terminal, exit);
}

function addDump(tsdb: Command, terminal: Terminal, exit: (code: number) => void): void {
  const common = (command: Command): Command =>
    command
      .argument('[db path]', 'data folder', DEFAULT_DATA_FOLDER)
      .option('--min-time <ms>', 'first time, in milliseconds since 1970')
      .option('--max-time <ms>', 'last time, in milliseconds since 1970')
      .option('--match <selector>', `series selector; may be repeated (default ${EVERY_SERIES})`, collect)
      .addOption(new Option('--sandbox-dir-root <folder>').hideHelp());
  const dump = async (dataFolder: string, given: GivenDump, format: DumpFormat): Promise<void> => {
    const { dumpSamples } = await import('./tsdb-dump.ts');
    const exitCode = await dumpSamples(terminal, dataFolder, {
      format,
      match: given.match ?? [EVERY_SERIES],
      minTimeMs: timeOption('min-time', given.minTime) ?? Number.NEGATIVE_INFINITY,
      maxTimeMs: timeOption('max-time', given.maxTime) ?? Number.POSITIVE_INFINITY,
    });
    exit(exitCode);
  };
  common(tsdb.command('dump').description('print all samples, or all series'))
    .addOption(
      new Option('--format <format>', 'samples, or series as JSON').choices(['prom', 'seriesjson']).default('prom'),
    )
    .action((dataFolder: string, given: GivenDump) => dump(dataFolder, given, given.format ?? 'prom'));
  common(
    tsdb
      .command('dump-openmetrics')
      .description('print all samples as OpenMetrics, without native histograms and stale markers'),
  ).action((dataFolder: string, given: GivenDump) => dump(dataFolder, given, 'openmetrics'));
}

interface GivenCreate {
  readonly humanReadable?: boolean;
  readonly quiet?: boolean;
  readonly maxBlockDuration: string;
}

interface GivenBackfill extends GivenCreate, GivenHttp {
  readonly url: string;
  readonly start: string;
  readonly end?: string;
  readonly outputDir: string;
  readonly evalInterval: string;
}

function addCreate(tsdb: Command, terminal: Terminal, exit: (code: number) => void): void {
  const create = tsdb.command('create-blocks-from').description('make blocks of samples from elsewhere');
  withCreateOptions(create.command('openmetrics').description('from a text file in which every sample has its time'))
    .argument('<input file>', 'OpenMetrics text, with # EOF at its end')
    .argument('[output directory]', 'where blocks go', DEFAULT_DATA_FOLDER)
    .option('--label <name=value>', 'label for every series; may be repeated', collect)
    .action(async (file: string, outputFolder: string, given: GivenCreate & { readonly label?: readonly string[] }) => {
      const { addedLabels, createBlocksFromOpenMetrics } = await import('./create-blocks.ts');
      const labels = addedLabels(given.label ?? []);
      createBlocksFromOpenMetrics(terminal, file, labels, createOptions(given, outputFolder));
    });
  addRules(create, terminal, exit);
}

function withCreateOptions(command: Command): Command {
  return command
    .option('-r, --human-readable', 'times and sizes for people')
    .option('-q, --quiet', 'print no blocks')
    .option('--max-block-duration <duration>', 'longest time of one block', '2h');
}

const createOptions = ({ maxBlockDuration, humanReadable, quiet }: GivenCreate, outputFolder: string) => ({
  outputFolder,
  maxBlockDurationMs: durationOption('max-block-duration', maxBlockDuration),
  isHumanReadable: humanReadable === true,
  isQuiet: quiet === true,
});

function addRules(create: Command, terminal: Terminal, exit: (code: number) => void): void {
  withCreateOptions(
    withHttpOptions(create.command('rules').description('from recording rules, over what a server has')),
  )
    .argument('<rule files...>')
    .option('--url <url>', 'the server that has the data', DEFAULT_SERVER)
    .requiredOption('--start <time>', 'RFC 3339 or unix seconds')
    .option('--end <time>', 'RFC 3339 or unix seconds (default: three hours ago)')
    .option('--output-dir <folder>', 'where blocks go', DEFAULT_DATA_FOLDER)
    .option('--eval-interval <duration>', 'for groups that have no interval', '60s')
    .action(async (files: readonly string[], given: GivenBackfill) => {
      const startMs = backfillTime('start', given.start);
      const endMs = given.end === undefined ? Date.now() - DEFAULT_BACKFILL_AGE_MS : backfillTime('end', given.end);
      if (endMs < startMs) throw new ImportError('start time is not before end time');
      const { backfillRules } = await import('./backfill-rules.ts');
      const options = {
        ...createOptions(given, given.outputDir),
        startMs,
        endMs,
        intervalMs: durationOption('eval-interval', given.evalInterval),
      };
      if (options.intervalMs === 0) throw new FlagError('--eval-interval must be longer than 0');
      exit(await withApiClient(given.url, given, (client) => backfillRules(terminal, client, files, options)));
    });
}

/** @throws ImportError */
function backfillTime(name: 'start' | 'end', text: string): number {
  try {
    return parseTime(text);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new ImportError(`error parsing ${name} time: ${error.message}`, { cause: error });
  }
}

/** Prometheus' own least and greatest times mean "all". @throws FlagError */
function timeOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[+-]?\d{1,19}$/.test(text)) throw new FlagError(`--${name}: "${text}" is not a time in milliseconds`);
  return Number(text);
}
