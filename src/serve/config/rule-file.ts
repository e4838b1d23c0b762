/**
 * Rule files as `check config` looks at them: of the right shape, every expression parses, no rule twice.
 *
 * Source: Prometheus, "recording rules" and "alerting rules"; rulefmt.
 */
import { errorMessage } from '../../core/base/errors.ts';
import {
  compareLabels,
  compareStrings,
  isLegacyLabelName,
  labelsFromPairs,
  labelsKey,
  METRIC_NAME,
  quote,
  type Labels,
} from '../../core/model/labels.ts';
import { isLabelName } from '../../core/model/relabel.ts';
import {
  field,
  INT,
  list,
  map,
  optional,
  Reader,
  shownField,
  STRING,
  struct,
  type StructPlace,
  type Type,
} from '../../core/model/yaml/schema.ts';
import { DURATION } from '../../core/model/yaml/values.ts';
import { parseYaml } from '../../core/model/yaml/yaml-node.ts';
import { parseExpr } from '../../query/promql/parse/parser.ts';

export interface RuleConfig {
  /** Exactly one of these two is not ''. */
  readonly record: string;
  readonly alert: string;
  readonly expr: string;
  readonly forMs: number;
  readonly keepFiringForMs: number;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
}

export interface RuleGroupConfig {
  readonly name: string;
  /** 0: the global evaluation interval. */
  readonly intervalMs: number;
  /** null: the global offset. */
  readonly queryOffsetMs: number | null;
  /** 0: no limit. */
  readonly limit: number;
  readonly labels: ReadonlyMap<string, string>;
  readonly rules: readonly RuleConfig[];
}

const RULE: Type<RuleConfig> = struct<RuleConfig>(
  'rulefmt.Rule',
  {
    record: field('record', STRING),
    alert: field('alert', STRING),
    expr: shownField('expr', STRING),
    forMs: field('for', DURATION),
    keepFiringForMs: field('keep_firing_for', DURATION),
    labels: field('labels', map(STRING)),
    annotations: field('annotations', map(STRING)),
  },
  checkRule,
);

const GROUP: Type<RuleGroupConfig> = struct<RuleGroupConfig>(
  'rulefmt.RuleGroup',
  {
    name: shownField('name', STRING),
    intervalMs: field('interval', DURATION),
    queryOffsetMs: field('query_offset', optional(DURATION)),
    limit: field('limit', INT),
    labels: field('labels', map(STRING)),
    rules: shownField('rules', list(RULE)),
  },
  ({ name, labels }, place) => {
    if (name === '') place.fail('name', 'Groupname must not be empty');
    checkNames(labels, 'labels', place);
  },
);

const FILE = struct<{ readonly groups: readonly RuleGroupConfig[] }>('rulefmt.RuleGroups', {
  groups: shownField('groups', list(GROUP)),
});

function checkRule(rule: RuleConfig, place: StructPlace): void {
  const { record, alert, expr } = rule;
  if (record !== '' && alert !== '') place.fail('record', "only one of 'record' and 'alert' must be set");
  if (record === '' && alert === '') place.fail('', "one of 'record' or 'alert' must be set");
  if (expr === '') place.fail('expr', "field 'expr' must be set in rule");
  try {
    parseExpr(expr);
  } catch (error) {
    place.fail('expr', `${quote(record || alert)}: could not parse expression: ${errorMessage(error)}`, error);
  }
  if (record !== '') {
    if (rule.annotations.size > 0) place.fail('annotations', "invalid field 'annotations' in recording rule");
    if (rule.forMs !== 0) place.fail('for', "invalid field 'for' in recording rule");
    if (rule.keepFiringForMs !== 0) place.fail('keep_firing_for', "invalid field 'keep_firing_for' in recording rule");
    if (!isLabelName(record, 'utf8')) place.fail('record', `invalid recording rule name: ${record}`);
  }
  checkNames(rule.labels, 'labels', place);
  for (const name of rule.annotations.keys()) {
    if (!isLegacyLabelName(name)) place.fail('annotations', `invalid annotation name: ${name}`);
  }
}

function checkNames(labels: ReadonlyMap<string, string>, key: string, place: StructPlace): void {
  for (const [name, value] of labels) {
    if (!isLabelName(name, 'utf8') || name === METRIC_NAME) place.fail(key, `invalid label name: ${name}`);
    if (!value.isWellFormed()) place.fail(key, `invalid label value: ${value}`);
  }
}

/** @throws ConfigError that names line, column and field */
export function parseRuleFile(
  text: string,
  options: { readonly ignoreUnknownFields: boolean },
): readonly RuleGroupConfig[] {
  const root = parseYaml(text);
  if (root === null) return [];
  const reader = new Reader({ strict: !options.ignoreUnknownFields, dir: '' });
  const { groups } = reader.decode(FILE, root);
  reader.finish();
  const names = new Set<string>();
  for (const group of groups) {
    if (names.has(group.name))
      reader.placeOf(group).fail('name', `groupname: ${quote(group.name)} is repeated in the same file`);
    names.add(group.name);
  }
  return groups;
}

export interface DuplicateRule {
  readonly metric: string;
  readonly labels: Labels;
}

/** Rules that share name and label set, each once, in order of them: their series would overwrite each other. */
export function duplicateRules(groups: readonly RuleGroupConfig[]): DuplicateRule[] {
  const counts = new Map<string, number>();
  const duplicates: DuplicateRule[] = [];
  for (const rule of groups.flatMap((group) => group.rules)) {
    const metric = rule.record || rule.alert;
    const labels = labelsFromPairs(rule.labels);
    const key = labelsKey([metric, ...labels]);
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    if (count === 2) duplicates.push({ metric, labels });
  }
  return duplicates.sort((a, b) => compareStrings(a.metric, b.metric) || compareLabels(a.labels, b.labels));
}
