/**
 * An instant answer as a table.
 */
import { Alert, Table } from '@mantine/core';
import type { ReactNode } from 'react';
import { formatFloat } from '../../src/core/model/float.ts';
import type { Histogram, QueryResult, Series, VectorSample } from '../api/query-result.ts';
import { useGrowingList } from '../app/growing-list.ts';
import { SeriesText } from '../app/series-text.tsx';
import { formatCount } from '../model/unit.ts';
import { formatDateTime, type Zone } from '../model/zone.ts';

/** Rows of a table; more are counted, not shown. */
export const MAX_TABLE_ROWS = 10_000;
/** Samples of a range selector's series that are listed, the newest. */
const MAX_LISTED_SAMPLES = 500;

export function ResultTable({ result, zone }: { readonly result: QueryResult; readonly zone: Zone }): ReactNode {
  const rowCount = resultRowCount(result);
  const { shownCount, end } = useGrowingList<HTMLDivElement>(Math.min(rowCount, MAX_TABLE_ROWS), result);
  if (rowCount === 0) return <p className="result-empty">The answer is empty: no series match.</p>;
  return (
    <>
      {rowCount > MAX_TABLE_ROWS && (
        <Alert color="yellow" variant="light" className="result-note">
          The answer has {formatCount(rowCount)} series; the first {formatCount(MAX_TABLE_ROWS)} are shown. An
          aggregation or a narrower selector makes it shorter.
        </Alert>
      )}
      <Table data-testid="query-table" className="result-table" verticalSpacing={6} highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{result.kind === 'vector' || result.kind === 'matrix' ? 'Series' : 'Type'}</Table.Th>
            <Table.Th className="result-value">{result.kind === 'matrix' ? 'Samples' : 'Value'}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{rowsOf(result, shownCount, zone)}</Table.Tbody>
      </Table>
      <div ref={end} />
    </>
  );
}

export function resultRowCount(result: QueryResult): number {
  if (result.kind === 'vector') return result.samples.length;
  return result.kind === 'matrix' ? result.series.length : 1;
}

function rowsOf(result: QueryResult, count: number, zone: Zone): ReactNode {
  switch (result.kind) {
    case 'vector':
      return result.samples.slice(0, count).map((sample, i) => <SampleRow key={i} {...sample} />);
    case 'matrix':
      return result.series.slice(0, count).map((series, i) => <SeriesRow key={i} series={series} zone={zone} />);
    case 'scalar':
      return <PlainRow kind="scalar" text={formatFloat(result.value)} />;
    default:
      return <PlainRow kind="string" text={result.text} />;
  }
}

function SampleRow({ labels, value, histogram }: VectorSample): ReactNode {
  return (
    <Table.Tr>
      <Table.Td>
        <SeriesText labels={labels} />
      </Table.Td>
      <Table.Td className="result-value">
        {histogram ? <HistogramText histogram={histogram} /> : formatFloat(value ?? Number.NaN)}
      </Table.Td>
    </Table.Tr>
  );
}

function SeriesRow({ series, zone }: { readonly series: Series; readonly zone: Zone }): ReactNode {
  const { labels, timesMs, values, histograms } = series;
  const first = Math.max(0, values.length - MAX_LISTED_SAMPLES);
  return (
    <Table.Tr>
      <Table.Td>
        <SeriesText labels={labels} />
      </Table.Td>
      <Table.Td className="result-value">
        {first > 0 && <div className="result-more">{formatCount(first)} earlier samples</div>}
        {Array.from(values.subarray(first), (value, i) => (
          <div key={i}>
            {formatFloat(value)} <span className="result-time">@ {formatDateTime(timesMs[first + i]!, zone)}</span>
          </div>
        ))}
        {histograms.slice(-MAX_LISTED_SAMPLES).map(({ timeMs, histogram }) => (
          <div key={timeMs}>
            <HistogramText histogram={histogram} />{' '}
            <span className="result-time">@ {formatDateTime(timeMs, zone)}</span>
          </div>
        ))}
      </Table.Td>
    </Table.Tr>
  );
}

function PlainRow({ kind, text }: { readonly kind: string; readonly text: string }): ReactNode {
  return (
    <Table.Tr>
      <Table.Td>{kind}</Table.Td>
      <Table.Td className="result-value">{text}</Table.Td>
    </Table.Tr>
  );
}

/** Which ends belong to the bucket, by its boundary rule. */
const OPENING = ['(', '[', '(', '['] as const;
const CLOSING = [']', ')', ')', ']'] as const;

function HistogramText({ histogram: { count, sum, buckets } }: { readonly histogram: Histogram }): ReactNode {
  return (
    <details className="histogram">
      <summary>
        count {formatFloat(count)}, sum {formatFloat(sum)}
      </summary>
      <ul>
        {buckets.map(({ boundaries, lower, upper, count }) => (
          <li key={`${lower} ${upper}`}>
            {OPENING[boundaries] ?? '('}
            {formatFloat(lower)}, {formatFloat(upper)}
            {CLOSING[boundaries] ?? ')'}: {formatFloat(count)}
          </li>
        ))}
      </ul>
    </details>
  );
}
