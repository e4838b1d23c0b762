/**
 * Blocks out of samples in any order and number, in bounded memory.
 *
 * Samples gather in a run. If one run takes all, its blocks go straight to their place. Else each full run is written as blocks into a
 * folder of work, and at the end those of one time range are merged into one. So input is read once, and what is written twice is
 * compressed.
 */
import { randomFillSync } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../../core/base/assert.ts';
import type { Clock } from '../../core/base/clock.ts';
import { errorMessage } from '../../core/base/errors.ts';
import type { Labels } from '../../core/model/labels.ts';
import { Block } from '../../store/block/block.ts';
import { readBlockMeta } from '../../store/block/block-meta.ts';
import { blockSource } from '../../store/block/block-source.ts';
import { writeBlock } from '../../store/block/block-writer.ts';
import { makeUlid, ULID_RANDOM_BYTES } from '../../store/block/ulid.ts';
import { OpenFiles } from '../../store/index/byte-source.ts';
import { FileWriteError, syncFolder } from '../../store/index/file-appender.ts';
import { SymbolCache } from '../../store/index/symbol-cache.ts';
import { folderBytes } from '../../store/tsdb/block-folders.ts';
import type { BlockInfo } from '../../store/tsdb/block-set.ts';
import { mergeSources } from '../../store/tsdb/merge-sources.ts';
import { ImportError } from './command-errors.ts';
import { ImportRun, MAX_IMPORT_BLOCKS, type RunBlock, type RunLimits } from './import-run.ts';

const WORK_FOLDER = /^import-(\d+)\.tmp$/;

export interface BlockImportOptions {
  /** Where blocks go; made if need be. */
  readonly outputFolder: string;
  /** What one block covers. */
  readonly blockRangeMs: number;
  readonly clock: Clock;
  readonly runLimits?: RunLimits;
}

export class BlockImport {
  readonly #options: BlockImportOptions;
  readonly #run: ImportRun;
  readonly #workFolder: string;
  /** Blocks of work by start of their range. */
  readonly #parts = new Map<number, string[]>();
  #generation = 0;

  constructor(options: BlockImportOptions) {
    this.#options = options;
    this.#run = new ImportRun(options.blockRangeMs, options.runLimits);
    this.#workFolder = join(options.outputFolder, `import-${process.pid}.tmp`);
    writing(options.outputFolder, () => {
      mkdirSync(options.outputFolder, { recursive: true });
      removeLeftovers(options.outputFolder);
    });
  }

  /** Changes when numbers of series are given anew. */
  get generation(): number {
    return this.#generation;
  }

  /** The number of a series in this generation. @param key of whatever form; several may mean the same series */
  series(key: string, labelsOf: () => Labels): number {
    return this.#run.series(key, labelsOf);
  }

  /** @param series of this generation, which may end with it @throws FileWriteError, ImportError */
  add(series: number, timeMs: number, value: number): void {
    this.#run.add(series, timeMs, value);
    if (this.#run.isFull) this.#spill();
  }

  /** How many blocks of work there are to merge. */
  get partCount(): number {
    return [...this.#parts.values()].reduce((sum, parts) => sum + parts.length, 0);
  }

  /**
   * Writes the blocks, in order of time.
   * @param onProgress is told how many blocks of work are merged
   * @throws FileWriteError, ImportError
   */
  *finish(onProgress: (done: number) => void): Generator<BlockInfo, undefined> {
    if (this.#parts.size === 0) {
      for (const block of this.#run.blocks()) yield this.#write(block, this.#options.outputFolder);
      return;
    }
    if (!this.#run.isEmpty) this.#spill();
    let done = 0;
    const files = new OpenFiles();
    try {
      for (const [, folders] of [...this.#parts].sort(([a], [b]) => a - b)) {
        yield folders.length === 1 ? this.#move(folders[0]!) : this.#merge(folders, files);
        done += folders.length;
        onProgress(done);
      }
    } finally {
      files.closeAll();
    }
  }

  /** Removes the folder of work; blocks that were given out stay. */
  close(): void {
    rmSync(this.#workFolder, { recursive: true, force: true });
  }

  #spill(): void {
    const folder = join(this.#workFolder, String(this.#generation++));
    writing(folder, () => mkdirSync(folder, { recursive: true }));
    for (const block of this.#run.blocks()) {
      const parts = this.#parts.get(block.rangeStartMs) ?? [];
      this.#parts.set(block.rangeStartMs, parts);
      if (this.#parts.size > MAX_IMPORT_BLOCKS)
        throw new ImportError(`the samples would take more than ${MAX_IMPORT_BLOCKS} blocks; use a longer --max-block-duration`);
      parts.push(this.#write(block, folder).folder);
    }
    this.#run.clear();
  }

  #write({ source, minTimeMs, maxTimeMs }: Omit<RunBlock, 'rangeStartMs'>, dataFolder: string): BlockInfo {
    const ulid = makeUlid(this.#options.clock.nowMs(), randomFillSync(new Uint8Array(ULID_RANDOM_BYTES)));
    const meta = writeBlock(source, { dataFolder, ulid, minTimeMs, maxTimeMs });
    assert(meta !== null, 'a block that is written has samples');
    const folder = join(dataFolder, ulid);
    return { folder, meta, byteLength: folderBytes(folder) };
  }

  #move(folder: string): BlockInfo {
    const meta = readBlockMeta(folder);
    const { outputFolder } = this.#options;
    const target = join(outputFolder, meta.ulid);
    writing(target, () => renameSync(folder, target));
    syncFolder(outputFolder);
    return { folder: target, meta, byteLength: folderBytes(target) };
  }

  /** Those before win, as their samples came before. */
  #merge(folders: readonly string[], files: OpenFiles): BlockInfo {
    const symbols = new SymbolCache();
    const blocks = folders.map((folder) => Block.open(folder, { files, symbols }));
    try {
      const source = mergeSources(blocks.map((block) => ({ name: block.folder, source: blockSource(block) })));
      const minTimeMs = Math.min(...blocks.map(({ meta }) => meta.minTimeMs));
      const maxTimeMs = Math.max(...blocks.map(({ meta }) => meta.maxTimeMs));
      return this.#write({ source, minTimeMs, maxTimeMs }, this.#options.outputFolder);
    } finally {
      for (const block of blocks) block.close();
    }
  }
}

/** Folders of work whose process is gone. */
function removeLeftovers(outputFolder: string): void {
  for (const name of readdirSync(outputFolder)) {
    const pid = Number(WORK_FOLDER.exec(name)?.[1] ?? 0);
    if (pid > 0 && (pid === process.pid || !isAlive(pid))) rmSync(join(outputFolder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function writing(path: string, body: () => void): void {
  try {
    body();
  } catch (error) {
    throw new FileWriteError(`cannot write ${path}: ${errorMessage(error)}`, { cause: error });
  }
}
