/**
 * Data folders for tests of the tools: those of the conformance data, unpacked, and ones that tests fill.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const FOLDER = '../shared/conformance/blocks';
/** For `skip` of tests that need the conformance data. */
export const withoutBlocks = existsSync(FOLDER) ? false : 'no conformance data';

export type BlockData = 'backfill-3d.blocks' | 'killed-server.data' | 'scraped-78s.blocks';

/** A new folder, that is gone when the test ends. */
export function emptyFolder(t: { after(body: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'coeus-tools-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function unpack(t: { after(body: () => void): void }, name: BlockData): string {
  const folder = emptyFolder(t);
  execFileSync('tar', ['-xzf', `${FOLDER}/${name}.tar.gz`, '-C', folder]);
  return folder;
}

/** What promtool says that a folder holds. */
export const goldenDump = (name: BlockData): string => gunzipSync(readFileSync(`${FOLDER}/${name.replace(/\.[a-z]+$/, '')}.dump.txt.gz`)).toString();
