import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsFromObject, type Labels } from '../../core/model/labels.ts';
import { writeFederateText } from './federate-text.ts';

const EXTERNAL = labelsFromObject({ region: 'eu', zone: 'z<1>' });

function federated(labels: readonly Labels[], values: readonly number[], external = EXTERNAL): string {
  const times = new Float64Array(labels.length).fill(1_795_423_510_272);
  return Buffer.concat([...writeFederateText({ labels, times, values: Float64Array.from(values) }, external)]).toString();
}

// One row a sample: its labels, value and line, as Prometheus 2.42 writes it.
const LINES: readonly (readonly [Record<string, string>, number, string])[] = [
  [{ instance: 'x', job: 'odd' }, 5, 'm{instance="x",job="odd",region="eu",zone="z<1>"} 5 '],
  [{ a: '1', job: 'noinst', zone: 'own' }, 5, 'm{a="1",job="noinst",zone="own",instance="",region="eu"} 5 '],
  [{ instance: 'x', v: 'quote"back\\slash\n' }, 2.5, 'm{instance="x",v="quote\\"back\\\\slash\\n",region="eu",zone="z<1>"} 2.5 '],
  [{ instance: 'x', 'a.b': '1' }, 1, 'm{"a.b"="1",instance="x",region="eu",zone="z<1>"} 1 '],
];
for (const [labels, value, line] of LINES) {
  test(`the line ${line}`, () => assert.equal(federated([labelsFromObject({ __name__: 'm', ...labels })], [value]), `# TYPE m untyped\n${line}1795423510272\n`));
}

const VALUES: readonly (readonly [number, string])[] = [
  [123_456_789, '1.23456789e+08'],
  [1e6, '1e+06'],
  [999_999, '999999'],
  [0.0001, '0.0001'],
  [0.00001234, '1.234e-05'],
  [1_234_567.5, '1.2345675e+06'],
  [1e20, '1e+20'],
  [1.2345678901234568e22, '1.2345678901234568e+22'],
  [-1e-100, '-1e-100'],
  [-0, '0'],
  [Number.NaN, 'NaN'],
  [Infinity, '+Inf'],
];
for (const [value, text] of VALUES) {
  test(`the value ${text}`, () => assert.equal(federated([['__name__', 'm', 'instance', 'x']], [value], []), `# TYPE m untyped\nm{instance="x"} ${text} 1795423510272\n`));
}

test('a type line stands before each metric, and nameless series are left out', () => {
  const text = federated([['__name__', 'a', 'instance', 'x'], ['__name__', 'a', 'instance', 'y'], ['instance', 'x'], ['__name__', 'b.c', 'instance', 'x']], [1, 2, 3, 4], []);
  const want = ['# TYPE a untyped', 'a{instance="x"} 1', 'a{instance="y"} 2', '# TYPE "b.c" untyped', '{"b.c",instance="x"} 4'];
  assert.deepEqual(text.replaceAll(' 1795423510272', '').trimEnd().split('\n'), want);
});

test('an external instance label stands for the missing one', () => {
  assert.equal(federated([['__name__', 'm']], [1], ['instance', 'me']), '# TYPE m untyped\nm{instance="me"} 1 1795423510272\n');
});
