/**
 * The Service discovery page: what was found for each pool, what relabelling made of it, and what it dropped.
 */
import { Alert, NativeSelect, SegmentedControl, TextInput } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { fetchDiscovery, type DiscoveredTarget } from '../api/discovery.ts';
import { fetchPools } from '../api/targets.ts';
import { useGrowingList } from '../app/growing-list.ts';
import { SearchIcon } from '../app/icons.tsx';
import { LabelList } from '../app/label-list.tsx';
import { OnDemand } from '../app/on-demand.tsx';
import { usePageTitle } from '../app/page-title.ts';
import { PartNav } from '../app/part-nav.tsx';
import { navigate, useLocation } from '../app/router.ts';
import { formatCount } from '../model/unit.ts';
import { TARGET_PARTS } from '../targets/target-parts.ts';
import {
  decodeDiscoveryFilter,
  encodeDiscoveryFilter,
  groupDiscovery,
  type DiscoveryFilter,
  type DiscoveryGroup,
} from './discovery-filter.ts';
import './discovery.css';
import { RelabelSteps } from './relabel-steps.tsx';

/** Discovery changes seldom, and its answer is large. */
const REFRESH_MS = 30_000;
const POOLS_STALE_MS = 60_000;
const STATES = [
  { value: 'all', label: 'All' },
  { value: 'active', label: 'Active' },
  { value: 'dropped', label: 'Dropped' },
] as const;

export function DiscoveryPage(): ReactNode {
  usePageTitle('Service discovery');
  const { search } = useLocation();
  const filter = decodeDiscoveryFilter(search);
  const setFilter = (changes: Partial<DiscoveryFilter>): void =>
    navigate(`/service-discovery${encodeDiscoveryFilter({ ...filter, ...changes })}`, { replace: true });
  const pools = useQuery({
    queryKey: ['pools'],
    queryFn: ({ signal }) => fetchPools(signal),
    staleTime: POOLS_STALE_MS,
  });
  const { data, error } = useQuery({
    queryKey: ['discovery', filter.pool],
    queryFn: ({ signal }) => fetchDiscovery(filter.pool, signal),
    refetchInterval: REFRESH_MS,
    placeholderData: keepPreviousData,
  });
  const groups = data === undefined ? [] : groupDiscovery(data, filter);
  const matchCount = groups.reduce((sum, { targets }) => sum + targets.length, 0);
  const { shownCount, end } = useGrowingList<HTMLDivElement>(matchCount, encodeDiscoveryFilter(filter));
  let room = shownCount;
  return (
    <>
      <h1 className="page-title">Targets</h1>
      <PartNav name="Pages about targets" parts={TARGET_PARTS} path="/service-discovery" />
      <p className="page-about" role="status">
        {data === undefined ? ' ' : aboutText(groups)}
      </p>
      <div className="discovery-filter" role="search">
        <SegmentedControl
          aria-label="State"
          size="xs"
          value={filter.state}
          onChange={(state) => setFilter({ state: STATES.find(({ value }) => value === state)?.value ?? 'all' })}
          data={STATES.map((state) => state)}
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
          aria-label="Search in labels"
          placeholder="Search labels"
          size="xs"
          className="discovery-search"
          leftSection={<SearchIcon />}
          value={filter.search}
          onChange={(event) => setFilter({ search: event.currentTarget.value })}
        />
      </div>
      {error !== null && (
        <Alert color="red" variant="light" role="alert" title="What was discovered can’t be listed">
          {error.message}
        </Alert>
      )}
      {data !== undefined && groups.length === 0 && <p className="discovery-none">Nothing was discovered.</p>}
      {groups.map((group) => {
        const shown = group.targets.slice(0, Math.max(0, room));
        room -= shown.length;
        return <PoolSection key={group.pool} group={group} targets={shown} />;
      })}
      <div ref={end} />
    </>
  );
}

function aboutText(groups: readonly DiscoveryGroup[]): string {
  const sum = (count: (group: DiscoveryGroup) => number): number =>
    groups.reduce((total, group) => total + count(group), 0);
  const active = sum(({ activeCount }) => activeCount);
  const dropped = sum(({ droppedCount }) => droppedCount);
  return `${formatCount(active)} ${active === 1 ? 'is' : 'are'} scraped, ${formatCount(dropped)} dropped by relabelling.`;
}

interface PoolSectionProps {
  readonly group: DiscoveryGroup;
  /** Those of the group that are shown. */
  readonly targets: readonly DiscoveredTarget[];
}

function PoolSection({ group, targets }: PoolSectionProps): ReactNode {
  const { pool, activeCount, droppedCount, forgottenCount } = group;
  return (
    <section className="discovery-pool" aria-label={`Pool ${pool}`}>
      <h2 className="discovery-title">
        {pool}{' '}
        <span className="discovery-count">
          {formatCount(activeCount)} of {formatCount(activeCount + droppedCount)} scraped
        </span>
      </h2>
      {targets.length > 0 && (
        <table className="discovery-table">
          <thead>
            <tr>
              <th scope="col">Discovered labels</th>
              <th scope="col">Target labels</th>
            </tr>
          </thead>
          <tbody>
            {targets.map((target, i) => (
              <DiscoveredRow key={i} {...target} />
            ))}
          </tbody>
        </table>
      )}
      {targets.length === 0 && group.targets.length === 0 && forgottenCount < activeCount + droppedCount && (
        <p className="discovery-rest">None matches.</p>
      )}
      {forgottenCount > 0 && (
        <p className="discovery-rest">
          {formatCount(forgottenCount)} more were dropped and are not kept: keep_dropped_targets bounds them.
        </p>
      )}
    </section>
  );
}

function DiscoveredRow({ pool, discovered, labels }: DiscoveredTarget): ReactNode {
  return (
    <tr data-testid="discovery-row" data-state={labels === null ? 'dropped' : 'active'}>
      <td data-label="Discovered labels">
        <LabelList labels={discovered} />
        <OnDemand summary="Relabelling, rule by rule">
          <RelabelSteps pool={pool} labels={discovered} />
        </OnDemand>
      </td>
      <td data-label="Target labels">
        {labels === null ? <p className="discovery-dropped">Dropped by relabelling</p> : <LabelList labels={labels} />}
      </td>
    </tr>
  );
}
