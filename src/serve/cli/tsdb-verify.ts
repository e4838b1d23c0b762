/**
 * `coeus tsdb verify`: reads everything in a data folder and tells what is damaged, and where. With `--repair` damaged parts are set
 * aside, so that a server starts on the rest; nothing is deleted.
 */
import { join } from 'node:path';
import { systemClock } from '../../core/base/clock.ts';
import { verifyBlock, type BlockFault } from '../../store/block/verify-block.ts';
import { OpenFiles } from '../../store/index/byte-source.ts';
import { listBlocks, quarantineBlock } from '../../store/tsdb/block-folders.ts';
import { lockDataFolder } from '../../store/tsdb/data-lock.ts';
import { needFolder } from './data-folder.ts';
import { EXIT } from './exit-code.ts';
import { openHead } from './open-head.ts';
import { Progress } from './progress.ts';
import type { Terminal } from './terminal.ts';

/** Faults of one block that are told; damage has often one cause and many effects. */
const MAX_FAULTS = 20;

/**
 * @param repairs needs the folder for itself
 * @returns the exit code: whether all is well, or was made well
 * @throws DataFolderError, DataLockError, FileReadError, FileWriteError
 */
export function verifyDataFolder(terminal: Terminal, dataFolder: string, repairs: boolean): number {
  needFolder(dataFolder);
  const lock = repairs ? lockDataFolder(dataFolder) : null;
  try {
    const areBlocksWell = verifyBlocks(terminal, dataFolder, repairs);
    const isHeadWell = verifyHead(terminal, dataFolder, repairs);
    return (areBlocksWell && isHeadWell) || repairs ? EXIT.ok : EXIT.failure;
  } finally {
    lock?.release();
  }
}

function verifyBlocks(terminal: Terminal, dataFolder: string, repairs: boolean): boolean {
  const files = new OpenFiles();
  const ulids = listBlocks(dataFolder);
  let isWell = true;
  for (const [i, ulid] of ulids.entries()) {
    const folder = join(dataFolder, ulid);
    terminal.out(`Checking ${folder}\n`);
    let progress: Progress | null = null;
    let seriesCount = 0;
    const faults = verifyBlock(folder, files, (done) => {
      progress ??= new Progress(terminal, systemClock, {
        label: `block ${i + 1} of ${ulids.length}`,
        unit: 'series',
        total: done.seriesTotal,
      });
      seriesCount = done.seriesCount;
      progress.report(seriesCount);
    });
    const shown: BlockFault[] = [];
    let faultCount = 0;
    for (const fault of faults) if (++faultCount <= MAX_FAULTS) shown.push(fault);
    (progress as Progress | null)?.end();
    if (faultCount === 0) {
      terminal.out(`  SUCCESS: ${seriesCount} series\n`);
      continue;
    }
    isWell = false;
    for (const { file, offset, what } of shown) terminal.err(`  FAILED: ${file}: offset ${offset}: ${what}\n`);
    if (faultCount > MAX_FAULTS) terminal.err(`  FAILED: and ${faultCount - MAX_FAULTS} more\n`);
    if (repairs) terminal.out(`  REPAIRED: set aside as ${quarantineBlock(dataFolder, ulid)}\n`);
  }
  files.closeAll();
  return isWell;
}

/** Log and head chunks are read as a start reads them. */
function verifyHead(terminal: Terminal, dataFolder: string, repairs: boolean): boolean {
  const head = openHead(terminal, dataFolder, { minValidTimeMs: Number.NEGATIVE_INFINITY, repairs });
  if (head === null) return true;
  terminal.out(`Checking ${join(dataFolder, 'wal')}\n`);
  for (const fault of head.faults) terminal.err(`  FAILED: ${fault}\n`);
  for (const file of head.setAside) terminal.out(`  REPAIRED: set aside as ${file}\n`);
  for (const note of head.notes) terminal.out(`  WARNING: ${note}\n`);
  if (head.faults.length === 0) terminal.out(`  SUCCESS: ${head.seriesCount} series\n`);
  return head.faults.length === 0;
}
