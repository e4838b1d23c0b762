/**
 * A snapshot: a folder with all blocks and, on wish, the head as one more, which any server can start on.
 *
 * Blocks are linked, so that a snapshot takes no room until they are compacted. It is made beside its place and renamed at the end.
 */
import { closeSync, copyFileSync, fsyncSync, linkSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { errorMessage } from '../../core/base/errors.ts';
import { CHUNKS_FOLDER } from '../block/chunk-segments.ts';
import { FileWriteError, syncFolder } from '../index/file-appender.ts';
import { SNAPSHOTS_FOLDER, TEMPORARY_SUFFIX } from './block-folders.ts';

/** Random bytes in a name. */
export const SNAPSHOT_RANDOM_BYTES = 8;
/** Where a file system has no links, or not to there, files are copied. */
const NO_LINK: readonly unknown[] = ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/** As Prometheus names them: the time to the second, and a random number. */
export function snapshotName(timeMs: number, random: Uint8Array): string {
  const seconds = new Date(timeMs).toISOString().replace(/[-:]|\.\d+/g, '');
  return `${seconds}-${Buffer.from(random).toString('hex')}`;
}

/**
 * @param blockFolders what is linked
 * @param addHead writes the head as a block into the folder it is given
 * @throws FileWriteError, and what `addHead` does; nothing is left of the snapshot then
 */
export async function makeSnapshot(
  dataFolder: string,
  name: string,
  parts: { readonly blockFolders: readonly string[]; readonly addHead: (folder: string) => Promise<void> },
): Promise<void> {
  const snapshots = join(dataFolder, SNAPSHOTS_FOLDER);
  const place = join(snapshots, name);
  const temporary = place + TEMPORARY_SUFFIX;
  try {
    writing(temporary, () => mkdirSync(temporary, { recursive: true }));
    for (const folder of parts.blockFolders) linkBlock(folder, join(temporary, basename(folder)));
    await parts.addHead(temporary);
    syncFolder(temporary);
    writing(place, () => renameSync(temporary, place));
    syncFolder(snapshots);
  } catch (error) {
    writing(temporary, () => rmSync(temporary, { recursive: true, force: true }));
    throw error;
  }
}

function linkBlock(folder: string, target: string): void {
  const chunks = join(target, CHUNKS_FOLDER);
  writing(target, () => {
    mkdirSync(chunks, { recursive: true });
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isFile() && !entry.name.endsWith(TEMPORARY_SUFFIX)) linkFile(join(folder, entry.name), join(target, entry.name));
    }
    for (const name of readdirSync(join(folder, CHUNKS_FOLDER))) linkFile(join(folder, CHUNKS_FOLDER, name), join(chunks, name));
  });
  syncFolder(chunks);
  syncFolder(target);
}

function linkFile(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
    if (!NO_LINK.includes(code)) throw error;
    copyFileSync(from, to);
    const descriptor = openSync(to, 'r+');
    fsyncSync(descriptor);
    closeSync(descriptor);
  }
}

function writing(path: string, body: () => void): void {
  try {
    body();
  } catch (error) {
    throw new FileWriteError(`cannot write ${path}: ${errorMessage(error)}`, { cause: error });
  }
}
