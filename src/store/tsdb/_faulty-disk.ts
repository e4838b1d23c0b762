/**
 * A disk that fails on purpose, for tests: it counts the calls that change a folder, and at one of them the process is killed or the disk is
 * full.
 *
 * It stands in the place of `node:fs` for all modules. A kill throws in the middle of the call, and so does every later call: what is in the
 * folder then is what a killed process leaves. What had not been synced when a folder got its final name is reported, since a loss of power
 * would have lost it.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

export class Killed extends Error {
  override readonly name = 'Killed';
}

export interface DiskPlan {
  /** The call at which the process ends; from 1. */
  readonly killAt?: number;
  /** Calls, from 1, between which the disk takes nothing more. */
  readonly fullFrom?: number;
  readonly fullTo?: number;
  /** No file can be opened for reading, as if the process had too many open. */
  readonly noDescriptors?: boolean;
}

export interface DiskReport {
  /** Calls that change something. */
  readonly calls: number;
  readonly wasKilled: boolean;
  /** Files that were not on the disk when the folder around them got its final name. */
  readonly unsynced: readonly string[];
}

/** Runs `body`; what it does outside of `folder` is not touched. */
export async function withFaultyDisk(folder: string, plan: DiskPlan, body: () => Promise<void>): Promise<DiskReport> {
  const disk = new FaultyDisk(folder, plan);
  const { openSync, closeSync, writeSync, fsyncSync, renameSync, linkSync, mkdirSync, rmSync, existsSync, readdirSync, statSync } = fs;
  const original = { openSync, closeSync, writeSync, fsyncSync, renameSync, linkSync, mkdirSync, rmSync };
  Object.assign(fs, disk.wrap({ ...original, existsSync, readdirSync, statSync }));
  syncBuiltinESMExports();
  try {
    await body();
  } finally {
    Object.assign(fs, original);
    syncBuiltinESMExports();
    // What the dead process had open.
    for (const descriptor of disk.descriptors.keys()) {
      try {
        original.closeSync(descriptor);
      } catch {
        // It was closed before.
      }
    }
  }
  return { calls: disk.calls, wasKilled: disk.wasKilled, unsynced: disk.unsynced };
}

type Fs = Pick<typeof fs, 'openSync' | 'closeSync' | 'writeSync' | 'fsyncSync' | 'renameSync' | 'linkSync' | 'mkdirSync' | 'rmSync' | 'existsSync' | 'readdirSync' | 'statSync'>;
/** How the store writes. */
type WriteBytes = (descriptor: number, bytes: Uint8Array, offset: number, length?: number) => number;

class FaultyDisk {
  readonly #folder: string;
  readonly #plan: DiskPlan;
  readonly descriptors = new Map<number, string>();
  /** Files that were written to since their last sync. */
  readonly #dirty = new Set<string>();
  readonly unsynced: string[] = [];
  calls = 0;
  wasKilled = false;

  constructor(folder: string, plan: DiskPlan) {
    this.#folder = folder;
    this.#plan = plan;
  }

  wrap(real: Fs): Omit<Fs, 'writeSync' | 'existsSync' | 'readdirSync' | 'statSync'> & { writeSync: WriteBytes } {
    const openSync: Fs['openSync'] = (path, flags, mode) => {
      if (this.#plan.noDescriptors === true && this.#isInside(path) && flags === 'r' && real.statSync(path).isFile()) throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
      const isWrite = this.#isInside(path) && flags !== undefined && flags !== 'r';
      if (isWrite) this.#change({ needsRoom: true });
      const descriptor = real.openSync(path, flags ?? 'r', mode);
      if (isWrite) this.descriptors.set(descriptor, String(path));
      return descriptor;
    };
    const closeSync: Fs['closeSync'] = (descriptor) => {
      this.descriptors.delete(descriptor);
      real.closeSync(descriptor);
    };
    const realWrite: WriteBytes = real.writeSync;
    const writeSync: WriteBytes = (descriptor, bytes, offset, length = bytes.length - offset) => {
      const path = this.descriptors.get(descriptor);
      if (path === undefined) return realWrite(descriptor, bytes, offset, length);
      // The last call of a killed process, or on a disk that is full, may have written a part.
      this.#change({ needsRoom: true, before: () => realWrite(descriptor, bytes, offset, length >>> 1) });
      this.#dirty.add(path);
      return realWrite(descriptor, bytes, offset, length);
    };
    const fsyncSync: Fs['fsyncSync'] = (descriptor) => {
      const path = this.descriptors.get(descriptor);
      if (path !== undefined) this.#change({});
      real.fsyncSync(descriptor);
      if (path !== undefined) this.#dirty.delete(path);
    };
    const renameSync: Fs['renameSync'] = (from, to) => {
      if (this.#isInside(from)) {
        this.#change({});
        for (const path of this.#dirty) if (path === from || path.startsWith(`${String(from)}/`)) this.unsynced.push(`${path} in ${String(to)}`);
      }
      real.renameSync(from, to);
    };
    const linkSync: Fs['linkSync'] = (from, to) => {
      if (this.#isInside(to)) this.#change({ needsRoom: true });
      real.linkSync(from, to);
    };
    const mkdirSync = ((path: string, options: fs.MakeDirectoryOptions): string | undefined => {
      if (this.#isInside(path) && !real.existsSync(path)) this.#change({ needsRoom: true });
      return real.mkdirSync(path, options);
    }) as Fs['mkdirSync'];
    const rmSync: Fs['rmSync'] = (path, options) => {
      if (this.#isInside(path) && real.existsSync(path)) this.#change({ before: () => removeSome(real, String(path)) });
      real.rmSync(path, options);
    };
    return { openSync, closeSync, writeSync, fsyncSync, renameSync, linkSync, mkdirSync, rmSync };
  }

  #isInside(path: fs.PathLike): boolean {
    return String(path).startsWith(this.#folder);
  }

  /** @param before what of the call happens although it fails */
  #change({ needsRoom = false, before }: { needsRoom?: boolean; before?: () => void }): void {
    const { killAt, fullFrom = Number.POSITIVE_INFINITY, fullTo = Number.POSITIVE_INFINITY } = this.#plan;
    if (this.wasKilled) throw new Killed('the process is dead');
    this.calls++;
    if (this.calls === killAt) {
      this.wasKilled = true;
      before?.();
      throw new Killed('the process was killed');
    }
    if (needsRoom && fullFrom <= this.calls && this.calls < fullTo) {
      before?.();
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    }
  }
}

/** Half of what is in a folder. */
function removeSome(real: Fs, folder: string): void {
  const names = real.readdirSync(folder);
  for (const name of names.slice(0, names.length >>> 1)) real.rmSync(join(folder, name), { recursive: true });
}
