/**
 * Cuts the WAL at a fault, so that it is whole again and can be continued. What is cut is kept beside it under names that end in
 * `.corrupt`, which no reader of the WAL looks at; only a torn tail, the beginning of a record that was never finished, is dropped.
 */
import { closeSync, existsSync, fsyncSync, ftruncateSync, fstatSync, openSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listSegments, segmentName } from './wal-format.ts';
import type { WalFault } from './wal-reader.ts';

/** @returns the files that hold what was cut */
export function repairWal(fault: WalFault): string[] {
  const kept: string[] = [];
  for (const later of listSegments(fault.folder).filter((segment) => segment > fault.segment)) kept.push(setAside(join(fault.folder, segmentName(later))));
  const file = join(fault.folder, segmentName(fault.segment));
  if (fault.offset === 0) {
    // The whole segment goes, so that the next one gets its number and none is missing.
    if (!fault.isTornTail) return [...kept, setAside(file)];
  }
  const fd = openSync(file, 'r+');
  try {
    const rest = new Uint8Array(fstatSync(fd).size - fault.offset);
    if (!fault.isTornTail) {
      for (let done = 0; done < rest.length; ) done += readSync(fd, rest, done, rest.length - done, fault.offset + done);
      const name = corruptName(file);
      writeFileSync(name, rest, { flush: true });
      kept.push(name);
    }
    ftruncateSync(fd, fault.offset);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  return kept;
}

function setAside(file: string): string {
  const name = corruptName(file);
  renameSync(file, name);
  return name;
}

/** What is cut off `file` is kept under this name, which no earlier repair has taken. */
export function corruptName(file: string): string {
  for (let i = 0; ; i++) {
    const name = i === 0 ? `${file}.corrupt` : `${file}.${i}.corrupt`;
    if (!existsSync(name)) return name;
  }
}
