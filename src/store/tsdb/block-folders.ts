/**
 * The blocks' folders in the data folder: which there are, and how they go.
 *
 *   <ULID>/                     a block
 *   <ULID>.tmp-for-creation/    one that is being written
 *   <ULID>.tmp-for-deletion/    one that is being removed: it left its place with one rename
 *   quarantine/<ULID>/          one that can't be opened, set aside for whoever looks into it
 *   snapshots/<name>/, <name>.tmp/
 *
 * The first three are Prometheus' names, who also removes the temporary ones when it starts, and overlooks the others.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '../../core/base/errors.ts';
import { CREATION_SUFFIX } from '../block/block-writer.ts';
import { isUlid } from '../block/ulid.ts';
import { FileReadError } from '../index/byte-source.ts';
import { FileWriteError, syncFolder } from '../index/file-appender.ts';

export const DELETION_SUFFIX = '.tmp-for-deletion';
export const TEMPORARY_SUFFIX = '.tmp';
export const QUARANTINE_FOLDER = 'quarantine';
export const SNAPSHOTS_FOLDER = 'snapshots';
const ULID_LENGTH = 26;
const TEMPORARY_SUFFIXES: readonly string[] = [CREATION_SUFFIX, DELETION_SUFFIX, TEMPORARY_SUFFIX];

/** Names of the blocks that are there, sorted. @throws FileReadError */
export function listBlocks(dataFolder: string): string[] {
  return entriesOf(dataFolder)
    .filter((entry) => entry.isDirectory() && isUlid(entry.name))
    .map(({ name }) => name)
    .sort();
}

/** Removes what writing, removing and snapshots left unfinished. To be called while nothing of that runs. @returns what was removed @throws FileReadError, FileWriteError */
export function removeUnfinished(dataFolder: string): string[] {
  const isUnfinishedBlock = (name: string): boolean => isUlid(name.slice(0, ULID_LENGTH)) && TEMPORARY_SUFFIXES.includes(name.slice(ULID_LENGTH));
  const snapshots = join(dataFolder, SNAPSHOTS_FOLDER);
  const found = [
    ...namesIn(dataFolder).filter(isUnfinishedBlock).map((name) => join(dataFolder, name)),
    ...namesIn(snapshots).filter((name) => name.endsWith(TEMPORARY_SUFFIX)).map((name) => join(snapshots, name)),
  ];
  for (const folder of found) changing(folder, () => rmSync(folder, { recursive: true, force: true }));
  return found;
}

/** Removes a block that no thread reads any more. After the first step it is gone for every start, whatever happens. @throws FileWriteError */
export function removeBlock(dataFolder: string, ulid: string): void {
  const leaving = join(dataFolder, ulid + DELETION_SUFFIX);
  changing(leaving, () => {
    rmSync(leaving, { recursive: true, force: true });
    renameSync(join(dataFolder, ulid), leaving);
    rmSync(leaving, { recursive: true, force: true });
  });
}

/** @returns where it is now @throws FileWriteError */
export function quarantineBlock(dataFolder: string, ulid: string): string {
  const folder = join(dataFolder, QUARANTINE_FOLDER);
  let place = join(folder, ulid);
  for (let i = 1; existsSync(place); i++) place = join(folder, `${ulid}.${i}`);
  changing(place, () => {
    mkdirSync(folder, { recursive: true });
    renameSync(join(dataFolder, ulid), place);
  });
  syncFolder(folder);
  syncFolder(dataFolder);
  return place;
}

/** Folders in quarantine, those of earlier runs too. */
export const listQuarantined = (dataFolder: string): string[] => namesIn(join(dataFolder, QUARANTINE_FOLDER)).sort();

/** Of all files in the folder and below; 0 where there is no such folder. Files that go meanwhile count nothing. */
export function folderBytes(folder: string): number {
  return filesBelow(folder).reduce((sum, { size }) => sum + size, 0);
}

/** A text that changes whenever somebody writes to a file in the folder, adds one or takes one away. */
export function folderFingerprint(folder: string): string {
  return filesBelow(folder)
    .map(({ path, size, changedMs }) => `${path} ${size} ${changedMs}`)
    .sort()
    .join('\n');
}

interface FileState {
  readonly path: string;
  readonly size: number;
  readonly changedMs: number;
}

function filesBelow(folder: string): FileState[] {
  const files: FileState[] = [];
  for (const entry of entriesIfThere(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...filesBelow(path));
    const state = entry.isFile() ? statSync(path, { throwIfNoEntry: false }) : undefined;
    if (state !== undefined) files.push({ path, size: state.size, changedMs: state.ctimeMs });
  }
  return files;
}

const namesIn = (folder: string): string[] => entriesIfThere(folder).map(({ name }) => name);

/** Nothing where there is no such folder. */
const entriesIfThere = (folder: string): Dirent[] => (existsSync(folder) ? entriesOf(folder) : []);

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw new FileReadError(folder, error);
  }
}

function changing(path: string, body: () => void): void {
  try {
    body();
  } catch (error) {
    throw new FileWriteError(`cannot change ${path}: ${errorMessage(error)}`, { cause: error });
  }
}
