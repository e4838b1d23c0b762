import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_FEATURES, parseExpr } from './parser.ts';
import { treeToJson } from './tree-json.ts';

const PLAIN = { offset: 0, offsetExpr: null, timestamp: null, startOrEnd: null, anchored: false, smoothed: false };
const named = (name: string): object => ({ name, matchers: [{ name: '__name__', value: name, type: '=' }] });
const foo = { type: 'vectorSelector', ...named('foo'), ...PLAIN };
const bar = { type: 'vectorSelector', ...named('bar'), ...PLAIN };

const cases: readonly (readonly [string, object])[] = [
  ['foo', foo],
  [
    'foo{a!~"b"} @ 1.5 offset -5m',
    {
      ...foo,
      matchers: [
        { name: 'a', value: 'b', type: '!~' },
        { name: '__name__', value: 'foo', type: '=' },
      ],
      offset: -300_000,
      timestamp: 1500,
    },
  ],
  ['1e21', { type: 'numberLiteral', val: '1000000000000000000000' }],
  ['"x"', { type: 'stringLiteral', val: 'x' }],
  ['-(foo)', { type: 'unaryExpr', op: '-', expr: { type: 'parenExpr', expr: foo } }],
  [
    'foo > bool on(a) group_left(b) fill_right(2) bar',
    {
      type: 'binaryExpr',
      op: '>',
      lhs: foo,
      rhs: bar,
      matching: { card: 'many-to-one', labels: ['a'], on: true, include: ['b'], fillValues: { lhs: null, rhs: 2 } },
      bool: true,
    },
  ],
  [
    'foo + 1',
    { type: 'binaryExpr', op: '+', lhs: foo, rhs: { type: 'numberLiteral', val: '1' }, matching: null, bool: false },
  ],
  [
    'topk by (a) (5, foo)',
    {
      type: 'aggregation',
      op: 'topk',
      expr: foo,
      param: { type: 'numberLiteral', val: '5' },
      grouping: ['a'],
      without: false,
    },
  ],
  [
    'round(foo)',
    {
      type: 'call',
      func: { name: 'round', argTypes: ['vector', 'scalar'], variadic: 1, returnType: 'vector' },
      args: [foo],
    },
  ],
  [
    'foo[5m] smoothed @ end()',
    {
      type: 'matrixSelector',
      ...named('foo'),
      ...PLAIN,
      range: 300_000,
      rangeExpr: null,
      startOrEnd: 'end',
      smoothed: true,
    },
  ],
  [
    'foo[1m:step() * 2]',
    {
      type: 'subquery',
      expr: foo,
      range: 60_000,
      rangeExpr: null,
      step: 0,
      stepExpr: {
        type: 'durationExpr',
        op: '*',
        lhs: { type: 'durationExpr', op: 'step', lhs: null, rhs: null, wrapped: false },
        rhs: { type: 'numberLiteral', val: '2' },
        wrapped: false,
      },
      offset: 0,
      offsetExpr: null,
      timestamp: null,
      startOrEnd: null,
    },
  ],
];
for (const [text, want] of cases) {
  test(`as JSON: ${text}`, () => assert.deepEqual(treeToJson(parseExpr(text, ALL_FEATURES)), want));
}
