/**
 * The targets of one pool.
 */
import type { ReactNode } from 'react';
import type { Target } from '../api/targets.ts';
import { LabelList } from '../app/label-list.tsx';
import { OnDemand } from '../app/on-demand.tsx';
import { useSettings } from '../app/settings.tsx';
import { formatCount, formatValue } from '../model/unit.ts';
import { formatAgo, formatDateTime } from '../model/zone.ts';
import type { TargetGroup } from './target-filter.ts';

interface TargetTableProps {
  readonly group: TargetGroup;
  /** Those of the group that are shown. */
  readonly targets: readonly Target[];
  readonly nowMs: number;
}

export function TargetTable({ group: { pool, upCount, totalCount }, targets, nowMs }: TargetTableProps): ReactNode {
  return (
    <section className="pool" aria-label={`Pool ${pool}`}>
      <h2 className="pool-title">
        {pool}{' '}
        <span className={upCount === totalCount ? 'pool-count' : 'pool-count pool-count-bad'}>
          {formatCount(upCount)} of {formatCount(totalCount)} up
        </span>
      </h2>
      <table className="targets-table">
        <thead>
          <tr>
            <th scope="col">Health</th>
            <th scope="col">Target</th>
            <th scope="col">Last scrape</th>
            <th scope="col">Took</th>
            <th scope="col">Every</th>
          </tr>
        </thead>
        <tbody>
          {targets.map((target, i) => (
            <TargetRow key={`${target.scrapeUrl} ${i}`} target={target} nowMs={nowMs} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

const HEALTH_WORDS = { up: 'Up', down: 'Down', unknown: 'Unknown' } as const;

function TargetRow({ target, nowMs }: { readonly target: Target; readonly nowMs: number }): ReactNode {
  const { zone } = useSettings();
  const { health, scrapeUrl, globalUrl, labels, discoveredLabels, lastError, lastScrapeMs, lastScrapeDurationMs } =
    target;
  return (
    <tr data-testid="targets-row" data-health={health}>
      <td>
        <span className={`health health-${health}`}>{HEALTH_WORDS[health]}</span>
      </td>
      <td className="target-cell">
        <ScrapeLink url={globalUrl} text={scrapeUrl} />
        {lastError !== '' && <p className="target-error">{lastError}</p>}
        <LabelList labels={labels} />
        <OnDemand summary="Discovered labels">
          <LabelList labels={discoveredLabels} />
        </OnDemand>
      </td>
      <td className="target-number" data-label="Last scrape">
        {lastScrapeMs === null ? (
          'not yet'
        ) : (
          <span title={formatDateTime(lastScrapeMs, zone)}>{formatAgo(lastScrapeMs, nowMs)}</span>
        )}
      </td>
      <td className="target-number" data-label="Took">
        {lastScrapeMs === null ? '–' : formatValue(lastScrapeDurationMs / 1000, 'seconds')}
      </td>
      <td className="target-number" data-label="Every">
        <span title={`Timeout ${target.scrapeTimeout}`}>{target.scrapeInterval}</span>
      </td>
    </tr>
  );
}

/** Only web addresses become links. */
function ScrapeLink({ url, text }: { readonly url: string; readonly text: string }): ReactNode {
  if (!/^https?:\/\//.test(url)) return <span className="target-url">{text}</span>;
  return (
    <a className="target-url" href={url} target="_blank" rel="noreferrer">
      {text}
    </a>
  );
}
