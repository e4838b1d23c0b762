import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_ALIASED_NODES, MAX_YAML_LENGTH, parseYaml, type YamlNode } from './yaml-node.ts';
import { decodeBinary, isNullNode, resolveScalar } from './yaml-scalar.ts';

/** `{a=1 b=[x y]}` with places where asked for. */
function show(node: YamlNode | null): string {
  if (node === null) return 'none';
  if (node.kind === 'scalar') return node.text;
  if (node.kind === 'sequence') return `[${node.items.map(show).join(' ')}]`;
  return `{${node.entries.map(({ key, value }) => `${show(key)}=${show(value)}`).join(' ')}}`;
}

const cases = [
  ['', 'none'],
  ['# only a comment', 'none'],
  ['a: 1\nb: [x, "y z"]', '{a=1 b=[x y z]}'],
  ['a: &x {p: 1}\nb: *x', '{a={p=1} b={p=1}}'],
  ['a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3, r: 4}', '{a={p=1 q=2} b={q=3 r=4 p=1}}'],
  ['a: &x {p: 1}\nb: &y {p: 2, s: 3}\nc: {<<: [*x, *y]}', '{a={p=1} b={p=2 s=3} c={p=1 s=3}}'],
  ['a: {"<<": 1}', '{a={<<=1}}'],
  ['a: |\n  one\n  two\n', '{a=one\ntwo\n}'],
  ['a: 1\n---\nb: 2', '{a=1}'],
  ['a: 1\na: 2', '{a=1 a=2}'],
] as const;
for (const [text, want] of cases)
  test(`yaml: ${JSON.stringify(text)}`, () => assert.equal(show(parseYaml(text)), want));

test('yaml: nodes know line and column', () => {
  const root = parseYaml('a:\n  - b: [1,\n      two]\n');
  assert.equal(root?.kind, 'mapping');
  const places: string[] = [];
  const walk = (node: YamlNode): void => {
    places.push(`${node.kind === 'scalar' ? node.text : node.kind}@${node.line}:${node.column}`);
    if (node.kind === 'sequence') node.items.forEach(walk);
    if (node.kind === 'mapping') node.entries.forEach(({ key, value }) => [key, value].forEach(walk));
  };
  walk(root);
  assert.equal(places.join(' '), 'mapping@1:1 a@1:1 sequence@2:3 mapping@2:5 b@2:5 sequence@2:8 1@2:9 two@3:7');
});

const bad = [
  ['a: *x', /line 1: unknown anchor 'x' referenced/],
  ['a: &x [*x]', /anchor 'x' value contains itself/],
  ['a: {<<: 1}', /map merge requires map/],
  ['a: [1', /line 1: unexpected end of the stream/],
  ['a:\n\tb: 1', /line 2/],
  ['['.repeat(200), /line 1/],
] as const;
for (const [text, message] of bad)
  test(`yaml: ${JSON.stringify(text.slice(0, 20))} is refused`, () => assert.throws(() => parseYaml(text), message));

test('yaml: aliases may not blow up without bound', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 12; i++)
    lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(', ')}]`);
  assert.throws(() => parseYaml(lines.join('\n')), /document contains excessive aliasing/);
  assert.ok(10 ** 12 > MAX_ALIASED_NODES);
});

test('yaml: text past the limit is not read', () => {
  assert.throws(() => parseYaml('#'.repeat(MAX_YAML_LENGTH + 1)), /longer than/);
});

// Scalar, its type and value as YAML 1.1 has it.
const scalars = [
  ['yes', '!!bool true'],
  ['Off', '!!bool false'],
  ['"yes"', '!!str yes'],
  ['!!str yes', '!!str yes'],
  ['12', '!!int 12'],
  ['-1_000', '!!int -1000'],
  ['017', '!!int 15'],
  ['0o17', '!!int 15'],
  ['0x1F', '!!int 31'],
  ['0b101', '!!int 5'],
  ['089', '!!float 89'],
  ['1.5e3', '!!float 1500'],
  ['.inf', '!!float Infinity'],
  ['-.INF', '!!float -Infinity'],
  ['.nan', '!!float NaN'],
  ['1.2.3', '!!str 1.2.3'],
  ['10s', '!!str 10s'],
  ['2024-01-02', '!!timestamp 2024-01-02'],
  ['~', '!!null undefined'],
] as const;
for (const [text, want] of scalars) {
  test(`yaml: ${text} is ${want}`, () => {
    const node = parseYaml(`a: ${text}`);
    assert.ok(node?.kind === 'mapping');
    const { value } = node.entries[0]!;
    assert.ok(value.kind === 'scalar');
    const resolved = resolveScalar(value);
    assert.equal(`${resolved.tag} ${'value' in resolved ? resolved.value : undefined}`, want);
    assert.equal(isNullNode(value), want.startsWith('!!null'));
  });
}

test('yaml: binary that is no UTF-8 is not well formed', () => {
  assert.equal(decodeBinary('YWJj'), 'abc');
  assert.equal(decodeBinary('/w==')?.isWellFormed(), false);
  assert.equal(decodeBinary('/w==$1'), null);
});
