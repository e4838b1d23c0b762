/**
 * The Targets page: what is scraped, how it went, and why not.
 */
import { Alert, NativeSelect, SegmentedControl, TextInput } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { serverNowMs } from '../api/server-clock.ts';
import { fetchPools, fetchTargets } from '../api/targets.ts';
import { useGrowingList } from '../app/growing-list.ts';
import { SearchIcon } from '../app/icons.tsx';
import { usePageTitle } from '../app/page-title.ts';
import { PartNav } from '../app/part-nav.tsx';
import { navigate, useLocation } from '../app/router.ts';
import { formatCount } from '../model/unit.ts';
import { countByHealth, decodeFilter, encodeFilter, groupTargets, type TargetFilter } from './target-filter.ts';
import { TARGET_PARTS } from './target-parts.ts';
import { TargetTable } from './target-table.tsx';
import './targets.css';

const REFRESH_MS = 5000;
/** From here on the list is large enough to ask for it less often. */
const MANY_TARGETS = 2000;
const CALM_REFRESH_MS = 20_000;
const POOLS_STALE_MS = 60_000;

const HEALTH_LABELS = { all: 'All', up: 'Up', down: 'Down', unknown: 'Unknown' } as const;
const HEALTHS = ['all', 'up', 'down', 'unknown'] as const;

export function TargetsPage(): ReactNode {
  usePageTitle('Targets');
  const { search } = useLocation();
  const filter = decodeFilter(search);
  const setFilter = (changes: Partial<TargetFilter>): void =>
    navigate(`/targets${encodeFilter({ ...filter, ...changes })}`, { replace: true });
  const pools = useQuery({
    queryKey: ['pools'],
    queryFn: ({ signal }) => fetchPools(signal),
    staleTime: POOLS_STALE_MS,
  });
  const { data, error } = useQuery({
    queryKey: ['targets', filter.pool],
    queryFn: ({ signal }) => fetchTargets(filter.pool, signal),
    refetchInterval: ({ state }) => ((state.data?.length ?? 0) > MANY_TARGETS ? CALM_REFRESH_MS : REFRESH_MS),
    placeholderData: keepPreviousData,
  });
  const targets = data ?? [];
  const counts = countByHealth(targets);
  const groups = groupTargets(targets, filter);
  const matchCount = groups.reduce((sum, group) => sum + group.targets.length, 0);
  const { shownCount, end } = useGrowingList<HTMLDivElement>(matchCount, encodeFilter(filter));
  let room = shownCount;
  const nowMs = serverNowMs();
  return (
    <>
      <h1 className="page-title">Targets</h1>
      <PartNav name="Pages about targets" parts={TARGET_PARTS} path="/targets" />
      <p className="page-about" role="status">
        {data === undefined
          ? ' '
          : counts.down === 0
            ? `${formatCount(counts.up)} of ${formatCount(counts.all)} are up.`
            : `${formatCount(counts.up)} of ${formatCount(counts.all)} are up, ${formatCount(counts.down)} down.`}
      </p>
      <div className="targets-filter" role="search">
        <SegmentedControl
          aria-label="Health"
          size="xs"
          value={filter.health}
          onChange={(health) => setFilter({ health: HEALTHS.find((each) => each === health) ?? 'all' })}
          data={HEALTHS.map((health) => ({
            value: health,
            label: `${HEALTH_LABELS[health]} ${formatCount(counts[health])}`,
          }))}
        />
        <NativeSelect
          aria-label="Pool"
          size="xs"
          value={filter.pool}
          onChange={(event) => setFilter({ pool: event.currentTarget.value })}
          data={[
            { value: '', label: 'All pools' },
            ...(pools.data ?? []).map((pool) => ({ value: pool, label: pool })),
          ]}
        />
        <TextInput
          aria-label="Search in addresses, labels and errors"
          placeholder="Search addresses, labels, errors"
          size="xs"
          className="targets-search"
          leftSection={<SearchIcon />}
          value={filter.search}
          onChange={(event) => setFilter({ search: event.currentTarget.value })}
        />
      </div>
      {error !== null && (
        <Alert color="red" variant="light" role="alert" title="The targets can’t be listed">
          {error.message}
        </Alert>
      )}
      {data !== undefined && matchCount === 0 && (
        <p className="targets-none">
          {targets.length === 0 ? 'Nothing is scraped: the configuration names no targets.' : 'No target matches.'}
        </p>
      )}
      {groups.map((group) => {
        const shown = group.targets.slice(0, Math.max(0, room));
        room -= shown.length;
        if (shown.length === 0) return null;
        return <TargetTable key={group.pool} group={group} targets={shown} nowMs={nowMs} />;
      })}
      <div ref={end} />
    </>
  );
}
