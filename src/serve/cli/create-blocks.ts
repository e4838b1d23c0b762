/**
 * `coeus tsdb create-blocks-from openmetrics`: samples of a text file as blocks that a server takes into its data folder.
 */
import { statSync } from 'node:fs';
import { systemClock } from '../../core/base/clock.ts';
import { isLegacyLabelName, labelsFromPairs, type Labels } from '../../core/model/labels.ts';
import { ExpositionError } from '../../ingest/exposition/errors.ts';
import type { OpenMetricsParser } from '../../ingest/exposition/openmetrics-parser.ts';
import type { BlockInfo } from '../../store/tsdb/block-set.ts';
import { blockRanges } from '../../store/tsdb/compaction-plan.ts';
import { BlockImport } from './block-import.ts';
import { ImportError } from './command-errors.ts';
import { FlagError } from './flags.ts';
import type { RunLimits } from './import-run.ts';
import { readOpenMetricsFile } from './openmetrics-file.ts';
import { Progress } from './progress.ts';
import { blockTable } from './tsdb-list.ts';
import type { Terminal } from './terminal.ts';

export interface CreateOptions {
  readonly outputFolder: string;
  /** Blocks cover the largest of the usual ranges that is not longer. */
  readonly maxBlockDurationMs: number;
  readonly isHumanReadable: boolean;
  /** Prints no blocks. */
  readonly isQuiet: boolean;
  readonly runLimits?: RunLimits;
}

/** @param labels added to every series, instead of what it has @throws ImportError, FileReadError, FileWriteError */
export function createBlocksFromOpenMetrics(
  terminal: Terminal,
  file: string,
  labels: readonly (readonly [string, string])[],
  options: CreateOptions,
): void {
  const blocks = openImport(options);
  try {
    const series = new SeriesOfLines(blocks, labels);
    // A pipe has no size.
    const total = statSync(file, { throwIfNoEntry: false })?.size || null;
    const progress = new Progress(terminal, systemClock, { label: 'reading samples', unit: 'bytes', total });
    readOpenMetricsFile(file, {
      sample: (parser, window) => blocks.add(series.find(parser, window), parser.timeMs, parser.value),
      progress: (done) => progress.report(done),
    });
    progress.end();
    printBlocks(terminal, blocks, options);
  } catch (error) {
    if (!(error instanceof ExpositionError)) throw error;
    throw new ImportError(`${file}: ${error.message}`, { cause: error });
  } finally {
    blocks.close();
  }
}

/** What one block covers. */
export function blockRangeMs({ maxBlockDurationMs }: Pick<CreateOptions, 'maxBlockDurationMs'>): number {
  const ranges = blockRanges(0, undefined, maxBlockDurationMs);
  return ranges[ranges.length - 1]!;
}

/** @throws FileWriteError */
export function openImport(options: CreateOptions): BlockImport {
  const { outputFolder, runLimits } = options;
  return new BlockImport({
    outputFolder,
    blockRangeMs: blockRangeMs(options),
    clock: systemClock,
    ...(runLimits === undefined ? {} : { runLimits }),
  });
}

/** Writes what was imported, and prints each block when it is there. @throws ImportError, FileWriteError */
export function printBlocks(
  terminal: Terminal,
  blocks: BlockImport,
  { isQuiet, isHumanReadable }: Pick<CreateOptions, 'isQuiet' | 'isHumanReadable'>,
): void {
  const total = blocks.partCount === 0 ? null : blocks.partCount;
  const progress = new Progress(terminal, systemClock, { label: 'writing blocks', unit: 'blocks', total });
  let printed = 0;
  let merged = 0;
  for (const block of blocks.finish((done) => (merged = done))) {
    progress.report(total === null ? printed : merged);
    if (!isQuiet) {
      progress.end();
      terminal.out(blockRow(block, printed === 0, isHumanReadable));
    }
    printed++;
  }
  progress.end();
}

function blockRow(block: BlockInfo, isFirst: boolean, isHumanReadable: boolean): string {
  const table = blockTable([block], isHumanReadable);
  return isFirst ? table : table.slice(table.indexOf('\n') + 1);
}

/** The series of sample lines, by their bytes; that of the line before is found without looking it up. */
class SeriesOfLines {
  readonly #blocks: BlockImport;
  readonly #added: readonly (readonly [string, string])[];
  /** Of the line before. */
  #key = '';
  #series = -1;
  #generation = -1;

  constructor(blocks: BlockImport, added: readonly (readonly [string, string])[]) {
    this.#blocks = blocks;
    this.#added = added;
  }

  find(parser: OpenMetricsParser, window: Buffer): number {
    // Whether bounds are normalised depends on the type.
    const context = parser.hasBound ? parser.boundContext : '';
    const key = window.toString('latin1', parser.seriesStart, parser.seriesEnd) + context;
    if (key === this.#key && this.#generation === this.#blocks.generation) return this.#series;
    this.#key = key;
    this.#generation = this.#blocks.generation;
    this.#series = this.#blocks.series(key, () => this.#labelsOf(parser));
    return this.#series;
  }

  #labelsOf(parser: OpenMetricsParser): Labels {
    const labels = parser.labels();
    if (this.#added.length === 0) return labels;
    const pairs: [string, string][] = [];
    for (let i = 0; i < labels.length; i += 2) pairs.push([labels[i]!, labels[i + 1]!]);
    return labelsFromPairs([...pairs, ...this.#added]);
  }
}

/** Labels as `name=value`. @throws FlagError */
export function addedLabels(texts: readonly string[]): (readonly [string, string])[] {
  return texts.map((text) => {
    const equals = text.indexOf('=');
    if (equals < 1 || !isLegacyLabelName(text.slice(0, equals))) throw new FlagError(`--label: "${text}" is not name=value`);
    return [text.slice(0, equals), text.slice(equals + 1)];
  });
}
