/**
 * `coeus tsdb dump` and `dump-openmetrics`: every sample of a data folder as text, series by series.
 */
import { systemClock } from '../../core/base/clock.ts';
import { formatG } from '../../core/model/float.ts';
import {
  isLegacyLabelName,
  isLegacyMetricName,
  labelsToObject,
  labelValue,
  METRIC_NAME,
  quote,
  type Labels,
} from '../../core/model/labels.ts';
import type { MixedSamples } from '../../core/model/mixed-samples.ts';
import { parseSelector } from '../../query/promql/parse/parser.ts';
import { formatHistogram } from '../../query/promql/functions/histogram-text.ts';
import { BlockQuerier } from '../../store/block/block-querier.ts';
import { writtenUntilMs } from '../../store/tsdb/block-set.ts';
import { openBlocks } from './data-folder.ts';
import { EXIT } from './exit-code.ts';
import { openHead } from './open-head.ts';
import { Progress } from './progress.ts';
import { mergeSeriesSets, orderSeries, type MergedSeries, type OrderedSet } from './series-merge.ts';
import type { Terminal } from './terminal.ts';

/** Characters that are printed at once. */
const PRINT_CHARACTERS = 64 * 1024;

export type DumpFormat = 'prom' | 'seriesjson' | 'openmetrics';

export interface DumpOptions {
  readonly format: DumpFormat;
  /** Selectors; series of any. */
  readonly match: readonly string[];
  /** Both ends are in. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

/** Text of one series, in pieces. */
type SeriesPrinter = (series: MergedSeries) => Iterable<string>;

const PRINTERS: Readonly<Record<DumpFormat, SeriesPrinter>> = {
  prom: printSamples,
  seriesjson: ({ labels }) => [`${JSON.stringify(labelsToObject(labels))}\n`],
  openmetrics: printOpenMetrics,
};

/**
 * Blocks, and the head's log where it has what they have not. What of the log can't be read is told on the error output.
 *
 * @returns the exit code
 * @throws DataFolderError, CorruptError, FileReadError, PromqlSyntaxError
 */
export async function dumpSamples(terminal: Terminal, dataFolder: string, options: DumpOptions): Promise<number> {
  const requests = options.match.map((selector) => ({
    matchers: parseSelector(selector),
    startMs: options.minTimeMs,
    endMs: options.maxTimeMs,
  }));
  const blocks = openBlocks(dataFolder);
  try {
    const infos = blocks.infos();
    const sets: OrderedSet[] = [];
    for (const { meta } of infos) {
      const querier = new BlockQuerier(blocks.block(meta.ulid)!);
      for (const request of requests) sets.push({ set: await querier.select(request), minTimeMs: meta.minTimeMs });
    }
    const writtenMs = writtenUntilMs(infos);
    const head = writtenMs <= options.maxTimeMs ? openHead(terminal, dataFolder, { minValidTimeMs: writtenMs, repairs: false }) : null;
    for (const request of head === null ? [] : requests)
      sets.push({ set: orderSeries(await head!.querier.select(request)), minTimeMs: writtenMs });
    await print(terminal, sets, options.format);
    for (const fault of [...(head?.faults ?? []), ...(head?.notes ?? [])]) terminal.err(`not read: ${fault}\n`);
    return head === null || head.faults.length === 0 ? EXIT.ok : EXIT.failure;
  } finally {
    blocks.close();
  }
}

async function print(terminal: Terminal, sets: readonly OrderedSet[], format: DumpFormat): Promise<void> {
  const total = sets.reduce((sum, { set }) => sum + set.seriesCount, 0);
  const progress = terminal.showsOutput
    ? null
    : new Progress(terminal, systemClock, { label: 'dumping', unit: 'series', total });
  let text = '';
  let done = 0;
  for (const series of mergeSeriesSets(sets)) {
    for (const piece of PRINTERS[format](series)) {
      text += piece;
      if (text.length < PRINT_CHARACTERS) continue;
      terminal.out(text);
      text = '';
      await terminal.drained();
    }
    done += series.storeCount;
    progress?.report(done);
  }
  progress?.end();
  terminal.out(format === 'openmetrics' ? `${text}# EOF\n` : text);
}

function* printSamples({ labels, runs }: MergedSeries): Generator<string, undefined> {
  const head = `${allLabels(labels)} `;
  for (const samples of runs()) {
    yield* printRun(samples, (i) => {
      const histogram = samples.histogramAt(i);
      const value = histogram === undefined ? formatG(samples.values[i]!) : formatHistogram(histogram);
      return `${head}${value} ${samples.times[i]!}\n`;
    });
  }
}

/** Native histograms and stale markers have no form there. */
function* printOpenMetrics({ labels, runs }: MergedSeries): Generator<string, undefined> {
  const head = `${openMetricsSeries(labels)} `;
  for (const samples of runs()) {
    yield* printRun(samples, (i) =>
      samples.histogramAt(i) !== undefined || samples.isStale(i)
        ? ''
        : `${head}${formatG(samples.values[i]!)} ${(samples.times[i]! / 1000).toFixed(3)}\n`,
    );
  }
}

function* printRun(samples: MixedSamples, line: (index: number) => string): Generator<string, undefined> {
  let text = '';
  for (let i = 0; i < samples.length; i++) {
    text += line(i);
    if (text.length < PRINT_CHARACTERS) continue;
    yield text;
    text = '';
  }
  yield text;
}

/** `{__name__="up", job="node"}` */
function allLabels(labels: Labels): string {
  const pairs: string[] = [];
  for (let i = 0; i < labels.length; i += 2) pairs.push(`${labelName(labels[i]!)}=${quote(labels[i + 1]!)}`);
  return `{${pairs.join(', ')}}`;
}

/** `up{job="node"}`; other names than the classic ones stand quoted between the braces. */
function openMetricsSeries(labels: Labels): string {
  const name = labelValue(labels, METRIC_NAME);
  const pairs = isLegacyMetricName(name) || name === '' ? [] : [escaped(name)];
  for (let i = 0; i < labels.length; i += 2)
    if (labels[i] !== METRIC_NAME) pairs.push(`${labelName(labels[i]!)}=${escaped(labels[i + 1]!)}`);
  return `${isLegacyMetricName(name) ? name : ''}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`}`;
}

const labelName = (name: string): string => (isLegacyLabelName(name) ? name : quote(name));

/** Only these three characters are escaped in OpenMetrics. */
const escaped = (text: string): string =>
  `"${text.replaceAll(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))}"`;
