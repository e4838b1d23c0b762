/**
 * The head of a data folder for tools: its log and chunk files read into memory.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../core/base/clock.ts';
import { createHeadKernel } from '../../core/kernels/head-kernel.ts';
import type { Querier } from '../../core/storage/querier.ts';
import { HeadChunkPages } from '../../store/head/head-chunk-pages.ts';
import { Head } from '../../store/head/head.ts';
import { HeadQuerier } from '../../store/head/head-querier.ts';
import { describeFault, replayHead } from '../../store/head/replay.ts';
import { READER_STAGING_BYTES } from '../../store/head/series-chunks.ts';
import { loadKernelModule } from '../roles/kernel-files.ts';
import { Progress } from './progress.ts';
import type { Terminal } from './terminal.ts';

export interface OpenedHead {
  readonly querier: Querier;
  readonly seriesCount: number;
  /** What could not be read, for people. */
  readonly faults: readonly string[];
  /** What is whole and not used. */
  readonly notes: readonly string[];
  /** Files that hold what was cut. */
  readonly setAside: readonly string[];
}

export interface OpenHeadOptions {
  /** The end of the blocks: what is older is theirs. */
  readonly minValidTimeMs: number;
  /** Cuts damage from the files, as a server's start does. */
  readonly repairs: boolean;
}

/** @returns null where there is no log */
export function openHead(
  terminal: Terminal,
  dataFolder: string,
  { minValidTimeMs, repairs }: OpenHeadOptions,
): OpenedHead | null {
  const walFolder = join(dataFolder, 'wal');
  if (!existsSync(walFolder)) return null;
  const memory = Head.createMemory();
  const kernel = createHeadKernel(loadKernelModule('head'), memory);
  const head = new Head({ memory, kernel, log: { log: () => {} } });
  let progress: Progress | null = null;
  const report = replayHead(head, {
    dataFolder,
    walFolder,
    minValidTimeMs,
    repairs,
    progress: (done, total) => {
      progress ??= new Progress(terminal, systemClock, { label: 'reading the log', unit: 'segments', total });
      progress.report(done);
      if (done === total) progress.end();
    },
  });
  const faults = [report.walFault, report.chunkFault]
    // A log may end inside its last record: so does every killed server's.
    .filter((fault) => fault !== null && !('isTornTail' in fault && fault.isTornTail))
    .map((fault) => describeFault(fault!));
  const notes = [...report.skippedRecords].map(([type, count]) => `${count} records of type ${type} are not read`);
  if (report.unknownRefSamples > 0) notes.push(`${report.unknownRefSamples} samples have no series`);
  const view = {
    linear: memory,
    kernel,
    stagingAt: memory.allocate(READER_STAGING_BYTES),
    files: new HeadChunkPages(dataFolder),
  };
  return {
    querier: new HeadQuerier(view),
    seriesCount: report.seriesCount,
    faults,
    notes,
    setAside: report.setAside,
  };
}
