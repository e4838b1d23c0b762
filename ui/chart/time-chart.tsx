/**
 * A chart of series over time on a canvas, with a tooltip; uPlot draws, React owns what it shows.
 *
 * The plot is made anew only when its series or look change. New values and a moving time axis are handed to the plot that
 * is there, so that a live chart neither flickers nor loses its cursor.
 */
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { describeChart, rowsAt, stackValues, type ChartData } from './chart-data.ts';
import { plotOptions, type PlotLook } from './plot-options.ts';
import { ChartTooltip } from './chart-tooltip.tsx';

interface TimeChartProps extends PlotLook {
  readonly title: string;
  readonly data: ChartData;
  readonly fromMs: number;
  readonly toMs: number;
  readonly height: number;
  readonly onZoom?: (fromMs: number, toMs: number) => void;
}

interface Cursor {
  readonly index: number;
  readonly left: number;
  readonly top: number;
}

export function TimeChart(props: TimeChartProps): ReactNode {
  const { title, data, fromMs, toMs, height, unit, zone, scheme, isStacked, fromZero, leastMax, syncKey, onZoom } =
    props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [cursor, setCursor] = useState<Cursor | null>(null);
  const columns = useMemo(() => toColumns(data, isStacked), [data, isStacked]);
  // What the plot's callbacks read; kept apart so that they never are the reason to make the plot anew.
  const latest = useRef({ columns, fromMs, toMs, onZoom });
  useLayoutEffect(() => {
    latest.current = { columns, fromMs, toMs, onZoom };
  });

  const canZoom = onZoom !== undefined;
  const shape = data.series.map(({ key, color }) => `${key}\n${color}`).join('\n\n');
  const series = useRef(data.series);
  series.current = data.series;

  useLayoutEffect(() => {
    const element = host.current;
    if (!element) return undefined;
    const look: PlotLook = { unit, zone, scheme, isStacked, fromZero, leastMax, syncKey };
    const drawn = isStacked ? series.current.toReversed() : series.current;
    const options = plotOptions(drawn, look, {
      timeRange: () => [latest.current.fromMs, latest.current.toMs],
      toZone: (timeMs) => (zone === 'utc' ? uPlot.tzDate(new Date(timeMs), 'Etc/UTC') : new Date(timeMs)),
      onZoom: canZoom ? (from, to) => latest.current.onZoom?.(from, to) : null,
      onCursor: ({ cursor: { idx, left, top }, over }) => {
        // Cursors that other charts move have no tooltip here.
        const isShown = typeof idx === 'number' && over.matches(':hover') && (left ?? -1) >= 0;
        setCursor(isShown ? { index: idx, left: left ?? 0, top: top ?? 0 } : null);
      },
    });
    const made = new uPlot(
      { ...options, width: Math.max(1, element.clientWidth), height },
      latest.current.columns,
      element,
    );
    plot.current = made;
    const resized = new ResizeObserver(() => {
      if (element.clientWidth > 0 && element.clientWidth !== made.width)
        made.setSize({ width: element.clientWidth, height });
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, unit, zone, scheme, isStacked, fromZero, leastMax, syncKey, canZoom, height]);

  useEffect(() => {
    const drawn = plot.current;
    if (!drawn || drawn.data === columns) return;
    drawn.batch(() => {
      drawn.setData(columns, false);
      drawn.setScale('x', { min: fromMs, max: toMs });
    });
  }, [columns, fromMs, toMs]);

  const rows = cursor ? rowsAt(data, cursor.index) : [];
  return (
    <div className="chart" style={{ height }}>
      <div ref={host} role="img" aria-label={describeChart(title, data, unit)} />
      {cursor && rows.length > 0 && (
        <ChartTooltip
          rows={rows}
          timeMs={data.timesMs[cursor.index]!}
          left={cursor.left + (plot.current?.over.offsetLeft ?? 0)}
          chartWidth={host.current?.clientWidth ?? 0}
          unit={unit}
          zone={zone}
          isStacked={isStacked}
        />
      )}
    </div>
  );
}

function toColumns(data: ChartData, isStacked: boolean): uPlot.AlignedData {
  const stepCount = data.timesMs.length;
  // A stack is drawn from its top, so that where a series adds nothing the line of the one below it shows.
  const values = isStacked
    ? stackValues(data.series, stepCount).toReversed()
    : data.series.map((each) => [...each.values]);
  return [[...data.timesMs], ...values];
}
