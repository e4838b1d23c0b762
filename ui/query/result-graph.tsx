/**
 * A range answer as a graph with its legend.
 */
import { Alert, useComputedColorScheme } from '@mantine/core';
import { useMemo, useState, type ReactNode } from 'react';
import type { Grid } from '../api/query.ts';
import type { Series } from '../api/query-result.ts';
import { TimeChart } from '../chart/time-chart.tsx';
import { formatCount } from '../model/unit.ts';
import type { Zone } from '../model/zone.ts';
import { graphData, toggleIsolated, visibleData, type GraphSeries } from './graph-data.ts';

interface ResultGraphProps {
  readonly expr: string;
  readonly series: readonly Series[];
  readonly grid: Grid;
  readonly isStacked: boolean;
  readonly fromZero: boolean;
  readonly zone: Zone;
  readonly onZoom: (fromMs: number, toMs: number) => void;
}

const HEIGHT = 360;
/** Legend entries at first. */
const SHORT_LEGEND = 50;

export function ResultGraph({ expr, series, grid, isStacked, fromZero, zone, onZoom }: ResultGraphProps): ReactNode {
  const scheme = useComputedColorScheme('light');
  const [isolated, setIsolated] = useState<ReadonlySet<string>>(new Set());
  const data = useMemo(() => graphData(series, grid, expr, scheme), [series, grid, expr, scheme]);
  // Series of an earlier answer may be gone.
  const kept = useMemo(
    () => new Set(data.series.map(({ key }) => key).filter((key) => isolated.has(key))),
    [data, isolated],
  );
  const visible = useMemo(() => visibleData(data, kept), [data, kept]);
  if (data.series.length === 0) {
    return (
      <p className="result-empty">
        {data.histogramCount > 0
          ? 'The answer has only native histograms, which are listed in the Table tab.'
          : 'The answer is empty: no series has samples in this range.'}
      </p>
    );
  }
  return (
    <div data-testid="query-graph" data-series={data.series.length}>
      {data.leftOut > 0 && (
        <Alert color="yellow" variant="light" className="result-note">
          {formatCount(data.series.length)} of {formatCount(data.series.length + data.leftOut)} series are drawn. An
          aggregation or topk() makes them fewer.
        </Alert>
      )}
      {data.histogramCount > 0 && (
        <Alert color="blue" variant="light" className="result-note">
          {formatCount(data.histogramCount)} series are native histograms; they are listed in the Table tab.
        </Alert>
      )}
      <TimeChart
        title={`Graph of ${expr}`}
        data={visible}
        unit="none"
        zone={zone}
        scheme={scheme}
        isStacked={isStacked}
        fromZero={fromZero}
        leastMax={0}
        syncKey=""
        fromMs={grid.startMs}
        toMs={grid.endMs}
        height={HEIGHT}
        onZoom={onZoom}
      />
      <Legend
        series={data.series}
        isolated={kept}
        onToggle={(key, isAdding) =>
          setIsolated(
            toggleIsolated(
              kept,
              key,
              isAdding,
              data.series.map((each) => each.key),
            ),
          )
        }
      />
    </div>
  );
}

interface LegendProps {
  readonly series: readonly GraphSeries[];
  readonly isolated: ReadonlySet<string>;
  readonly onToggle: (key: string, isAdding: boolean) => void;
}

function Legend({ series, isolated, onToggle }: LegendProps): ReactNode {
  const [isWhole, setIsWhole] = useState(false);
  const shown = isWhole ? series : series.slice(0, SHORT_LEGEND);
  return (
    <>
      <ul className="graph-legend" aria-label="Series of the graph">
        {shown.map(({ key, name, fullName, color }) => {
          const isVisible = isolated.size === 0 || isolated.has(key);
          return (
            <li key={key}>
              <button
                type="button"
                className="graph-legend-item"
                aria-pressed={isVisible}
                title={`${fullName}\nClick: show alone. With Ctrl: add or remove.`}
                onClick={(event) => onToggle(key, event.ctrlKey || event.metaKey || event.shiftKey)}
              >
                <span className="swatch" style={{ background: color }} />
                <span>{name}</span>
              </button>
            </li>
          );
        })}
      </ul>
      {series.length > SHORT_LEGEND && (
        <button type="button" className="text-button" onClick={() => setIsWhole(!isWhole)}>
          {isWhole ? 'Show fewer' : `Show all ${formatCount(series.length)} series`}
        </button>
      )}
    </>
  );
}
