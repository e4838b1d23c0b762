/**
 * The running process: since when, which version, how configured.
 */
import type { ReactNode } from 'react';
import { fetchBuildInfo, fetchRuntimeInfo, type TextMap } from '../api/server-status.ts';
import { serverNowMs } from '../api/server-clock.ts';
import { useSettings } from '../app/settings.tsx';
import { formatValue } from '../model/unit.ts';
import { formatAgo, formatDateTime, type Zone } from '../model/zone.ts';
import { StatusFault, useStatus } from './status-answer.tsx';

const REFRESH_MS = 10_000;

type Show = (text: string, zone: Zone) => string;

const asIs: Show = (text) => text;
const asTime: Show = (text, zone) => {
  const timeMs = Date.parse(text);
  return timeMs > 0 ? `${formatDateTime(timeMs, zone)} (${formatAgo(timeMs, serverNowMs())})` : 'never';
};
const asBytes: Show = (text) => {
  const bytes = Number(text);
  // Go writes the largest number for "no limit".
  return bytes > 2 ** 62 ? 'none' : formatValue(bytes, 'bytes');
};
const asRuntime: Show = (text) => text.replace(/^node(?=\d)/, 'Node.js ');
const asOutcome: Show = (text) => (text === 'true' ? 'succeeded' : 'failed');

/** The API's names, which are Go's, in plain words. Names that are not here are shown as they come. */
const RUNTIME_ROWS: readonly (readonly [name: string, words: string, show: Show])[] = [
  ['startTime', 'Started', asTime],
  ['hostname', 'Host', asIs],
  ['CWD', 'Working directory', asIs],
  ['storageRetention', 'Retention', asIs],
  ['lastConfigTime', 'Configuration loaded', asTime],
  ['reloadConfigSuccess', 'Last load of the configuration', asOutcome],
  ['corruptionCount', 'Corruptions of the write-ahead log', asIs],
  ['GOMAXPROCS', 'CPUs in use', asIs],
  ['GOMEMLIMIT', 'Memory limit', asBytes],
  ['goroutineCount', 'Concurrent tasks', asIs],
];
const HIDDEN = new Set(['serverTime']);
/** Made of the revision. */
const OWN_VERSION = 'coeus';
const OWN_REVISION = /^coeus-(.+)$/;
const BUILD_ROWS: readonly (readonly [name: string, words: string, show: Show])[] = [
  [OWN_VERSION, 'Coeus', asIs],
  ['version', 'API of Prometheus', asIs],
  ['revision', 'Revision', asIs],
  ['branch', 'Branch', asIs],
  ['buildDate', 'Built', asIs],
  ['buildUser', 'Built by', asIs],
  ['goVersion', 'Runtime', asRuntime],
];

export function RuntimeStatus(): ReactNode {
  const runtime = useStatus('runtime', fetchRuntimeInfo, REFRESH_MS);
  const build = useStatus('build', fetchBuildInfo, false);
  return (
    <div className="status-columns">
      <StatusFault error={runtime.error ?? build.error} />
      <FactTable title="Runtime" facts={runtime.data} rows={RUNTIME_ROWS} />
      <FactTable title="Build" facts={build.data && withOwnVersion(build.data)} rows={BUILD_ROWS} />
    </div>
  );
}

/** `version` says which Prometheus the API is of, for clients that choose by it; the own version is in `revision`. */
function withOwnVersion(facts: TextMap): TextMap {
  const own = OWN_REVISION.exec(facts.get('revision') ?? '')?.[1];
  if (own === undefined) return facts;
  const others = [...facts].filter(([name]) => name !== 'revision' && name !== 'branch');
  return new Map([[OWN_VERSION, own], ...others]);
}

interface FactTableProps {
  readonly title: string;
  readonly facts: TextMap | undefined;
  readonly rows: typeof RUNTIME_ROWS;
}

function FactTable({ title, facts, rows }: FactTableProps): ReactNode {
  const { zone } = useSettings();
  if (facts === undefined) return null;
  const known = new Set(rows.map(([name]) => name));
  const others = [...facts.keys()]
    .filter((name) => !known.has(name) && !HIDDEN.has(name))
    .map((name) => [name, name, asIs] as const);
  const filled = [...rows, ...others].filter(([name]) => (facts.get(name) ?? '') !== '');
  return (
    <section className="status-card" aria-label={title}>
      <h2 className="status-title">{title}</h2>
      <table className="facts">
        <tbody>
          {filled.map(([name, words, show]) => (
            <tr key={name}>
              <th scope="row">{words}</th>
              <td>{show(facts.get(name)!, zone)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
