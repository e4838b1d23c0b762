/**
 * Targets from files: read at once, when a watched folder tells of a change, and at each refresh interval all the same.
 *
 * A group's source is `path:index`, so a file that grows shorter, or goes away, gives empty groups for those it had. A file
 * that can't be read or means nothing keeps its old groups.
 * Source: Prometheus, discovery/file.
 */
import { watch, type FSWatcher } from 'node:fs';
import { glob, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../../core/base/clock.ts';
import { errorMessage } from '../../core/base/errors.ts';
import type { Logger } from '../../core/base/log.ts';
import type { FileSdConfig } from './sd-config.ts';
import type { SdMetrics } from './sd-metrics.ts';
import type { Discoverer, TargetGroup } from './target-group.ts';
import { MAX_TARGET_LIST_BYTES, parseTargetList, toTargetGroup } from './target-list.ts';
import type { Timers } from './timers.ts';

/** A write comes as several events; they make one reading. */
const SETTLE_MS = 100;
const FILE_PATH_LABEL = '__meta_filepath';

export interface FileDiscovererParts {
  readonly metrics: SdMetrics;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Calls back on any change in a folder; throws where it can't be watched. */
  readonly watchFolder: (folder: string, onChange: () => void) => { close(): void };
}

/** Watches by the platform; a watch that fails later is reported as one more change. */
export function watchFolder(folder: string, onChange: () => void): FSWatcher {
  return watch(folder, { persistent: false }, onChange).on('error', onChange);
}

export class FileDiscoverer implements Discoverer {
  readonly #config: FileSdConfig;
  readonly #parts: FileDiscovererParts;
  /** Group counts by file, of the last good reading. */
  #groupCounts = new Map<string, number>();

  constructor(config: FileSdConfig, parts: FileDiscovererParts) {
    this.#config = config;
    this.#parts = parts;
  }

  async run(emit: (groups: readonly TargetGroup[]) => void, signal: AbortSignal): Promise<void> {
    const { timers } = this.#parts;
    let changed = Promise.withResolvers<void>();
    const watchers = this.#watchFolders(() => changed.resolve());
    try {
      while (!signal.aborted) {
        await this.#refresh(emit);
        const round = new AbortController();
        const ends = AbortSignal.any([signal, round.signal]);
        await Promise.race([timers.sleep(this.#config.refreshIntervalMs, ends), changed.promise]);
        round.abort();
        if (signal.aborted) return;
        await timers.sleep(SETTLE_MS, signal);
        changed = Promise.withResolvers<void>();
      }
    } finally {
      for (const watcher of watchers) watcher.close();
    }
  }

  #watchFolders(onChange: () => void): readonly { close(): void }[] {
    const { metrics, logger, watchFolder: watchOne } = this.#parts;
    const watchers: { close(): void }[] = [];
    for (const folder of new Set(this.#config.files.map((file) => dirname(file)))) {
      try {
        watchers.push(watchOne(folder, onChange));
      } catch (error) {
        // The refresh interval still finds changes.
        metrics.fileWatcherErrors.add(1);
        logger.warn('a folder of target files is not watched', { folder, err: errorMessage(error) });
      }
    }
    return watchers;
  }

  async #refresh(emit: (groups: readonly TargetGroup[]) => void): Promise<void> {
    const { metrics, clock, logger } = this.#parts;
    const startMs = clock.monotonicMs();
    const counts = new Map<string, number>();
    const changed: TargetGroup[] = [];
    metrics.fileTimestamp.reset();
    for (const path of await this.#listFiles()) {
      const oldCount = this.#groupCounts.get(path) ?? 0;
      try {
        const groups = await readTargetFile(path, metrics);
        changed.push(...groups, ...emptyGroups(path, groups.length, oldCount));
        counts.set(path, groups.length);
      } catch (error) {
        metrics.fileReadErrors.add(1);
        logger.error('a target file can not be read; its last targets stay', { path, err: errorMessage(error) });
        counts.set(path, oldCount);
      }
    }
    for (const [path, oldCount] of this.#groupCounts) {
      if (!counts.has(path)) changed.push(...emptyGroups(path, 0, oldCount));
    }
    this.#groupCounts = counts;
    metrics.fileScanDuration.record((clock.monotonicMs() - startMs) / 1000);
    if (changed.length > 0) emit(changed);
  }

  async #listFiles(): Promise<ReadonlySet<string>> {
    const paths = new Set<string>();
    for (const pattern of this.#config.files)
      for (const path of (await Array.fromAsync(glob(pattern))).sort()) paths.add(path);
    return paths;
  }
}

/** A file's groups, each with the path as label. @throws ConfigError, or the file system's error */
export async function readTargetFile(path: string, metrics?: SdMetrics): Promise<readonly TargetGroup[]> {
  const { size, mtimeMs } = await stat(path);
  if (size > MAX_TARGET_LIST_BYTES) throw new Error(`file is larger than ${MAX_TARGET_LIST_BYTES} bytes`);
  metrics?.fileTimestamp.set(mtimeMs / 1000, { filename: path });
  const groups = parseTargetList(await readFile(path, 'utf8'), path.toLowerCase().endsWith('.json') ? 'json' : 'yaml');
  return groups.map((group, i) => toTargetGroup(group, sourceOf(path, i), [FILE_PATH_LABEL, path]));
}

function emptyGroups(path: string, from: number, to: number): TargetGroup[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => ({
    source: sourceOf(path, from + i),
    labels: [],
    targets: [],
  }));
}

const sourceOf = (path: string, index: number): string => `${path}:${index}`;
