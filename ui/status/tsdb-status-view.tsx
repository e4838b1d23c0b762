/**
 * The storage: how much the head holds, and what takes the room.
 */
import type { ReactNode } from 'react';
import { fetchBlocks, fetchTsdbStatus, type NamedCount } from '../api/server-status.ts';
import { useSettings } from '../app/settings.tsx';
import { formatCount, formatValue } from '../model/unit.ts';
import { formatDateTime, type Zone } from '../model/zone.ts';
import { StatusFault, useStatus } from './status-answer.tsx';

const REFRESH_MS = 15_000;

export function TsdbStatusView(): ReactNode {
  const { zone } = useSettings();
  const { data, error } = useStatus('tsdb', fetchTsdbStatus, REFRESH_MS);
  if (data === undefined) return <StatusFault error={error} />;
  const { seriesCount, labelPairCount, chunkCount, minTimeMs, maxTimeMs } = data;
  const timeText = (timeMs: number | null): string => (timeMs === null ? 'empty' : formatDateTime(timeMs, zone));
  return (
    <>
      <StatusFault error={error} />
      <dl className="tiles" aria-label="Head">
        <Tile name="Series" text={formatCount(seriesCount)} />
        <Tile name="Chunks" text={formatCount(chunkCount)} />
        <Tile name="Label pairs" text={formatCount(labelPairCount)} />
        <Tile name="First time in the head" text={timeText(minTimeMs)} />
        <Tile name="Last time in the head" text={timeText(maxTimeMs)} />
      </dl>
      <div className="status-columns">
        <TopTable
          title="Metrics with most series"
          what="Metric"
          count="Series"
          entries={data.seriesCountByMetricName}
        />
        <TopTable
          title="Label pairs with most series"
          what="Label pair"
          count="Series"
          entries={data.seriesCountByLabelValuePair}
        />
        <TopTable
          title="Labels with most values"
          what="Label"
          count="Values"
          entries={data.labelValueCountByLabelName}
        />
        <TopTable
          title="Labels that take most memory"
          what="Label"
          count="Memory"
          entries={data.memoryInBytesByLabelName}
          isBytes
        />
      </div>
      <BlockTable zone={zone} />
    </>
  );
}

/** Newest first; nothing where the storage has no blocks. */
function BlockTable({ zone }: { readonly zone: Zone }): ReactNode {
  const { data = [] } = useStatus('blocks', fetchBlocks, REFRESH_MS);
  if (data.length === 0) return null;
  const count = (value: number | null): string => (value === null ? '–' : formatCount(value));
  return (
    <section className="status-card status-blocks" aria-label="Blocks">
      <h2 className="status-title">Blocks</h2>
      <table className="facts">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">From</th>
            <th scope="col">To</th>
            <th scope="col">Level</th>
            <th scope="col">Series</th>
            <th scope="col">Samples</th>
          </tr>
        </thead>
        <tbody>
          {data.toReversed().map(({ ulid, minTimeMs, maxTimeMs, level, seriesCount, sampleCount }) => (
            <tr key={ulid}>
              <td className="code-cell">{ulid}</td>
              <td>{formatDateTime(minTimeMs, zone)}</td>
              <td>{formatDateTime(maxTimeMs, zone)}</td>
              <td>{level}</td>
              <td>{count(seriesCount)}</td>
              <td>{count(sampleCount)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Tile({ name, text }: { readonly name: string; readonly text: string }): ReactNode {
  return (
    <div className="tile">
      <dt>{name}</dt>
      <dd>{text}</dd>
    </div>
  );
}

interface TopTableProps {
  readonly title: string;
  readonly what: string;
  readonly count: string;
  readonly entries: readonly NamedCount[];
  readonly isBytes?: boolean;
}

function TopTable({ title, what, count, entries, isBytes = false }: TopTableProps): ReactNode {
  const most = entries.reduce((largest, { value }) => Math.max(largest, value), 1);
  return (
    <section className="status-card" aria-label={title}>
      <h2 className="status-title">{title}</h2>
      <table className="facts facts-top">
        <thead>
          <tr>
            <th scope="col">{what}</th>
            <th scope="col">{count}</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(({ name, value }) => (
            <tr key={name}>
              <td>
                <span className="top-name">{name}</span>
                <span className="top-bar" style={{ width: `${(value / most) * 100}%` }} />
              </td>
              <td className="top-count">{isBytes ? formatValue(value, 'bytes') : formatCount(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
