/**
 * One live chart with its current figures.
 */
import { useComputedColorScheme } from '@mantine/core';
import { useMemo, type ReactNode } from 'react';
import { ArrowIcon } from '../app/icons.tsx';
import { PageLink } from '../app/link.tsx';
import { useSettings } from '../app/settings.tsx';
import { pointCount } from '../chart/chart-data.ts';
import { TimeChart } from '../chart/time-chart.tsx';
import { splitValue } from '../model/unit.ts';
import { queryPageSearch } from '../query/url-state.ts';
import type { LiveWindow } from './live-window.ts';
import { usePanelQueries } from './live.ts';
import { instantLatest, panelView } from './panel-data.ts';
import type { Headline, Panel, Source } from './panels.ts';

interface PanelCardProps {
  readonly panel: Panel;
  /** Undefined while none is found. */
  readonly source: Source | undefined;
  readonly intervalMs: number;
  readonly rangeMs: number;
  readonly window: LiveWindow;
}

const CHART_HEIGHT = 168;
/** Charts of the page share their cursors. */
const SYNC_KEY = 'home';

export function PanelCard({ panel, source, intervalMs, rangeMs, window }: PanelCardProps): ReactNode {
  const { zone } = useSettings();
  const scheme = useComputedColorScheme('light');
  const { exprs, answers, grid, current, error, isLoaded } = usePanelQueries(panel, source, intervalMs, window);
  const view = useMemo(() => panelView(panel, answers, grid, scheme), [panel, answers, grid, scheme]);
  const { chart, leftOut } = view;
  const headlines = panel.headlines(current === null ? view.latest : instantLatest(panel, current));
  const points = pointCount(chart);
  const drawnExprs = exprs.filter((_, i) => panel.queries[i]!.isHidden !== true);
  const titleId = `home-${panel.id}`;
  return (
    <article
      className="card"
      data-testid="home-chart"
      data-panel={panel.id}
      data-points={points}
      aria-labelledby={titleId}
    >
      <header className="card-head">
        <h3 id={titleId} className="card-title">
          {panel.title}
        </h3>
        {source && (
          <PageLink
            className="card-link"
            to={`/query${queryPageSearch(drawnExprs, rangeMs, panel.isStacked)}`}
            aria-label={`Open ${panel.title} in Query`}
            title="Open in Query"
          >
            <ArrowIcon />
          </PageLink>
        )}
      </header>
      <Headlines headlines={headlines} />
      {points > 0 ? (
        <TimeChart
          title={panel.title}
          data={chart}
          unit={panel.unit}
          zone={zone}
          scheme={scheme}
          isStacked={panel.isStacked}
          fromZero={true}
          leastMax={panel.leastMax}
          syncKey={SYNC_KEY}
          fromMs={window.fromMs}
          toMs={window.toMs}
          height={CHART_HEIGHT}
        />
      ) : (
        <div className="card-empty" style={{ minHeight: CHART_HEIGHT }}>
          {error !== null ? error.message : emptyText(panel, window, isLoaded)}
        </div>
      )}
      <ul className="legend" aria-label={`Series of ${panel.title}`}>
        {chart.series.length > 1 &&
          chart.series.map(({ key, name, color }) => (
            <li key={key} className="legend-item">
              <span className="swatch" style={{ background: color }} />
              {name}
            </li>
          ))}
        {leftOut > 0 && <li className="legend-item">and {leftOut} more</li>}
      </ul>
    </article>
  );
}

function Headlines({ headlines }: { readonly headlines: readonly Headline[] }): ReactNode {
  const [main, ...others] = headlines;
  return (
    <p className="headlines">
      {main === undefined ? <span className="headline-none">–</span> : <Figure headline={main} isMain />}
      {others.map((headline) => (
        <Figure key={headline.lead + headline.tail} headline={headline} isMain={false} />
      ))}
    </p>
  );
}

function Figure({ headline, isMain }: { readonly headline: Headline; readonly isMain: boolean }): ReactNode {
  const { lead, value, unit, tail } = headline;
  const { number, suffix } = splitValue(value, unit);
  return (
    <span className={isMain ? 'headline headline-main' : 'headline'}>
      {lead !== '' && <span>{lead}</span>}
      <span className="headline-number">{number}</span>
      {suffix !== '' && <span className="headline-unit">{suffix}</span>}
      {tail !== '' && <span>{tail}</span>}
    </span>
  );
}

function emptyText(panel: Panel, { age }: LiveWindow, isLoaded: boolean): string {
  if (age === 'none' || age === 'young') return 'Data is arriving …';
  return isLoaded ? panel.emptyText : '';
}
