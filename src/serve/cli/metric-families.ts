/**
 * An exposition as metric families: what belongs to one name, type and help text. For checks, not for scraping.
 *
 * Source: Prometheus text format 0.0.4; which lines belong together was verified against promtool 2.42.
 */
import { labelsKey, labelsWithout, labelValue, METRIC_NAME, quote, type Labels } from '../../core/model/labels.ts';
import { ExpositionError } from '../../ingest/exposition/errors.ts';
import { TextParser, unescapeTextHelp } from '../../ingest/exposition/text-parser.ts';

export type MetricType = 'counter' | 'gauge' | 'summary' | 'untyped' | 'histogram';

export interface MetricFamily {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  /** Without the name, nor the bounds of histograms and quantiles of summaries; several times where lines repeat. */
  readonly metrics: readonly Labels[];
  readonly seriesCount: number;
}

class Family implements MetricFamily {
  readonly name: string;
  type: MetricType = 'untyped';
  help = '';
  hasHelp = false;
  hasType = false;
  seriesCount = 0;
  readonly metrics: Labels[] = [];
  readonly #seen = new Set<string>();

  constructor(name: string) {
    this.name = name;
  }

  add(labels: Labels): void {
    const isBucket = this.type === 'histogram' && labelValue(labels, METRIC_NAME) === `${this.name}_bucket`;
    const isQuantile = this.type === 'summary' && labelValue(labels, 'quantile') !== '';
    if (this.type !== 'histogram' && this.type !== 'summary') {
      this.metrics.push(labelsWithout(labels, NAME));
      this.seriesCount++;
      return;
    }
    if (isBucket || isQuantile) this.seriesCount++;
    const metric = labelsWithout(labels, this.type === 'histogram' ? NAME_AND_BOUND : NAME_AND_QUANTILE);
    const key = labelsKey(metric);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.metrics.push(metric);
    // Sum and count.
    this.seriesCount += 2;
  }
}

const NAME: ReadonlySet<string> = new Set([METRIC_NAME]);
const NAME_AND_BOUND: ReadonlySet<string> = new Set([METRIC_NAME, 'le']);
const NAME_AND_QUANTILE: ReadonlySet<string> = new Set([METRIC_NAME, 'quantile']);
/** Suffixes of a family's series, by its type. */
const SUFFIXES: readonly (readonly [MetricType, RegExp])[] = [
  ['summary', /_(?:count|sum)$/],
  ['histogram', /_(?:count|sum|bucket)$/],
];

/** The families that have samples, in order of their first line. @throws ExpositionError */
export function parseMetricFamilies(body: Uint8Array): readonly MetricFamily[] {
  const families = new Map<string, Family>();
  const parser = new TextParser();
  parser.begin(body, 0, body.length);
  const fail = (reason: string): never => {
    throw new ExpositionError(reason, lineAt(body, parser.lineStart));
  };
  for (let line = parser.next(); line !== 'end'; line = parser.next()) {
    if (line === 'comment') continue;
    if (line === 'series') {
      const labels = parser.labels();
      familyOf(labelValue(labels, METRIC_NAME), families).add(labels);
      continue;
    }
    const family = familyOf(parser.metric, families);
    if (line === 'help') {
      if (family.hasHelp) fail(`second HELP line for metric name ${quote(family.name)}`);
      family.hasHelp = true;
      family.help = unescapeTextHelp(parser.text);
    } else {
      if (family.hasType || family.metrics.length > 0)
        fail(`second TYPE line for metric name ${quote(family.name)}, or TYPE reported after samples`);
      family.hasType = true;
      // The parser takes no other word.
      family.type = parser.text as MetricType;
    }
  }
  if (body.length > 0 && body.at(-1) !== NEWLINE)
    throw new ExpositionError('unexpected end of input stream', lineAt(body, body.length));
  return [...families.values()].filter(({ metrics }) => metrics.length > 0);
}

const NEWLINE = 0x0a;

function familyOf(name: string, families: Map<string, Family>): Family {
  const known = families.get(name);
  if (known !== undefined) return known;
  for (const [type, suffix] of SUFFIXES) {
    const base = families.get(name.replace(suffix, ''));
    if (base?.type === type) return base;
  }
  const family = new Family(name);
  families.set(name, family);
  return family;
}

function lineAt(body: Uint8Array, offset: number): number {
  let line = 1;
  for (let i = body.indexOf(NEWLINE); i >= 0 && i < offset; i = body.indexOf(NEWLINE, i + 1)) line++;
  return line;
}
