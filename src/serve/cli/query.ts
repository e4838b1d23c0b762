/**
 * `coeus query …`: one question to a server, printed as promtool prints it.
 */
import { formatLabels, labelsFromObject } from '../../core/model/labels.ts';
import { parseTime } from '../api/time.ts';
import type { ApiClient } from './api-client.ts';
import { FlagError } from './flags.ts';
import type { Terminal } from './terminal.ts';

export type OutputFormat = 'promql' | 'json';

type Point = [number, string];
/** Boundary rule, lower and upper bound, count. */
type Bucket = [number, string, string, string];
type HistogramPoint = [number, { count: string; sum: string; buckets?: Bucket[] }];
interface Element {
  readonly metric: Record<string, string>;
  readonly value?: Point;
  readonly values?: Point[];
  readonly histogram?: HistogramPoint;
  readonly histograms?: HistogramPoint[];
}
type QueryData = { resultType: string; result: unknown };

/** Steps of a range query whose step wasn't given. */
const DEFAULT_STEPS = 250;

export async function queryInstant(
  terminal: Terminal,
  client: ApiClient,
  expr: string,
  time: string | undefined,
  format: OutputFormat,
): Promise<void> {
  const form = new URLSearchParams({ query: expr });
  if (time !== undefined) form.set('time', String(parseTime(time) / 1000));
  print(terminal, (await client.post('query', form)) as QueryData, format);
}

export interface RangeOptions {
  readonly start: string | undefined;
  readonly end: string | undefined;
  /** A duration or seconds. */
  readonly step: string | undefined;
}

/** By default the last five minutes. */
export async function queryRange(
  terminal: Terminal,
  client: ApiClient,
  expr: string,
  range: RangeOptions,
  nowMs: number,
  format: OutputFormat,
): Promise<void> {
  const endMs = range.end === undefined ? nowMs : parseTime(range.end);
  const startMs = range.start === undefined ? endMs - 300_000 : parseTime(range.start);
  if (endMs < startMs) throw new FlagError('start time is not before end time');
  const step = range.step ?? String(Math.max(1, Math.floor((endMs - startMs) / DEFAULT_STEPS / 1000)));
  const form = new URLSearchParams({ query: expr, start: String(startMs / 1000), end: String(endMs / 1000), step });
  print(terminal, (await client.post('query_range', form)) as QueryData, format);
}

export interface MatchOptions {
  readonly match: readonly string[];
  readonly start: string | undefined;
  readonly end: string | undefined;
}

export async function querySeries(
  terminal: Terminal,
  client: ApiClient,
  selection: MatchOptions,
  format: OutputFormat,
): Promise<void> {
  const series = (await client.post('series', matchForm(selection))) as Record<string, string>[];
  if (format === 'json') return terminal.out(`${JSON.stringify(series)}\n`);
  for (const labels of series) terminal.out(`${allLabels(labels)}\n`);
}

export async function queryLabels(
  terminal: Terminal,
  client: ApiClient,
  name: string,
  selection: MatchOptions,
  format: OutputFormat,
): Promise<void> {
  const values = (await client.get(
    `label/${encodeURIComponent(name)}/values`,
    matchForm(selection),
  )) as string[];
  if (format === 'json') return terminal.out(`${JSON.stringify(values)}\n`);
  for (const value of values) terminal.out(`${value}\n`);
}

function matchForm({ match, start, end }: MatchOptions): URLSearchParams {
  const form = new URLSearchParams();
  for (const selector of match) form.append('match[]', selector);
  if (start !== undefined) form.set('start', String(parseTime(start) / 1000));
  if (end !== undefined) form.set('end', String(parseTime(end) / 1000));
  return form;
}

function print(terminal: Terminal, { resultType, result }: QueryData, format: OutputFormat): void {
  if (format === 'json') return terminal.out(`${JSON.stringify(result)}\n`);
  if (resultType === 'scalar' || resultType === 'string') {
    const [time, value] = result as Point;
    return terminal.out(`${resultType}: ${value} @[${time}]\n`);
  }
  terminal.out(`${(result as Element[]).map(elementText).join('\n')}\n`);
}

function elementText({ metric, value, values, histogram, histograms }: Element): string {
  const labels = formatLabels(labelsFromObject(metric));
  if (value !== undefined) return `${labels} => ${pointText(value)}`;
  if (histogram !== undefined) return `${labels} => ${histogramText(histogram)}`;
  return [`${labels} =>`, ...(values ?? []).map(pointText), ...(histograms ?? []).map(histogramText)].join('\n');
}

const pointText = ([time, value]: Point): string => `${value} @[${time}]`;

function histogramText([time, { count, sum, buckets }]: HistogramPoint): string {
  const shown = (buckets ?? []).map(([rule, lower, upper, bucketCount]) => {
    const isLowerIn = rule === 1 || rule === 3;
    const isUpperIn = rule === 0 || rule === 3;
    return `${isLowerIn ? '[' : '('}${lower},${upper}${isUpperIn ? ']' : ')'}:${bucketCount}`;
  });
  return `Count: ${sixDecimals(count)}, Sum: ${sixDecimals(sum)}, Buckets: [${shown.join(' ')}] @[${time}]`;
}

/** Numbers that are none stay as they are. */
const sixDecimals = (text: string): string => (Number.isFinite(Number(text)) ? Number(text).toFixed(6) : text);

/** With the metric name among the labels. */
function allLabels(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${pairs.join(', ')}}`;
}
