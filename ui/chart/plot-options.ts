/**
 * uPlot's options for a chart of series over time.
 */
import type uPlot from 'uplot';
import { formatTick, tickIncrements, type Unit } from '../model/unit.ts';
import { formatTimeTick, type Zone } from '../model/zone.ts';
import { loneIndexes, valueRange, type ChartSeries } from './chart-data.ts';
import { CHART_INK, withAlpha, type Scheme } from './palette.ts';

export interface PlotLook {
  readonly unit: Unit;
  readonly zone: Zone;
  readonly scheme: Scheme;
  readonly isStacked: boolean;
  /** The value axis includes zero. */
  readonly fromZero: boolean;
  /** The value axis reaches at least so far; 0 for no such end. */
  readonly leastMax: number;
  /** Charts of one key show their cursors together; '' for a chart on its own. */
  readonly syncKey: string;
}

export interface PlotActions {
  onCursor(plot: uPlot): void;
  /** Null: the chart does not zoom. */
  readonly onZoom: ((fromMs: number, toMs: number) => void) | null;
  /** The ends of the time axis. */
  timeRange(): [fromMs: number, toMs: number];
  /** Of time, in the zone, for round ticks. */
  toZone(timeMs: number): Date;
}

const FONT = '12px system-ui, sans-serif';
const LONE_POINT_SIZE = 5;
/** Width of a character of the axis font, about. */
const CHARACTER_WIDTH = 6.7;
/** Room for the half of the last time label. */
const RIGHT_PADDING = 26;
const MIN_AXIS_WIDTH = 46;
/** Shorter drags are clicks. */
const MIN_ZOOM_PIXELS = 6;
/** Filling overlapping areas only tires the eye. */
const MAX_FILLED_SERIES = 2;

/** @param series in drawing order; of a stack the topmost first */
export function plotOptions(
  series: readonly ChartSeries[],
  look: PlotLook,
  actions: PlotActions,
): Omit<uPlot.Options, 'width' | 'height'> {
  const { unit, isStacked, fromZero, leastMax, syncKey } = look;
  const includesZero = fromZero || isStacked;
  const increments = tickIncrements(unit);
  const { onZoom } = actions;
  return {
    ms: 1,
    tzDate: (timeMs) => actions.toZone(timeMs),
    padding: [10, RIGHT_PADDING, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: true, range: () => actions.timeRange() },
      y: {
        range: (_plot, dataMin, dataMax) => {
          if (dataMin === null || dataMax === null || !Number.isFinite(dataMin)) return [0, Math.max(1, leastMax)];
          const { min, max } = valueRange(dataMin, dataMax, { fromZero: includesZero, leastMax });
          return [min, max];
        },
      },
    },
    axes: [timeAxis(look), { ...valueAxis(look), ...(increments ? { incrs: [...increments] } : {}) }],
    series: [{}, ...series.map((each) => seriesOptions(each, look, series.length))],
    bands: isStacked
      ? series
          .slice(1)
          .map((_, i) => ({ series: [i + 1, i + 2] as [number, number], fill: withAlpha(series[i]!.color, 0.3) }))
      : [],
    cursor: {
      points: { size: 7, width: 2 },
      drag: { x: onZoom !== null, y: false, setScale: false, dist: MIN_ZOOM_PIXELS },
      ...(syncKey === '' ? {} : { sync: { key: syncKey, setSeries: false, scales: ['x', null] } }),
    },
    hooks: {
      setCursor: [(plot) => actions.onCursor(plot)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (onZoom === null || width < MIN_ZOOM_PIXELS) return;
          const fromMs = plot.posToVal(left, 'x');
          const toMs = plot.posToVal(left + width, 'x');
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          onZoom(fromMs, toMs);
        },
      ],
    },
  };
}

function seriesOptions({ color }: ChartSeries, { isStacked }: PlotLook, count: number): uPlot.Series {
  const fill = isStacked ? withAlpha(color, 0.3) : count <= MAX_FILLED_SERIES ? withAlpha(color, 0.08) : undefined;
  return {
    stroke: color,
    width: isStacked ? 1.25 : 1.6,
    ...(fill === undefined ? {} : { fill }),
    points: {
      show: (plot, seriesIndex) => hasLonePoint(plot, seriesIndex),
      filter: (plot, seriesIndex) => loneIndexes(plot.data[seriesIndex] ?? []),
      size: LONE_POINT_SIZE,
      fill: color,
    },
  };
}

function hasLonePoint(plot: uPlot, seriesIndex: number): boolean {
  return loneIndexes(plot.data[seriesIndex] ?? []).length > 0;
}

function timeAxis({ zone, scheme }: PlotLook): uPlot.Axis {
  const ink = CHART_INK[scheme];
  return {
    font: FONT,
    stroke: ink.text,
    grid: { show: false },
    ticks: { stroke: ink.grid, width: 1, size: 4 },
    gap: 4,
    size: 28,
    space: 72,
    values: (_plot, splits, _axis, _space, incrementMs) =>
      splits.map((timeMs) => formatTimeTick(timeMs, incrementMs, zone)),
  };
}

function valueAxis({ unit, scheme }: PlotLook): uPlot.Axis {
  const ink = CHART_INK[scheme];
  return {
    font: FONT,
    stroke: ink.text,
    grid: { stroke: ink.grid, width: 1 },
    ticks: { show: false },
    gap: 8,
    space: 34,
    size: (_plot, labels) => {
      const longest = (labels ?? []).reduce((length, label) => Math.max(length, label?.length ?? 0), 0);
      return Math.max(MIN_AXIS_WIDTH, Math.ceil(longest * CHARACTER_WIDTH) + 14);
    },
    values: (_plot, splits, _axis, _space, increment) => splits.map((value) => formatTick(value, increment, unit)),
  };
}
