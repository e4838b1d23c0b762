import assert from 'node:assert/strict';
import { test } from 'node:test';
import { multipartFields } from './multipart-form.ts';

const FORM = 'multipart/form-data; boundary=x';
const field = (name: string, value: string): string =>
  `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const read = (text: string, type = FORM): unknown => multipartFields(Buffer.from(text), type);

// One row a body: claim, text, fields. Verified with Prometheus 2.42 (Go's mime/multipart).
const WHOLE: readonly (readonly [string, string, readonly (readonly [string, string])[]])[] = [
  [
    'two fields',
    `${field('query', 'up')}${field('time', '5')}--x--\r\n`,
    [
      ['query', 'up'],
      ['time', '5'],
    ],
  ],
  ['no field', '--x--', []],
  ['an empty value', `${field('a', '')}--x--`, [['a', '']]],
  ['values with line breaks', `${field('a', '1\r\n2\n\n')}--x--`, [['a', '1\r\n2\n\n']]],
  ['UTF-8', `${field('ü', '{a="日本"}')}--x--`, [['ü', '{a="日本"}']]],
  ['a name without quotes', '--x\r\nContent-Disposition: form-data; name=query\r\n\r\n1\r\n--x--', [['query', '1']]],
  ['a name with quotes', '--x\r\nContent-Disposition: form-data; name="a\\"b"\r\n\r\n1\r\n--x--', [['a"b', '1']]],
  [
    'a name with other backslashes',
    '--x\r\nContent-Disposition: form-data; name="a\\b"\r\n\r\n1\r\n--x--',
    [['a\\b', '1']],
  ],
  ['text before and after', `junk\r\n${field('a', '1')}--x--\r\nmore`, [['a', '1']]],
  ['bare line feeds', '--x\nContent-Disposition: form-data; name="a"\n\n1\n--x--\n', [['a', '1']]],
  [
    'other headers',
    '--x\r\nX: y\r\ncontent-disposition: FORM-DATA; name="a"\r\nContent-Type: text/plain\r\n\r\n1\r\n--x--',
    [['a', '1']],
  ],
  ['no files', '--x\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n1\r\n--x--', []],
  ['no parts of other kinds', '--x\r\nContent-Disposition: attachment; name="a"\r\n\r\n1\r\n--x--', []],
  ['a value that looks like a boundary', `${field('a', 'b--x--')}--x--`, [['a', 'b--x--']]],
];
for (const [claim, text, want] of WHOLE) test(`reads ${claim}`, () => assert.deepEqual(read(text), want));

test('the boundary may be quoted', () => {
  assert.deepEqual(
    read(
      '--a b\r\nContent-Disposition: form-data; name="n"\r\n\r\n1\r\n--a b--',
      'multipart/form-data; boundary="a b"',
    ),
    [['n', '1']],
  );
});

// One row a body that is no form.
const BROKEN: readonly (readonly [string, string, string])[] = [
  ['nothing', '', FORM],
  ['no boundary in the type', `${field('a', '1')}--x--`, 'multipart/form-data'],
  ['another boundary', `${field('a', '1')}--x--`, 'multipart/form-data; boundary=y'],
  ['an empty boundary', `${field('a', '1')}--x--`, 'multipart/form-data; boundary='],
  ['a boundary that is too long', '', `multipart/form-data; boundary=${'x'.repeat(71)}`],
  ['no end', field('a', '1'), FORM],
  ['half a head', '--x\r\nContent-Disposition: form-data; name="a"', FORM],
  ['a head without a value', '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n', FORM],
  ['text beside the boundary', '--xy\r\n\r\n--x--', FORM],
];
for (const [claim, text, type] of BROKEN) test(`takes no form: ${claim}`, () => assert.equal(read(text, type), null));

test('a large body is read in one pass', () => {
  const body = `${field('a', '\n'.repeat(200_000)).repeat(20)}--x--`;
  assert.equal((read(body) as unknown[]).length, 20);
});
