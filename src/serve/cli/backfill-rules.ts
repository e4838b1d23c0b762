/**
 * `coeus tsdb create-blocks-from rules`: what recording rules would have recorded, asked of a server that has the data.
 *
 * Each rule is asked for one block's time after the other, at the times at which the server evaluates its group. Rules do not see each
 * other's results. All rules of a time end in one block; where any question fails, there are no blocks.
 */
import { readFile } from 'node:fs/promises';
import { systemClock } from '../../core/base/clock.ts';
import { errorMessage } from '../../core/base/errors.ts';
import { parseFloatText } from '../../core/model/float.ts';
import { labelsFromPairs, labelsKey, METRIC_NAME, type Labels } from '../../core/model/labels.ts';
import { nextRuleTimeMs, rulePhaseMs } from '../../core/model/rule-phase.ts';
import { parseRuleFile, type RuleConfig, type RuleGroupConfig } from '../config/rule-file.ts';
import type { ApiClient } from './api-client.ts';
import type { BlockImport } from './block-import.ts';
import { ImportError, ServerError } from './command-errors.ts';
import { blockRangeMs, openImport, printBlocks, type CreateOptions } from './create-blocks.ts';
import { EXIT } from './exit-code.ts';
import { MAX_IMPORT_BLOCKS } from './import-run.ts';
import { Progress } from './progress.ts';
import type { Terminal } from './terminal.ts';

export interface BackfillOptions extends CreateOptions {
  readonly startMs: number;
  readonly endMs: number;
  /** Of groups that have none of their own. */
  readonly intervalMs: number;
}

interface RuleGroup {
  readonly file: string;
  readonly group: RuleGroupConfig;
  /** Recording rules, with their numbers in the group. */
  readonly rules: readonly { readonly id: number; readonly rule: RuleConfig }[];
}

/** @returns the exit code @throws ConfigError, FileWriteError, ImportError */
export async function backfillRules(
  terminal: Terminal,
  client: ApiClient,
  files: readonly string[],
  options: BackfillOptions,
): Promise<number> {
  const groups = await readGroups(files);
  const ranges = blockTimes(options);
  const total = groups.reduce((sum, { rules }) => sum + rules.length, 0) * ranges.length;
  const progress = new Progress(terminal, systemClock, { label: 'evaluating rules', unit: 'queries', total });
  const say = (text: string): void => {
    progress.end();
    terminal.err(`${text}\n`);
  };
  const day = (ms: number): string => rfc822(new Date(ms));
  say(`level=info backfiller="new rule importer" start="${day(options.startMs)}" end="${day(options.endMs)}"`);
  const blocks = openImport(options);
  try {
    let done = 0;
    let hasFailed = false;
    let histogramCount = 0;
    for (const { file, group, rules } of groups) {
      say(`level=info backfiller="processing group" name=${file};${group.name}`);
      for (const { id, rule } of rules) {
        say(`level=info backfiller="processing rule" id=${id} name=${rule.record}`);
        try {
          for (const range of evaluations(file, group, ranges, options.intervalMs)) {
            progress.report(done++);
            if (range !== null) histogramCount += await importRule(client, rule, group, range, blocks);
          }
        } catch (error) {
          if (!(error instanceof ServerError)) throw error;
          hasFailed = true;
          say(`rule importer error: query range: ${error.message}`);
        }
      }
    }
    progress.end();
    if (histogramCount > 0) say(`native histograms are not written: ${histogramCount} samples`);
    if (hasFailed) {
      say('error importing rules');
      return EXIT.failure;
    }
    printBlocks(terminal, blocks, options);
    return EXIT.ok;
  } finally {
    blocks.close();
  }
}

async function readGroups(files: readonly string[]): Promise<RuleGroup[]> {
  const groups: RuleGroup[] = [];
  for (const file of files) {
    for (const group of parseRuleFile(await readText(file), { ignoreUnknownFields: false })) {
      const rules = group.rules.map((rule, id) => ({ id, rule })).filter(({ rule }) => rule.record !== '');
      groups.push({ file, group, rules });
    }
  }
  return groups;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ImportError(`open ${file}: ${errorMessage(error)}`, { cause: error });
  }
}

/** Both ends are in. */
interface TimeRange {
  readonly startMs: number;
  readonly endMs: number;
}

/** What of the time falls into each block; whole seconds, as promtool asks. @throws ImportError */
function blockTimes(options: BackfillOptions): TimeRange[] {
  const rangeMs = blockRangeMs(options);
  const count = Math.ceil((options.endMs - options.startMs) / rangeMs);
  if (count > MAX_IMPORT_BLOCKS)
    throw new ImportError(`the time would take ${count} blocks, ${MAX_IMPORT_BLOCKS} are allowed; use a longer --max-block-duration`);
  const second = (ms: number): number => Math.floor(ms / 1000) * 1000;
  const ranges: TimeRange[] = [];
  for (let blockMs = Math.floor(options.startMs / rangeMs) * rangeMs; blockMs <= options.endMs; blockMs += rangeMs) {
    ranges.push({
      startMs: Math.max(blockMs, second(options.startMs)),
      endMs: Math.min(second(blockMs + rangeMs - 1), second(options.endMs)),
    });
  }
  return ranges;
}

/** A question: its ends and the distance of its steps. */
interface Evaluations extends TimeRange {
  readonly stepMs: number;
}

/** The times of the group in each block's time; null where there are none. */
function* evaluations(
  file: string,
  group: RuleGroupConfig,
  ranges: readonly TimeRange[],
  defaultIntervalMs: number,
): Generator<Evaluations | null, undefined> {
  const stepMs = group.intervalMs > 0 ? group.intervalMs : defaultIntervalMs;
  const phaseMs = rulePhaseMs({ file, group: group.name }, stepMs);
  for (const { startMs, endMs } of ranges) {
    const firstMs = Math.round(nextRuleTimeMs(startMs, phaseMs, stepMs));
    yield firstMs < endMs ? { startMs: firstMs, endMs, stepMs } : null;
  }
}

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values?: readonly (readonly [number, string])[];
  readonly histograms?: readonly unknown[];
}

/** @returns how many samples are histograms @throws ServerError */
async function importRule(
  client: ApiClient,
  rule: RuleConfig,
  group: RuleGroupConfig,
  { startMs, endMs, stepMs }: Evaluations,
  blocks: BlockImport,
): Promise<number> {
  const form = new URLSearchParams({
    query: rule.expr,
    start: String(startMs / 1000),
    end: String(endMs / 1000),
    step: String(stepMs / 1000),
  });
  const { result } = (await client.post('query_range', form)) as { readonly result: readonly Series[] };
  let histogramCount = 0;
  for (const { metric, values, histograms } of result) {
    const labels = recordedLabels(metric, group, rule);
    histogramCount += histograms?.length ?? 0;
    for (const [seconds, text] of values ?? []) {
      const value = parseFloatText(text);
      if (value === undefined) throw new ServerError(`${rule.record}: the server's answer has ${JSON.stringify(text)} where a number should be`);
      blocks.add(blocks.series(labelsKey(labels), () => labels), Math.round(seconds * 1000), value);
    }
  }
  return histogramCount;
}

/** Labels of the rule go before those of the group, and both before those of the result. */
function recordedLabels(metric: Readonly<Record<string, string>>, group: RuleGroupConfig, rule: RuleConfig): Labels {
  return labelsFromPairs([...Object.entries(metric), ...group.labels, ...rule.labels, [METRIC_NAME, rule.record]]);
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** `09 Oct 25 08:53 UTC` */
function rfc822(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${two(date.getUTCDate())} ${MONTHS[date.getUTCMonth()]!} ${two(date.getUTCFullYear() % 100)}`;
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())} UTC`;
}
