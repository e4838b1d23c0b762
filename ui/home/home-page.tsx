/**
 * The first page: this machine and this server, live, before anything is typed.
 */
import { NativeSelect, SegmentedControl } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { PageLink } from '../app/link.tsx';
import { readStored, useSettings, writeStored } from '../app/settings.tsx';
import { usePageTitle } from '../app/page-title.ts';
import { formatClock, formatDateTime, type Zone } from '../model/zone.ts';
import { FilesystemCard } from './filesystem-card.tsx';
import type { LiveWindow } from './live-window.ts';
import { MACHINE_JOB, MAX_SOURCES, SERVER_JOB, useLiveWindow, useScrapeInterval, useSources } from './live.ts';
import { PanelCard } from './panel-card.tsx';
import { MACHINE_PANELS, SERVER_PANELS, preferredSource, sourceSelector, type Panel, type Source } from './panels.ts';

const RANGES = [
  { label: '5m', ms: 300_000 },
  { label: '15m', ms: 900_000 },
  { label: '1h', ms: 3_600_000 },
  { label: '6h', ms: 21_600_000 },
  { label: '24h', ms: 86_400_000 },
] as const;
const DEFAULT_RANGE = RANGES[1];
const RANGE_KEY = 'coeus.home.range';

export function HomePage(): ReactNode {
  usePageTitle('Home');
  const { zone } = useSettings();
  const [range, setRange] = useState(
    () => RANGES.find(({ label }) => label === readStored(RANGE_KEY)) ?? DEFAULT_RANGE,
  );
  const sources = useSources();
  const [machine, setMachine] = useChoice(sources.machines, MACHINE_JOB);
  const [server, setServer] = useChoice(sources.servers, SERVER_JOB);
  const machineIntervalMs = useScrapeInterval(machine);
  const serverIntervalMs = useScrapeInterval(server);
  const window = useLiveWindow(range.ms, Math.min(machineIntervalMs, serverIntervalMs), server ?? machine);
  const chooseRange = (label: string): void => {
    setRange(RANGES.find((each) => each.label === label) ?? DEFAULT_RANGE);
    writeStored(RANGE_KEY, label);
  };
  return (
    <>
      <div className="page-head">
        <div>
          <h1 className="page-title">Home</h1>
          <p className="page-about">{aboutText(window, zone)}</p>
        </div>
        <SegmentedControl
          aria-label="Time range"
          size="xs"
          data={RANGES.map(({ label }) => label)}
          value={range.label}
          onChange={chooseRange}
        />
      </div>
      <Section
        title="This machine"
        panels={MACHINE_PANELS}
        source={machine}
        sources={sources.machines}
        onChoose={setMachine}
        intervalMs={machineIntervalMs}
        rangeMs={range.ms}
        window={window}
        missing={
          sources.isLoaded && (
            <>
              No target here tells about a machine yet. Coeus’ built-in host collector and node_exporter do; see{' '}
              <PageLink to="/targets">Targets</PageLink> for what is scraped.
            </>
          )
        }
        extra={<FilesystemCard source={machine} window={window} rangeMs={range.ms} />}
      />
      <Section
        title="Coeus itself"
        panels={SERVER_PANELS}
        source={server}
        sources={sources.servers}
        onChoose={setServer}
        intervalMs={serverIntervalMs}
        rangeMs={range.ms}
        window={window}
        missing={
          sources.isLoaded && (
            <>
              The server does not scrape itself yet; see <PageLink to="/targets">Targets</PageLink> for what is scraped.
            </>
          )
        }
        extra={null}
      />
    </>
  );
}

function aboutText({ age, nowMs, fromMs, isWhole }: LiveWindow, zone: Zone): string {
  switch (age) {
    case 'unknown':
      return '\u00a0';
    case 'none':
      return 'Just started. The first data is arriving …';
    case 'young':
      return 'The first data is here. Charts fill while it arrives.';
    default:
      return isWhole
        ? `Live, as of ${formatClock(nowMs, zone)}. Charts share one cursor; each opens in Query.`
        : `Live, as of ${formatClock(nowMs, zone)}. There is data since ${formatDateTime(fromMs, zone)}.`;
  }
}

interface SectionProps {
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly source: Source | undefined;
  readonly sources: readonly Source[];
  readonly onChoose: (source: Source) => void;
  readonly intervalMs: number;
  readonly rangeMs: number;
  readonly window: LiveWindow;
  /** Shown while there is no source. */
  readonly missing: ReactNode;
  readonly extra: ReactNode;
}

function Section(props: SectionProps): ReactNode {
  const { title, panels, source, sources, onChoose, intervalMs, rangeMs, window, missing, extra } = props;
  return (
    <section aria-label={title}>
      <div className="section-head">
        <h2 className="section-title">{title}</h2>
        {source && sources.length > 1 && (
          <NativeSelect
            aria-label={`Target shown as “${title}”`}
            size="xs"
            value={sourceSelector(source)}
            onChange={(event) => {
              const chosen = sources.find((each) => sourceSelector(each) === event.currentTarget.value);
              if (chosen) onChoose(chosen);
            }}
            data={sources.map((each) => ({ value: sourceSelector(each), label: `${each.job} · ${each.instance}` }))}
          />
        )}
        {sources.length >= MAX_SOURCES && <span className="page-about">the first {MAX_SOURCES}</span>}
      </div>
      {source || window.age !== 'grown' ? (
        <div className="cards">
          {panels.map((panel) => (
            <PanelCard
              key={panel.id}
              panel={panel}
              source={source}
              intervalMs={intervalMs}
              rangeMs={rangeMs}
              window={window}
            />
          ))}
          {extra}
        </div>
      ) : (
        <div className="cards-missing">{missing}</div>
      )}
    </section>
  );
}

/** The preferred source until the reader chooses another. */
function useChoice(sources: readonly Source[], job: string): [Source | undefined, (source: Source) => void] {
  const [chosen, setChosen] = useState<Source | undefined>();
  const isThere = chosen !== undefined && sources.some((source) => sourceSelector(source) === sourceSelector(chosen));
  return [isThere ? chosen : preferredSource(sources, job), setChosen];
}
