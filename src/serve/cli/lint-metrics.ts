/**
 * What is wrong with names, types and help texts of exposed metrics, in promtool's words.
 *
 * Source: Prometheus, "Metric and label naming" and "Writing client libraries"; findings and words verified against promtool 2.42.
 */
import { compareStrings, labelsKey, quote } from '../../core/model/labels.ts';
import type { MetricFamily } from './metric-families.ts';

export interface LintFinding {
  readonly metric: string;
  readonly text: string;
}

/** Units that have a base unit, and base units themselves. */
const BASE_UNITS: ReadonlyMap<string, string> = new Map([
  ...'amperes bytes celsius grams joules kelvin meters metres moles seconds volts'
    .split(' ')
    .map((unit) => [unit, unit] as const),
  ['minutes', 'seconds'],
  ['hours', 'seconds'],
  ['days', 'seconds'],
  ['weeks', 'seconds'],
  ['kelvins', 'kelvin'],
  ['fahrenheit', 'celsius'],
  ['rankine', 'celsius'],
  ['inches', 'meters'],
  ['yards', 'meters'],
  ['miles', 'meters'],
  ['bits', 'bytes'],
  ['calories', 'joules'],
  ['pounds', 'grams'],
  ['ounces', 'grams'],
]);
/** `mibi` is promtool's word: a finding that promtool does not have would fail its users' checks. */
const UNIT_PREFIX = /^(?:pico|nano|micro|milli|centi|deci|deca|hecto|kilo|kibi|mega|mibi|giga|gibi|tera|tebi|peta|pebi)/;
const UNIT_ABBREVIATIONS = 's ms us ns sec b kb mb gb tb pb m h d'.split(' ');
const TYPES_IN_NAMES = ['counter', 'gauge', 'summary', 'histogram', 'gauge_histogram'];
const CAMEL_CASE = /[a-z][A-Z]/;

/** In order of metrics, then of texts. */
export function lintMetrics(families: readonly MetricFamily[]): LintFinding[] {
  return families
    .flatMap((family) => findingsOf(family).map((text) => ({ metric: family.name, text })))
    .sort((a, b) => compareStrings(a.metric, b.metric) || compareStrings(a.text, b.text));
}

function findingsOf(family: MetricFamily): string[] {
  return [
    ...(family.help === '' ? ['no help text'] : []),
    ...unitFindings(family.name),
    ...counterFindings(family),
    ...reservedFindings(family),
    ...TYPES_IN_NAMES.filter((type) => hasWord(family.name, type)).map(
      (type) => `metric name should not include type '${type}'`,
    ),
    ...(family.name.includes(':') ? ["metric names should not contain ':'"] : []),
    ...camelCaseFindings(family),
    ...UNIT_ABBREVIATIONS.filter((unit) => hasWord(family.name.toLowerCase(), unit)).map(
      () => 'metric names should not contain abbreviated units',
    ),
    ...duplicateFindings(family),
  ];
}

/** Behind an underscore, whole. */
const hasWord = (name: string, word: string): boolean => name.includes(`_${word}_`) || name.endsWith(`_${word}`);

function unitFindings(name: string): string[] {
  for (const word of name.split('_')) {
    const base = BASE_UNITS.get(word) ?? BASE_UNITS.get(word.replace(UNIT_PREFIX, ''));
    if (base === undefined) continue;
    return word === base ? [] : [`use base unit ${quote(base)} instead of ${quote(word)}`];
  }
  return [];
}

function counterFindings({ name, type }: MetricFamily): string[] {
  const isTotal = name.endsWith('_total');
  if (type === 'counter') return isTotal ? [] : ['counter metrics should have "_total" suffix'];
  return isTotal && type !== 'untyped' ? ['non-counter metrics should not have "_total" suffix'] : [];
}

/** Suffixes and labels that histograms and summaries have. Nothing is known of untyped metrics. */
function reservedFindings({ name, type, metrics }: MetricFamily): string[] {
  if (type === 'untyped') return [];
  const findings: string[] = [];
  if (type !== 'histogram' && name.endsWith('_bucket'))
    findings.push('non-histogram metrics should not have "_bucket" suffix');
  for (const suffix of ['_count', '_sum']) {
    if (type !== 'histogram' && type !== 'summary' && name.endsWith(suffix))
      findings.push(`non-histogram and non-summary metrics should not have "${suffix}" suffix`);
  }
  for (const labels of metrics) {
    for (let i = 0; i < labels.length; i += 2) {
      if (type !== 'histogram' && labels[i] === 'le')
        findings.push('non-histogram metrics should not have "le" label');
      if (type !== 'summary' && labels[i] === 'quantile')
        findings.push('non-summary metrics should not have "quantile" label');
    }
  }
  return findings;
}

function camelCaseFindings({ name, metrics }: MetricFamily): string[] {
  const findings = CAMEL_CASE.test(name) ? ["metric names should be written in 'snake_case' not 'camelCase'"] : [];
  for (const labels of metrics) {
    for (let i = 0; i < labels.length; i += 2)
      if (CAMEL_CASE.test(labels[i]!)) findings.push("label names should be written in 'snake_case' not 'camelCase'");
  }
  return findings;
}

function duplicateFindings({ metrics }: MetricFamily): string[] {
  const distinct = new Set(metrics.map(labelsKey));
  return Array.from({ length: metrics.length - distinct.size }, () => 'metric not unique');
}
