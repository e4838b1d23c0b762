/**
 * What a chart draws: series on common times. Pure, so that it can be tested without a canvas.
 */
import { formatValue, type Unit } from '../model/unit.ts';

export interface ChartSeries {
  /** Stable while the series is the same. */
  readonly key: string;
  readonly name: string;
  readonly color: string;
  /** Null where there is nothing to draw; as long as the chart's times. */
  readonly values: readonly (number | null)[];
}

export interface ChartData {
  readonly timesMs: readonly number[];
  readonly series: readonly ChartSeries[];
}

/** Each series on top of those before it. Where a series has nothing it adds nothing; where none has, nothing is drawn. */
export function stackValues(series: readonly ChartSeries[], stepCount: number): (number | null)[][] {
  const sums = new Float64Array(stepCount);
  const seen = new Uint8Array(stepCount);
  for (const { values } of series) {
    for (let i = 0; i < stepCount; i++) if (values[i] !== null && values[i] !== undefined) seen[i] = 1;
  }
  return series.map(({ values }) =>
    Array.from({ length: stepCount }, (_, i) => {
      sums[i] = sums[i]! + (values[i] ?? 0);
      return seen[i] === 1 ? (sums[i] ?? null) : null;
    }),
  );
}

/** Indexes of values without a neighbour: a line would not show them. */
export function loneIndexes(values: ArrayLike<number | null | undefined>): number[] {
  const lone: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const isHere = values[i] !== null && values[i] !== undefined;
    const hasBefore = i > 0 && values[i - 1] !== null && values[i - 1] !== undefined;
    const hasAfter = i + 1 < values.length && values[i + 1] !== null && values[i + 1] !== undefined;
    if (isHere && !hasBefore && !hasAfter) lone.push(i);
  }
  return lone;
}

/** How many values there are to draw. */
export function pointCount(data: ChartData): number {
  let count = 0;
  for (const { values } of data.series) for (const value of values) if (value !== null) count++;
  return count;
}

/** The newest value of a series, or null. */
export function latestValue(values: readonly (number | null)[]): number | null {
  return values.findLast((value) => value !== null) ?? null;
}

export interface TooltipRow {
  readonly key: string;
  readonly name: string;
  readonly color: string;
  readonly value: number;
}

/** What the series show at one step, largest first. */
export function rowsAt(data: ChartData, index: number): TooltipRow[] {
  const rows: TooltipRow[] = [];
  for (const { key, name, color, values } of data.series) {
    const value = values[index];
    if (value !== null && value !== undefined) rows.push({ key, name, color, value });
  }
  return rows.sort((a, b) => b.value - a.value);
}

/** Series that a description names one by one. */
const MAX_DESCRIBED = 6;

/** The chart in words, for those who don't see it. */
export function describeChart(title: string, data: ChartData, unit: Unit): string {
  const described = data.series.slice(0, MAX_DESCRIBED).flatMap(({ name, values }) => {
    const present = values.filter((value) => value !== null);
    if (present.length === 0) return [];
    const least = present.reduce((a, b) => Math.min(a, b));
    const most = present.reduce((a, b) => Math.max(a, b));
    const last = present.at(-1)!;
    return [
      `${name}: now ${formatValue(last, unit)}, between ${formatValue(least, unit)} and ${formatValue(most, unit)}`,
    ];
  });
  const more = data.series.length > MAX_DESCRIBED ? `; and ${data.series.length - MAX_DESCRIBED} more series` : '';
  return described.length === 0 ? `${title}: no data` : `${title}. ${described.join('; ')}${more}.`;
}

/** The ends of the value axis. */
export interface ValueRange {
  readonly min: number;
  readonly max: number;
}

/**
 * Data's ends with room above and below; with `fromZero` the axis includes zero. A flat line gets room on both sides.
 * @param leastMax the axis reaches at least so far, so that noise near zero does not look like mountains
 */
export function valueRange(dataMin: number, dataMax: number, { fromZero = false, leastMax = 0 } = {}): ValueRange {
  let min = fromZero ? Math.min(0, dataMin) : dataMin;
  let max = fromZero ? Math.max(0, dataMax, leastMax) : dataMax;
  if (min === max) {
    const room = min === 0 ? 1 : Math.abs(min) * 0.1;
    // A flat line above zero has nothing to show below it.
    return { min: fromZero || min === 0 ? min : min - room, max: max + room };
  }
  const room = (max - min) * 0.08;
  if (min < 0 || !fromZero) min = dataMin >= 0 ? Math.max(0, min - room) : min - room;
  if (max > 0) max += room;
  return { min, max };
}
