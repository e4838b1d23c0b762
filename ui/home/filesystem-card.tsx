/**
 * How full the machine's filesystems are.
 */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { queryInstant } from '../api/query.ts';
import { ArrowIcon } from '../app/icons.tsx';
import { PageLink } from '../app/link.tsx';
import { formatValue } from '../model/unit.ts';
import { queryPageSearch } from '../query/url-state.ts';
import {
  filesystems,
  filesystemsExpr,
  usedPercent,
  usedPercentExpr,
  usedShare,
  type Filesystem,
} from './filesystems.ts';
import type { LiveWindow } from './live-window.ts';
import { VIRTUAL_FILESYSTEMS, sourceSelector, type Source } from './panels.ts';

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
      const { data: answer } = await queryInstant(filesystemsExpr(selector), window.nowMs, signal);
      return filesystems(answer);
    },
    enabled: source !== undefined,
    placeholderData: keepPreviousData,
  });
  const found = data ?? [];
  return (
    <article className="card" aria-labelledby="home-filesystems">
      <header className="card-head">
        <h3 id="home-filesystems" className="card-title">
          Filesystems
        </h3>
        {source && (
          <PageLink
            className="card-link"
            to={`/query${queryPageSearch([usedPercentExpr(selector)], rangeMs, false)}`}
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
          <Meter key={filesystem.mountpoint} filesystem={filesystem} />
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

function Meter({ filesystem }: { readonly filesystem: Filesystem }): ReactNode {
  const { mountpoint, usedBytes, availableBytes } = filesystem;
  const share = usedShare(filesystem);
  const level = share >= FULL_SHARE ? 'full' : share >= HIGH_SHARE ? 'high' : 'fine';
  return (
    <li className="meter">
      <span className="meter-name">{mountpoint}</span>
      <span className="meter-share">{formatValue(usedPercent(filesystem), 'percent')}</span>
      <span className="meter-track">
        <span className={`meter-fill meter-${level}`} style={{ width: `${Math.max(0.5, share * 100)}%` }} />
      </span>
      <span className="meter-detail">
        {formatValue(usedBytes, 'bytes')} used, {formatValue(availableBytes, 'bytes')} available
      </span>
    </li>
  );
}
