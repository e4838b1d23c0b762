/**
 * Metrics as a page: text 0.0.4 or OpenMetrics 1.0.0, whichever the reader prefers.
 */
import type { MetricFamily, MetricLabels, MetricSample } from '../../core/base/metrics.ts';
import { formatOpenMetricsFloat, formatTextFloat } from './sample-float.ts';

export type PageFormat = 'text' | 'openmetrics';

export const PAGE_CONTENT_TYPES: Readonly<Record<PageFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores',
};

/** Longer Accept headers are read up to here. */
const MAX_ACCEPT_LENGTH = 4096;
const OPENMETRICS_VERSIONS: ReadonlySet<string> = new Set(['', '0.0.1', '1.0.0']);

/** The format that an Accept header wants most; text where it says nothing, or the same of both. */
export function choosePageFormat(accept: string): PageFormat {
  let text = 0;
  let openMetrics = 0;
  for (const range of accept.slice(0, MAX_ACCEPT_LENGTH).toLowerCase().split(',')) {
    const [mediaType, ...parameters] = range.split(';').map((part) => part.trim());
    const values = new Map(parameters.map((parameter) => splitOnce(parameter)));
    const weight = weightOf(values.get('q'));
    const version = values.get('version') ?? '';
    if (mediaType === 'application/openmetrics-text' && OPENMETRICS_VERSIONS.has(version)) openMetrics = Math.max(openMetrics, weight);
    // What any text satisfies, our text does.
    if (mediaType === 'text/plain' || mediaType === 'text/*' || mediaType === '*/*') text = Math.max(text, weight);
  }
  return openMetrics > text ? 'openmetrics' : 'text';
}

function splitOnce(parameter: string): [string, string] {
  const at = parameter.indexOf('=');
  return at < 0 ? [parameter, ''] : [parameter.slice(0, at).trim(), parameter.slice(at + 1).trim().replace(/^"(.*)"$/, '$1')];
}

function weightOf(text: string | undefined): number {
  if (text === undefined) return 1;
  const weight = Number(text);
  return weight >= 0 && weight <= 1 ? weight : 0;
}

/** The page's bytes. Families keep their order; their names must be distinct. */
export function encodePage(families: readonly MetricFamily[], format: PageFormat): Uint8Array {
  const parts: string[] = [];
  for (const family of families) {
    if (format === 'text') writeTextFamily(parts, family);
    else writeOpenMetricsFamily(parts, family);
  }
  if (format === 'openmetrics') parts.push('# EOF\n');
  return new TextEncoder().encode(parts.join(''));
}

function writeTextFamily(parts: string[], family: MetricFamily): void {
  parts.push(`# HELP ${family.name} ${escapeHelp(family.help)}\n# TYPE ${family.name} ${family.type}\n`);
  for (const sample of family.samples) {
    const labels = writeLabels(sample.labels, (bound) => formatTextFloat(bound), family);
    parts.push(`${family.name}${sample.suffix}${labels} ${formatTextFloat(sample.value)}\n`);
  }
}

const TOTAL = '_total';

function writeOpenMetricsFamily(parts: string[], family: MetricFamily): void {
  // A counter's samples end in _total and its family does not; what does not fit is of unknown type.
  const named = family.name.endsWith(TOTAL);
  const isCounter = family.type === 'counter';
  const fits = !isCounter || named || (family.samples.length > 0 && family.samples.every((sample) => sample.suffix === TOTAL));
  const name = isCounter && named ? family.name.slice(0, -TOTAL.length) : family.name;
  const help = escapeHelp(family.help).replaceAll('"', '\\"');
  parts.push(`# HELP ${name} ${help}\n# TYPE ${name} ${fits ? family.type : 'unknown'}\n`);
  for (const sample of family.samples) {
    const labels = writeLabels(sample.labels, (bound) => formatOpenMetricsFloat(bound), family);
    const value = isCount(sample, family) ? sample.value.toFixed(0) : formatOpenMetricsFloat(sample.value);
    parts.push(`${family.name}${sample.suffix}${labels} ${value}\n`);
  }
}

/** Counts of events are written without a point. */
const isCount = (sample: MetricSample, family: MetricFamily): boolean =>
  (family.type === 'histogram' || family.type === 'summary') &&
  (sample.suffix === '_count' || sample.suffix === '_bucket') &&
  Number.isSafeInteger(sample.value);

function writeLabels(labels: MetricLabels, formatBound: (bound: number) => string, family: MetricFamily): string {
  const bound = family.type === 'histogram' ? 'le' : family.type === 'summary' ? 'quantile' : '';
  const pairs = Object.entries(labels).map(([name, value]) => {
    const written = name === bound && value !== '' ? formatBound(readBound(value)) : value;
    return `${name}="${escapeHelp(written).replaceAll('"', '\\"')}"`;
  });
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const readBound = (text: string): number => (text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text));

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
