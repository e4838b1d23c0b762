import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unescapeLabelName } from './label-name.ts';
import { FormParams, MAX_FORM_FIELDS } from './params.ts';

// One row a form: the values of `a` and of `b`, as Go's net/http reads them.
const FORMS: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['a=1&b=2', ['1'], ['2']],
  ['a=1&a=2', ['1', '2'], []],
  ['a', [''], []],
  ['a=x+y%20z%2b', ['x y z+'], []],
  ['a=%zz&b=2', [], ['2']],
  ['a=%4&b=2', [], ['2']],
  ['a=1;b=2', [], []],
  ['&&a=1&', ['1'], []],
  ['a=b=c', ['b=c'], []],
  ['a=%c3%a9', ['é'], []],
  ['a=%ff', ['\ufffd'], []],
  ['%61=1', ['1'], []],
];
for (const [text, a, b] of FORMS) {
  test(`the form ${text}`, () => {
    const params = new FormParams();
    params.addForm(text);
    assert.deepEqual([params.all('a'), params.all('b'), params.get('a')], [a, b, a[0] ?? '']);
  });
}

test('fields of the first form come first', () => {
  const params = new FormParams();
  params.addForm('a=body');
  params.addForm('a=query&b=query');
  assert.deepEqual([params.get('a'), params.all('a'), params.get('b')], ['body', ['body', 'query'], 'query']);
});

test('a form has a bounded number of fields', () => {
  const params = new FormParams();
  params.addForm('a=1&'.repeat(MAX_FORM_FIELDS));
  assert.throws(() => params.addForm('a=1'), { name: 'ApiError', message: `request has more than ${MAX_FORM_FIELDS} form fields` });
});

const NAMES: readonly (readonly [string, string])[] = [
  ['job', 'job'],
  ['U__job', 'job'],
  ['U__a_2e_b', 'a.b'],
  ['U__a__b', 'a_b'],
  ['U___1F600_', '😀'],
  ['U__a_2e', 'U__a_2e'],
  ['U__a_zz_', 'U__a_zz_'],
  ['U__a_D800_', 'U__a_D800_'],
  ['U__a_110000_', 'U__a_110000_'],
  ['U__a_0000001_', 'U__a_0000001_'],
];
for (const [text, name] of NAMES) test(`the label ${text} in a path is ${name}`, () => assert.equal(unescapeLabelName(text), name));
