/**
 * `coeus query …`: one question to a server, printed as promtool prints it.
 */
import { formatLabels, labelsFromObject } from '../../core/model/labels.ts';
import { parseTime } from '../api/time.ts';
import { askApi, getApi } from './api-client.ts';
import type { Terminal } from './terminal.ts';

export interface QueryOptions {
  readonly format: 'promql' | 'json';
  /** Extra request headers. */
  readonly headers: Readonly<Record<string, string>>;
}

type Point = [number, string];
type Element = { metric: Record<string, string>; value?: Point; values?: Point[] };
type QueryData = { resultType: string; result: unknown };

/** Steps of a range query whose step wasn't given. */
const DEFAULT_STEPS = 250;

export async function queryInstant(
  terminal: Terminal,
  server: string,
  expr: string,
  time: string | undefined,
  options: QueryOptions,
): Promise<void> {
  const form = new URLSearchParams({ query: expr });
  if (time !== undefined) form.set('time', String(parseTime(time) / 1000));
  print(terminal, (await askApi(server, 'query', form, options.headers)) as QueryData, options);
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
  server: string,
  expr: string,
  range: RangeOptions,
  nowMs: number,
  options: QueryOptions,
): Promise<void> {
  const endMs = range.end === undefined ? nowMs : parseTime(range.end);
  const startMs = range.start === undefined ? endMs - 300_000 : parseTime(range.start);
  const step = range.step ?? String(Math.max(1, Math.floor((endMs - startMs) / DEFAULT_STEPS / 1000)));
  const form = new URLSearchParams({ query: expr, start: String(startMs / 1000), end: String(endMs / 1000), step });
  print(terminal, (await askApi(server, 'query_range', form, options.headers)) as QueryData, options);
}

export interface MatchOptions {
  readonly match: readonly string[];
  readonly start: string | undefined;
  readonly end: string | undefined;
}

export async function querySeries(
  terminal: Terminal,
  server: string,
  selection: MatchOptions,
  options: QueryOptions,
): Promise<void> {
  const series = (await askApi(server, 'series', matchForm(selection), options.headers)) as Record<string, string>[];
  if (options.format === 'json') return terminal.out(`${JSON.stringify(series)}\n`);
  for (const labels of series) terminal.out(`${allLabels(labels)}\n`);
}

export async function queryLabels(
  terminal: Terminal,
  server: string,
  name: string,
  selection: MatchOptions,
  options: QueryOptions,
): Promise<void> {
  const values = (await getApi(
    server,
    `label/${encodeURIComponent(name)}/values`,
    matchForm(selection),
    options.headers,
  )) as string[];
  if (options.format === 'json') return terminal.out(`${JSON.stringify(values)}\n`);
  for (const value of values) terminal.out(`${value}\n`);
}

function matchForm({ match, start, end }: MatchOptions): URLSearchParams {
  const form = new URLSearchParams();
  for (const selector of match) form.append('match[]', selector);
  if (start !== undefined) form.set('start', String(parseTime(start) / 1000));
  if (end !== undefined) form.set('end', String(parseTime(end) / 1000));
  return form;
}

function print(terminal: Terminal, { resultType, result }: QueryData, { format }: QueryOptions): void {
  if (format === 'json') return terminal.out(`${JSON.stringify(result)}\n`);
  if (resultType === 'scalar' || resultType === 'string') {
    const [time, value] = result as Point;
    return terminal.out(`${resultType}: ${value} @[${time}]\n`);
  }
  for (const { metric, value, values } of result as Element[]) {
    const labels = formatLabels(labelsFromObject(metric));
    if (value) terminal.out(`${labels} => ${value[1]} @[${value[0]}]\n`);
    else terminal.out(`${labels} =>\n${(values ?? []).map(([time, text]) => `${text} @[${time}]\n`).join('')}`);
  }
}

/** With the metric name among the labels. */
function allLabels(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${pairs.join(', ')}}`;
}
