/**
 * A data folder as the tools see it: its blocks, read and never changed.
 */
import { statSync } from 'node:fs';
import { errorMessage } from '../../core/base/errors.ts';
import { quote } from '../../core/model/labels.ts';
import { BlockSet } from '../../store/tsdb/block-set.ts';
import { DataFolderError } from './command-errors.ts';

/** All blocks, to be closed. @throws DataFolderError where there is no folder, or a block that can't be opened and that no other replaces */
export function openBlocks(dataFolder: string): BlockSet {
  needFolder(dataFolder);
  const blocks = new BlockSet(dataFolder);
  blocks.scan(() => false);
  const replaced = new Set(blocks.infos().flatMap(({ meta }) => meta.compaction.parents.map(({ ulid }) => ulid)));
  const damaged = blocks.unreadable().find(({ ulid }) => !replaced.has(ulid));
  if (damaged === undefined) return blocks;
  blocks.close();
  throw new DataFolderError(`unexpected corrupted block ${damaged.ulid}: ${damaged.message}`);
}

/** @throws DataFolderError */
export function needFolder(path: string): void {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const reason = isAbsent ? `stat ${path}: no such file or directory` : errorMessage(error);
    throw new DataFolderError(`opening the db dir: ${reason}`, { cause: error });
  }
  if (!isFolder) throw new DataFolderError(`opening the db dir: ${quote(path)} is no folder`);
}
