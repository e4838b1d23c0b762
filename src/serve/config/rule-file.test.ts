import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { duplicateRules, parseRuleFile } from './rule-file.ts';

const rules = (text: string): string => `groups:\n- name: g\n  rules: [${text}]\n`;
const parse = (text: string) => parseRuleFile(text, { ignoreUnknownFields: false });

const bad = [
  [rules('{record: a, alert: b, expr: c}'), /only one of 'record' and 'alert' must be set/],
  [rules('{expr: c}'), /one of 'record' or 'alert' must be set/],
  [rules('{record: a}'), /field 'expr' must be set in rule/],
  [rules('{record: a, expr: "b("}'), /"a": could not parse expression: .*groups\[0\]\.rules\[0\]\.expr/],
  [rules('{record: a, expr: b, for: 5m}'), /invalid field 'for' in recording rule/],
  [rules('{record: a, expr: b, keep_firing_for: 5m}'), /invalid field 'keep_firing_for' in recording rule/],
  [rules('{record: a, expr: b, annotations: {c: d}}'), /invalid field 'annotations' in recording rule/],
  [rules('{alert: a, expr: b, labels: {__name__: c}}'), /invalid label name: __name__/],
  [rules('{alert: a, expr: b, annotations: {c-d: e}}'), /invalid annotation name: c-d/],
  [rules('{alert: a, expr: b, for: 5x}'), /not a valid duration string: "5x"/],
  [rules('{alert: a, expr: b, severity: c}'), /field severity not found in type rulefmt.Rule/],
  ['groups: [{name: "", rules: []}]', /Groupname must not be empty/],
  ['groups: [{name: g}, {name: g}]', /groupname: "g" is repeated in the same file \(line 1, column 22/],
  ['- a', /cannot unmarshal !!seq into rulefmt.RuleGroups/],
] as const;
for (const [text, message] of bad)
  test(`rules: ${JSON.stringify(text)} is refused`, () => assert.throws(() => parse(text), message));

test('rules: of one name and label set are duplicates, whatever their order of labels', () => {
  const groups = parse(
    rules(
      '{record: a, expr: b, labels: {x: 1, y: 2}}, {record: a, expr: c, labels: {y: 2, x: 1}}, {record: a, expr: d}, {alert: z, expr: e}',
    ),
  );
  assert.deepEqual(duplicateRules(groups), [{ metric: 'a', labels: ['x', '1', 'y', '2'] }]);
});

const FOLDER = '../shared/conformance/mixins';
test('rules: every mixin loads', { skip: existsSync(FOLDER) ? false : 'no conformance data' }, (t) => {
  const files = globSync(`${FOLDER}/*/*.yaml`);
  const ruleCount = files.reduce(
    (sum, file) => sum + parse(readFileSync(file, 'utf8')).reduce((count, group) => count + group.rules.length, 0),
    0,
  );
  t.diagnostic(`${files.length} files, ${ruleCount} rules`);
  assert.ok(ruleCount > 0);
});
