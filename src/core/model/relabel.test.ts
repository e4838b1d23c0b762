import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsFromObject, labelsToObject } from './labels.ts';
import {
  compileRelabel,
  DEFAULT_RELABEL_CONFIG,
  relabel,
  relabelFault,
  type NameValidationScheme,
  type RelabelConfig,
} from './relabel.ts';

type Rule = Partial<RelabelConfig>;
const full = (rule: Rule): RelabelConfig => ({ ...DEFAULT_RELABEL_CONFIG, ...rule });

const ABC = { a: 'foo', b: 'bar', c: 'baz' };
// Claim, labels, rules, labels after (null: dropped).
const cases: readonly (readonly [
  string,
  Record<string, string>,
  readonly Rule[],
  Record<string, string> | null,
  NameValidationScheme?,
])[] = [
  [
    'replace: group into a new label',
    ABC,
    [{ sourceLabels: ['a'], regex: 'f(.*)', targetLabel: 'd', replacement: 'ch${1}-ch${1}' }],
    { ...ABC, d: 'choo-choo' },
  ],
  [
    'replace: sources are joined',
    ABC,
    [{ sourceLabels: ['a', 'b'], regex: 'f(.*);(.*)r', targetLabel: 'a', replacement: 'b${1}${2}m' }],
    { ...ABC, a: 'boobam' },
  ],
  [
    'replace: another separator',
    ABC,
    [{ sourceLabels: ['a', 'b'], separator: '/', targetLabel: 'd' }],
    { ...ABC, d: 'foo/bar' },
  ],
  [
    'replace: the expression is anchored',
    ABC,
    [{ sourceLabels: ['a'], regex: 'o', targetLabel: 'd', replacement: 'x' }],
    ABC,
  ],
  [
    'replace: no match, no change',
    ABC,
    [{ sourceLabels: ['a'], regex: 'no', targetLabel: 'd', replacement: 'x' }],
    ABC,
  ],
  ['replace: no source adds a label', ABC, [{ targetLabel: 'd', replacement: 'x' }], { ...ABC, d: 'x' }],
  [
    'replace: an empty expression matches only nothing',
    ABC,
    [{ sourceLabels: ['a'], regex: '', targetLabel: 'd', replacement: 'x' }],
    ABC,
  ],
  [
    'replace: an empty result deletes',
    ABC,
    [{ sourceLabels: ['a'], regex: 'f(.*)', targetLabel: 'a', replacement: '' }],
    { b: 'bar', c: 'baz' },
  ],
  ['replace: a missing source is empty', ABC, [{ sourceLabels: ['z'], targetLabel: 'a' }], { b: 'bar', c: 'baz' }],
  [
    'replace: the target may come from a group',
    ABC,
    [{ sourceLabels: ['a'], regex: '(.*)', targetLabel: 'x_$1', replacement: 'v' }],
    { ...ABC, x_foo: 'v' },
  ],
  [
    'replace: an invalid target is skipped',
    { a: 'x y' },
    [{ sourceLabels: ['a'], targetLabel: '$1', replacement: 'v' }],
    { a: 'x y' },
    'legacy',
  ],
  [
    'replace: UTF-8 makes the same target valid',
    { a: 'x y' },
    [{ sourceLabels: ['a'], targetLabel: '$1', replacement: 'v' }],
    { a: 'x y', 'x y': 'v' },
  ],
  [
    'replace: an empty target is skipped',
    { a: '' },
    [{ sourceLabels: ['a'], targetLabel: '$1', replacement: 'v' }],
    {},
  ],
  [
    'replace: dot matches newline',
    { a: 'x\ny' },
    [{ sourceLabels: ['a'], regex: 'x(.)y', targetLabel: 'b', replacement: 'hit' }],
    { a: 'x\ny', b: 'hit' },
  ],
  ['keep: match', ABC, [{ action: 'keep', sourceLabels: ['a'], regex: 'foo|x' }], ABC],
  ['keep: no match', ABC, [{ action: 'keep', sourceLabels: ['a'], regex: 'fo' }], null],
  ['drop: match', ABC, [{ action: 'drop', sourceLabels: ['a', 'b'], regex: 'foo;b.*' }], null],
  ['drop: no match', ABC, [{ action: 'drop', sourceLabels: ['a'], regex: 'bar' }], ABC],
  [
    'drop: rules after it do not run',
    ABC,
    [
      { action: 'drop', sourceLabels: ['a'], regex: 'foo' },
      { targetLabel: 'd', replacement: 'x' },
    ],
    null,
  ],
  [
    'keepequal',
    { a: 'x', b: 'x' },
    [{ action: 'keepequal', sourceLabels: ['a'], targetLabel: 'b' }],
    { a: 'x', b: 'x' },
  ],
  ['keepequal: not', ABC, [{ action: 'keepequal', sourceLabels: ['a'], targetLabel: 'b' }], null],
  ['dropequal', { a: 'x', b: 'x' }, [{ action: 'dropequal', sourceLabels: ['a'], targetLabel: 'b' }], null],
  ['dropequal: not', ABC, [{ action: 'dropequal', sourceLabels: ['a'], targetLabel: 'b' }], ABC],
  [
    'hashmod: as Prometheus',
    ABC,
    [{ action: 'hashmod', sourceLabels: ['c'], targetLabel: 'd', modulus: 1000 }],
    { ...ABC, d: '976' },
  ],
  [
    'hashmod: a newline counts',
    { a: 'foo\nbar' },
    [{ action: 'hashmod', sourceLabels: ['a'], targetLabel: 'b', modulus: 1000 }],
    { a: 'foo\nbar', b: '734' },
  ],
  [
    'labelmap',
    { a: 'foo', b1: 'bar', b2: 'baz' },
    [{ action: 'labelmap', regex: '(b.*)', replacement: 'bar_${1}' }],
    { a: 'foo', b1: 'bar', b2: 'baz', bar_b1: 'bar', bar_b2: 'baz' },
  ],
  [
    'labelmap: onto an existing label',
    { a: 'foo', __meta_a: 'new' },
    [{ action: 'labelmap', regex: '__meta_(.*)' }],
    { __meta_a: 'new', a: 'new' },
  ],
  ['labeldrop', { a: 'foo', b1: 'bar', b2: 'baz' }, [{ action: 'labeldrop', regex: '(b.*)' }], { a: 'foo' }],
  [
    'labelkeep',
    { a: 'foo', b1: 'bar', b2: 'baz' },
    [{ action: 'labelkeep', regex: '(b.*)' }],
    { b1: 'bar', b2: 'baz' },
  ],
  [
    'lowercase',
    { a: 'FOO', b: 'Bar' },
    [{ action: 'lowercase', sourceLabels: ['a', 'b'], targetLabel: 'c' }],
    { a: 'FOO', b: 'Bar', c: 'foo;bar' },
  ],
  ['uppercase', { a: 'foo' }, [{ action: 'uppercase', sourceLabels: ['a'], targetLabel: 'a' }], { a: 'FOO' }],
  [
    'lowercase: one character stays one, whatever its place',
    { a: 'İΣ' },
    [{ action: 'lowercase', sourceLabels: ['a'], targetLabel: 'a' }],
    { a: 'İσ' },
  ],
  [
    'uppercase: one character stays one',
    { a: 'straße' },
    [{ action: 'uppercase', sourceLabels: ['a'], targetLabel: 'a' }],
    { a: 'STRAßE' },
  ],
  [
    'a rule sees what the one before did',
    ABC,
    [
      { targetLabel: 'd', replacement: '1' },
      { sourceLabels: ['d'], targetLabel: 'e', replacement: '${1}2' },
    ],
    { ...ABC, d: '1', e: '12' },
  ],
];
for (const [claim, before, rules, after, names] of cases) {
  test(`relabel: ${claim}`, () => {
    const compiled = rules.map((rule) => compileRelabel(full(rule), names));
    const labels = relabel(labelsFromObject(before), compiled);
    assert.deepEqual(labels === null ? null : labelsToObject(labels), after);
  });
}

test('relabel: labels that no rule changes are the same array', () => {
  const labels = labelsFromObject(ABC);
  const rules = [
    { action: 'keep', sourceLabels: ['a'], regex: 'foo' },
    { sourceLabels: ['a'], targetLabel: 'a' },
    { action: 'labeldrop', regex: 'x' },
  ] as const;
  assert.equal(
    relabel(
      labels,
      rules.map((rule) => compileRelabel(full(rule))),
    ),
    labels,
  );
});

// Rule, the field at fault, words of the message.
const faults: readonly (readonly [Rule, keyof RelabelConfig, RegExp, NameValidationScheme?])[] = [
  [{}, 'targetLabel', /replace action requires 'target_label' value/],
  [{ action: 'hashmod', targetLabel: 'x' }, 'modulus', /requires non-zero modulus/],
  [{ action: 'hashmod', modulus: 8 }, 'targetLabel', /hashmod action requires 'target_label'/],
  [{ targetLabel: 'a-b' }, 'targetLabel', /"a-b" is invalid 'target_label' for replace action/, 'legacy'],
  [{ targetLabel: '\ud800' }, 'targetLabel', /is invalid 'target_label'/],
  [{ action: 'lowercase', targetLabel: '${1}' }, 'targetLabel', /is invalid 'target_label' for lowercase/, 'legacy'],
  [
    { action: 'uppercase', targetLabel: 'a', replacement: 'x' },
    'replacement',
    /'replacement' can not be set for uppercase action/,
  ],
  [{ action: 'labelmap', replacement: '-$1' }, 'replacement', /is invalid 'replacement' for labelmap/, 'legacy'],
  [{ action: 'keepequal', targetLabel: 'a', regex: 'x' }, 'regex', /requires only 'source_labels' and `target_label`/],
  [{ action: 'labeldrop', sourceLabels: ['a'] }, 'sourceLabels', /labeldrop action requires only 'regex'/],
  [{ action: 'labelkeep', modulus: 1 }, 'modulus', /labelkeep action requires only 'regex'/],
  [{ action: 'labelkeep', targetLabel: 'a' }, 'targetLabel', /labelkeep action requires only 'regex'/],
];
for (const [rule, field, message, names] of faults) {
  test(`relabel: ${JSON.stringify(rule)} is at fault`, () => {
    const fault = relabelFault(full(rule), names);
    assert.equal(fault?.field, field);
    assert.match(fault.message, message);
  });
}

const valid: readonly (readonly [Rule, NameValidationScheme?])[] = [
  [{ targetLabel: 'a' }],
  [{ targetLabel: 'a-b' }],
  [{ targetLabel: '${1}_x$2' }, 'legacy'],
  [{ targetLabel: 'x_${name}' }, 'legacy'],
  [{ action: 'labelmap' }, 'legacy'],
  [{ action: 'labeldrop', regex: 'a' }],
  [{ action: 'keepequal', sourceLabels: ['a'], targetLabel: 'b' }],
  [{ action: 'keep' }],
];
for (const [rule, names] of valid) {
  test(`relabel: ${JSON.stringify(rule)} is valid`, () => assert.equal(relabelFault(full(rule), names), null));
}
