/**
 * One server per data folder: a `lock` file with the owner's pid.
 *
 * Prometheus locks the same file with flock(2), which Node can't ask for; on Linux the kernel's table of locks tells whether some
 * process holds one, so neither starts on the other's folder.
 */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Another process uses the folder. */
export class DataLockError extends Error {
  override readonly name = 'DataLockError';
}

export interface DataLock {
  /** Whether the last owner had not released it: it died. */
  readonly wasLeftBehind: boolean;
  release(): void;
}

/** Creates the folder if need be and takes its lock. @throws DataLockError */
export function lockDataFolder(folder: string): DataLock {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'lock');
  const previous = read(file);
  const previousPid = Number(previous);
  if (previous !== null && previous !== '' && Number.isInteger(previousPid) && previousPid !== process.pid && isOurs(previousPid)) {
    throw new DataLockError(`${folder} is in use by the process ${previousPid}`);
  }
  const holder = flockHolder(file);
  if (holder !== null) throw new DataLockError(`${folder} is in use: the process ${holder} holds the lock file`);
  writeFileSync(file, String(process.pid));
  return {
    wasLeftBehind: previous !== null && previous !== '',
    release: () => rmSync(file, { force: true }),
  };
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return null;
  }
}

/** Whether `pid` lives and is a process like this one: pids come round again. */
function isOurs(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  if (process.platform !== 'linux') return true;
  const command = read(`/proc/${pid}/cmdline`) ?? '';
  return /coeus|main\.(ts|js)/.test(command);
}

/** The pid that holds an flock on the file, as far as this system tells. */
function flockHolder(file: string): number | null {
  if (process.platform !== 'linux') return null;
  let inode: number;
  try {
    inode = statSync(file).ino;
  } catch {
    return null;
  }
  for (const line of (read('/proc/locks') ?? '').split('\n')) {
    const match = /^\d+: (?:FLOCK|POSIX|OFDLCK)\s+\S+\s+WRITE (\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line);
    if (match && Number(match[2]) === inode && Number(match[1]) !== process.pid) return Number(match[1]);
  }
  return null;
}
