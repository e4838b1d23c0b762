/**
 * How full the machine's filesystems are.
 */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { labelValue } from '../../src/core/model/labels.ts';
import { queryInstant } from '../api/query.ts';
import type { QueryResult } from '../api/query-result.ts';
import { ArrowIcon } from '../app/icons.tsx';
import { PageLink } from '../app/link.tsx';
import { formatValue } from '../model/unit.ts';
import { queryPageSearch } from '../query/url-state.ts';
import type { LiveWindow } from './live-window.ts';
import { VIRTUAL_FILESYSTEMS, sourceSelector, type Source } from './panels.ts';

interface Filesystem {
  readonly mountpoint: string;
  readonly usedBytes: number;
  readonly sizeBytes: number;
}

const MAX_SHOWN = 5;
/** From these shares on a filesystem is marked. */
const HIGH_SHARE = 0.8;
const FULL_SHARE = 0.92;
/** Fullness changes slowly. */
const REFRESH_MS = 15_000;

export function FilesystemCard({
  source,
  window,
  rangeMs,
}: {
  readonly source: Source | undefined;
  readonly window: LiveWindow;
  readonly rangeMs: number;
}): ReactNode {
  const selector = `${source === undefined ? '' : sourceSelector(source)}, fstype!~"${VIRTUAL_FILESYSTEMS}"`;
  const atMs = Math.floor(window.nowMs / REFRESH_MS) * REFRESH_MS;
  const { data, error } = useQuery({
    queryKey: ['filesystems', source, window.age === 'grown' ? atMs : window.nowMs],
    queryFn: async ({ signal }) => {
      const [sizes, free] = await Promise.all([
        queryInstant(`node_filesystem_size_bytes{${selector}}`, window.nowMs, signal),
        queryInstant(`node_filesystem_avail_bytes{${selector}}`, window.nowMs, signal),
      ]);
      return filesystems(sizes.data, free.data);
    },
    enabled: source !== undefined,
    placeholderData: keepPreviousData,
  });
  const found = data ?? [];
  const expr = `100 * (1 - node_filesystem_avail_bytes{${selector}} / node_filesystem_size_bytes{${selector}})`;
  return (
    <article className="card" aria-labelledby="home-filesystems">
      <header className="card-head">
        <h3 id="home-filesystems" className="card-title">
          Filesystems
        </h3>
        {source && (
          <PageLink
            className="card-link"
            to={`/query${queryPageSearch([expr], rangeMs, false)}`}
            aria-label="Open Filesystems in Query"
            title="Open in Query"
          >
            <ArrowIcon />
          </PageLink>
        )}
      </header>
      {found.length === 0 && <div className="card-empty">{error?.message ?? emptyText(window, data)}</div>}
      <ul className="meters">
        {found.slice(0, MAX_SHOWN).map((filesystem) => (
          <Meter key={filesystem.mountpoint} {...filesystem} />
        ))}
      </ul>
      {found.length > MAX_SHOWN && <p className="meters-more">and {found.length - MAX_SHOWN} less full ones</p>}
    </article>
  );
}

function emptyText({ age }: LiveWindow, found: readonly Filesystem[] | undefined): string {
  if (age === 'none' || age === 'young') return 'Data is arriving …';
  return found === undefined ? '' : 'No filesystem is reported.';
}

function Meter({ mountpoint, usedBytes, sizeBytes }: Filesystem): ReactNode {
  const share = sizeBytes === 0 ? 0 : usedBytes / sizeBytes;
  const level = share >= FULL_SHARE ? 'full' : share >= HIGH_SHARE ? 'high' : 'fine';
  return (
    <li className="meter">
      <span className="meter-name">{mountpoint}</span>
      <span className="meter-share">{formatValue(Math.round(share * 100), 'percent')}</span>
      <span className="meter-track">
        <span className={`meter-fill meter-${level}`} style={{ width: `${Math.max(0.5, share * 100)}%` }} />
      </span>
      <span className="meter-detail">
        {formatValue(usedBytes, 'bytes')} of {formatValue(sizeBytes, 'bytes')} used
      </span>
    </li>
  );
}

/** Fullest first. A device that is mounted at several places is shown at the first. */
export function filesystems(sizes: QueryResult, free: QueryResult): Filesystem[] {
  if (sizes.kind !== 'vector' || free.kind !== 'vector') return [];
  const freeByPlace = new Map(free.samples.map(({ labels, value }) => [labelValue(labels, 'mountpoint'), value]));
  const byDevice = new Map<string, Filesystem>();
  for (const { labels, value } of sizes.samples) {
    const mountpoint = labelValue(labels, 'mountpoint');
    const freeBytes = freeByPlace.get(mountpoint);
    const device = labelValue(labels, 'device');
    if (value === null || value <= 0 || freeBytes === null || freeBytes === undefined) continue;
    const known = byDevice.get(device);
    if (known !== undefined && known.mountpoint.length <= mountpoint.length) continue;
    byDevice.set(device, { mountpoint, usedBytes: value - freeBytes, sizeBytes: value });
  }
  return [...byDevice.values()].sort((a, b) => b.usedBytes / b.sizeBytes - a.usedBytes / a.sizeBytes);
}
