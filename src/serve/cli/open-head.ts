/**
 * The head of a data folder for tools: its log and chunk files read into memory, and nothing of them changed.
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
  /** What could not be read, for people. */
  readonly faults: readonly string[];
}

/** @param minValidTimeMs the end of the blocks: what is older is theirs @returns null where there is no log */
export function openHead(terminal: Terminal, dataFolder: string, minValidTimeMs: number): OpenedHead | null {
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
    repairs: false,
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
  const types = [...report.skippedRecords].map(([type, count]) => `${count} records of type ${type} in the log`);
  const view = {
    linear: memory,
    kernel,
    stagingAt: memory.allocate(READER_STAGING_BYTES),
    files: new HeadChunkPages(dataFolder),
  };
  return { querier: new HeadQuerier(view), faults: [...faults, ...types] };
}
