/**
 * What a chart's series show under the cursor.
 */
import type { ReactNode } from 'react';
import { formatFloat } from '../../src/core/model/float.ts';
import { formatValue, type Unit } from '../model/unit.ts';
import { formatDateTime, type Zone } from '../model/zone.ts';
import type { TooltipRow } from './chart-data.ts';

interface ChartTooltipProps {
  /** In the order in which they are shown. */
  readonly rows: readonly TooltipRow[];
  readonly timeMs: number;
  /** Of the cursor, from the chart's left edge. */
  readonly left: number;
  readonly chartWidth: number;
  readonly unit: Unit;
  readonly zone: Zone;
  readonly isStacked: boolean;
}

const MAX_ROWS = 12;
const CURSOR_DISTANCE = 14;
const MEANT_DIGITS = 9;

export function ChartTooltip({ rows, timeMs, left, chartWidth, unit, zone, isStacked }: ChartTooltipProps): ReactNode {
  const isRight = left > chartWidth / 2;
  const place = isRight ? { right: chartWidth - left + CURSOR_DISTANCE } : { left: left + CURSOR_DISTANCE };
  const maxWidth = Math.max(160, isRight ? left - CURSOR_DISTANCE : chartWidth - left - CURSOR_DISTANCE);
  const shown = rows.slice(0, MAX_ROWS);
  return (
    <div className="chart-tooltip" style={{ ...place, maxWidth }} aria-hidden="true">
      <div className="chart-tooltip-time">{formatDateTime(timeMs, zone)}</div>
      {shown.map(({ key, name, color, value }) => (
        <div key={key} className="chart-tooltip-row">
          <span className="swatch" style={{ background: color }} />
          <span className="chart-tooltip-name">{name}</span>
          <span className="chart-tooltip-value">{exactValue(value, unit)}</span>
        </div>
      ))}
      {rows.length > shown.length && <div className="chart-tooltip-more">and {rows.length - shown.length} more</div>}
      {isStacked && rows.length > 1 && (
        <div className="chart-tooltip-row">
          <span className="swatch" />
          <span className="chart-tooltip-name">all together</span>
          <span className="chart-tooltip-value">
            {formatValue(
              rows.reduce((sum, row) => sum + row.value, 0),
              unit,
            )}
          </span>
        </div>
      )}
    </div>
  );
}

/** Values without a unit in full, but for the digits that only arithmetic has made. */
function exactValue(value: number, unit: Unit): string {
  return unit === 'none' ? formatFloat(Number(value.toPrecision(MEANT_DIGITS))) : formatValue(value, unit);
}
