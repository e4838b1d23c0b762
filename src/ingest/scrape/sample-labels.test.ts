import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatLabels, labelsFromObject } from '../../core/model/labels.ts';
import { DEFAULT_RELABEL_CONFIG, type RelabelConfig } from '../../core/model/relabel.ts';
import { CONFIG } from './_testing.ts';
import {
  LabelLimitError,
  SampleLabels,
  SampleLabelsError,
  sampleLabelsKey,
  type SampleLabelsConfig,
} from './sample-labels.ts';

/** Stored labels of `m{exposed}` on a target with the labels `target`; '' where it is dropped. */
function resolve(
  exposed: Record<string, string>,
  target: Record<string, string>,
  changes: Partial<SampleLabelsConfig> = {},
): string {
  const sorted = Object.entries({ __name__: 'm', ...exposed })
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flat();
  const labels = new SampleLabels({ ...CONFIG, ...changes }, labelsFromObject(target)).resolve(sorted);
  return labels === null ? '' : formatLabels(labels);
}

// Exposed labels, target labels, honor_labels, then what is stored.
const merges: readonly (readonly [string, Record<string, string>, Record<string, string>, boolean, string])[] = [
  ['target labels are added', { a: '1' }, { job: 'j' }, false, 'm{a="1", job="j"}'],
  ['a clash is renamed', { job: 'x' }, { job: 'j' }, false, 'm{exported_job="x", job="j"}'],
  [
    'until the name is free',
    { job: 'x', exported_job: 'y' },
    { job: 'j' },
    false,
    'm{exported_exported_job="x", exported_job="y", job="j"}',
  ],
  [
    'also of the target',
    { job: 'x' },
    { job: 'j', exported_job: 'k' },
    false,
    'm{exported_exported_job="x", exported_job="k", job="j"}',
  ],
  [
    'the shorter name chooses first',
    { foo: '1', exported_foo: '2' },
    { foo: 'a', exported_foo: 'b' },
    false,
    'm{exported_exported_exported_foo="2", exported_exported_foo="1", exported_foo="b", foo="a"}',
  ],
  ['an empty label clashes with nothing', { job: '', a: '' }, { job: 'j' }, false, 'm{job="j"}'],
  ['honoured, the exposed label wins', { job: 'x' }, { job: 'j', instance: 'i' }, true, 'm{instance="i", job="x"}'],
  ['and an empty one takes the target’s away', { instance: '' }, { job: 'j', instance: 'i' }, true, 'm{job="j"}'],
  ['names past the BMP sort as bytes do', { '😀': '1' }, { '～': '2' }, false, 'm{"～"="2", "😀"="1"}'],
];
for (const [claim, exposed, target, honorLabels, want] of merges) {
  test(claim, () => {
    assert.equal(resolve(exposed, target, { honorLabels }), want);
  });
}

const rule = (changes: Partial<RelabelConfig>): RelabelConfig => ({ ...DEFAULT_RELABEL_CONFIG, ...changes });

// Rules, then what is stored of m{a="1"} with job="j".
const relabellings: readonly (readonly [string, RelabelConfig, string])[] = [
  ['rules see target labels', rule({ sourceLabels: ['job'], targetLabel: 'b' }), 'm{a="1", b="j", job="j"}'],
  ['and may drop the series', rule({ action: 'drop', sourceLabels: ['a'], regex: '1' }), ''],
  ['without any label it is dropped', rule({ action: 'labelkeep', regex: 'none' }), ''],
  ['the name may change', rule({ targetLabel: '__name__', replacement: 'n' }), 'n{a="1", job="j"}'],
];
for (const [claim, config, want] of relabellings) {
  test(claim, () => {
    assert.equal(resolve({ a: '1' }, { job: 'j' }, { metricRelabelConfigs: [config] }), want);
  });
}

const long = 'x'.repeat(60);

// Exposed labels, configuration, then the message, and whether it is a limit.
const faults: readonly (readonly [Record<string, string>, Partial<SampleLabelsConfig>, string, boolean])[] = [
  [
    {},
    { metricRelabelConfigs: [rule({ action: 'labeldrop', regex: '__name__' })] },
    'missing metric name (__name__ label)',
    false,
  ],
  [
    { __name__: 'a.b' },
    { metricNameValidationScheme: 'legacy' },
    'invalid metric name or label names: {"a.b", job="j"}',
    false,
  ],
  [
    { 'a.b': '1' },
    { metricNameValidationScheme: 'legacy' },
    'invalid metric name or label names: m{"a.b"="1", job="j"}',
    false,
  ],
  [{ a: '1' }, { labelLimit: 2 }, 'label_limit exceeded (metric: m, number of labels: 3, limit: 2)', true],
  [{ abcd: '1' }, { labelNameLengthLimit: 8 }, '', true],
  [
    { abcd: '1' },
    { labelNameLengthLimit: 7 },
    'label_name_length_limit exceeded (metric: m, label name: __name__, length: 8, limit: 7)',
    true,
  ],
  [{ a: 'üü' }, { labelValueLengthLimit: 4 }, '', true],
  [
    { a: 'üüü' },
    { labelValueLengthLimit: 5 },
    'label_value_length_limit exceeded (metric: m, label name: a, value: "üüü", length: 6, limit: 5)',
    true,
  ],
  [
    { __name__: long, a: '1' },
    { labelLimit: 1 },
    `label_limit exceeded (metric: ${long.slice(0, 50)}, number of labels: 3, limit: 1)`,
    true,
  ],
];
for (const [exposed, changes, message, isLimit] of faults) {
  test(message === '' ? `within the limit: ${JSON.stringify(changes)}` : message.slice(0, 100), () => {
    if (message === '') {
      assert.notEqual(resolve(exposed, { job: 'j' }, changes), '');
      return;
    }
    assert.throws(
      () => resolve(exposed, { job: 'j' }, changes),
      (error) =>
        error instanceof SampleLabelsError && error.message === message && error instanceof LabelLimitError === isLimit,
    );
  });
}

test('the scrape’s own series are neither relabelled nor limited', () => {
  const config = { ...CONFIG, labelLimit: 1, metricRelabelConfigs: [rule({ action: 'drop' })] };
  const labels = new SampleLabels(config, labelsFromObject({ job: 'j', instance: 'i' }));
  assert.equal(formatLabels(labels.report('up')), 'up{instance="i", job="j"}');
});

test('configurations differ by what makes other series, and by nothing else', () => {
  assert.equal(
    sampleLabelsKey(CONFIG),
    sampleLabelsKey({ ...CONFIG, sampleLimit: 5, scrapeIntervalMs: 1 } as SampleLabelsConfig),
  );
  for (const changes of [
    { honorLabels: true },
    { labelLimit: 1 },
    { metricRelabelConfigs: [rule({ action: 'drop' })] },
  ]) {
    assert.notEqual(sampleLabelsKey(CONFIG), sampleLabelsKey({ ...CONFIG, ...changes }));
  }
});
